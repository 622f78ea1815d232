#include "agent/commands/show/metric_groups.h"

#include <utility>

#include "agent/commands/show/alarms.h"
#include "agent/commands/show/scalars.h"
#include "agent/commands/show/views.h"

namespace tcpmibd::agent {

namespace {

// ---- rows --------------------------------------------------------------------------------------

template <const TableView& view>
std::vector<Record> rows_of(const Evidence& evidence) {
  std::vector<Record> rows = read_rows(view, evidence.data());
  sort_rows(view, rows);
  return rows;
}

template <Record (*read)(const Evidence&)>
std::vector<Record> one_row(const Evidence& evidence) {
  std::vector<Record> rows;
  rows.push_back(read(evidence));
  return rows;
}

std::uint32_t units_left_out(const Evidence& evidence) {
  return evidence.survey().units_left_out();
}

std::uint32_t remotes_left_out(const Evidence& evidence) {
  return evidence.survey().remotes_left_out();
}

std::uint32_t processes_left_out(const Evidence& evidence) { return evidence.owners()->left_out(); }

// ---- what several groups have -------------------------------------------------------------------

constexpr MetricSample kByState[] = {{"SynSent", "synSent"},         {"SynReceived", "synReceived"},
                                     {"Established", "established"}, {"CloseWait", "closeWait"},
                                     {"FinWait", "finWait"},         {"LastAck", "lastAck"},
                                     {"TimeWait", "timeWait"}};
constexpr MetricSample kTotal[] = {{"Total"}};
constexpr MetricSample kOldestCloseWait[] = {{"OldestCloseWait"}};
constexpr MetricSample kQueue[] = {{"Queue"}};
constexpr MetricSample kQueueLimit[] = {{"QueueLimit"}};
constexpr MetricSample kDiscards[] = {{"Discards"}};

constexpr std::string_view kConnectionsHelp = "Connections, in any state.";
constexpr std::string_view kByStateHelp =
    "Connections by state; finWait is finWait1, finWait2 and closing.";
constexpr std::string_view kOldestHelp = "How long the oldest connection has hung in closeWait.";
constexpr std::string_view kQueueHelp = "Connections that wait to be accepted.";
constexpr std::string_view kQueueLimitHelp = "How many connections may wait to be accepted.";
constexpr std::string_view kDiscardsHelp =
    "Segments that listening sockets have discarded, whatever for.";

// ---- the host -----------------------------------------------------------------------------------

constexpr MetricSample kVersion[] = {{"Version"}};
constexpr MetricSample kSnapshotRows[] = {{"SnapshotRows"}};
constexpr MetricSample kSnapshotTime[] = {{"SnapshotTime"}};
constexpr MetricSample kMergedRows[] = {{"MergedRows"}};
constexpr MetricSample kUnknownStates[] = {{"UnknownStates"}};
constexpr MetricSample kProcessesDenied[] = {{"ProcessesDenied"}};

constexpr MetricLabel kVersionLabels[] = {{"version", "Version"}};

constexpr MetricFamily kAgentFamilies[] = {
    {"tcpmibd_build", Quantity::kInformation, "The version of tcpmibd.", kVersion},
    {"tcpmibd_snapshot_rows", Quantity::kNumber, "Rows of this look at the kernel's sockets.",
     kSnapshotRows},
    {"tcpmibd_snapshot_duration", Quantity::kMilliseconds, "How long the look took.",
     kSnapshotTime},
    {"tcpmibd_snapshot_merged_sockets", Quantity::kNumber,
     "Sockets that share the row of another one.", kMergedRows},
    {"tcpmibd_snapshot_unknown_states", Quantity::kNumber,
     "Sockets that are left out, for their state is not known.", kUnknownStates},
    {"tcpmibd_processes_denied", Quantity::kNumber,
     "Processes that could not be looked into, for lack of privileges.", kProcessesDenied},
};

constexpr MetricSample kStateSamples[] = {{"Ipv4", "ipv4"}, {"Ipv6", "ipv6"}};
constexpr MetricLabel kStateLabels[] = {{"state", "Name", Form::kStateName}};
constexpr MetricFamily kStateFamilies[] = {
    {"tcpmibd_state_sockets", Quantity::kNumber, "Sockets in all, by state.", kTotal},
    {"tcpmibd_state_family_sockets", Quantity::kNumber, "Sockets by state and address family.",
     kStateSamples, "family"},
};

constexpr MetricSample kAgeSamples[] = {
    {"Over10s", "10"}, {"Over1m", "60"}, {"Over5m", "300"}, {"Over1h", "3600"}};
constexpr MetricSample kAgeOldest[] = {{"Oldest"}};
constexpr MetricLabel kAgeLabels[] = {{"state", "tcpmibdStateCode", Form::kState}};
constexpr MetricFamily kAgeFamilies[] = {
    {"tcpmibd_age_connections", Quantity::kNumber,
     "Connections that have been in their state for longer than so many seconds.", kAgeSamples,
     "older_than_seconds"},
    {"tcpmibd_age_oldest", Quantity::kSeconds, "How long the oldest has been in its state.",
     kAgeOldest},
};

// ---- tables with a row for each of many ---------------------------------------------------------

constexpr MetricSample kSockets[] = {{"Sockets"}};
constexpr MetricSample kQueuePercent[] = {{"QueuePercent"}};
constexpr MetricSample kPortInformation[] = {{"Number"}};
constexpr MetricLabel kPortLabels[] = {{"port", "Number"}};
constexpr MetricLabel kPortDetails[] = {{"command", "Command"}, {"unit", "Unit"}};
constexpr MetricFamily kPortFamilies[] = {
    {"tcpmibd_port", Quantity::kInformation, "Who listens on the port.", kPortInformation},
    {"tcpmibd_port_sockets", Quantity::kNumber, "Sockets that listen on the port.", kSockets},
    {"tcpmibd_port_queue_connections", Quantity::kNumber, kQueueHelp, kQueue},
    {"tcpmibd_port_queue_limit", Quantity::kNumber, kQueueLimitHelp, kQueueLimit},
    {"tcpmibd_port_queue_fullness", Quantity::kPercent, "How full the fullest accept queue is.",
     kQueuePercent},
    {"tcpmibd_port_discards", Quantity::kEvents, kDiscardsHelp, kDiscards},
    {"tcpmibd_port_connections", Quantity::kNumber, kConnectionsHelp, kTotal},
    {"tcpmibd_port_state_connections", Quantity::kNumber, kByStateHelp, kByState, "state"},
    {"tcpmibd_port_close_wait_oldest", Quantity::kSeconds, kOldestHelp, kOldestCloseWait},
};

constexpr MetricSample kListenerInformation[] = {{"Port"}};
constexpr MetricLabel kListenerLabels[] = {{"address", "Address", Form::kAddress, "AddressType"},
                                           {"port", "Port"}};
constexpr MetricLabel kListenerDetails[] = {{"command", "Command"}};
constexpr MetricFamily kListenerFamilies[] = {
    {"tcpmibd_listener", Quantity::kInformation, "Who listens on the address and port.",
     kListenerInformation},
    {"tcpmibd_listener_queue_connections", Quantity::kNumber, kQueueHelp, kQueue},
    {"tcpmibd_listener_queue_limit", Quantity::kNumber, kQueueLimitHelp, kQueueLimit},
    {"tcpmibd_listener_discards", Quantity::kEvents, kDiscardsHelp, kDiscards},
    {"tcpmibd_listener_connections", Quantity::kNumber, kConnectionsHelp, kTotal},
    {"tcpmibd_listener_state_connections", Quantity::kNumber, kByStateHelp, kByState, "state"},
};

constexpr MetricSample kUnitListeners[] = {{"Listeners"}};
constexpr MetricLabel kUnitLabels[] = {{"unit", "Name"}};
constexpr MetricFamily kUnitFamilies[] = {
    {"tcpmibd_unit_listeners", Quantity::kNumber, "Sockets of the unit that listen.",
     kUnitListeners},
    {"tcpmibd_unit_connections", Quantity::kNumber, kConnectionsHelp, kTotal},
    {"tcpmibd_unit_state_connections", Quantity::kNumber, kByStateHelp, kByState, "state"},
    {"tcpmibd_unit_close_wait_oldest", Quantity::kSeconds, kOldestHelp, kOldestCloseWait},
};

constexpr MetricSample kUid[] = {{"Uid"}};
constexpr MetricLabel kProcessLabels[] = {{"pid", "Id"}};
constexpr MetricLabel kProcessDetails[] = {
    {"command", "Command"}, {"uid", "Uid"}, {"unit", "Unit"}};
constexpr MetricFamily kProcessFamilies[] = {
    {"tcpmibd_process", Quantity::kInformation, "What the process is.", kUid},
    {"tcpmibd_process_connections", Quantity::kNumber, kConnectionsHelp, kTotal},
    {"tcpmibd_process_state_connections", Quantity::kNumber, kByStateHelp, kByState, "state"},
    {"tcpmibd_process_close_wait_oldest", Quantity::kSeconds, kOldestHelp, kOldestCloseWait},
};

constexpr MetricLabel kRemoteLabels[] = {{"address", "Address", Form::kAddress, "AddressType"}};
constexpr MetricFamily kRemoteFamilies[] = {
    {"tcpmibd_remote_connections", Quantity::kNumber, kConnectionsHelp, kTotal},
    {"tcpmibd_remote_state_connections", Quantity::kNumber, kByStateHelp, kByState, "state"},
};

// ---- limits and counters ------------------------------------------------------------------------

constexpr MetricSample kOrphans[] = {{"Orphans"}};
constexpr MetricSample kOrphansLimit[] = {{"OrphansLimit"}};
constexpr MetricSample kTimeWaits[] = {{"TimeWaits"}};
constexpr MetricSample kTimeWaitsLimit[] = {{"TimeWaitsLimit"}};
constexpr MetricSample kMemoryUsed[] = {{"MemoryUsed"}};
constexpr MetricSample kMemoryBounds[] = {
    {"MemoryLow", "low"}, {"MemoryPressure", "pressure"}, {"MemoryLimit", "limit"}};
constexpr MetricSample kEphemeralPorts[] = {{"EphemeralPorts"}};
constexpr MetricSample kEphemeralUsed[] = {{"EphemeralUsed"}};
constexpr MetricSample kEphemeralBound[] = {{"EphemeralBound"}};
constexpr MetricSample kEphemeralPercent[] = {{"EphemeralPercent"}};
constexpr MetricSample kListenOverflows[] = {{"ListenOverflows"}};
constexpr MetricSample kListenDrops[] = {{"ListenDrops"}};
constexpr MetricSample kSynCookiesSent[] = {{"SynCookiesSent"}};
constexpr MetricSample kSynQueueDrops[] = {{"SynQueueDrops"}};
constexpr MetricSample kTimeWaitOverflows[] = {{"TimeWaitOverflows"}};
constexpr MetricSample kMemoryAborts[] = {{"MemoryAborts"}};
constexpr MetricSample kTimeoutAborts[] = {{"TimeoutAborts"}};
constexpr MetricSample kSynRetransmits[] = {{"SynRetransmits"}};
constexpr MetricSample kTimeouts[] = {{"Timeouts"}};

constexpr MetricFamily kPressureFamilies[] = {
    {"tcpmibd_orphans", Quantity::kNumber, "Connections that no program holds any more.", kOrphans},
    {"tcpmibd_orphans_limit", Quantity::kNumber, "How many orphans there may be.", kOrphansLimit},
    {"tcpmibd_time_waits", Quantity::kNumber, "Connections in timeWait.", kTimeWaits},
    {"tcpmibd_time_waits_limit", Quantity::kNumber, "How many may be in timeWait.",
     kTimeWaitsLimit},
    {"tcpmibd_memory_used", Quantity::kKibibytes, "What TCP uses for what it keeps in queues.",
     kMemoryUsed},
    {"tcpmibd_memory_bound", Quantity::kKibibytes,
     "From where TCP is at ease, short of memory, and at its limit.", kMemoryBounds, "bound"},
    {"tcpmibd_ephemeral_ports", Quantity::kNumber, "Ports that the kernel may choose.",
     kEphemeralPorts},
    {"tcpmibd_ephemeral_ports_used", Quantity::kNumber,
     "Those in use between the two ends that use most.", kEphemeralUsed},
    {"tcpmibd_ephemeral_ports_bound", Quantity::kNumber,
     "Those bound at the local address where most are.", kEphemeralBound},
    {"tcpmibd_ephemeral_ports_use", Quantity::kPercent, "How much of them is in use, of the worse.",
     kEphemeralPercent},
    {"tcpmibd_listen_overflows", Quantity::kEvents,
     "Connections that found their accept queue full.", kListenOverflows},
    {"tcpmibd_listen_drops", Quantity::kEvents,
     "SYNs and handshakes that listeners dropped, for any reason.", kListenDrops},
    {"tcpmibd_syn_cookies_sent", Quantity::kEvents,
     "SYNs answered with a cookie, for the queue was full.", kSynCookiesSent},
    {"tcpmibd_syn_queue_drops", Quantity::kEvents, "SYNs dropped, for the queue was full.",
     kSynQueueDrops},
    {"tcpmibd_time_wait_overflows", Quantity::kEvents,
     "Connections that skipped timeWait, for its limit was reached.", kTimeWaitOverflows},
    {"tcpmibd_memory_aborts", Quantity::kEvents, "Connections reset for lack of memory.",
     kMemoryAborts},
    {"tcpmibd_timeout_aborts", Quantity::kEvents,
     "Connections that ended, for their peer did not answer.", kTimeoutAborts},
    {"tcpmibd_syn_retransmits", Quantity::kEvents, "SYNs that were sent again.", kSynRetransmits},
    {"tcpmibd_retransmission_timeouts", Quantity::kEvents,
     "Segments sent again after their time had passed.", kTimeouts},
};

constexpr MetricSample kRtoAlgorithm[] = {{"RtoAlgorithm"}};
constexpr MetricSample kRtoMin[] = {{"RtoMin"}};
constexpr MetricSample kRtoMax[] = {{"RtoMax"}};
constexpr MetricSample kMaxConn[] = {{"MaxConn"}};
constexpr MetricSample kActiveOpens[] = {{"ActiveOpens"}};
constexpr MetricSample kPassiveOpens[] = {{"PassiveOpens"}};
constexpr MetricSample kAttemptFails[] = {{"AttemptFails"}};
constexpr MetricSample kEstabResets[] = {{"EstabResets"}};
constexpr MetricSample kCurrEstab[] = {{"CurrEstab"}};
constexpr MetricSample kHcInSegs[] = {{"HCInSegs"}};
constexpr MetricSample kHcOutSegs[] = {{"HCOutSegs"}};
constexpr MetricSample kRetransSegs[] = {{"RetransSegs"}};
constexpr MetricSample kInErrs[] = {{"InErrs"}};
constexpr MetricSample kOutRsts[] = {{"OutRsts"}};

constexpr MetricFamily kScalarFamilies[] = {
    {"tcpmibd_tcp_rto_algorithm", Quantity::kNumber,
     "How the retransmission timeout is found, as TCP-MIB numbers it.", kRtoAlgorithm},
    {"tcpmibd_tcp_rto_min", Quantity::kMilliseconds, "The least retransmission timeout.", kRtoMin},
    {"tcpmibd_tcp_rto_max", Quantity::kMilliseconds, "The greatest retransmission timeout.",
     kRtoMax},
    {"tcpmibd_tcp_max_connections", Quantity::kNumber,
     "How many connections there may be; -1: as many as can be.", kMaxConn},
    {"tcpmibd_tcp_active_opens", Quantity::kEvents, "Connections begun from here.", kActiveOpens},
    {"tcpmibd_tcp_passive_opens", Quantity::kEvents, "Connections begun by others.", kPassiveOpens},
    {"tcpmibd_tcp_attempt_fails", Quantity::kEvents, "Connections that were never established.",
     kAttemptFails},
    {"tcpmibd_tcp_established_resets", Quantity::kEvents,
     "Established connections that were reset.", kEstabResets},
    {"tcpmibd_tcp_established", Quantity::kNumber,
     "Connections in established or closeWait, as the kernel counts.", kCurrEstab},
    {"tcpmibd_tcp_in_segments", Quantity::kEvents, "Segments received.", kHcInSegs},
    {"tcpmibd_tcp_out_segments", Quantity::kEvents, "Segments sent, none of them again.",
     kHcOutSegs},
    {"tcpmibd_tcp_retransmitted_segments", Quantity::kEvents, "Segments sent again.", kRetransSegs},
    {"tcpmibd_tcp_in_errors", Quantity::kEvents, "Segments received with an error.", kInErrs},
    {"tcpmibd_tcp_out_resets", Quantity::kEvents, "Resets sent.", kOutRsts},
};

constexpr MetricSample kAlarmState[] = {{"State"}};
constexpr MetricSample kAlarmValue[] = {{"Value"}};
constexpr MetricSample kAlarmBounds[] = {{"RaiseAt", "raise"}, {"ClearAt", "clear"}};
constexpr MetricSample kAlarmOffenders[] = {{"Offenders"}};
constexpr MetricLabel kAlarmLabels[] = {{"alarm", "Name"}, {"measure", "Measure"}};
constexpr MetricFamily kAlarmFamilies[] = {
    {"tcpmibd_alarm_raised", Quantity::kRaised, "Whether the alarm would be raised now.",
     kAlarmState},
    {"tcpmibd_alarm_value", Quantity::kNumber, "What the alarm measures, of the worst.",
     kAlarmValue},
    {"tcpmibd_alarm_threshold", Quantity::kNumber, "From where it is raised, and where cleared.",
     kAlarmBounds, "threshold"},
    {"tcpmibd_alarm_offenders", Quantity::kNumber, "How many are beyond the threshold.",
     kAlarmOffenders},
};

constexpr MetricGroup kGroups[] = {
    {.word = "agent",
     .prefix = "tcpmibd",
     .needs = {.snapshot = true, .processes = true},
     .rows = one_row<agent_record>,
     .labels = {},
     .details = kVersionLabels,
     .families = kAgentFamilies,
     .by_default = true},
    {.word = "states",
     .prefix = "tcpmibdState",
     .needs = {.snapshot = true},
     .rows = rows_of<kStateView>,
     .labels = kStateLabels,
     .details = {},
     .families = kStateFamilies,
     .by_default = true},
    {.word = "ages",
     .prefix = "tcpmibdAge",
     .needs = {.snapshot = true, .survey = true},
     .rows = rows_of<kAgeView>,
     .labels = kAgeLabels,
     .details = {},
     .families = kAgeFamilies},
    {.word = "ports",
     .prefix = "tcpmibdPort",
     .needs = {.snapshot = true, .processes = true, .survey = true},
     .rows = rows_of<kPortView>,
     .labels = kPortLabels,
     .details = kPortDetails,
     .families = kPortFamilies,
     .by_default = true,
     .left_out = "tcpmibd_ports_left_out"},
    {.word = "listeners",
     .prefix = "tcpmibdListener",
     .needs = {.snapshot = true, .processes = true, .survey = true},
     .rows = rows_of<kListenerView>,
     .labels = kListenerLabels,
     .details = kListenerDetails,
     .families = kListenerFamilies,
     .left_out = "tcpmibd_listeners_left_out"},
    {.word = "units",
     .prefix = "tcpmibdUnit",
     .needs = {.snapshot = true, .survey = true},
     .rows = rows_of<kUnitView>,
     .labels = kUnitLabels,
     .details = {},
     .families = kUnitFamilies,
     .by_default = true,
     .left_out = "tcpmibd_units_left_out",
     .left_out_before = units_left_out},
    {.word = "processes",
     .prefix = "tcpmibdProcess",
     .needs = {.snapshot = true, .processes = true, .survey = true, .owners = true},
     .rows = rows_of<kProcessView>,
     .labels = kProcessLabels,
     .details = kProcessDetails,
     .families = kProcessFamilies,
     .left_out = "tcpmibd_processes_left_out",
     .left_out_before = processes_left_out},
    {.word = "remotes",
     .prefix = "tcpmibdRemote",
     .needs = {.snapshot = true, .survey = true},
     .rows = rows_of<kRemoteView>,
     .labels = kRemoteLabels,
     .details = {},
     .families = kRemoteFamilies,
     .left_out = "tcpmibd_remotes_left_out",
     .left_out_before = remotes_left_out},
    {.word = "pressure",
     .prefix = "tcpmibd",
     .needs = {.snapshot = true, .survey = true, .pressure = true},
     .rows = one_row<pressure_record>,
     .labels = {},
     .details = {},
     .families = kPressureFamilies,
     .by_default = true},
    {.word = "alarms",
     .prefix = "tcpmibdAlarm",
     .needs = {.snapshot = true, .survey = true, .pressure = true, .alarms = true},
     .rows = alarm_records,
     .labels = kAlarmLabels,
     .details = {},
     .families = kAlarmFamilies},
    {.word = "scalars",
     .prefix = "tcp",
     .needs = {.counters = true},
     .rows = one_row<scalars_record>,
     .labels = {},
     .details = {},
     .families = kScalarFamilies},
};

}  // namespace

std::string object_of(const MetricGroup& group, std::string_view name) {
  const bool in_full = name.starts_with("tcpmibd");
  return in_full ? std::string(name) : std::string(group.prefix) + std::string(name);
}

std::span<const MetricGroup> metric_groups() { return kGroups; }

}  // namespace tcpmibd::agent
