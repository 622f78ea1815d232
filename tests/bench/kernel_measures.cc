#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/bare_dump.h"
#include "bench/clock.h"
#include "bench/measures.h"
#include "bench/peers.h"
#include "kernel/processes.h"
#include "kernel/sock_diag.h"
#include "support/trouble.h"
#include "tcp/process_map.h"
#include "tcp/snapshot.h"

namespace tcpmibd::bench {
namespace {

using lab::Trouble;
using tcp::Snapshot;

template <typename T>
T must(Result<T> result) {
  if (!result)
    throw Trouble(result.error().text());
  return std::move(*result);
}

std::unique_ptr<kernel::SockDiag> kernel_of(const lab::Namespace& space) {
  return space.run([] { return must(kernel::SockDiag::open()); });
}

// One after another, as the daemon's worker makes them: in the memory of the one before the last.
class Snapshots {
 public:
  explicit Snapshots(const lab::Namespace& space) : kernel_(kernel_of(space)) {}

  const Snapshot& take() {
    tcp::SnapshotBuilder builder({});
    builder.reuse(std::exchange(retired_, Snapshot()));
    builder.reserve(last_);
    if (const Status status = kernel_->read_all(builder); !status)
      throw Trouble(status.error().text());
    retired_ = std::exchange(last_, builder.finish());
    return last_;
  }

 private:
  std::unique_ptr<kernel::SockDiag> kernel_;
  Snapshot last_;
  Snapshot retired_;
};

void expect_everybody(const Snapshot& snapshot, const Stage& stage) {
  const unsigned established = snapshot.count(tcp::State::kEstablished).total();
  if (established != stage.population())
    throw Trouble("a snapshot shows " + std::to_string(established) + " connections");
}

// How many sockets of the crowd `map` gives to the process that holds them.
unsigned right_in(const tcp::ProcessMap& map, const Snapshot& snapshot, const Stage& stage) {
  unsigned right = 0;
  for (const tcp::Ipv4Row& row : snapshot.ipv4()) {
    const unsigned number = lab::Crowd::number_of(row.key.local_port, row.key.remote_port);
    if (number >= stage.population())
      continue;  // a connection of somebody who asked a peer
    const auto pid = static_cast<std::uint32_t>(stage.crowd().member(number).pid);
    right += map.lowest(row.details.inode) == pid;
  }
  return right;
}

// A way to find the holders of sockets, under the name that tables give it.
struct Way {
  const char* subject;
  std::unique_ptr<tcp::ProcessLookup> lookup;
};

std::vector<Way> ways(Findings& findings) {
  std::vector<Way> all;
  all.push_back(
      {"tcpmibd, /proc", std::make_unique<kernel::Processes>([]() -> Result<kernel::BpfProcesses> {
         return failure("use BPF: /proc is to be measured");
       })});
  auto processes = std::make_unique<kernel::Processes>();
  if (const Status bpf = processes->bpf(); bpf)
    all.push_back({"tcpmibd, BPF", std::move(processes)});
  else
    findings.skipped.push_back("6: " + bpf.error().text());
  return all;
}

double time_of_lookup(const Way& way, const Snapshot& snapshot, const Stage& stage) {
  tcp::ProcessMap map;
  const double took = milliseconds([&] { map = must(way.lookup->read(snapshot.inodes())); });
  if (const unsigned right = right_in(map, snapshot, stage); right != stage.population())
    throw Trouble(std::string(way.subject) + ": " + std::to_string(right) + " processes are right");
  return took;
}

Figure figure(int target, const char* what, const char* subject, const Stage& stage) {
  return {target, what, subject, stage.population(), "ms", {}};
}

}  // namespace

void measure_snapshot(Stage& stage, const Effort& effort, Findings& findings) {
  Figure ours = figure(1, "snapshot", "tcpmibd", stage);
  Figure floor = figure(1, "snapshot", "bare dump", stage);
  Figure list = figure(1, "list of all sockets", "ss -Htan", stage);
  Snapshots snapshots(stage.space());
  const Ss ss(stage.space(), Ss::Processes::kNo);
  BareDump bare(stage.space());
  snapshots.take();
  expect_everybody(snapshots.take(), stage);
  for (int i = 0; i < effort.samples; ++i) {
    floor.samples.push_back(milliseconds([&] { bare.read(); }));
    ours.samples.push_back(milliseconds([&] { snapshots.take(); }));
    if (i < effort.slow_samples)
      list.samples.push_back(milliseconds([&] { ss.count(); }));
  }
  findings.set_against(ours, floor, 1.25);
  findings.set_ahead_of(ours, list);
  findings.figures.insert(findings.figures.end(), {ours, floor, list});
}

void measure_processes(Stage& stage, const Effort& effort, Findings& findings) {
  constexpr const char* kWhat = "processes of all sockets";
  Figure list = figure(6, kWhat, "ss -Htanp", stage);
  const Ss ss(stage.space(), Ss::Processes::kYes);
  Snapshots snapshots(stage.space());
  const Snapshot& snapshot = snapshots.take();
  const std::vector<Way> all = ways(findings);
  std::vector<Figure> ours;
  for (const Way& way : all)
    ours.push_back(figure(6, kWhat, way.subject, stage));
  for (int i = 0; i < effort.slow_samples; ++i) {
    list.samples.push_back(milliseconds([&] { ss.count(); }));
    for (std::size_t way = 0; way < all.size(); ++way)
      ours[way].samples.push_back(time_of_lookup(all[way], snapshot, stage));
  }
  for (Figure& figure : ours) {
    findings.set_against(figure, list, 0.35);
    findings.figures.push_back(std::move(figure));
  }
  findings.figures.push_back(std::move(list));
}

}  // namespace tcpmibd::bench
