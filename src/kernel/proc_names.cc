#include "kernel/proc_names.h"

#include <sys/stat.h>

#include <string>

#include "kernel/proc_file.h"

namespace tcpmibd::kernel {

// The folder belongs to the process's effective user, but to root where it may not be dumped.
tcp::ProcessIdentity ProcNames::identity_of(std::uint32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  tcp::ProcessIdentity identity{.command = read_proc_file(folder + "/comm").value_or("")};
  if (identity.command.ends_with('\n'))
    identity.command.pop_back();
  struct stat status {};
  if (::stat(folder.c_str(), &status) == 0)
    identity.uid = status.st_uid;
  return identity;
}

}  // namespace tcpmibd::kernel
