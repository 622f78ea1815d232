#include "kernel/bpf_processes.h"

// For a build without libbpf: TCPMIBD_BPF in CMakeLists.txt.

namespace tcpmibd::kernel {

Result<BpfProcesses> BpfProcesses::load() {
  return failure("use BPF: this tcpmibd was built without it", 0,
                 "build it where libbpf and clang are installed");
}

Result<Holdings> BpfProcesses::read() {
  return failure("read a BPF iterator that cannot have been loaded");
}

}  // namespace tcpmibd::kernel
