#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "survey/owners.h"
#include "survey/survey.h"
#include "tcp/pressure.h"
#include "tcp/sources.h"

namespace tcpmibd::tcp {

// What an alarm looks at.
struct Measure {
  enum class Kind : std::uint8_t {
    kState,        // connections in `state`
    kConnections,  // in any state
    kQueuePercent,
    kDrops,  // connections lost by listening sockets since the observation before
    kEphemeralPercent,
    kMemoryPercent,    // of the limit of tcp_mem
    kOrphansPercent,   // of tcp_max_orphans
    kTimeWaitPercent,  // of tcp_max_tw_buckets
  };
  // Whose count it is: the worst one decides. Of units and remotes those that a Survey keeps.
  enum class Per : std::uint8_t { kHost, kPort, kUnit, kProcess, kRemote };

  Kind kind = Kind::kState;
  State state = State::kCloseWait;
  Per per = Per::kHost;
  // Seconds: only connections that have been in `state` for so long; 0: all. One of 10, 60, 300 and
  // 3600, of kAgingStates, per host.
  std::uint32_t older_than = 0;

  bool operator==(const Measure&) const = default;
};

// Every kind but kState, whose words are those of its state.
inline constexpr std::array<std::pair<std::string_view, Measure::Kind>, 7> kMeasureWords{{
    {"connections", Measure::Kind::kConnections},
    {"queue-percent", Measure::Kind::kQueuePercent},
    {"drops", Measure::Kind::kDrops},
    {"ephemeral-percent", Measure::Kind::kEphemeralPercent},
    {"memory-percent", Measure::Kind::kMemoryPercent},
    {"orphans-percent", Measure::Kind::kOrphansPercent},
    {"time-wait-percent", Measure::Kind::kTimeWaitPercent},
}};

inline constexpr std::array<std::pair<std::string_view, Measure::Per>, 5> kPerWords{{
    {"host", Measure::Per::kHost},
    {"port", Measure::Per::kPort},
    {"unit", Measure::Per::kUnit},
    {"process", Measure::Per::kProcess},
    {"remote", Measure::Per::kRemote},
}};

// "1m" is 60 seconds; all that `older_than` can be.
inline constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> kAgeWords{{
    {"0s", 0},
    {"10s", 10},
    {"1m", 60},
    {"5m", 300},
    {"1h", 3600},
}};

// "closeWait", "queue-percent": what is measured, without `per` and `older_than`.
std::string_view word_of(const Measure& measure);

// "closeWait per port", "closeWait older than 5m", "queue-percent per port".
std::string to_text(const Measure& measure);

struct AlarmRule {
  std::string name;  // 1 to 32 octets
  Measure measure{};
  std::uint32_t raise_at = 0;  // at this value or above; at least 1
  std::uint32_t clear_at = 0;  // at this value or below; less than raise_at
  Duration hold{};             // the value must stay at raise_at or above for so long

  bool operator==(const AlarmRule&) const = default;
};

// What of a rule makes no sense, and what to do about it, in the words of the configuration.
struct Objection {
  std::string_view key;  // "measure", "per", "older-than", "raise" or "clear"
  std::string_view cause;
  std::string_view cure;
};

// None: the rule can be judged by.
std::optional<Objection> objection_to(const AlarmRule& rule);

// For the whole host, but for figures that ports have.
constexpr Measure::Per usual_per(Measure::Kind kind) {
  return kind == Measure::Kind::kQueuePercent || kind == Measure::Kind::kDrops
             ? Measure::Per::kPort
             : Measure::Per::kHost;
}

// Four fifths of it, and always less than it.
constexpr std::uint32_t usual_clear_at(std::uint32_t raise_at) {
  return static_cast<std::uint32_t>(std::uint64_t{raise_at} * 4 / 5);
}

enum class AlarmState : std::uint8_t { kClear = 1, kPending = 2, kRaised = 3 };

struct Alarm {
  AlarmRule rule;
  AlarmState state = AlarmState::kClear;
  // Of the worst, at the last observation. Of processes 0 while the whole host has too few to
  // matter, for nobody looks them up then.
  std::uint32_t value = 0;
  // "port 443", "unit a.service", "process 4711", "10.0.0.9"; of ephemeral ports "10.0.0.9:5432",
  // or "local 10.0.0.1" where bind() uses them up; empty for the host, and where the value is 0.
  std::string worst;
  std::uint32_t offenders = 0;  // how many are at raise_at or above
  // Who is behind the worst; 0: unknown. Of a port the lowest pid that listens on it; of the host's
  // connections the process with most in that state.
  std::uint32_t pid = 0;
  std::string command;
  Time since{};              // in this state; Time{} before the first observation
  std::uint32_t raises = 0;  // since an alarm of this name was configured first
};

struct AlarmEvent {
  Alarm alarm;        // as it has become: kRaised or kClear
  Duration lasted{};  // of kClear: how long it was raised
};

// What alarms are judged by. `owners` is null where nobody has looked the processes up.
struct Observation {
  const Survey& survey;
  const Pressure& pressure;
  const Owners* owners;
  ProcessNames& names;
};

// What ports have lost since the observation before, by their counters in two surveys. A port on
// which nobody listened meanwhile has lost all that it reported since then.
class DropMarks {
 public:
  // By port, those without any left out. The first observation is the baseline: none.
  std::unordered_map<std::uint16_t, std::uint32_t> since_before(const Survey& survey) const;

  // Of a survey that knows them; others leave all as it is.
  void observe(const Survey& survey);
  void forget() { by_port_.reset(); }

 private:
  struct Mark {
    std::uint32_t drops;
    Time counted_since;
  };

  std::optional<std::unordered_map<std::uint16_t, Mark>> by_port_;
};

// The alarms of the configuration and what has become of them. Pure: time comes with observations.
class Alarms {
 public:
  explicit Alarms(std::vector<AlarmRule> rules = {}) { configure(std::move(rules)); }

  // Names are unique. An alarm that measures what it did keeps its state, and the next observation
  // is judged by its new thresholds. One that goes or measures something else while raised is gone
  // without a word.
  void configure(std::vector<AlarmRule> rules);

  // Whether to judge by this, processes must have been looked up: an alarm counts per process and
  // the host's count can make a difference to it, or one is about to be raised that may name a
  // process.
  bool wants_owners(const Survey& survey, const Pressure& pressure, Time now) const;

  // Brings every alarm up to the observation made at `now`, and returns which were raised or
  // cleared. One that cannot be judged, for it lacks the processes or the lost connections, stays
  // as it is.
  std::vector<AlarmEvent> judge(const Observation& observation, Time now);

  // Ascending by name as an SNMP index sorts strings: by length, then octets.
  std::span<const Alarm> all() const { return alarms_; }
  std::uint32_t raised() const;

 private:
  std::vector<Alarm> alarms_;
  DropMarks drops_;
};

}  // namespace tcpmibd::tcp
