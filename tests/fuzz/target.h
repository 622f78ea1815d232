#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

// What is fuzzed stands in headers: libFuzzer drives it through the one function of that name in
// each *_fuzz.cc, and unit tests replay the corpus with any compiler.

namespace tcpmibd::fuzz {

using Input = std::span<const std::uint8_t>;

// A property that must hold whatever the input.
inline void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace tcpmibd::fuzz
