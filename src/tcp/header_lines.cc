#include "tcp/header_lines.h"

#include <algorithm>

namespace tcpmibd::tcp {

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

std::vector<NamedWord> words_under_header(std::string_view text, std::string_view prefix) {
  std::string_view names = take_line(text, prefix);
  std::string_view values = take_line(text, prefix);
  std::vector<NamedWord> words;
  if (values.empty())
    return words;
  for (std::string_view name = take_word(names); !name.empty(); name = take_word(names))
    words.push_back({name, take_word(values)});
  return words;
}

bool is_release_since(std::string_view release, std::pair<unsigned, unsigned> first) {
  const auto major = number<unsigned>(take_until(release, '.'));
  const auto minor = number<unsigned>(release.substr(0, release.find_first_not_of("0123456789")));
  return major && minor && std::pair(*major, *minor) >= first;
}

}  // namespace tcpmibd::tcp
