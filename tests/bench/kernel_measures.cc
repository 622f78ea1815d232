#include <memory>
#include <string>
#include <vector>

#include "bench/bare_dump.h"
#include "bench/clock.h"
#include "bench/measures.h"
#include "bench/peers.h"
#include "kernel/proc_processes.h"
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

// As the daemon's worker makes one after another.
Snapshot next_snapshot(kernel::SockDiag& kernel, const Snapshot& last) {
  tcp::SnapshotBuilder builder({});
  builder.reserve(last);
  if (const Status status = kernel.read_all(builder); !status)
    throw Trouble(status.error().text());
  return builder.finish();
}

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

std::vector<Way> ways() {
  std::vector<Way> all;
  all.push_back({"tcpmibd, /proc", std::make_unique<kernel::ProcProcesses>()});
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
  const auto kernel = kernel_of(stage.space());
  const Ss ss(stage.space(), Ss::Processes::kNo);
  BareDump bare(stage.space());
  Snapshot last = next_snapshot(*kernel, {});
  for (int i = 0; i < effort.samples; ++i) {
    floor.samples.push_back(milliseconds([&] { bare.read(); }));
    ours.samples.push_back(milliseconds([&] { last = next_snapshot(*kernel, last); }));
    expect_everybody(last, stage);
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
  const Snapshot snapshot = next_snapshot(*kernel_of(stage.space()), {});
  const std::vector<Way> all = ways();
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
