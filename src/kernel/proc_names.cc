#include "kernel/proc_names.h"

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "base/printable.h"
#include "base/read_file.h"

namespace tcpmibd::kernel {

namespace {

// The kernel keeps so many octets of a name, whatever characters they belong to (TASK_COMM_LEN - 1,
// linux/sched.h).
constexpr std::size_t kNameKept = 15;

}  // namespace

std::string command_in(std::string_view comm) {
  if (comm.ends_with('\n'))
    comm.remove_suffix(1);
  if (comm.size() == kNameKept)
    comm = without_cut_character(comm);
  return printable(comm, tcp::kCommandMax);
}

// The folder belongs to the process's effective user, but to root where it may not be dumped.
tcp::ProcessIdentity ProcNames::identity_of(std::uint32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  tcp::ProcessIdentity identity{.command = command_in(read_file(folder + "/comm").value_or(""))};
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0)
    identity.uid = status.st_uid;
  return identity;
}

}  // namespace tcpmibd::kernel
