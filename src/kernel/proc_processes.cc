#include "kernel/proc_processes.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "base/words.h"
#include "kernel/descriptor_tables.h"
#include "kernel/directory.h"
#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

namespace {

// The tables of one process that show whose its sockets are, mostly. One that has no descriptors,
// or none to be seen, may be one whose first thread has ended.
Result<SeenTables> look_into(int proc, std::uint32_t pid, bool kcmp,
                             std::vector<tcp::Holder>& holders) {
  Result<SeenTables> seen = read_table(proc, std::to_string(pid), pid, holders);
  if (!seen || !seen->empty || !has_other_threads(proc, pid))
    return seen;
  return read_other_tables(proc, pid, kcmp, holders).map([&](SeenTables others) {
    return seen_beside_first(*seen, std::move(others));
  });
}

}  // namespace

Result<Holdings> ProcProcesses::read() {
  const Directory proc = open_directory(AT_FDCWD, "/proc");
  if (proc == nullptr)
    return failure("list the processes in /proc", errno, "mount proc on /proc");
  const bool kcmp = proc_is_of_our_namespace();
  Holdings holdings;
  while (const dirent* entry = ::readdir(proc.get())) {
    const std::optional<std::uint32_t> pid = number<std::uint32_t>(entry->d_name);
    if (!pid)
      continue;
    const Result<SeenTables> seen = look_into(::dirfd(proc.get()), *pid, kcmp, holdings.holders);
    if (!seen)
      return tl::unexpected(seen.error());
    holdings.denied += seen->denied ? 1 : 0;
    if (!seen->rings.empty())
      holdings.with_rings.push_back(*pid);
  }
  return holdings;
}

}  // namespace tcpmibd::kernel
