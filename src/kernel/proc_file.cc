#include "kernel/proc_file.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/handle.h"
#include "base/read_file.h"

namespace tcpmibd::kernel {

namespace {

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

}  // namespace

Status each_line(const std::string& path, const std::function<void(std::string_view)>& visit) {
  const Result<FileDescriptor> file = open_to_read(path);
  if (!file)
    return tl::unexpected(file.error());
  Lines lines(visit);
  std::array<char, 4096> block;
  ssize_t size = 0;
  while ((size = read_next(file->get(), block)) > 0)
    lines.add(std::string_view(block.data(), static_cast<std::size_t>(size)));
  if (size < 0)
    return failure("read " + path, errno);
  if (lines.is_within_one())
    lines.finish();
  return {};
}

bool proc_is_of_our_namespace() {
  std::array<char, 16> number{};
  const ssize_t size = ::readlink("/proc/self", number.data(), number.size());
  return size > 0 && std::string_view(number.data(), static_cast<std::size_t>(size)) ==
                         std::to_string(::getpid());
}

Result<std::string> read_sysctl(const std::string& path) {
  constexpr std::size_t kMost = 1024 * 1024;  // five times as much as a list of all ports takes
  const Result<FileDescriptor> file = open_to_read(path);
  if (!file)
    return tl::unexpected(file.error());
  for (std::string content(1024, '\0'); content.size() <= kMost;
       content.resize(content.size() * 8)) {
    const ssize_t size = read_at(file->get(), content, 0);
    if (size < 0)
      return failure("read " + path, errno);
    if (static_cast<std::size_t>(size) < content.size())
      return content.substr(0, static_cast<std::size_t>(size));
  }
  return failure("read " + path, EFBIG);
}

}  // namespace tcpmibd::kernel
