#include "kernel/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/handle.h"

namespace tcpmibd::kernel {

namespace {

// What a system call has returned, once no signal interrupts it.
template <typename Call>
ssize_t uninterrupted(Call call) {
  ssize_t size = call();
  while (size < 0 && errno == EINTR)
    size = call();
  return size;
}

// Lines of text that comes in pieces.
class Lines {
 public:
  explicit Lines(const std::function<void(std::string_view)>& visit) : visit_(visit) {}

  void add(std::string_view text) {
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      keep(text.substr(0, end));
      finish();
      text.remove_prefix(end + 1);
    }
    keep(text);
  }

  void finish() {
    if (line_.size() <= kLongest)
      visit_(line_);
    line_.clear();
  }

  bool is_within_one() const { return !line_.empty(); }

 private:
  static constexpr std::size_t kLongest = 64 * 1024;

  void keep(std::string_view part) {
    if (line_.size() <= kLongest)
      line_ += part;
  }

  const std::function<void(std::string_view)>& visit_;
  std::string line_;
};

template <typename Take>
Status each_block(const std::string& path, Take take) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return failure("open " + path, errno);
  std::array<char, 4096> block;
  ssize_t size = 0;
  while ((size = read_next(file.get(), block)) > 0)
    take(std::string_view(block.data(), static_cast<std::size_t>(size)));
  return size == 0 ? Status() : failure("read " + path, errno);
}

}  // namespace

ssize_t read_next(int file, std::span<char> into) {
  return uninterrupted([&] { return ::read(file, into.data(), into.size()); });
}

ssize_t read_at(int file, std::span<char> into, std::size_t offset) {
  return uninterrupted(
      [&] { return ::pread(file, into.data(), into.size(), static_cast<off_t>(offset)); });
}

Result<std::string> read_proc_file(const std::string& path) {
  std::string content;
  return each_block(path, [&](std::string_view block) { content += block; }).transform([&] {
    return std::move(content);
  });
}

Status each_line(const std::string& path, const std::function<void(std::string_view)>& visit) {
  Lines lines(visit);
  Status status = each_block(path, [&](std::string_view block) { lines.add(block); });
  if (status && lines.is_within_one())
    lines.finish();
  return status;
}

bool proc_is_of_our_namespace() {
  std::array<char, 16> number{};
  const ssize_t size = ::readlink("/proc/self", number.data(), number.size());
  return size > 0 && std::string_view(number.data(), static_cast<std::size_t>(size)) ==
                         std::to_string(::getpid());
}

Result<std::string> read_sysctl(const std::string& path) {
  constexpr std::size_t kMost = 1024 * 1024;  // five times as much as a list of all ports takes
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return failure("open " + path, errno);
  for (std::string content(1024, '\0'); content.size() <= kMost;
       content.resize(content.size() * 8)) {
    const ssize_t size = read_at(file.get(), content, 0);
    if (size < 0)
      return failure("read " + path, errno);
    if (static_cast<std::size_t>(size) < content.size())
      return content.substr(0, static_cast<std::size_t>(size));
  }
  return failure("read " + path, EFBIG);
}

}  // namespace tcpmibd::kernel
