#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <new>

#include "bench/clock.h"
#include "bench/measures.h"
#include "support/deadline.h"
#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::Holder;
using lab::Oid;
using lab::Process;
using lab::SnmpSession;
using lab::Trouble;

// Figures that compare_growth() finds again.
constexpr const char* kSnapshot = "snapshot";
constexpr const char* kAnonymousBefore = "anonymous memory before the first question";
constexpr const char* kAnonymousPeak = "anonymous memory, a refresh under way";

Figure figure(int target, std::string what, std::string subject, unsigned population,
              std::string unit) {
  return {target, std::move(what), std::move(subject), population, std::move(unit), {}};
}

// ---- Memory ----

constexpr double kKibInMib = 1024;
constexpr unsigned kLookEvery = 16;  // requests of a walk

struct Memory {
  double rss = 0;  // MiB
  double anonymous = 0;
};

Memory memory_of(const Process& process) {
  return {.rss = static_cast<double>(process.memory("VmRSS")) / kKibInMib,
          .anonymous = static_cast<double>(process.memory("RssAnon")) / kKibInMib};
}

Memory larger(const Memory& a, const Memory& b) {
  return {.rss = std::max(a.rss, b.rss), .anonymous = std::max(a.anonymous, b.anonymous)};
}

// Walks the column to its end and looks at the process meanwhile.
Memory peak_of_walk(Agent& agent) {
  Memory peak = memory_of(agent.process);
  Oid name = kConnectionState;
  for (unsigned request = 0;; ++request) {
    const auto bindings = agent.session.bulk(name, kRepetitions);
    if (request % kLookEvery == 0)
      peak = larger(peak, memory_of(agent.process));
    if (bindings.empty() || !bindings.back().number || bindings.back().oid <= name ||
        !std::equal(kConnectionState.begin(), kConnectionState.end(), bindings.back().oid.begin()))
      return larger(peak, memory_of(agent.process));
    name = bindings.back().oid;
  }
}

// Two refreshes fall among its walks, so that old and new rows stand side by side.
Memory peak_with_refreshes(Agent& agent) {
  constexpr long kRefreshes = 3;
  Memory peak;
  do
    peak = larger(peak, peak_of_walk(agent));
  while (agent.get(kSnapshots) < kRefreshes);
  return peak;
}

struct Limits {
  double rss, anonymous;  // MiB
};

// The targets name two populations; others are told and not judged.
std::optional<Limits> limits_at(unsigned population) {
  switch (population) {
    case 95'000:
      return Limits{24, 14};
    case 1'000'000:
      return Limits{150, 138};
    default:
      return std::nullopt;
  }
}

// ---- Latency ----

// Latencies that another process measures for us, in milliseconds; in memory that both share.
class SharedSamples {
 public:
  SharedSamples() : memory_(mapped(), [](Memory* memory) { ::munmap(memory, sizeof(Memory)); }) {}

  void add(double sample) const {
    const std::size_t at = memory_->size.load();
    if (at == memory_->samples.size())
      return;
    memory_->samples[at] = sample;
    memory_->size.store(at + 1);
  }

  Samples all() const {
    return {memory_->samples.begin(),
            memory_->samples.begin() + static_cast<std::ptrdiff_t>(memory_->size.load())};
  }

 private:
  struct Memory {
    std::atomic<std::size_t> size = 0;
    std::array<double, 4096> samples{};
  };

  static Memory* mapped() {
    void* memory =
        ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    lab::check(memory == MAP_FAILED ? -1 : 0, "share memory with a child");
    return new (memory) Memory;
  }

  std::shared_ptr<Memory> memory_;
};

SnmpSession session_at(const lab::Namespace& space) {
  return {space, lab::Daemon::kAddress, "private"};
}

// Somebody who walks the table again and again.
Holder walker(const lab::Namespace& space) {
  return Holder({.forever =
                     [] {
                       SnmpSession session = session_at(lab::Namespace::current());
                       for (;;)
                         rows_by_next(session, kConnectionState);
                     },
                 .in = &space});
}

double time_of_set(SnmpSession& session, const Oid& cell) {
  std::string error;
  const double took = milliseconds([&] { error = session.set({{cell, 'i', "12"}}); });
  if (!error.empty())
    throw Trouble("a connection cannot be deleted: " + error);
  return took;
}

// Members are ended from the last one on; the first ones are there to be asked for.
Oid doomed(const lab::Crowd& crowd, int sample) {
  return state_of(crowd.member(crowd.size() - 1 - static_cast<unsigned>(sample)));
}

// Somebody who ends `sets` connections, a few a second, beginning with doomed(`first`).
Holder setter(const Stage& stage, int first, int sets, const SharedSamples& samples) {
  const lab::Crowd& crowd = stage.crowd();
  return Holder({.forever =
                     [=, &crowd] {
                       SnmpSession session = session_at(lab::Namespace::current());
                       for (int i = first; i < first + sets; ++i) {
                         samples.add(time_of_set(session, doomed(crowd, i)));
                         lab::eventually([] { return false; }, std::chrono::milliseconds(50));
                       }
                     },
                 .in = &stage.space()});
}

// Connections and scalars in turn.
Oid asked_for(const Stage& stage, int sample) {
  constexpr unsigned kStride = 7919;
  if (sample % 4 == 0)
    return kTcpInSegs;
  const unsigned some = static_cast<unsigned>(sample) * kStride % (stage.population() / 2);
  return state_of(stage.crowd().member(some));
}

Samples times_of_gets(Agent& agent, const Stage& stage, int gets) {
  Samples times;
  for (int i = 0; i < gets; ++i) {
    const Oid cell = asked_for(stage, i);
    times.push_back(milliseconds([&] { agent.get(cell); }));
  }
  return times;
}

// ---- Growth ----

// What one socket costs, from the figures of a population of them; none where it was not measured.
using PerSocket = std::function<std::optional<double>(unsigned population)>;

PerSocket time_of(const Findings& findings, const std::string& subject) {
  return [&findings, subject](unsigned population) -> std::optional<double> {
    const Figure* figure = findings.find(kSnapshot, subject, population);
    return figure == nullptr ? std::nullopt : std::optional(median(figure->samples) / population);
  };
}

// What was there before the first question is no socket's.
PerSocket memory_in(const Findings& findings, const std::string& subject) {
  return [&findings, subject](unsigned population) -> std::optional<double> {
    const Figure* peak = findings.find(kAnonymousPeak, subject, population);
    const Figure* base = findings.find(kAnonymousBefore, subject, population);
    if (peak == nullptr || base == nullptr)
      return std::nullopt;
    return (median(peak->samples) - median(base->samples)) / population;
  };
}

// ---- Idleness ----

// Nobody has asked it for a while, so that nothing is left to be done.
void await_rest(const Process& process) {
  long before = -1;
  const auto rests = [&] {
    const long last = std::exchange(before, process.wakeups());
    return !lab::eventually([&] { return process.wakeups() != before; },
                            std::chrono::milliseconds(800)) &&
           last == before;
  };
  if (!lab::eventually(rests, std::chrono::seconds(60)))
    throw Trouble("a daemon that nobody asks does not rest");
}

struct Idler {
  const Process& process;
  Figure wakeups, processor;
  long wakeups_before = 0;
  double processor_before = 0;
};

}  // namespace

void measure_memory(Stage& stage, const Effort& effort, Findings& findings) {
  stage.dismiss();
  Agent& agent = stage.standalone();
  const unsigned population = stage.population();
  const Memory before = memory_of(agent.process);
  const Memory peak = peak_with_refreshes(agent);
  const Memory peer = peak_of_walk(stage.snmpd());
  stage.disperse();
  lab::eventually([] { return false; }, effort.quiet);
  const Memory after = memory_of(agent.process);

  const auto add = [&](const char* what, const std::string& subject, double value) {
    findings.figures.push_back(figure(7, what, subject, population, "MiB"));
    findings.figures.back().samples = {value};
    return findings.figures.back();
  };
  const std::string ours = agent.subject;
  add("RSS before the first question", ours, before.rss);
  add(kAnonymousBefore, ours, before.anonymous);
  const Figure rss = add("RSS, a refresh under way", ours, peak.rss);
  const Figure anonymous = add(kAnonymousPeak, ours, peak.anonymous);
  const Figure theirs = add("RSS of a walk", "snmpd", peer.rss);
  add("RSS after the crowd has left", ours, after.rss);
  add("anonymous memory after the crowd has left", ours, after.anonymous);
  findings.set_against(rss, theirs);
  if (const std::optional<Limits> limits = limits_at(population)) {
    findings.set_limit(rss, limits->rss);
    findings.set_limit(anonymous, limits->anonymous);
  }
}

void measure_latency(Stage& stage, const Effort& effort, Findings& findings) {
  constexpr double kLongestHold = 5;  // ms
  constexpr double kLongestSet = 1;
  Agent& agent = stage.standalone();
  const auto of_ours = [&](const char* what) {
    return figure(8, what, agent.subject, stage.population(), "ms");
  };
  Figure sets = of_ours("Set that ends a connection");
  for (int i = 0; i < effort.sets; ++i)
    sets.samples.push_back(time_of_set(agent.session, doomed(stage.crowd(), i)));

  const long snapshots = agent.get(kSnapshots);
  Figure gets = of_ours("GET while others walk, set and make snapshots due");
  Figure busy_sets = of_ours("Set likewise");
  const SharedSamples shared;
  {
    const Holder walking = walker(stage.space());
    const Holder setting = setter(stage, effort.sets, effort.sets, shared);
    if (!lab::eventually([&] { return agent.get(kSnapshots) > snapshots; },
                         std::chrono::seconds(30)))
      throw Trouble("nobody walks");
    while (shared.all().size() < static_cast<std::size_t>(effort.sets) &&
           (setting.process().running())) {
      const Samples more = times_of_gets(agent, stage, effort.gets / 10);
      gets.samples.insert(gets.samples.end(), more.begin(), more.end());
    }
  }
  busy_sets.samples = shared.all();
  if (busy_sets.samples.size() < static_cast<std::size_t>(effort.sets))
    throw Trouble("a Set failed while others walked");
  findings.set_limit(gets, kLongestHold, 0.999);
  findings.set_limit(sets, kLongestSet);
  findings.figures.insert(findings.figures.end(), {gets, sets, busy_sets});
}

void compare_growth(unsigned few, unsigned many, Findings& findings) {
  constexpr double kMostGrowth = 1.3;
  const auto compare = [&](const char* claim, const PerSocket& cost, std::optional<Demand> demand) {
    const std::optional<double> small = cost(few);
    const std::optional<double> large = cost(many);
    if (small && large && *small > 0)
      findings.comparisons.push_back({9, claim, {}, many, *large / *small, "×", 0, demand});
  };
  const Demand demand{Bound::kAtMost, kMostGrowth};
  compare("time of a snapshot per socket, 1 000 000 / 20 000", time_of(findings, "tcpmibd"),
          demand);
  compare("the same of the bare dump", time_of(findings, "bare dump"), {});
  compare("anonymous memory per socket, 1 000 000 / 20 000",
          memory_in(findings, "tcpmibd standalone"), demand);
}

void measure_idleness(const Effort& effort, Findings& findings) {
  Stage stage(1);
  std::vector<Idler> idlers;
  for (Agent* agent : {&stage.over_agentx(), &stage.standalone()}) {
    idlers.push_back({agent->process, figure(10, "times woken while idle", agent->subject, 0, ""),
                      figure(10, "CPU while idle", agent->subject, 0, "ms")});
  }
  for (Idler& idler : idlers)
    await_rest(idler.process);
  for (Idler& idler : idlers) {
    idler.wakeups_before = idler.process.wakeups();
    idler.processor_before = processor_time(idler.process);
  }
  lab::eventually([] { return false; }, effort.idle);
  for (Idler& idler : idlers) {
    idler.wakeups.samples = {static_cast<double>(idler.process.wakeups() - idler.wakeups_before)};
    idler.processor.samples = {processor_time(idler.process) - idler.processor_before};
    findings.figures.insert(findings.figures.end(), {idler.wakeups, idler.processor});
  }
}

}  // namespace tcpmibd::bench
