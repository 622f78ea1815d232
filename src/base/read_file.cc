#include "base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tcpmibd {

namespace {

// What a system call has returned, once no signal interrupts it.
template <typename Call>
ssize_t uninterrupted(Call call) {
  ssize_t size = call();
  while (size < 0 && errno == EINTR)
    size = call();
  return size;
}

// next(BLOCK, OFFSET) reads what comes at an offset, until there is no more.
template <typename Next>
Result<std::string> gather(const std::string& name, std::size_t most, Next next) {
  std::string text;
  std::array<char, 4096> block;
  while (true) {
    const ssize_t size = next(std::span<char>(block), text.size());
    if (size < 0)
      return failure("read " + name, errno);
    if (size == 0)
      return text;
    if (static_cast<std::size_t>(size) > most - text.size())
      return failure("read " + name, EFBIG);
    text.append(block.data(), static_cast<std::size_t>(size));
  }
}

}  // namespace

Result<FileDescriptor> open_to_read(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return failure("open " + path, errno);
  return file;
}

ssize_t read_next(int file, std::span<char> into) {
  return uninterrupted([&] { return ::read(file, into.data(), into.size()); });
}

ssize_t read_at(int file, std::span<char> into, std::size_t offset) {
  return uninterrupted(
      [&] { return ::pread(file, into.data(), into.size(), static_cast<off_t>(offset)); });
}

Result<std::string> read_opened(int file, const std::string& name, std::size_t most) {
  return gather(name, most, [file](std::span<char> into, std::size_t offset) {
    return read_at(file, into, offset);
  });
}

// One after the other: a pipe has no places to read at.
Result<std::string> read_file(const std::string& path) {
  return open_to_read(path).and_then([&](const FileDescriptor& file) {
    return gather(path, kUnlimited,
                  [&](std::span<char> into, std::size_t) { return read_next(file.get(), into); });
  });
}

}  // namespace tcpmibd
