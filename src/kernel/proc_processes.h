#pragma once

#include "base/error.h"
#include "kernel/holdings.h"

namespace tcpmibd::kernel {

// Finds the holders of sockets by the links in /proc/PID/fd: of a process's first thread, or of the
// others where that has none.
//
// Thread:  any, one at a time.
// Cost:    2.6 µs a descriptor of the host, sockets or not.
// Rights:  other users' processes need CAP_DAC_READ_SEARCH (to list) and CAP_SYS_PTRACE (to
//          read the links), both; without them they are counted as denied.
// Logs:    nothing.
class ProcProcesses {
 public:
  Result<Holdings> read();
};

}  // namespace tcpmibd::kernel
