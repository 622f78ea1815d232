#pragma once

#include <memory>

#include "base/error.h"
#include "tcp/ended.h"

namespace tcpmibd::kernel {

// Watches TCP connections end, by BPF programs at the kernel's tracepoints
// (kernel/bpf/socket_ends.bpf.c). Built without libbpf, load() says so.
//
// Thread:  not safe.
// Cost:    load() 50 ms and 12 MB for that time; 2 MB of the kernel's memory. An end costs the host
//          1.3 µs with records, 0.3 µs without (decision 0039).
// Rights:  CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, in the first user namespace, to load; before
//          Linux 5.19 CAP_BPF for all the rest as well.
// Space:   counts are those of the network namespace that load() is called in.
// Logs:    what libbpf says, at debug.
class BpfEnds {
 public:
  struct Options {
    bool records = true;  // else nothing is taken, only counted
  };

  static Result<std::unique_ptr<tcp::EndsSource>> load(const Options& options);
};

}  // namespace tcpmibd::kernel
