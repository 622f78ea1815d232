#include "base/mount.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/words.h"

namespace tcpmibd {

namespace {

constexpr std::size_t kRootField = 3;
constexpr std::size_t kDirectoryField = 4;

bool is_octal(std::string_view digits) {
  return digits.size() == 3 &&
         std::ranges::all_of(digits, [](char digit) { return digit >= '0' && digit <= '7'; });
}

// Blanks and backslashes of a path are written as "\040".
std::string unescaped(std::string_view field) {
  std::string path;
  while (!field.empty()) {
    const bool escape = field.front() == '\\' && is_octal(field.substr(1, 3));
    path += escape
                ? static_cast<char>((field[1] - '0') * 64 + (field[2] - '0') * 8 + field[3] - '0')
                : field.front();
    field.remove_prefix(escape ? 4 : 1);
  }
  return path;
}

// "41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw": what stands before the
// hyphen may grow.
std::optional<Mount> mount_in(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::string_view word = take_word(line); !word.empty() && word != "-";
       word = take_word(line))
    fields.push_back(word);
  const std::string_view type = take_word(line);
  if (fields.size() <= kDirectoryField || type.empty())
    return std::nullopt;
  take_word(line);  // what is mounted there, "/dev/sda1"
  return Mount{.root = unescaped(fields[kRootField]),
               .directory = unescaped(fields[kDirectoryField]),
               .type = std::string(type),
               .options = std::string(take_word(line))};
}

}  // namespace

std::string_view Mount::option(std::string_view name) const {
  for (std::string_view rest = options; !rest.empty();) {
    std::string_view value = take_until(rest, ',');
    if (take_until(value, '=') == name)
      return value;
  }
  return {};
}

std::optional<Mount> take_mount(std::string_view& mountinfo) {
  std::optional<Mount> mount;
  while (!mount && !mountinfo.empty())
    mount = mount_in(take_until(mountinfo, '\n'));
  return mount;
}

}  // namespace tcpmibd
