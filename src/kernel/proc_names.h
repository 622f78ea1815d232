#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tcp/sources.h"

namespace tcpmibd::kernel {

// The name of a process by the content of /proc/PID/comm, which ends with a line feed and may hold
// others. Printable; a character that the kernel has cut is left out. Empty where the process has
// no name.
std::string command_in(std::string_view comm);

// Who processes are, from /proc/PID. About 15 µs a process. Any thread, no rights needed.
class ProcNames final : public tcp::ProcessNames {
 public:
  tcp::ProcessIdentity identity_of(std::uint32_t pid) override;
};

}  // namespace tcpmibd::kernel
