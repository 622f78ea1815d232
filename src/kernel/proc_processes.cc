#include "kernel/proc_processes.h"

#include <dirent.h>
#include <fcntl.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "base/handle.h"

namespace tcpmibd::kernel {

namespace {

using Directory = UniqueHandle<DIR, closedir>;

// Opens a folder relative to another; null with errno set.
Directory open_directory(int parent, const char* path) {
  const int descriptor = ::openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return nullptr;
  Directory directory(::fdopendir(descriptor));
  if (directory == nullptr)
    ::close(descriptor);
  return directory;
}

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

// "socket:[123]" is how a descriptor's link names a socket (net/socket.c, sockfs_dname).
std::optional<std::uint32_t> socket_inode(std::string_view link) {
  constexpr std::string_view kPrefix = "socket:[";
  if (!link.starts_with(kPrefix) || !link.ends_with(']'))
    return std::nullopt;
  link.remove_prefix(kPrefix.size());
  link.remove_suffix(1);
  return number(link);
}

// Adds the sockets of one process; false where some of its descriptors may not be seen.
bool add_sockets(DIR* descriptors, std::uint32_t pid, std::vector<tcp::Holder>& holders) {
  bool allowed = true;
  std::array<char, 64> link;
  while (const dirent* entry = ::readdir(descriptors)) {
    if (entry->d_name[0] == '.')
      continue;
    const ssize_t size =
        ::readlinkat(::dirfd(descriptors), entry->d_name, link.data(), link.size());
    if (size < 0) {
      allowed = allowed && (errno != EACCES && errno != EPERM);
      continue;
    }
    if (const auto inode = socket_inode({link.data(), static_cast<std::size_t>(size)}))
      holders.push_back({*inode, pid});
  }
  return allowed;
}

// A process that ended meanwhile holds nothing and was not denied. Where it could not be looked at
// for want of descriptors or memory, nothing is known of any: an error.
Result<bool> add_process(int proc, const char* name, std::uint32_t pid,
                         std::vector<tcp::Holder>& holders) {
  const std::string path = std::string(name) + "/fd";
  const Directory descriptors = open_directory(proc, path.c_str());
  if (descriptors != nullptr)
    return add_sockets(descriptors.get(), pid, holders);
  if (is_scarcity(errno))
    return failure("list the descriptors of /proc/" + path, errno);
  return errno != EACCES && errno != EPERM;
}

}  // namespace

Result<tcp::ProcessMap> ProcProcesses::read(std::vector<std::uint32_t> asked) {
  const Time began = Clock::now();
  const Directory proc = open_directory(AT_FDCWD, "/proc");
  if (proc == nullptr)
    return failure("list the processes in /proc", errno, "mount proc on /proc");
  std::vector<tcp::Holder> holders;
  std::uint32_t denied = 0;
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::optional<std::uint32_t> pid = number(entry->d_name);
    if (!pid)
      continue;
    const Result<bool> allowed = add_process(::dirfd(proc.get()), entry->d_name, *pid, holders);
    if (!allowed)
      return tl::unexpected(allowed.error());
    denied += *allowed ? 0 : 1;
  }
  return tcp::ProcessMap::build(std::move(holders), std::move(asked), denied, began);
}

}  // namespace tcpmibd::kernel
