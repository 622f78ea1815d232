#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tcp/sources.h"

namespace tcpmibd::kernel {

// Finds the holders of every socket by the links in /proc/PID/fd.
//
// Thread:  any, one at a time.
// Cost:    2.6 µs a descriptor of the host, sockets or not.
// Rights:  other users' processes need CAP_DAC_READ_SEARCH (to list) and CAP_SYS_PTRACE (to
//          read the links), both; without them they are counted as denied.
// Logs:    nothing.
class ProcProcesses final : public tcp::ProcessLookup {
 public:
  Result<tcp::ProcessMap> read(std::vector<std::uint32_t> asked) override;
};

}  // namespace tcpmibd::kernel
