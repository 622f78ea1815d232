#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tcpmibd {

// What is mounted, a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
struct Mount {
  std::string root;       // the directory of the file system that is mounted
  std::string directory;  // where it is mounted
  std::string type;       // "proc"
  std::string options;    // of the file system: "rw,hidepid=2"

  // The value of an option that has one; empty where it is not given.
  std::string_view option(std::string_view name) const;
};

// Cuts off the next line that describes a mount; none: there is no other.
std::optional<Mount> take_mount(std::string_view& mountinfo);

}  // namespace tcpmibd
