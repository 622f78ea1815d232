#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

// What every target of the fuzzers uses. See docs/fuzzing.md.

namespace tcpmibd::fuzz {

using Input = std::span<const std::uint8_t>;

// A property that must hold whatever the input.
inline void require(bool holds, const char* what) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

// Takes an input apart, from its beginning. What is no longer there is zero or empty: every input
// means something, and its first octets mean the same whatever follows.
class Draw {
 public:
  explicit Draw(Input input) : rest_(input) {}

  bool is_empty() const { return rest_.empty(); }

  // In the machine's order.
  template <std::integral Number>
  Number number() {
    Number value{};
    const Input octets = this->octets(sizeof value);
    if (!octets.empty())
      std::memcpy(&value, octets.data(), octets.size());
    return value;
  }
  std::uint8_t octet() { return number<std::uint8_t>(); }
  bool flag() { return octet() % 2 != 0; }
  std::size_t below(std::size_t end) { return octet() % end; }

  // So many, or what is left.
  Input octets(std::size_t count) {
    const Input taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

  // With its length before it, an octet.
  Input piece() { return octets(octet()); }

  // What stands before the next `end`, which is cut off.
  std::string_view text_until(char end) {
    const std::string_view all = text_of(rest_);
    const std::string_view text = all.substr(0, all.find(end));
    octets(text.size() + 1);
    return text;
  }

  Input rest() { return octets(rest_.size()); }
  std::string_view rest_text() { return text_of(rest()); }

 private:
  Input rest_;
};

}  // namespace tcpmibd::fuzz
