#include "base/log.h"
#include "fuzz/targets.h"

// What libFuzzer calls: one target, that the build names.

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  tcpmibd::log::set_level(tcpmibd::log::Level::kError);  // a million warnings are of no use
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcpmibd::fuzz::TCPMIBD_FUZZ_TARGET({data, size});
  return 0;
}
