#pragma once

#include <cstdlib>
#include <string_view>

namespace tcpmibd::lab {

// Whether all is to be tried, and not what fits into minutes: `tools/test --long` asks for it.
inline bool is_long() { return std::getenv("TCPMIBD_TEST_LONG") != nullptr; }

// The kind of system call, by name, of which all are to be tried and no other: "read". Empty: none
// is chosen.
inline std::string_view chosen_call() {
  const char* name = std::getenv("TCPMIBD_TEST_CALL");
  return name != nullptr ? name : "";
}

}  // namespace tcpmibd::lab
