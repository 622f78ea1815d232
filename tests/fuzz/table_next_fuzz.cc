#include "fuzz/table_next.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tcpmibd::fuzz::table_next({data, size});
  return 0;
}
