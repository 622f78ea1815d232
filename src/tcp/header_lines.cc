#include "tcp/header_lines.h"

#include <optional>

#include "base/words.h"

namespace tcpmibd::tcp {

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
  const auto minor = take_number<unsigned>(release);
  return major && minor && std::pair(*major, *minor) >= first;
}

}  // namespace tcpmibd::tcp
