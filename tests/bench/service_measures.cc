#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <limits>
#include <memory>

#include "bench/clock.h"
#include "bench/measures.h"
#include "support/deadline.h"
#include "support/shared_memory.h"
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
constexpr const char* kRss = "RSS ";
constexpr const char* kAnonymous = "anonymous memory ";
constexpr const char* kBefore = "before the first question";
constexpr const char* kPeak = "with refreshes under way";

Figure figure(int target, std::string what, std::string subject, unsigned population,
              std::string unit) {
  return {target, std::move(what), std::move(subject), population, std::move(unit), {}};
}

void wait_for(std::chrono::milliseconds time) {
  lab::eventually([] { return false; }, time);
}

// ---- Memory ----

constexpr double kKibInMib = 1024;
constexpr unsigned kLookEvery = 1'000;  // rows of a walk

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
  Walked walked{.rows = kLookEvery, .last = kConnectionState};
  while (walked.rows == kLookEvery) {
    walked = walk_by_bulk(agent.session, kConnectionState, walked.last, kLookEvery);
    peak = larger(peak, memory_of(agent.process));
  }
  return peak;
}

// Two refreshes fall among its walks, so that old and new rows stand side by side. The kernel keeps
// the greatest RSS, whether somebody looks or not; of anonymous memory it keeps none.
Memory peak_with_refreshes(Agent& agent) {
  constexpr long kRefreshes = 3;
  Memory peak;
  do
    peak = larger(peak, peak_of_walk(agent));
  while (agent.get(kSnapshots) < kRefreshes);
  peak.rss = static_cast<double>(agent.process.memory("VmHWM")) / kKibInMib;
  return peak;
}

Figure memory_figure(const std::string& what, const std::string& subject, unsigned population,
                     double value) {
  Figure made = figure(7, what, subject, population, "MiB");
  made.samples = {value};
  return made;
}

void add_memory(std::vector<Figure>& figures, const std::string& when, const std::string& subject,
                unsigned population, const Memory& memory) {
  figures.push_back(memory_figure(kRss + when, subject, population, memory.rss));
  figures.push_back(memory_figure(kAnonymous + when, subject, population, memory.anonymous));
}

// Beyond this snmpd takes longer to read its table than a manager waits.
constexpr unsigned kMostForSnmpd = 100'000;

void compare_with_snmpd(Stage& stage, const Memory& ours, Findings& findings) {
  if (stage.population() > kMostForSnmpd) {
    findings.skipped.push_back("7: snmpd does not answer in time at " +
                               grouped(stage.population()) + " sockets");
    return;
  }
  const Memory theirs = peak_of_walk(stage.snmpd());
  const auto rss = [&](const std::string& subject, const Memory& memory) {
    return memory_figure(std::string(kRss) + "while walked", subject, stage.population(),
                         memory.rss);
  };
  findings.figures.push_back(rss("snmpd", theirs));
  findings.set_against(rss("tcpmibd standalone", ours), findings.figures.back());
}

struct Limits {
  double rss, anonymous;  // MiB
};

constexpr unsigned kMillion = 1'000'000;
constexpr Limits kLimits{24, 14};              // at 95 000 sockets; at others not judged
constexpr Limits kLimitsOfAMillion{150, 138};  // likewise
constexpr double kMostLeft = 1.25;             // of what was there before the first question

void judge(Findings& findings, unsigned population, const Memory& before, const Memory& peak,
           const Memory& after) {
  const auto add = [&](const std::string& claim, double value, const char* unit, double most) {
    findings.add({7, claim, {}, population, value, unit, 0, Demand{Bound::kAtMost, most}});
  };
  const Limits& limits = population == kMillion ? kLimitsOfAMillion : kLimits;
  add(std::string(kRss) + kPeak, peak.rss, "MiB", limits.rss);
  add(std::string(kAnonymous) + kPeak, peak.anonymous, "MiB", limits.anonymous);
  add("RSS after the crowd has left / before the first question", after.rss / before.rss, "×",
      kMostLeft);
}

// ---- Latency ----

// Latencies that another process measures for us, in milliseconds; in memory that both share.
class SharedSamples {
 public:
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

  std::shared_ptr<Memory> memory_ = lab::shared_with_children<Memory>();
};

SnmpSession session_at(const lab::Namespace& space) {
  return {space, lab::Daemon::kAddress, "private"};
}

constexpr unsigned kAllRows = std::numeric_limits<unsigned>::max();

// Somebody who walks the table again and again.
Holder walker(const lab::Namespace& space) {
  return Holder({.forever =
                     [] {
                       SnmpSession session = session_at(lab::Namespace::current());
                       for (;;)
                         walk_by_next(session, kConnectionState, kConnectionState, kAllRows);
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
Oid doomed(const Stage& stage, unsigned ended) {
  return state_of(stage.crowd().member(stage.population() - 1 - ended));
}

Oid doom_one(Stage& stage) {
  const Oid cell = doomed(stage, stage.ended());
  stage.note_ended(1);
  return cell;
}

// Somebody who ends connections, some twenty a second.
Holder setter(const Stage& stage, const SharedSamples& samples) {
  const unsigned last = stage.population() / 2;
  return Holder({.forever =
                     [=, &stage] {
                       SnmpSession session = session_at(lab::Namespace::current());
                       for (unsigned i = stage.ended(); i < last; ++i) {
                         samples.add(time_of_set(session, doomed(stage, i)));
                         wait_for(std::chrono::milliseconds(50));
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

// Somebody who walks and, if their times are wanted, somebody who ends connections.
class Load {
 public:
  Load(const Stage& stage, const SharedSamples* sets) : walking_(walker(stage.space())) {
    if (sets != nullptr)
      setting_.emplace(setter(stage, *sets));
  }

  bool lives() const {
    return walking_.process().running() && (!setting_ || setting_->process().running());
  }

 private:
  Holder walking_;
  std::optional<Holder> setting_;
};

// Of GETs under a load. It lasts until there are enough of them, of `sets` and of snapshots; null
// where nothing is set.
Samples times_under_load(Agent& agent, const Stage& stage, const Effort& effort,
                         const SharedSamples* sets) {
  constexpr long kSnapshotsMeanwhile = 2;
  const long enough = agent.get(kSnapshots) + kSnapshotsMeanwhile;
  const Load load(stage, sets);
  Samples times;
  const auto goes_on = [&] {
    return std::ssize(times) < effort.gets || agent.get(kSnapshots) < enough ||
           (sets != nullptr && std::ssize(sets->all()) < effort.sets);
  };
  while (goes_on()) {
    if (!load.lives())
      throw Trouble("a walk or a Set failed meanwhile");
    for (int i = 0; i < effort.gets / 10; ++i) {
      const Oid cell = asked_for(stage, i);
      times.push_back(milliseconds([&] { agent.get(cell); }));
    }
  }
  return times;
}

struct Latencies {
  Figure set, walked, get, busy_set;
};

Latencies latencies_of(Agent& agent, Stage& stage, const Effort& effort) {
  const auto of_ours = [&](const char* what) {
    return figure(8, what, agent.subject, stage.population(), "ms");
  };
  Latencies of{of_ours("Set that ends a connection"), of_ours("GET beside a walk"),
               of_ours("GET beside a walk and Sets"), of_ours("Set beside a walk")};
  for (int i = 0; i < effort.sets; ++i)
    of.set.samples.push_back(time_of_set(agent.session, doom_one(stage)));
  of.walked.samples = times_under_load(agent, stage, effort, nullptr);
  const SharedSamples sets_under_load;
  of.get.samples = times_under_load(agent, stage, effort, &sets_under_load);
  of.busy_set.samples = sets_under_load.all();
  stage.note_ended(static_cast<unsigned>(of.busy_set.samples.size()) + 1);  // one was under way
  return of;
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
    const Figure* peak = findings.find(std::string(kAnonymous) + kPeak, subject, population);
    const Figure* base = findings.find(std::string(kAnonymous) + kBefore, subject, population);
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

// A ping every 30 s; for each the daemon may wait for the time and for the answer.
constexpr double kWakeupsOfPings = 6;  // a minute
constexpr double kMostProcessor = 10;  // ms: the kernel's own unit of processor time

// A daemon that nobody asks, from begin() to end().
class Idler {
 public:
  Idler(const Agent& agent, double most_wakeups) : agent_(&agent), most_wakeups_(most_wakeups) {
    await_rest(agent.process);
  }

  void begin() {
    wakeups_ = agent_->process.wakeups();
    processor_ = processor_time(agent_->process);
  }

  void end(Findings& findings) const {
    Figure wakeups = figure(10, "wake-ups while idle", agent_->subject, 0, "");
    wakeups.samples = {static_cast<double>(agent_->process.wakeups() - wakeups_)};
    Figure processor = figure(10, "CPU while idle", agent_->subject, 0, "ms");
    processor.samples = {processor_time(agent_->process) - processor_};
    findings.set_limit(wakeups, most_wakeups_);
    findings.set_limit(processor, kMostProcessor);
    findings.figures.insert(findings.figures.end(), {wakeups, processor});
  }

 private:
  const Agent* agent_;
  double most_wakeups_;
  long wakeups_ = 0;
  double processor_ = 0;
};

}  // namespace

void measure_memory(Stage& stage, const Effort& effort, Findings& findings) {
  stage.dismiss();
  Agent& agent = stage.standalone();
  const Memory before = memory_of(agent.process);
  const Memory peak = peak_with_refreshes(agent);
  compare_with_snmpd(stage, peak, findings);
  stage.disperse();
  wait_for(effort.quiet);
  const Memory after = memory_of(agent.process);
  agent.get(kTcpInSegs);
  wait_for(effort.quiet / 10);
  const Memory woken = memory_of(agent.process);

  const auto add = [&](const std::string& when, const Memory& memory) {
    add_memory(findings.figures, when, agent.subject, stage.population(), memory);
  };
  add(kBefore, before);
  add(kPeak, peak);
  add("after the crowd has left", after);
  add("after one question more", woken);
  judge(findings, stage.population(), before, peak, after);
}

void measure_latency(Stage& stage, const Effort& effort, Findings& findings) {
  constexpr double kLongestHold = 5;  // ms
  constexpr double kLongestSet = 1;   // ms
  const Latencies of = latencies_of(stage.standalone(), stage, effort);
  findings.set_limit(of.walked, kLongestHold, 0.999);
  findings.set_limit(of.get, kLongestHold, 0.999);
  findings.set_limit(of.set, kLongestSet);
  findings.figures.insert(findings.figures.end(), {of.walked, of.get, of.set, of.busy_set});
}

Round round_of_memory(Stage& stage, const Effort&) {
  Agent& agent = stage.standalone();
  const Memory before = memory_of(agent.process);
  const Memory peak = peak_with_refreshes(agent);
  Round round;
  add_memory(round, kBefore, agent.subject, stage.population(), before);
  add_memory(round, kPeak, agent.subject, stage.population(), peak);
  return round;
}

// A small crowd would run out of members that may be ended: it is made anew in time.
Round round_of_latency(Stage& stage, const Effort& effort) {
  if (stage.ended() > stage.population() / 8)
    stage.gather();
  const Latencies of = latencies_of(stage.standalone(), stage, effort);
  return {of.walked, of.get, of.set, of.busy_set};
}

void compare_growth(unsigned few, unsigned many, Findings& findings) {
  constexpr double kMostGrowth = 1.3;
  const auto compare = [&](const std::string& claim, const PerSocket& cost,
                           std::optional<Demand> demand) {
    const std::optional<double> small = cost(few);
    const std::optional<double> large = cost(many);
    if (small && large && *small > 0)
      findings.add({9, claim, {}, many, *large / *small, "×", 0, demand});
  };
  const Demand demand{Bound::kAtMost, kMostGrowth};
  const std::string sizes = grouped(many) + " / " + grouped(few);
  compare("time of a snapshot per socket, " + sizes, time_of(findings, "tcpmibd"), demand);
  compare("the same, bare dump, " + sizes, time_of(findings, "bare dump"), {});
  compare("anonymous memory per socket, " + sizes, memory_in(findings, "tcpmibd standalone"),
          demand);
}

void measure_idleness(const Effort& effort, Findings& findings) {
  Stage stage(1);
  Idler idlers[] = {{stage.over_agentx(), kWakeupsOfPings}, {stage.standalone(), 0}};
  for (Idler& idler : idlers)
    idler.begin();
  wait_for(effort.idle);
  for (const Idler& idler : idlers)
    idler.end(findings);
}

}  // namespace tcpmibd::bench
