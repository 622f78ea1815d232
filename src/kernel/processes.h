#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/log.h"
#include "kernel/bpf_processes.h"
#include "kernel/hidden_holders.h"
#include "kernel/proc_processes.h"
#include "tcp/sources.h"

namespace tcpmibd::kernel {

// Finds the holders of every socket the fastest way that this host allows: a BPF iterator, or else
// /proc. Which one is found out by choose(), or else at the first look-up. A BPF that fails for
// want of descriptors or memory is tried again at the next one; any other is not. Sockets that are
// asked for and to which no descriptor leads are looked for once more (HiddenHolders); where that
// fails, the map does not know whether anybody holds them.
//
// Thread:  any, one at a time.
// Cost:    that of BpfProcesses or of ProcProcesses, and of HiddenHolders.
// Rights:  either's; the fewer are /proc's.
// Logs:    which way is taken and why; what libbpf says; a search for holders that fails.
class Processes final : public tcp::ProcessLookup {
 public:
  // How BPF is loaded; a test may do it otherwise.
  explicit Processes(std::function<Result<BpfProcesses>()> load = &BpfProcesses::load)
      : load_(std::move(load)) {}

  Result<tcp::ProcessMap> read(std::vector<std::uint32_t> asked) override;

  // For a daemon at its start, when the 12 MB that libbpf needs for the kernel's types do not lie
  // beside the rows of a crowd.
  void choose() { chosen(); }

  // Whether BPF is in use; why it is not, where /proc is.
  Status bpf();

 private:
  void add_hidden(const Holdings& seen, tcp::ProcessMap& map);
  Result<Holdings> look();
  std::optional<Holdings> look_by_bpf();
  Result<BpfProcesses>& chosen();

  std::function<Result<BpfProcesses>()> load_;
  std::optional<Result<BpfProcesses>> bpf_;  // none before it is found out
  log::LimitedKinds changes_;
  ProcProcesses proc_;
  HiddenHolders hidden_;
};

}  // namespace tcpmibd::kernel
