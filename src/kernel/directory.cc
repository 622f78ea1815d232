#include "kernel/directory.h"

#include <fcntl.h>
#include <unistd.h>

namespace tcpmibd::kernel {

Directory open_directory(int parent, const std::string& path) {
  const int descriptor =
      ::openat(parent, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0)
    return nullptr;
  Directory directory(::fdopendir(descriptor));
  if (directory == nullptr)
    ::close(descriptor);
  return directory;
}

}  // namespace tcpmibd::kernel
