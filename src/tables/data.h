#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "snmp/table.h"
#include "survey/alarm.h"
#include "survey/history.h"
#include "survey/owners.h"
#include "survey/survey.h"
#include "tcp/pressure.h"
#include "tcp/sources.h"

namespace tcpmibd::tables {

// What came of the snapshots since the start.
struct SnapshotFigures {
  // Of the newest one, which itself may be gone; 0 before the first.
  Time taken_at{};
  std::uint32_t rows = 0;
  std::uint32_t merged = 0;
  Duration took{};
  Duration took_most{};
  // Of all.
  std::uint32_t taken = 0;
  std::uint32_t failures = 0;
  std::uint32_t unknown_states = 0;
};

// What the agent knows of itself.
struct AgentFigures {
  std::string_view version;
  Time uptime_zero{};  // when sysUpTime was 0
  Time started{};
  bool looks_up_processes = false;
  bool deletes = false;              // deleteTCB is allowed, and the right to it is held
  bool watches = false;              // alarms are configured
  std::uint32_t watch_interval = 0;  // seconds; 0: no watch
  std::uint32_t deletes_done = 0;
  std::uint32_t deletes_refused = 0;
  std::uint32_t processes_denied = 0;  // of the newest process map
  std::uint32_t notifications_folded = 0;
  SnapshotFigures snapshots{};
};

// What a value is read from. Pointers are not owned; one that is null is data not at hand, and
// values that need it stay empty. What an object's needs() name is never null, but for `ends`.
struct Data {
  using Question = tcp::Question;

  static Question everything() { return tcp::EverythingQuery(); }

  struct Needs {
    bool counters = false;
    bool pressure = false;
    bool rows = false;      // GET: the answer to question(); GETNEXT: the rows of a snapshot
    bool counts = false;    // of a snapshot Snapshot::count() alone
    bool snapshot = false;  // a whole snapshot, with its counts
    bool survey = false;
    bool owners = false;
    bool agent = false;
    bool ends = false;  // null all the same where nothing is watched
    // GETNEXT from before the table may be answered from processes of some minutes ago.
    bool old_processes_at_entry = false;
  };

  const tcp::Snapshot* snapshot = nullptr;
  const tcp::ProcessMap* processes = nullptr;
  const tcp::Counters* counters = nullptr;
  // Whether `processes` is all that can be known: a socket it has not heard of has no holder.
  bool processes_are_final = false;
  const tcp::Survey* survey = nullptr;
  const tcp::Owners* owners = nullptr;
  const tcp::Pressure* pressure = nullptr;
  tcp::ProcessNames* names = nullptr;
  const AgentFigures* agent = nullptr;
  const tcp::Alarms* alarms = nullptr;
  const tcp::EndsFigures* ends = nullptr;
  bool* looked_at_processes = nullptr;  // set where a value is made from `processes`
  Time now{};                           // what ages end at
};

using Managed = snmp::Managed<Data>;
using snmp::Access;
using snmp::Syntax;
using snmp::Value;

}  // namespace tcpmibd::tables
