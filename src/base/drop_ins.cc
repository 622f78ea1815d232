#include "base/drop_ins.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace tcpmibd {

namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> too_many(const std::string& folder, std::string_view extension,
                               std::size_t most) {
  return failure("read " + folder + ": it has more than " + std::to_string(most) + " files *" +
                 std::string(extension));
}

}  // namespace

Result<std::vector<std::string>> drop_in_files(const std::string& folder,
                                               std::string_view extension, std::size_t most) {
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name.extension() != extension || name.native().front() == '.')
      continue;
    if (files.size() == most)
      return too_many(folder, extension, most);
    files.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return failure("list " + folder, error.value());
  std::ranges::sort(files);
  return files;
}

}  // namespace tcpmibd
