#pragma once

#include <cstddef>
#include <utility>

#include "base/error.h"
#include "base/handle.h"
#include "kernel/holdings.h"

namespace tcpmibd::kernel {

// Finds the holders of every socket by a BPF iterator over the open files of all tasks
// (kernel/bpf/task_sockets.bpf.c). Built without libbpf, load() says so.
//
// Thread:  any, one at a time.
// Cost:    load() 15 ms and 12 MB for that time; read() 0.5 µs a descriptor of the host.
// Rights:  CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, in the first user namespace. With them every
//          process can be seen, whoever's it is.
// Logs:    what libbpf says, at debug.
class BpfProcesses {
 public:
  // Fails, too, where /proc numbers processes differently from our own process namespace.
  static Result<BpfProcesses> load();

  // `link` holds an iterator that is loaded (bpf(2), BPF_LINK_CREATE).
  explicit BpfProcesses(FileDescriptor link) : link_(std::move(link)) {}

  // Processes are those of our process namespace.
  Result<Holdings> read();

 private:
  FileDescriptor link_;  // keeps the program in the kernel
  // Records of the last read(); a build without libbpf has no use for it.
  [[maybe_unused]] std::size_t last_ = 0;
};

}  // namespace tcpmibd::kernel
