#include "kernel/proc_file.h"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "base/handle.h"

namespace tcpmibd::kernel {

Result<std::string> read_proc_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return failure("open " + path, errno);
  std::string content;
  std::array<char, 4096> block;
  while (true) {
    const ssize_t size = ::read(file.get(), block.data(), block.size());
    if (size == 0)
      return content;
    if (size > 0)
      content.append(block.data(), static_cast<std::size_t>(size));
    else if (errno != EINTR)
      return failure("read " + path, errno);
  }
}

Result<std::string> read_sysctl(const std::string& path) {
  constexpr std::size_t kMost = 1024 * 1024;  // five times as much as a list of all ports takes
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return failure("open " + path, errno);
  for (std::string content(1024, '\0'); content.size() <= kMost;
       content.resize(content.size() * 8)) {
    const ssize_t size = ::pread(file.get(), content.data(), content.size(), 0);
    if (size < 0)
      return failure("read " + path, errno);
    if (static_cast<std::size_t>(size) < content.size())
      return content.substr(0, static_cast<std::size_t>(size));
  }
  return failure("read " + path, EFBIG);
}

}  // namespace tcpmibd::kernel
