#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

#include "bench/bare_dump.h"
#include "bench/clock.h"
#include "bench/host.h"
#include "bench/measures.h"
#include "bench/peers.h"
#include "support/deadline.h"
#include "support/sockets.h"
#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::Oid;
using lab::Trouble;

constexpr long kEstablished = 5;

const std::string kGet = "GET of one connection, nothing cached";
const std::string kWalk = "walk of tcpConnectionState by ";
const std::string kLegacyWalk = "walk of tcpConnState by ";

// Beyond this snmpd needs minutes for one walk of tcpConnTable: each step costs it all rows.
constexpr unsigned kMostForLegacyWalk = 20'000;

Figure figure(int target, std::string what, std::string subject, const Stage& stage,
              std::string unit) {
  return {target, std::move(what), std::move(subject), stage.population(), std::move(unit), {}};
}

// Another member each time, spread over the crowd.
Oid some_cell(const Stage& stage, int sample) {
  constexpr unsigned kStride = 7919;  // a prime: no two follow each other in a table of the kernel
  return state_of(
      stage.crowd().member(static_cast<unsigned>(sample) * kStride % stage.population()));
}

// Measures as the scheduler likes it, and again where nobody has to be woken on another processor.
template <typename Measure>
void here_and_on_one_processor(Stage& stage, Measure measure) {
  measure("");
  stage.dismiss();  // An agent stays where it was started.
  const OneProcessor one;
  measure(", on one processor");
  stage.dismiss();
}

// ---- A GET ----

// snmpd keeps its rows for a minute. Writing empty(3) to nsCacheStatus of NET-SNMP-AGENT-MIB makes
// it forget them, as a fresh one would not know them.
void make_cold(Agent& snmpd) {
  const Oid status = lab::oid_of("1.3.6.1.4.1.8072.1.5.3.1.3.1.3.6.1.2.1.6.19");
  if (const std::string error = snmpd.session.set({{status, 'i', "3"}}); !error.empty())
    throw Trouble("snmpd does not empty its cache: " + error);
}

void must_be_established(Agent& agent, const Oid& cell) {
  if (agent.get(cell) != kEstablished)
    throw Trouble(agent.subject + " tells another state than established");
}

double time_of_get(Agent& agent, const Stage& stage, int sample) {
  const Oid cell = some_cell(stage, sample);
  return milliseconds([&] { must_be_established(agent, cell); });
}

// Microseconds of our own processor time for one GET, the mean of many.
double cost_of_get(Agent& agent, const Stage& stage, int gets) {
  const double before = processor_time(agent.process);
  for (int i = 0; i < gets; ++i)
    must_be_established(agent, some_cell(stage, i));
  return (processor_time(agent.process) - before) * 1e3 / gets;
}

struct Gets {
  Figure time;
  Figure cost;
};

Gets gets_of(Agent& agent, const std::string& where, const Stage& stage, int gets) {
  Gets of{figure(2, kGet + where, agent.subject, stage, "ms"),
          figure(2, "CPU of such a GET" + where, agent.subject, stage, "µs")};
  for (int i = 0; i < gets; ++i)
    of.time.samples.push_back(time_of_get(agent, stage, i));
  of.cost.samples.push_back(cost_of_get(agent, stage, gets));
  return of;
}

// ---- Walks ----

// A way to walk. Targets are judged by the one that does not wait for a manager's round trip a row.
struct Way {
  const char* name;
  Walked (*walk)(lab::SnmpSession&, const Oid& column, const Oid& from, unsigned most);
  bool is_judged;

  std::optional<double> demand(double limit) const {
    return is_judged ? std::optional(limit) : std::nullopt;
  }
};

constexpr Way kByNext{"GETNEXT", walk_by_next, false};
constexpr Way kByBulk{"GETBULK", walk_by_bulk, true};

struct Walker {
  Agent* agent;
  Figure figure;
};

void expect_end(Walker& walker, const Way& way, const Oid& column, const Walked& walked,
                const Stage& stage) {
  const Walked beyond = way.walk(walker.agent->session, column, walked.last, 1);
  if (walked.rows != stage.population() || beyond.rows != 0) {
    throw Trouble(walker.figure.what + ", " + walker.figure.subject + ": " +
                  std::to_string(walked.rows) + " rows, and then " + lab::text(beyond.last));
  }
}

// The time to the last row. The question after it, which finds the end, is answered from whatever
// each agent has next, and belongs to no column.
void walk_once(Walker& walker, const Way& way, const Oid& column, const Stage& stage) {
  Walked walked;
  walker.figure.samples.push_back(milliseconds(
      [&] { walked = way.walk(walker.agent->session, column, column, stage.population()); }));
  expect_end(walker, way, column, walked, stage);
}

// snmpd's rows are made anew before each of its walks and not within: a walk may outlive them.
void warm(Agent& snmpd, const Stage& stage) {
  make_cold(snmpd);
  must_be_established(snmpd, some_cell(stage, 0));
}

void measure_walk_by(const Way& way, const std::string& where, int samples, Stage& stage,
                     Findings& findings) {
  const std::string what = kWalk + (way.name + where);
  const auto walker = [&](Agent& agent, const char* subject) {
    return Walker{&agent, figure(4, what, subject, stage, "ms")};
  };
  Walker alone = walker(stage.standalone(), "tcpmibd standalone");
  Walker subagent = walker(stage.over_agentx(), "tcpmibd over AgentX");
  Walker built_in = walker(stage.snmpd(), "snmpd, warm");
  Walker floor = walker(stage.minimal(), "hand-written responder");
  for (int i = 0; i < samples; ++i) {
    warm(*built_in.agent, stage);
    for (Walker* each : {&built_in, &alone, &subagent, &floor})
      walk_once(*each, way, kConnectionState, stage);
  }
  findings.set_against(alone.figure, built_in.figure, way.demand(0.7));
  findings.set_against(subagent.figure, floor.figure, way.demand(1.25));
  findings.figures.insert(findings.figures.end(),
                          {alone.figure, subagent.figure, built_in.figure, floor.figure});
}

struct Table {
  int target;
  std::string what;
  const Oid& column;
};

// One walk, and more of them until so many milliseconds were walked.
Figure walk_of(Agent& agent, const Table& table, const Way& way, const Stage& stage,
               double at_least = 0) {
  Walker walker{&agent, figure(table.target, table.what, agent.subject, stage, "ms")};
  const Samples& times = walker.figure.samples;
  do
    walk_once(walker, way, table.column, stage);
  while (std::accumulate(times.begin(), times.end(), 0.0) < at_least);
  return walker.figure;
}

void measure_legacy_walk_by(const Way& way, const std::string& where, Stage& stage,
                            Findings& findings) {
  const Table legacy{3, kLegacyWalk + (way.name + where), kLegacyState};
  const auto walked = [&](Agent& agent) {
    return findings.figures.emplace_back(walk_of(agent, legacy, way, stage));
  };
  const Figure peer = walked(stage.snmpd());
  findings.set_ahead_of(walked(stage.over_agentx()), peer, way.demand(40));
  findings.set_ahead_of(walked(stage.standalone()), peer, way.demand(150));
}

void measure_get_at(const std::string& where, Stage& stage, const Effort& effort,
                    Findings& findings) {
  Figure peer = figure(2, kGet + where, "snmpd", stage, "ms");
  for (int i = 0; i < effort.slow_samples; ++i) {
    make_cold(stage.snmpd());
    peer.samples.push_back(time_of_get(stage.snmpd(), stage, i));
  }
  for (Agent* agent : {&stage.over_agentx(), &stage.standalone()}) {
    const Gets ours = gets_of(*agent, where, stage, effort.gets);
    findings.set_ahead_of(ours.time, peer, 500);
    findings.set_limit(ours.cost, 100);
    findings.figures.insert(findings.figures.end(), {ours.time, ours.cost});
  }
  findings.figures.push_back(peer);
}

// ---- Counts ----

constexpr int kStates = 11;

// So that the next question makes the agent count anew: what it has serves for a second, and for
// five times as long as it took, which is less than a snapshot takes. The age of counts is no
// object.
void await_staleness(Agent& agent) {
  const long took = agent.session.get(kSnapshotTime).number.value_or(0);
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max(1'000L, 5 * took) + 50);
  lab::eventually([&] { return std::chrono::steady_clock::now() >= end; },
                  std::chrono::seconds(60));
}

long established_by_bulk(Agent& agent) {
  const auto counts = agent.session.bulk(kStateTotal, kStates);
  if (counts.size() != kStates || !counts[kEstablished - 1].number)
    throw Trouble(agent.subject + " does not report eleven counts");
  return *counts[kEstablished - 1].number;
}

struct Counter {
  Figure figure;
  std::function<long()> count;  // every state; those that are established
};

Counter counter(const std::string& subject, const Stage& stage, std::function<long()> count) {
  return {figure(5, "eleven state counts", subject, stage, "ms"), std::move(count)};
}

constexpr unsigned kMostNewcomers = 2;

// Connections that have just been made beside the crowd. Whoever counts anew counts both ends of
// each.
struct Newcomers {
  Newcomers(const Stage& stage, unsigned count)
      : listener(lab::listen_on(stage.space(), "127.0.0.1:0")) {
    const std::string address = "127.0.0.1:" + std::to_string(listener.port());
    for (unsigned i = 0; i < count; ++i) {
      ends.push_back(lab::connect_to(stage.space(), address));
      ends.push_back(lab::accept_from(listener));
    }
  }

  ~Newcomers() { std::ranges::for_each(ends, &lab::TcpSocket::reset); }
  Newcomers(const Newcomers&) = delete;
  Newcomers& operator=(const Newcomers&) = delete;

  lab::TcpSocket listener;
  std::vector<lab::TcpSocket> ends;
};

// A peer that is asked over TCP counts the connection it is asked by as well.
void count_once(Counter& counter, std::size_t established) {
  constexpr long kMostOfPeers = 16;
  long counted = 0;
  counter.figure.samples.push_back(milliseconds([&] { counted = counter.count(); }));
  const long more = counted - static_cast<long>(established);
  if (more < 0 || more > kMostOfPeers)
    throw Trouble(counter.figure.subject + " counts " + std::to_string(counted));
}

std::vector<Counter> our_counters(Stage& stage) {
  const auto counter_of = [&](Agent& agent) {
    return counter(agent.subject, stage, [&agent] { return established_by_bulk(agent); });
  };
  return {counter_of(stage.standalone()), counter_of(stage.over_agentx())};
}

// Each once; ours anew, for what it has is too old. In every second round there is a connection
// more than in the one before it, which an old answer lacks.
void count_anew(std::vector<Counter>& counters, Stage& stage, int round) {
  Agent& alone = stage.standalone();
  Agent& subagent = stage.over_agentx();
  await_staleness(alone);
  await_staleness(subagent);
  const Newcomers newcomers(stage, 1 + static_cast<unsigned>(round) % kMostNewcomers);
  for (Counter& each : counters)
    count_once(each, stage.population() + newcomers.ends.size());
}

// Peers that a machine may lack.
struct Peers {
  std::optional<NodeExporter> exporter;
  std::optional<ZabbixAgent> zabbix;
};

template <typename Peer>
void add_peer(std::optional<Peer>& peer, const Stage& stage, std::vector<Counter>& counters,
              Findings& findings) {
  if (!Peer::is_installed()) {
    findings.skipped.push_back(std::string(Peer::kName) + " is not installed");
    return;
  }
  peer.emplace(stage.space());
  counters.push_back(counter(Peer::kName, stage, [&] { return peer->count(); }));
}

// ---- A scrape ----

// The subtrees that docs/nms/prometheus/snmp.yml names, below tcpmibdObjects.
constexpr unsigned kScraped[] = {1, 10, 2, 3, 4, 6, 9};
constexpr int kRepetitionsOfExporter = 25;

// As snmp_exporter does: to the first answer that reaches beyond the subtree.
unsigned rows_below(Agent& agent, const Oid& root) {
  Oid last = root;
  for (unsigned rows = 0;;) {
    for (const lab::NumberBinding& binding : agent.session.bulk(last, kRepetitionsOfExporter)) {
      if (binding.oid.size() < root.size() ||
          !std::equal(root.begin(), root.end(), binding.oid.begin()))
        return rows;
      last = binding.oid;
      ++rows;
    }
  }
}

void scrape(Agent& agent) {
  for (const unsigned group : kScraped) {
    const Oid root = lab::oid_of("1.3.6.1.4.1.8072.9999.9999.4022.1." + std::to_string(group));
    if (rows_below(agent, root) == 0 && group != 10)  // alarms: none is configured
      throw Trouble(agent.subject + " has nothing below " + lab::text(root));
  }
}

// Each of an agent that was started for it: nobody has asked it anything. There is a port whose
// process is to be found.
Figure scrapes_of(Agent& (Stage::*agent)(), Stage& stage, int samples) {
  const lab::TcpSocket service = lab::listen_on(stage.space(), "127.0.0.1:0");
  Figure of = figure(11, "scrape of the exporter's module, nothing known before", "", stage, "ms");
  for (int i = 0; i < samples; ++i) {
    stage.dismiss();
    Agent& fresh = (stage.*agent)();
    of.subject = fresh.subject;
    of.samples.push_back(milliseconds([&] { scrape(fresh); }));
  }
  return of;
}

// ---- Rounds ----

// By GETBULK: by GETNEXT a walk is the manager's round trips. A short one is chance, so it is not
// the only one.
Round round_of(int target, const std::string& what, const Oid& column, Stage& stage) {
  constexpr double kLongEnough = 500;  // ms
  Round round;
  here_and_on_one_processor(stage, [&](const std::string& where) {
    const Table table{target, what + (kByBulk.name + where), column};
    for (Agent* agent : {&stage.standalone(), &stage.over_agentx()})
      round.push_back(walk_of(*agent, table, kByBulk, stage, kLongEnough));
  });
  return round;
}

// ---- snmpd's module ----

const Oid kSysUpTime = lab::oid_of("1.3.6.1.2.1.1.3.0");

void measure_module_walk(const std::string& where, double most, Stage& stage, const Effort& effort,
                         Findings& findings) {
  const std::string what = kWalk + (kByBulk.name + where);
  Agent& agent = stage.by_module();
  Walker ours{&agent, figure(13, what, agent.subject, stage, "ms")};
  Walker built_in{&stage.snmpd(), figure(13, what, "snmpd, warm", stage, "ms")};
  for (int i = 0; i < effort.samples; ++i) {
    warm(*built_in.agent, stage);
    for (Walker* each : {&built_in, &ours})
      walk_once(*each, kByBulk, kConnectionState, stage);
  }
  findings.set_against(ours.figure, built_in.figure, most);
  findings.figures.insert(findings.figures.end(), {ours.figure, built_in.figure});
}

// snmpd's own walk takes minutes: what target 3 has measured serves.
void measure_module_legacy_walk(Stage& stage, const Effort& effort, Findings& findings) {
  const std::string what = kLegacyWalk + kByBulk.name;
  const Figure* known = findings.find(what, "snmpd", stage.population());
  const Table legacy{13, what, kLegacyState};
  const Figure peer = known ? *known : walk_of(stage.snmpd(), legacy, kByBulk, stage);
  Walker ours{&stage.by_module(), figure(13, what, stage.by_module().subject, stage, "ms")};
  for (int i = 0; i < effort.samples; ++i)
    walk_once(ours, kByBulk, kLegacyState, stage);
  findings.set_ahead_of(ours.figure, peer, 400);
  findings.figures.push_back(ours.figure);
  if (!known)
    findings.figures.push_back(peer);
}

// Somebody who walks the table again and again.
lab::Holder walker_at(const lab::Namespace& space, const std::string& address) {
  return lab::Holder({.forever =
                          [address] {
                            lab::SnmpSession session(lab::Namespace::current(), address, "private");
                            for (;;)
                              walk_by_bulk(session, kConnectionState, kConnectionState,
                                           std::numeric_limits<unsigned>::max());
                          },
                      .in = &space});
}

Samples times_of_gets(Agent& agent, const std::function<Oid(int)>& cell, int gets) {
  Samples times;
  for (int i = 0; i < gets; ++i)
    times.push_back(milliseconds([&] { agent.get(cell(i)); }));
  return times;
}

// A GET beside a walk, and the same without one, by their tails.
void measure_module_gets(const std::string& what, const std::function<Oid(int)>& cell, Stage& stage,
                         const Effort& effort, Findings& findings) {
  Agent& agent = stage.by_module();
  Figure alone = figure(13, what, agent.subject, stage, "ms");
  Figure beside = figure(13, what + " beside a walk", agent.subject, stage, "ms");
  alone.samples = times_of_gets(agent, cell, effort.gets);
  const lab::Holder walking = walker_at(stage.space(), stage.module_address());
  beside.samples = times_of_gets(agent, cell, effort.gets);
  if (!walking.process().running())
    throw Trouble("the walk ended meanwhile");
  const double without = percentile(alone.samples, 0.999), with = percentile(beside.samples, 0.999);
  findings.add({.target = 13,
                .claim = titled(beside, 0.999) + " / without one",
                .title = beside.what,
                .population = stage.population(),
                .value = with / without,
                .unit = "×",
                .advantage = without / with,
                .demand = Demand{Bound::kAtMost, 2}});
  findings.figures.insert(findings.figures.end(), {alone, beside});
}

}  // namespace

void measure_get(Stage& stage, const Effort& effort, Findings& findings) {
  here_and_on_one_processor(
      stage, [&](const std::string& where) { measure_get_at(where, stage, effort, findings); });
}

void measure_legacy_walk(Stage& stage, const Effort&, Findings& findings) {
  if (stage.population() > kMostForLegacyWalk) {
    findings.skipped.push_back("3: snmpd would walk tcpConnTable for many minutes at " +
                               grouped(stage.population()) + " sockets");
    return;
  }
  measure_legacy_walk_by(kByNext, "", stage, findings);
  here_and_on_one_processor(stage, [&](const std::string& where) {
    measure_legacy_walk_by(kByBulk, where, stage, findings);
  });
}

void measure_walk(Stage& stage, const Effort& effort, Findings& findings) {
  measure_walk_by(kByNext, "", 1, stage, findings);
  here_and_on_one_processor(stage, [&](const std::string& where) {
    measure_walk_by(kByBulk, where, effort.slow_samples, stage, findings);
  });
}

void measure_counts(Stage& stage, const Effort& effort, Findings& findings) {
  BareDump bare(stage.space());
  Peers peers;
  std::vector<Counter> counters = our_counters(stage);
  // It counts nothing; a crowd and the newcomers are taken for counted.
  counters.push_back(counter("bare dump", stage, [&] {
    bare.read();
    return static_cast<long>(stage.population() + 2 * kMostNewcomers);
  }));
  add_peer(peers.exporter, stage, counters, findings);
  add_peer(peers.zabbix, stage, counters, findings);
  for (int i = 0; i < effort.slow_samples; ++i)
    count_anew(counters, stage, i);
  findings.set_against(counters[0].figure, counters[2].figure, 0.5);
  findings.set_against(counters[1].figure, counters[2].figure, 0.5);
  for (std::size_t peer = 3; peer < counters.size(); ++peer)
    findings.set_ahead_of(counters[0].figure, counters[peer].figure, 1);
  for (Counter& each : counters)
    findings.figures.push_back(std::move(each.figure));
}

void measure_module(Stage& stage, const Effort& effort, Findings& findings) {
  measure_module_walk("", 1.0, stage, effort, findings);
  measure_module_gets(
      "GET of one connection, by the module", [&](int i) { return some_cell(stage, i); }, stage,
      effort, findings);
  measure_module_gets(
      "GET of sysUpTime", [](int) { return kSysUpTime; }, stage, effort, findings);
  if (stage.population() <= kMostForLegacyWalk)
    measure_module_legacy_walk(stage, effort, findings);
  stage.dismiss();
  const OneProcessor one;
  measure_module_walk(", on one processor", 0.85, stage, effort, findings);
  stage.dismiss();
}

Round round_of_gets(Stage& stage, const Effort& effort) {
  Round round;
  here_and_on_one_processor(stage, [&](const std::string& where) {
    for (Agent* agent : {&stage.standalone(), &stage.over_agentx()}) {
      const Gets gets = gets_of(*agent, where, stage, effort.gets);
      round.insert(round.end(), {gets.time, gets.cost});
    }
  });
  return round;
}

Round round_of_legacy_walks(Stage& stage, const Effort&) {
  return round_of(3, kLegacyWalk, kLegacyState, stage);
}

Round round_of_walks(Stage& stage, const Effort&) {
  return round_of(4, kWalk, kConnectionState, stage);
}

Round round_of_counts(Stage& stage, const Effort&) {
  std::vector<Counter> counters = our_counters(stage);
  count_anew(counters, stage, 0);
  Round round;
  for (Counter& each : counters)
    round.push_back(std::move(each.figure));
  return round;
}

void measure_scrape(Stage& stage, const Effort& effort, Findings& findings) {
  for (Figure& figure : round_of_scrapes(stage, effort)) {
    findings.set_limit(figure, 50);
    findings.figures.push_back(std::move(figure));
  }
}

Round round_of_scrapes(Stage& stage, const Effort& effort) {
  return {scrapes_of(&Stage::standalone, stage, effort.samples),
          scrapes_of(&Stage::over_agentx, stage, effort.samples)};
}

}  // namespace tcpmibd::bench
