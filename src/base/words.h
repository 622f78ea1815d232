#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>

// Texts cut into lines, words and numbers. Views point into the text that was given.

namespace tcpmibd {

// Cuts `text` at the first `end` and returns what stood before it.
std::string_view take_until(std::string_view& text, char end);

// The next word of a line; words are kept apart by spaces and tabs.
std::string_view take_word(std::string_view& line);

// What follows `prefix` on the first line that begins with it; cuts `text` behind that line.
// Empty where there is no such line.
std::string_view take_line(std::string_view& text, std::string_view prefix);

// The number that `text` begins with, cut off it. None, and nothing is cut, where it begins with
// anything else, or the number is more than fits.
template <typename Number>
std::optional<Number> take_number(std::string_view& text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// The whole word as a number; none where it is anything else, or more than fits.
template <typename Number>
std::optional<Number> number(std::string_view word, int base = 10) {
  const std::optional<Number> value = take_number<Number>(word, base);
  return word.empty() ? value : std::nullopt;
}

}  // namespace tcpmibd
