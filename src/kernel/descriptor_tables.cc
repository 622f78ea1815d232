#include "kernel/descriptor_tables.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include "kernel/directory.h"
#include "tcp/header_lines.h"

namespace tcpmibd::kernel {

namespace {

using Number = std::uint32_t;

// fs/anon_inodes.c and io_uring/io_uring.c.
constexpr std::string_view kRing = "anon_inode:[io_uring]";

bool is_refusal(int error) { return error == EACCES || error == EPERM; }

void look_at(std::string_view link, const std::string& task, const char* descriptor, Number pid,
             SeenTables& seen, std::vector<tcp::Holder>& holders) {
  if (const std::optional<Number> inode = socket_inode(link))
    holders.push_back({*inode, pid});
  else if (link == kRing)
    seen.rings.push_back(task + "/fdinfo/" + descriptor);
}

// Without rights over the process, or without the call itself, nothing is known: false.
bool share_table(Number one, Number other) {
  return ::syscall(SYS_kcmp, static_cast<pid_t>(one), static_cast<pid_t>(other), KCMP_FILES, 0UL,
                   0UL) == 0;
}

void add(SeenTables more, SeenTables& to) {
  to.denied = to.denied || more.denied;
  to.empty = to.empty && more.empty;
  std::ranges::move(more.rings, std::back_inserter(to.rings));
}

}  // namespace

std::optional<Number> socket_inode(std::string_view name) {
  constexpr std::string_view kPrefix = "socket:[";
  if (!name.starts_with(kPrefix) || !name.ends_with(']'))
    return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(1);
  return tcp::number<Number>(name);
}

Result<SeenTables> read_table(int proc, const std::string& task, Number pid,
                              std::vector<tcp::Holder>& holders) {
  SeenTables seen;
  const Directory descriptors = open_directory(proc, task + "/fd");
  if (descriptors == nullptr && is_scarcity(errno))
    return failure("list the descriptors of /proc/" + task + "/fd", errno);
  if (descriptors == nullptr) {
    seen.denied = is_refusal(errno);
    return seen;
  }
  std::array<char, 64> link;
  while (const dirent* entry = ::readdir(descriptors.get())) {
    if (entry->d_name[0] == '.')
      continue;
    const ssize_t size =
        ::readlinkat(::dirfd(descriptors.get()), entry->d_name, link.data(), link.size());
    seen.empty = false;
    if (size < 0)
      seen.denied = seen.denied || is_refusal(errno);
    else
      look_at({link.data(), static_cast<std::size_t>(size)}, task, entry->d_name, pid, seen,
              holders);
  }
  return seen;
}

// A folder of tasks has two links of its own and one for each thread (fs/proc/base.c).
bool has_other_threads(int proc, Number pid) {
  constexpr nlink_t kLinksOfOneThread = 3;
  struct stat status {};
  const std::string tasks = std::to_string(pid) + "/task";
  return ::fstatat(proc, tasks.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_nlink > kLinksOfOneThread;
}

// Threads that share a table follow one another mostly: each is compared with the one read last.
Result<SeenTables> read_other_tables(int proc, Number pid, bool kcmp,
                                     std::vector<tcp::Holder>& holders) {
  SeenTables seen;
  const std::string process = std::to_string(pid);
  const Directory tasks = open_directory(proc, process + "/task");
  if (tasks == nullptr && is_scarcity(errno))
    return failure("list the threads of /proc/" + process, errno);
  Number last = pid;
  while (const dirent* entry = tasks == nullptr ? nullptr : ::readdir(tasks.get())) {
    const std::optional<Number> thread = tcp::number<Number>(entry->d_name);
    if (!thread || *thread == pid)
      continue;
    if (kcmp && (share_table(pid, *thread) || share_table(last, *thread)))
      continue;
    Result<SeenTables> table = read_table(proc, process + "/task/" + entry->d_name, pid, holders);
    if (!table)
      return table;
    last = *thread;
    add(*std::move(table), seen);
    if (seen.denied)
      break;  // The others have the same owner.
  }
  return seen;
}

}  // namespace tcpmibd::kernel
