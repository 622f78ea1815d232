#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

// The texts of /proc, cut into words and numbers. Views point into the text that was given.

namespace tcpmibd::tcp {

// Cuts `text` at the first `end` and returns what stood before it.
std::string_view take_until(std::string_view& text, char end);

// The next word of a line; words are kept apart by spaces and tabs.
std::string_view take_word(std::string_view& line);

// What follows `prefix` on the first line that begins with it; cuts `text` behind that line.
// Empty where there is no such line.
std::string_view take_line(std::string_view& text, std::string_view prefix);

// The whole word as a number; none where it is anything else, or more than fits.
template <typename Number>
std::optional<Number> number(std::string_view word) {
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size())
    return std::nullopt;
  return value;
}

// Whether a kernel of this release, as uname(2) tells it ("6.18.44-1-amd64"), is one of `first`,
// "major, minor", or later. A text that is no release is not.
bool is_release_since(std::string_view release, std::pair<unsigned, unsigned> first);

struct NamedWord {
  std::string_view name;
  std::string_view value;  // empty where the line of values was cut short
};

// Pairs the words of the first two lines that begin with `prefix`, names above values, as in
// /proc/net/snmp and /proc/net/netstat: kernels append columns, so no position is taken for
// granted. Empty where there are no two such lines.
std::vector<NamedWord> words_under_header(std::string_view text, std::string_view prefix);

}  // namespace tcpmibd::tcp
