#include "kernel/processes.h"

#include <string>
#include <utility>

namespace tcpmibd::kernel {

Result<tcp::ProcessMap> Processes::read(std::vector<std::uint32_t> asked) {
  const Time began = Clock::now();
  if (std::optional<std::vector<tcp::Holder>> holders = read_by_bpf())
    return tcp::ProcessMap::build(*std::move(holders), std::move(asked), 0, began);
  return proc_.read(std::move(asked));
}

Status Processes::bpf() {
  return chosen().transform([](const BpfProcesses&) {});
}

std::optional<std::vector<tcp::Holder>> Processes::read_by_bpf() {
  Result<BpfProcesses>& bpf = chosen();
  if (!bpf)
    return std::nullopt;
  Result<std::vector<tcp::Holder>> holders = bpf->read();
  if (holders)
    return *std::move(holders);
  const bool for_now = is_scarcity(holders.error().code);
  changes_.write(log::Level::kWarning, std::string("processes are looked up in /proc ") +
                                           (for_now ? "for now: " : "from now on: ") +
                                           holders.error().text());
  if (!for_now)
    bpf = tl::unexpected(holders.error());
  return std::nullopt;
}

Result<BpfProcesses>& Processes::chosen() {
  if (!bpf_ || (!*bpf_ && is_scarcity(bpf_->error().code))) {
    bpf_ = load_();
    changes_.write(log::Level::kInfo,
                   *bpf_ ? "processes are looked up by a BPF iterator"
                         : "processes are looked up in /proc: " + bpf_->error().text());
  }
  return *bpf_;
}

}  // namespace tcpmibd::kernel
