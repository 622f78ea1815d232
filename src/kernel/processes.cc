#include "kernel/processes.h"

#include <string>
#include <utility>

namespace tcpmibd::kernel {

Result<tcp::ProcessMap> Processes::read(std::vector<std::uint32_t> asked) {
  const Time began = Clock::now();
  Result<Holdings> seen = look();
  if (!seen)
    return tl::unexpected(seen.error());
  tcp::ProcessMap map =
      tcp::ProcessMap::build(std::move(seen->holders), std::move(asked), seen->denied, began);
  add_hidden(*seen, map);
  return map;
}

// A search that fails takes nothing from what has been seen; whose the rest is, is not known then.
void Processes::add_hidden(const Holdings& seen, tcp::ProcessMap& map) {
  Result<std::vector<tcp::Holder>> hidden = hidden_.find(map.ownerless(), seen);
  if (hidden)
    return map.add(*std::move(hidden));
  map.forget_ownerless();
  changes_.write(log::Level::kWarning,
                 "holders that no descriptor shows are not found: " + hidden.error().text());
}

Result<Holdings> Processes::look() {
  if (std::optional<Holdings> seen = look_by_bpf())
    return *std::move(seen);
  return proc_.read();
}

Status Processes::bpf() {
  return chosen().transform([](const BpfProcesses&) {});
}

std::optional<Holdings> Processes::look_by_bpf() {
  Result<BpfProcesses>& bpf = chosen();
  if (!bpf)
    return std::nullopt;
  Result<Holdings> seen = bpf->read();
  if (seen)
    return *std::move(seen);
  const bool for_now = is_scarcity(seen.error().code);
  changes_.write(log::Level::kWarning, std::string("processes are looked up in /proc ") +
                                           (for_now ? "for now: " : "from now on: ") +
                                           seen.error().text());
  if (!for_now)
    bpf = tl::unexpected(seen.error());
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
