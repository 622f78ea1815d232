#include "kernel/bpf_ends.h"

// For a build without libbpf: TCPMIBD_BPF in CMakeLists.txt.

namespace tcpmibd::kernel {

Result<std::unique_ptr<tcp::EndsSource>> BpfEnds::load(const Options&) {
  return failure("watch connections end: this tcpmibd was built without BPF", 0,
                 "build it where libbpf and clang are installed");
}

}  // namespace tcpmibd::kernel
