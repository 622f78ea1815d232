#include "base/words.h"

#include <algorithm>

namespace tcpmibd {

namespace {

constexpr std::string_view kBlanks = " \t";

void skip_blanks(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
}

}  // namespace

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t cut = text.find(end);
  const std::string_view taken = text.substr(0, cut);
  text.remove_prefix(cut == std::string_view::npos ? text.size() : cut + 1);
  return taken;
}

std::string_view take_word(std::string_view& line) {
  skip_blanks(line);
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

std::string_view take_line(std::string_view& text, std::string_view prefix) {
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (line.starts_with(prefix))
      return line.substr(prefix.size());
  }
  return {};
}

}  // namespace tcpmibd
