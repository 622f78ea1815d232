#include "kernel/processes.h"

#include <utility>

#include "base/log.h"

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
  log::warning("processes are looked up in /proc from now on: " + holders.error().text());
  bpf = tl::unexpected(holders.error());
  return std::nullopt;
}

Result<BpfProcesses>& Processes::chosen() {
  if (!bpf_) {
    bpf_ = load_();
    log::info(*bpf_ ? "processes are looked up by a BPF iterator"
                    : "processes are looked up in /proc: " + bpf_->error().text());
  }
  return *bpf_;
}

}  // namespace tcpmibd::kernel
