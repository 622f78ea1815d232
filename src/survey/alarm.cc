#include "survey/alarm.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "tcp/address.h"

namespace tcpmibd::tcp {

namespace {

using Kind = Measure::Kind;
using Per = Measure::Per;

// ---- Words ----

template <typename Words, typename Value>
std::string_view word_in(const Words& words, const Value& value) {
  return std::ranges::find(words, value, [](const auto& word) { return word.second; })->first;
}

// ---- What makes no sense ----

bool is_percent(Kind kind) {
  return kind == Kind::kQueuePercent || kind == Kind::kEphemeralPercent ||
         kind == Kind::kMemoryPercent || kind == Kind::kOrphansPercent ||
         kind == Kind::kTimeWaitPercent;
}

bool is_of(const Measure& measure, std::initializer_list<State> states) {
  return measure.kind == Kind::kState && std::ranges::count(states, measure.state) != 0;
}

bool is_per(const Measure& measure, std::initializer_list<Per> pers) {
  return std::ranges::count(pers, measure.per) != 0;
}

struct Senseless {
  bool (*is)(const AlarmRule&);
  Objection objection;
};

constexpr Senseless kSenseless[] = {
    {[](const AlarmRule& rule) {
       return is_of(rule.measure, {State::kClosed, State::kListen});
     },
     {"measure", "no connection is ever closed or listen",
      "name a state that connections have, such as closeWait"}},
    {[](const AlarmRule& rule) {
       return rule.measure.kind == Kind::kQueuePercent && !is_per(rule.measure, {Per::kPort});
     },
     {"per", "accept queues belong to ports", "leave it out or write per = \"port\""}},
    {[](const AlarmRule& rule) {
       return rule.measure.kind == Kind::kDrops && !is_per(rule.measure, {Per::kHost, Per::kPort});
     },
     {"per", "drops are counted by ports", "write per = \"port\" or per = \"host\""}},
    {[](const AlarmRule& rule) {
       return is_percent(rule.measure.kind) && rule.measure.kind != Kind::kQueuePercent &&
              !is_per(rule.measure, {Per::kHost});
     },
     {"per", "this percentage is one figure of the whole host", "leave it out"}},
    {[](const AlarmRule& rule) {
       return is_of(rule.measure, {State::kFinWait1, State::kFinWait2, State::kClosing}) &&
              !is_per(rule.measure, {Per::kHost});
     },
     {"per", "finWait1, finWait2 and closing are distinguished for the whole host only",
      "leave it out"}},
    {[](const AlarmRule& rule) {
       return is_of(rule.measure, {State::kSynReceived, State::kTimeWait}) &&
              is_per(rule.measure, {Per::kUnit, Per::kProcess});
     },
     {"per", "the kernel keeps no owner of connections in synReceived and timeWait",
      "write per = \"port\", \"remote\" or \"host\""}},
    {[](const AlarmRule& rule) {
       return is_of(rule.measure, {State::kSynSent}) && is_per(rule.measure, {Per::kPort});
     },
     {"per", "a connection in synSent is not one of a listening port",
      "write per = \"remote\", \"process\", \"unit\" or \"host\""}},
    {[](const AlarmRule& rule) {
       return rule.measure.older_than != 0 &&
              (rule.measure.kind != Kind::kState ||
               std::ranges::count(kAgingStates, rule.measure.state) == 0);
     },
     {"older-than", "ages are kept of synSent, finWait2, closeWait, lastAck and timeWait only",
      "leave it out"}},
    {[](const AlarmRule& rule) {
       return rule.measure.older_than >= 60 && is_of(rule.measure, {State::kTimeWait});
     },
     {"older-than", "the kernel ends timeWait after a minute",
      "write older-than = \"10s\" or leave it out"}},
    {[](const AlarmRule& rule) {
       return rule.measure.older_than != 0 && !is_per(rule.measure, {Per::kHost});
     },
     {"older-than", "ages are counted for the whole host only", "leave it or 'per' out"}},
    {[](const AlarmRule& rule) { return is_percent(rule.measure.kind) && rule.raise_at > 100; },
     {"raise", "a percentage ends at 100", "write a number from 1 to 100"}},
    {[](const AlarmRule& rule) { return rule.clear_at >= rule.raise_at; },
     {"clear", "it must be less than 'raise'",
      "leave it out for four fifths of 'raise', or write a lesser number"}},
};

// ---- AlarmFigures ----

// What alarms are judged by, and what follows from it.
struct AlarmFigures {
  const Survey& survey;
  const Pressure& pressure;
  const Owners* owners;
  std::unordered_map<std::uint16_t, std::uint32_t> drops;  // by port

  std::uint32_t drops_of(const PortFigures& port) const {
    const auto found = drops.find(port.port);
    return found == drops.end() ? 0 : found->second;
  }
};

struct Measured {
  std::uint32_t value = 0;
  std::string worst{};
  std::uint32_t offenders = 0;
  const PortFigures* port = nullptr;  // the worst, where ports were compared
  std::uint32_t pid = 0;              // the same of processes
};

// Of finWait1, finWait2 and closing all three: nothing else is kept of them here.
std::uint32_t count_in(const Tally& tally, const Measure& measure) {
  if (measure.kind == Kind::kConnections)
    return tally.total;
  switch (measure.state) {
    case State::kSynSent:
      return tally.syn_sent;
    case State::kSynReceived:
      return tally.syn_received;
    case State::kEstablished:
      return tally.established;
    case State::kFinWait1:
    case State::kFinWait2:
    case State::kClosing:
      return tally.fin_wait;
    case State::kCloseWait:
      return tally.close_wait;
    case State::kLastAck:
      return tally.last_ack;
    case State::kTimeWait:
      return tally.time_wait;
    case State::kClosed:
    case State::kListen:
      break;
  }
  return 0;
}

std::uint32_t count_older(const AgeFigures& ages, std::uint32_t seconds) {
  switch (seconds) {
    case 10:
      return ages.over_10s;
    case 60:
      return ages.over_1m;
    case 300:
      return ages.over_5m;
    default:
      return ages.over_1h;
  }
}

// Of kState and kConnections. No part of the host can have more.
std::uint32_t count_on_host(const Survey& survey, const Measure& measure) {
  if (measure.older_than != 0)
    return count_older(survey.ages(measure.state), measure.older_than);
  if (measure.kind == Kind::kState)
    return survey.count(measure.state);
  std::uint32_t count = 0;
  for (const StateNames& names : kStates) {
    if (names.state != State::kClosed && names.state != State::kListen)
      count += survey.count(names.state);
  }
  return count;
}

// What the kernel does not report never raises.
std::uint32_t as_value(std::optional<std::uint64_t> figure) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(figure.value_or(0), kMost));
}

// Of equals the first one.
template <typename All, typename Figure, typename Name>
Measured worst_of(const All& all, std::uint32_t raise_at, Figure figure, Name name) {
  Measured measured;
  for (const auto& each : all) {
    const std::uint32_t value = figure(each);
    measured.offenders += value >= raise_at ? 1 : 0;
    if (value > measured.value) {
      measured.value = value;
      name(each, measured);
    }
  }
  return measured;
}

Measured of_host(std::uint32_t value, std::uint32_t raise_at) {
  return {.value = value, .offenders = value >= raise_at ? 1U : 0U};
}

template <typename Figure>
Measured of_ports(const Survey& survey, std::uint32_t raise_at, Figure figure) {
  return worst_of(survey.ports(), raise_at, figure,
                  [](const PortFigures& port, Measured& measured) {
                    measured.worst = "port " + std::to_string(port.port);
                    measured.port = &port;
                  });
}

// `owners` is null where processes make no difference: none of them can have enough.
Measured of_processes(const Owners* owners, const Measure& measure, std::uint32_t raise_at) {
  if (owners == nullptr)
    return {};
  return worst_of(
      owners->all(), raise_at,
      [&](const ProcessFigures& process) { return count_in(process.tally, measure); },
      [](const ProcessFigures& process, Measured& measured) {
        measured.worst = "process " + std::to_string(process.pid);
        measured.pid = process.pid;
      });
}

// Of kState and kConnections.
Measured find_connections(const AlarmRule& rule, const AlarmFigures& figures) {
  const Survey& survey = figures.survey;
  const auto count = [&](const auto& each) { return count_in(each.tally, rule.measure); };
  switch (rule.measure.per) {
    case Per::kPort:
      return of_ports(survey, rule.raise_at, count);
    case Per::kUnit:
      return worst_of(survey.units(), rule.raise_at, count,
                      [](const UnitFigures& unit, Measured& measured) {
                        measured.worst = "unit " + unit.name;
                      });
    case Per::kProcess:
      return of_processes(figures.owners, rule.measure, rule.raise_at);
    case Per::kRemote:
      return worst_of(survey.remotes(), rule.raise_at, count,
                      [](const RemoteFigures& remote, Measured& measured) {
                        measured.worst = to_text(remote.address);
                      });
    case Per::kHost:
      break;
  }
  return of_host(count_on_host(survey, rule.measure), rule.raise_at);
}

Measured find_drops(const AlarmRule& rule, const AlarmFigures& figures) {
  if (rule.measure.per == Per::kPort)
    return of_ports(figures.survey, rule.raise_at,
                    [&](const PortFigures& port) { return figures.drops_of(port); });
  std::uint64_t sum = 0;
  for (const auto& [port, drops] : figures.drops)
    sum += drops;
  return of_host(as_value(sum), rule.raise_at);
}

Measured find_ephemeral(const AlarmRule& rule, const AlarmFigures& figures) {
  const EphemeralFigures& ports = figures.survey.ephemeral();
  const std::optional<EphemeralRange>& range = figures.pressure.ephemeral;
  const auto percent = range ? percent_of(ports.most(), range->size()) : std::nullopt;
  Measured measured = of_host(as_value(percent), rule.raise_at);
  if (measured.value != 0)
    measured.worst = ports.bound > ports.used ? "local " + to_text(ports.bound_local)
                                              : to_text(ports.remote, ports.remote_port);
  return measured;
}

Measured find(const AlarmRule& rule, const AlarmFigures& figures) {
  switch (rule.measure.kind) {
    case Kind::kQueuePercent:
      return of_ports(figures.survey, rule.raise_at,
                      [](const PortFigures& port) { return port.accepting.percent; });
    case Kind::kDrops:
      return find_drops(rule, figures);
    case Kind::kEphemeralPercent:
      return find_ephemeral(rule, figures);
    case Kind::kMemoryPercent:
      return of_host(as_value(figures.pressure.memory_percent()), rule.raise_at);
    case Kind::kOrphansPercent:
      return of_host(as_value(figures.pressure.orphans_percent()), rule.raise_at);
    case Kind::kTimeWaitPercent:
      return of_host(as_value(figures.pressure.time_waits_percent()), rule.raise_at);
    case Kind::kState:
    case Kind::kConnections:
      break;
  }
  return find_connections(rule, figures);
}

// ---- Owners ----

bool counts_connections(const Measure& measure) {
  return measure.kind == Kind::kState || measure.kind == Kind::kConnections;
}

// Whether a process stands behind the worst, so that it can be named.
bool has_owner(const Measure& measure) {
  return is_per(measure, {Per::kPort, Per::kProcess}) ||
         (measure.per == Per::kHost && counts_connections(measure));
}

// Whether the host has so many that a process may decide about the alarm.
bool depends_on_processes(const Alarm& alarm, const Survey& survey) {
  const AlarmRule& rule = alarm.rule;
  if (rule.measure.per != Per::kProcess)
    return false;
  const std::uint32_t count = count_on_host(survey, rule.measure);
  return alarm.state == AlarmState::kRaised ? count > rule.clear_at : count >= rule.raise_at;
}

bool can_judge(const Alarm& alarm, const Observation& observation) {
  if (alarm.rule.measure.kind == Kind::kDrops && !observation.survey.knows_drops())
    return false;
  return observation.owners != nullptr || !depends_on_processes(alarm, observation.survey);
}

std::uint32_t lowest_listener(const PortFigures& port, const Survey& survey,
                              const ProcessMap& map) {
  std::uint32_t lowest = 0;
  for (const ListeningSocket& socket : survey.sockets_of(port)) {
    const std::uint32_t pid = map.lowest(socket.inode).value_or(0);
    if (pid != 0 && (lowest == 0 || pid < lowest))
      lowest = pid;
  }
  return lowest;
}

std::uint32_t owner_of(const Measure& measure, const Measured& measured, const Survey& survey,
                       const Owners& owners) {
  if (measured.port != nullptr)
    return owners.map() == nullptr ? 0 : lowest_listener(*measured.port, survey, *owners.map());
  if (measure.per == Per::kHost && counts_connections(measure))
    return of_processes(&owners, measure, 1).pid;
  return measured.pid;
}

// While nobody looks processes up, who was behind the same worst still is.
void name_owner(Alarm& alarm, const Measured& measured, const Observation& observation) {
  const bool same = measured.worst == alarm.worst && alarm.state != AlarmState::kClear;
  if (observation.owners == nullptr && same)
    return;
  alarm.pid = observation.owners == nullptr || measured.value == 0
                  ? 0
                  : owner_of(alarm.rule.measure, measured, observation.survey, *observation.owners);
  alarm.command = alarm.pid == 0 ? "" : observation.names.identity_of(alarm.pid).command;
}

// ---- States ----

AlarmState next_state(const Alarm& alarm, std::uint32_t value, Time now) {
  const AlarmRule& rule = alarm.rule;
  if (alarm.state == AlarmState::kRaised)
    return value <= rule.clear_at ? AlarmState::kClear : AlarmState::kRaised;
  if (value < rule.raise_at)
    return AlarmState::kClear;
  const Time since = alarm.state == AlarmState::kPending ? alarm.since : now;
  return now - since >= rule.hold ? AlarmState::kRaised : AlarmState::kPending;
}

void enter(Alarm& alarm, AlarmState state, Time now) {
  if (alarm.state != state || alarm.since == Time{})
    alarm.since = now;
  alarm.state = state;
}

// Brings the alarm up to what was found, and returns whether it was raised or cleared by that.
std::optional<AlarmEvent> follow(Alarm& alarm, Measured measured, const Observation& observation,
                                 Time now) {
  const AlarmState before = alarm.state;
  const Time since = alarm.since;
  name_owner(alarm, measured, observation);
  enter(alarm, next_state(alarm, measured.value, now), now);
  alarm.value = measured.value;
  alarm.worst = std::move(measured.worst);
  alarm.offenders = measured.offenders;
  const bool raised = alarm.state == AlarmState::kRaised;
  if (raised == (before == AlarmState::kRaised))
    return std::nullopt;
  alarm.raises += raised ? 1 : 0;
  return AlarmEvent{.alarm = alarm, .lasted = raised ? Duration::zero() : now - since};
}

}  // namespace

std::string_view word_of(const Measure& measure) {
  return measure.kind == Kind::kState ? names_of(measure.state).mib
                                      : word_in(kMeasureWords, measure.kind);
}

std::string to_text(const Measure& measure) {
  std::string text(word_of(measure));
  if (measure.per != Per::kHost)
    text.append(" per ").append(word_in(kPerWords, measure.per));
  if (measure.older_than != 0)
    text.append(" older than ").append(word_in(kAgeWords, measure.older_than));
  return text;
}

std::optional<Objection> objection_to(const AlarmRule& rule) {
  const auto* found =
      std::ranges::find_if(kSenseless, [&](const Senseless& each) { return each.is(rule); });
  return found == std::end(kSenseless) ? std::nullopt : std::optional(found->objection);
}

// The difference survives a counter that wraps.
std::unordered_map<std::uint16_t, std::uint32_t> DropMarks::since_before(
    const Survey& survey) const {
  std::unordered_map<std::uint16_t, std::uint32_t> drops;
  if (!by_port_ || !survey.knows_drops())
    return drops;
  for (const PortFigures& port : survey.ports()) {
    const AcceptQueues& accepting = port.accepting;
    const auto before = by_port_->find(port.port);
    const bool goes_on =
        before != by_port_->end() && before->second.counted_since == accepting.counted_since;
    const std::uint32_t more = accepting.drops - (goes_on ? before->second.drops : 0);
    if (more != 0)
      drops.emplace(port.port, more);
  }
  return drops;
}

void DropMarks::observe(const Survey& survey) {
  if (!survey.knows_drops())
    return;
  by_port_.emplace();
  for (const PortFigures& port : survey.ports())
    by_port_->emplace(port.port, Mark{port.accepting.drops, port.accepting.counted_since});
}

void Alarms::configure(std::vector<AlarmRule> rules) {
  std::ranges::sort(rules, {}, [](const AlarmRule& rule) {
    return std::tuple(rule.name.size(), std::string_view(rule.name));
  });
  if (rules.empty())
    drops_.forget();  // Nobody observes any more, and what comes later would count in one lump.
  std::vector<Alarm> alarms;
  for (AlarmRule& rule : rules) {
    const auto known = std::ranges::find(
        alarms_, rule.name, [](const Alarm& alarm) -> const auto& { return alarm.rule.name; });
    Alarm alarm;
    if (known != alarms_.end() && known->rule.measure == rule.measure)
      alarm = *known;
    else if (known != alarms_.end())
      alarm.raises = known->raises;  // A counter must not fall.
    alarm.rule = std::move(rule);
    alarms.push_back(std::move(alarm));
  }
  alarms_ = std::move(alarms);
}

bool Alarms::wants_owners(const Survey& survey, const Pressure& pressure, Time now) const {
  const AlarmFigures figures{survey, pressure, nullptr, drops_.since_before(survey)};
  return std::ranges::any_of(alarms_, [&](const Alarm& alarm) {
    if (alarm.rule.measure.per == Per::kProcess)
      return depends_on_processes(alarm, survey);
    return alarm.state != AlarmState::kRaised && has_owner(alarm.rule.measure) &&
           next_state(alarm, find(alarm.rule, figures).value, now) == AlarmState::kRaised;
  });
}

std::vector<AlarmEvent> Alarms::judge(const Observation& observation, Time now) {
  const Survey& survey = observation.survey;
  const AlarmFigures figures{survey, observation.pressure, observation.owners,
                             drops_.since_before(survey)};
  std::vector<AlarmEvent> events;
  for (Alarm& alarm : alarms_) {
    if (!can_judge(alarm, observation))
      continue;
    if (auto event = follow(alarm, find(alarm.rule, figures), observation, now))
      events.push_back(std::move(*event));
  }
  drops_.observe(survey);
  return events;
}

std::uint32_t Alarms::raised() const {
  return static_cast<std::uint32_t>(
      std::ranges::count(alarms_, AlarmState::kRaised, &Alarm::state));
}

}  // namespace tcpmibd::tcp
