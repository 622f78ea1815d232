#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kernel/bpf_processes.h"
#include "kernel/proc_processes.h"
#include "tcp/sources.h"

namespace tcpmibd::kernel {

// Finds the holders of every socket the fastest way that this host allows: a BPF iterator, or else
// /proc. Which one is found out at the first look-up; a BPF that fails later is not tried again.
//
// Thread:  any, one at a time.
// Cost:    that of BpfProcesses or of ProcProcesses.
// Rights:  either's; the fewer are /proc's.
// Logs:    which way is taken and why; what libbpf says.
class Processes final : public tcp::ProcessLookup {
 public:
  // How BPF is loaded; a test may do it otherwise.
  explicit Processes(std::function<Result<BpfProcesses>()> load = &BpfProcesses::load)
      : load_(std::move(load)) {}

  Result<tcp::ProcessMap> read(std::vector<std::uint32_t> asked) override;

  // Whether BPF is in use; why it is not, where /proc is.
  Status bpf();

 private:
  std::optional<std::vector<tcp::Holder>> read_by_bpf();
  Result<BpfProcesses>& chosen();

  std::function<Result<BpfProcesses>()> load_;
  std::optional<Result<BpfProcesses>> bpf_;  // none before the first look-up
  ProcProcesses proc_;
};

}  // namespace tcpmibd::kernel
