#include "base/replace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace tcpmibd {

bool replace_file(const FileDescriptor& folder, const std::string& entry, const std::string& text) {
  const std::string fresh = entry + ".new";
  ::unlinkat(folder.get(), fresh.c_str(), 0);
  const FileDescriptor file(
      ::openat(folder.get(), fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return file &&
         ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
         ::fsync(file.get()) == 0 &&
         ::renameat(folder.get(), fresh.c_str(), folder.get(), entry.c_str()) == 0 &&
         ::fsync(folder.get()) == 0;
}

}  // namespace tcpmibd
