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

#include "base/words.h"
#include "kernel/directory.h"

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

// What kcmp(2) says of the tables of two threads; for any other order, and without rights over the
// process or without the call itself, something else.
constexpr long kSame = 0;
constexpr long kLess = 1;

long compare_tables(Number one, Number other) {
  return ::syscall(SYS_kcmp, static_cast<pid_t>(one), static_cast<pid_t>(other), KCMP_FILES, 0UL,
                   0UL);
}

// One thread of each table that has been met, in the kernel's order of the tables. A thread that
// ends meanwhile may have a table taken for new once more.
class DistinctTables {
 public:
  explicit DistinctTables(Number first) : threads_{first} {}

  // Whether the thread's table is a new one.
  bool add(Number thread) {
    bool is_known = false;
    const auto is_less = [&](Number one, Number other) {
      const long order = compare_tables(one, other);
      is_known = is_known || order == kSame;
      return order == kLess;
    };
    const auto place = std::lower_bound(threads_.begin(), threads_.end(), thread, is_less);
    if (!is_known)
      threads_.insert(place, thread);
    return !is_known;
  }

 private:
  std::vector<Number> threads_;
};

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
  return number<Number>(name);
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

Result<SeenTables> read_other_tables(int proc, Number pid, bool kcmp,
                                     std::vector<tcp::Holder>& holders) {
  SeenTables seen;
  const std::string process = std::to_string(pid);
  const Directory tasks = open_directory(proc, process + "/task");
  if (tasks == nullptr && is_scarcity(errno))
    return failure("list the threads of /proc/" + process, errno);
  DistinctTables tables(pid);
  std::size_t tables_read = 0;
  while (const dirent* entry = tasks == nullptr ? nullptr : ::readdir(tasks.get())) {
    const std::optional<Number> thread = number<Number>(entry->d_name);
    if (!thread || *thread == pid || (kcmp && !tables.add(*thread)))
      continue;
    seen.denied = seen.denied || tables_read == kMostOtherTables;
    if (seen.denied)
      break;  // The others have the same owner.
    Result<SeenTables> table = read_table(proc, process + "/task/" + entry->d_name, pid, holders);
    if (!table)
      return table;
    add(*std::move(table), seen);
    ++tables_read;
  }
  return seen;
}

SeenTables seen_beside_first(const SeenTables& first, SeenTables others) {
  others.denied = others.denied || (others.empty && first.denied);
  return others;
}

}  // namespace tcpmibd::kernel
