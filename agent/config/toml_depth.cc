#include "agent/config/toml_depth.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

namespace tcpmibd::agent {
namespace {

// Takes a string off `text`, which begins with its quote, and returns it. One that does not end
// ends with its line, or with the text if it may have several lines.
std::string_view take_string(std::string_view& text) {
  const std::string_view whole = text;
  const char quote = text.front();
  const std::string three(3, quote);
  const bool long_one = text.starts_with(three);
  const std::string_view end = std::string_view(three).substr(0, long_one ? 3 : 1);
  text.remove_prefix(end.size());
  while (!text.empty() && !text.starts_with(end) && (long_one || text.front() != '\n'))
    text.remove_prefix(quote == '"' && text.front() == '\\' ? std::min<std::size_t>(2, text.size())
                                                            : 1);
  if (text.starts_with(end))
    text.remove_prefix(end.size());
  // Before the three quotes that end it two more may stand: they are its last octets.
  for (int more = 0; long_one && more < 2 && text.starts_with(quote); ++more)
    text.remove_prefix(1);
  return whole.substr(0, whole.size() - text.size());
}

void skip_comment(std::string_view& text) {
  text.remove_prefix(std::min(text.find('\n'), text.size()));
}

// How deep the place is that has been read to.
class Depth {
 public:
  void take(char sign) {
    if (sign == '[' || sign == '{') {
      above_.push_back(dots_ + 1);
      dots_ = 0;
    } else if (sign == ']' || sign == '}') {
      if (!above_.empty())
        above_.pop_back();
      dots_ = 0;
    } else if (sign == ',' || sign == '\n') {
      dots_ = 0;
    } else if (sign == '.') {
      ++dots_;
    }
  }

  std::size_t levels() const { return std::accumulate(above_.begin(), above_.end(), dots_); }

 private:
  std::vector<std::size_t> above_;  // one for each open bracket: it, and the dots before it
  std::size_t dots_ = 0;            // since the last thing that ends a key
};

}  // namespace

std::optional<std::size_t> line_too_deep(std::string_view toml) {
  Depth depth;
  std::size_t line = 1;
  while (!toml.empty()) {
    const char sign = toml.front();
    if (sign == '"' || sign == '\'') {
      const std::string_view string = take_string(toml);
      line += static_cast<std::size_t>(std::ranges::count(string, '\n'));
      continue;
    }
    if (sign == '#') {
      skip_comment(toml);
      continue;
    }
    depth.take(sign);
    if (depth.levels() > kDeepestToml)
      return line;
    line += sign == '\n' ? 1 : 0;
    toml.remove_prefix(1);
  }
  return std::nullopt;
}

}  // namespace tcpmibd::agent
