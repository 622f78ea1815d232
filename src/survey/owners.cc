#include "survey/owners.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "tcp/sources.h"

namespace tcpmibd::tcp {

namespace {

// A process, and a cgroup that one of its sockets is in.
struct Counted {
  Tally tally;
  std::uint16_t cgroup = 0;
};

// The worst first. Of equals the lowest pid, so that rows do not change places for nothing.
auto rank(const ProcessFigures& process) {
  return std::tuple(~process.tally.close_wait, ~process.tally.total, process.pid);
}

}  // namespace

Owners Owners::build(const Snapshot& snapshot, const Sightings& sightings,
                     std::shared_ptr<const ProcessMap> map, UnitLookup& units) {
  std::unordered_map<std::uint32_t, Counted> by_pid;
  snapshot.for_each_counted([&](const auto& row) {
    const Details& details = row.details;
    const std::uint32_t age = sightings.age_of(details);
    for (const Holder& holder : map->holders(details.inode)) {
      Counted& process = by_pid[holder.pid];
      process.tally.add(details.state, age);
      process.cgroup = details.cgroup != 0 ? details.cgroup : process.cgroup;
    }
  });
  Owners owners;
  for (const auto& [pid, counted] : by_pid)
    owners.all_.push_back({.pid = pid, .tally = counted.tally});
  owners.rows_ = owners.all_;
  const std::size_t kept = std::min(owners.rows_.size(), kMostProcesses);
  std::ranges::partial_sort(owners.rows_, owners.rows_.begin() + static_cast<std::ptrdiff_t>(kept),
                            {}, rank);
  owners.rows_.resize(kept);
  owners.left_out_ = static_cast<std::uint32_t>(owners.all_.size() - kept);
  for (ProcessFigures& row : owners.rows_) {
    if (const std::uint16_t cgroup = by_pid[row.pid].cgroup; cgroup != 0)
      row.unit = units.unit_of(snapshot.cgroups()[cgroup]);
  }
  std::ranges::sort(owners.all_, {}, &ProcessFigures::pid);
  std::ranges::sort(owners.rows_, {}, &ProcessFigures::pid);
  owners.taken_at_ = map->taken_at();
  owners.map_ = std::move(map);
  return owners;
}

Owners Owners::rows_alone() const {
  Owners owners;
  owners.rows_ = rows_;
  owners.left_out_ = left_out_;
  owners.taken_at_ = taken_at_;
  return owners;
}

Owners Owners::none(Time began) {
  Owners owners;
  owners.taken_at_ = began;
  return owners;
}

}  // namespace tcpmibd::tcp
