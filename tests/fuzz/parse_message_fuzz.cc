#include "fuzz/parse_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcpmibd::fuzz::parse_message({data, size});
  return 0;
}
