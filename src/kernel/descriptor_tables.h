#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tcp/process_map.h"

// The tables of descriptors of a process, in /proc. Most processes have one for all their threads.
// A thread may have its own (unshare(2) with CLONE_FILES), and a first thread that has ended has
// none, while the others go on.

namespace tcpmibd::kernel {

// What was seen of one table or of several, beside the sockets.
struct SeenTables {
  bool denied = false;               // some descriptors may not be seen
  bool empty = true;                 // none was seen
  std::vector<std::string> rings{};  // below /proc: "12/fdinfo/5" of each io_uring
};

// "socket:[123]" is how the kernel names a socket (net/socket.c, sockfs_dname): its inode. None for
// any other text.
std::optional<std::uint32_t> socket_inode(std::string_view name);

// Reads the descriptors of a task, "12" or "12/task/13" below `proc`, and adds the sockets among
// them to `holders` as those of `pid`. A task that has ended has none. An error only where nothing
// could be found out for want of descriptors or memory.
Result<SeenTables> read_table(int proc, const std::string& task, std::uint32_t pid,
                              std::vector<tcp::Holder>& holders);

// Whether the process has threads beside its first, which may have ended.
bool has_other_threads(int proc, std::uint32_t pid);

// How many of one process are read: a program could give each of its threads one, with thousands of
// descriptors.
inline constexpr std::size_t kMostOtherTables = 64;

// Reads those tables of a process that are not its first thread's, each once, as read_table() does.
// `kcmp`: whether kcmp(2) knows these process numbers; else every thread's table is read. What is
// beyond kMostOtherTables counts as denied.
Result<SeenTables> read_other_tables(int proc, std::uint32_t pid, bool kcmp,
                                     std::vector<tcp::Holder>& holders);

// What was seen of a process of whose first thread no descriptor was: where the others show none
// either, it is denied if either was. One that has ended may be closed to its own user.
SeenTables seen_beside_first(const SeenTables& first, SeenTables others);

}  // namespace tcpmibd::kernel
