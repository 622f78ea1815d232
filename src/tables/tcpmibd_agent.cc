#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/tables.h"

// What the agent reports of itself.                   TCPMIBD-MIB: { tcpmibdObjects 1 }

namespace tcpmibd::tables {

namespace {

using std::chrono::milliseconds;

std::uint32_t count_of(milliseconds duration) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(duration.count(), 0));
}

template <typename Duration>
std::optional<Value> milliseconds_value(Duration duration) {
  return snmp::Gauge32{count_of(std::chrono::duration_cast<milliseconds>(duration))};
}

std::optional<Value> version(const Data& data) {
  return snmp::OctetString{std::string(data.agent->version)};
}

std::optional<Value> start_time(const Data& data) { return time_stamp(data.agent->started, data); }

// BITS: the first bit is the highest of the first octet (RFC 3417, 8).
std::optional<Value> abilities(const Data& data) {
  const AgentFigures& agent = *data.agent;
  const int bits = (agent.looks_up_processes ? 0x80 : 0) | (agent.deletes ? 0x40 : 0) |
                   (agent.watches ? 0x20 : 0);
  return snmp::OctetString{std::string(1, static_cast<char>(bits))};
}

// Before the first snapshot there is none that could have an age.
std::optional<Value> snapshot_age(const Data& data) {
  const SnapshotFigures& snapshots = data.agent->snapshots;
  if (snapshots.taken == 0)
    return std::nullopt;
  return milliseconds_value(data.now - snapshots.taken_at);
}

std::optional<Value> snapshot_time(const Data& data) {
  return milliseconds_value(data.agent->snapshots.took);
}

std::optional<Value> snapshot_time_max(const Data& data) {
  return milliseconds_value(data.agent->snapshots.took_most);
}

template <auto... kPath>
std::optional<Value> agent_gauge(const Data& data) {
  return snmp::Gauge32{(*data.agent.*....*kPath)};
}

template <auto... kPath>
std::optional<Value> agent_counter(const Data& data) {
  return snmp::Counter32{(*data.agent.*....*kPath)};
}

constexpr auto kSnapshots = &AgentFigures::snapshots;
constexpr Data::Needs kAgent{.agent = true};

// clang-format off
constexpr snmp::ScalarSpec<Data> kAgentScalars[] = {
    // id  name                          syntax                read                                needs
    { 1, "tcpmibdVersion",             Syntax::kOctetString, &version,                             kAgent},
    { 2, "tcpmibdStartTime",           Syntax::kTimeTicks,   &start_time,                          kAgent},
    { 3, "tcpmibdAbilities",           Syntax::kOctetString, &abilities,                           kAgent},
    { 4, "tcpmibdWatchInterval",       Syntax::kGauge32,     &agent_gauge<&AgentFigures::watch_interval>, kAgent},
    { 5, "tcpmibdSnapshotAge",         Syntax::kGauge32,     &snapshot_age,                        kAgent},
    { 6, "tcpmibdSnapshotRows",        Syntax::kGauge32,     &agent_gauge<kSnapshots, &SnapshotFigures::rows>, kAgent},
    { 7, "tcpmibdSnapshotTime",        Syntax::kGauge32,     &snapshot_time,                       kAgent},
    { 8, "tcpmibdSnapshotTimeMax",     Syntax::kGauge32,     &snapshot_time_max,                   kAgent},
    { 9, "tcpmibdSnapshots",           Syntax::kCounter32,   &agent_counter<kSnapshots, &SnapshotFigures::taken>, kAgent},
    {10, "tcpmibdSnapshotFailures",    Syntax::kCounter32,   &agent_counter<kSnapshots, &SnapshotFigures::failures>, kAgent},
    {11, "tcpmibdUnknownStates",       Syntax::kCounter32,   &agent_counter<kSnapshots, &SnapshotFigures::unknown_states>, kAgent},
    {12, "tcpmibdMergedRows",          Syntax::kGauge32,     &agent_gauge<kSnapshots, &SnapshotFigures::merged>, kAgent},
    {13, "tcpmibdDeletesDone",         Syntax::kCounter32,   &agent_counter<&AgentFigures::deletes_done>, kAgent},
    {14, "tcpmibdDeletesRefused",      Syntax::kCounter32,   &agent_counter<&AgentFigures::deletes_refused>, kAgent},
    {15, "tcpmibdProcessesDenied",     Syntax::kGauge32,     &agent_gauge<&AgentFigures::processes_denied>, kAgent},
    {16, "tcpmibdNotificationsFolded", Syntax::kCounter32,   &agent_counter<&AgentFigures::notifications_folded>, kAgent},
};
// clang-format on
static_assert(std::ranges::is_sorted(kAgentScalars, {}, &snmp::ScalarSpec<Data>::id));

}  // namespace

std::span<const snmp::ScalarSpec<Data>> agent_scalars() { return kAgentScalars; }

}  // namespace tcpmibd::tables
