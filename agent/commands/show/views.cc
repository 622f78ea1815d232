#include "agent/commands/show/views.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tcpmibd::agent {

namespace {

// ---- what is shown -------------------------------------------------------------------------

// clang-format off
constexpr TableViewColumn kStateColumns[] = {
    // heading  object               form
    {"NUMBER", "tcpmibdStateCode",  Form::kNumber,    {}, 0, "code"},
    {"STATE",  "tcpmibdStateName",  Form::kStateName, {}, 0, "state"},
    {"SS",     "tcpmibdStateCode",  Form::kStateOfSs},
    {"IPV4",   "tcpmibdStateIpv4"},
    {"IPV6",   "tcpmibdStateIpv6"},
    {"TOTAL",  "tcpmibdStateTotal"},
};

constexpr TableViewColumn kAgeColumns[] = {
    // heading  object               form
    {"STATE",  "tcpmibdStateCode",  Form::kState, {}, 0, "code"},
    {">10 s",  "tcpmibdAgeOver10s"},
    {">1 min", "tcpmibdAgeOver1m"},
    {">5 min", "tcpmibdAgeOver5m"},
    {">1 h",   "tcpmibdAgeOver1h"},
    {"OLDEST", "tcpmibdAgeOldest",  Form::kSeconds},
};

constexpr TableViewColumn kPortColumns[] = {
    // heading      object                         form            other                    red from
    {"PORT",       "tcpmibdPortNumber",           Form::kNumber,  {}, 0, "port"},
    {"QUEUE",      "tcpmibdPortQueue"},
    {"LIMIT",      "tcpmibdPortQueueLimit"},
    {"FULL",       "tcpmibdPortQueuePercent",     Form::kPercent, {},                      kRedPercent},
    {"DISCARDS",   "tcpmibdPortDiscards"},
    {"ESTAB",      "tcpmibdPortEstablished"},
    {"CLOSE-WAIT", "tcpmibdPortCloseWait",        Form::kNumber,  {},                      1},
    {"OLDEST",     "tcpmibdPortOldestCloseWait",  Form::kSeconds, "tcpmibdPortCloseWait"},
    {"TIME-WAIT",  "tcpmibdPortTimeWait"},
    {"TOTAL",      "tcpmibdPortTotal"},
    {"PROCESS",    "tcpmibdPortProcess",          Form::kProcess, "tcpmibdPortCommand"},
    {"UNIT",       "tcpmibdPortUnit",             Form::kText},
};

constexpr TableViewColumn kUnitColumns[] = {
    // heading      object                         form            other                    red from
    {"UNIT",       "tcpmibdUnitName",             Form::kText,    {}, 0, "unit"},
    {"LISTENERS",  "tcpmibdUnitListeners"},
    {"SYN-SENT",   "tcpmibdUnitSynSent"},
    {"ESTAB",      "tcpmibdUnitEstablished"},
    {"CLOSE-WAIT", "tcpmibdUnitCloseWait",        Form::kNumber,  {},                      1},
    {"OLDEST",     "tcpmibdUnitOldestCloseWait",  Form::kSeconds, "tcpmibdUnitCloseWait"},
    {"FIN-WAIT",   "tcpmibdUnitFinWait"},
    {"LAST-ACK",   "tcpmibdUnitLastAck"},
    {"TOTAL",      "tcpmibdUnitTotal"},
};

constexpr TableViewColumn kProcessColumns[] = {
    // heading      object                           form            other                     red from
    {"PROCESS",    "tcpmibdProcessId",              Form::kProcess, "tcpmibdProcessCommand", 0, "pid"},
    {"UID",        "tcpmibdProcessUid"},
    {"SYN-SENT",   "tcpmibdProcessSynSent"},
    {"ESTAB",      "tcpmibdProcessEstablished"},
    {"CLOSE-WAIT", "tcpmibdProcessCloseWait",       Form::kNumber,  {},                       1},
    {"OLDEST",     "tcpmibdProcessOldestCloseWait", Form::kSeconds, "tcpmibdProcessCloseWait"},
    {"FIN-WAIT",   "tcpmibdProcessFinWait"},
    {"LAST-ACK",   "tcpmibdProcessLastAck"},
    {"TOTAL",      "tcpmibdProcessTotal"},
    {"UNIT",       "tcpmibdProcessUnit",            Form::kText},
};

constexpr TableViewColumn kRemoteColumns[] = {
    // heading      object                        form            other                     red from
    {"RANK",       "tcpmibdRemoteRank"},
    {"ADDRESS",    "tcpmibdRemoteAddress",       Form::kAddress, "tcpmibdRemoteAddressType"},
    {"SYN-RECV",   "tcpmibdRemoteSynReceived"},
    {"SYN-SENT",   "tcpmibdRemoteSynSent"},
    {"ESTAB",      "tcpmibdRemoteEstablished"},
    {"CLOSE-WAIT", "tcpmibdRemoteCloseWait",     Form::kNumber,  {},                       1},
    {"TIME-WAIT",  "tcpmibdRemoteTimeWait"},
    {"TOTAL",      "tcpmibdRemoteTotal"},
};

constexpr TableViewColumn kAlarmColumns[] = {
    // heading     object                   form               other                    red from
    {"STATE",     "tcpmibdAlarmState",     Form::kAlarmState, {}, static_cast<std::uint32_t>(tcp::AlarmState::kRaised)},
    {"NAME",      "tcpmibdAlarmName",      Form::kText},
    {"MEASURE",   "tcpmibdAlarmMeasure",   Form::kText},
    {"VALUE",     "tcpmibdAlarmValue"},
    {"RAISE",     "tcpmibdAlarmRaiseAt"},
    {"CLEAR",     "tcpmibdAlarmClearAt"},
    {"OFFENDERS", "tcpmibdAlarmOffenders"},
    {"WORST",     "tcpmibdAlarmWorst",     Form::kText},
    {"PROCESS",   "tcpmibdAlarmProcess",   Form::kProcess,    "tcpmibdAlarmCommand"},
};

constexpr TableViewColumn kListenerColumns[] = {
    // heading      object                         form            other                     red from
    {"ADDRESS",    "tcpmibdListenerAddress",      Form::kAddress, "tcpmibdListenerAddressType"},
    {"PORT",       "tcpmibdListenerPort"},
    {"QUEUE",      "tcpmibdListenerQueue"},
    {"LIMIT",      "tcpmibdListenerQueueLimit"},
    {"DISCARDS",   "tcpmibdListenerDiscards"},
    {"ESTAB",      "tcpmibdListenerEstablished"},
    {"CLOSE-WAIT", "tcpmibdListenerCloseWait",    Form::kNumber,  {},                       1},
    {"TIME-WAIT",  "tcpmibdListenerTimeWait"},
    {"TOTAL",      "tcpmibdListenerTotal"},
    {"PROCESS",    "tcpmibdListenerProcess",      Form::kProcess, "tcpmibdListenerCommand"},
};

// Leaks first, for they only grow; then what is about to be refused; then what is busy.
constexpr std::string_view kWorstPorts[] = {"tcpmibdPortCloseWait", "tcpmibdPortQueuePercent",
                                            "tcpmibdPortTotal"};
constexpr std::string_view kWorstListeners[] = {"tcpmibdListenerCloseWait", "tcpmibdListenerQueue",
                                                "tcpmibdListenerTotal"};
constexpr std::string_view kWorstUnits[] = {"tcpmibdUnitCloseWait", "tcpmibdUnitTotal",
                                            "tcpmibdUnitListeners"};
constexpr std::string_view kWorstProcesses[] = {"tcpmibdProcessCloseWait", "tcpmibdProcessTotal"};
constexpr std::string_view kWorstAlarms[] = {"tcpmibdAlarmState"};

// Time stamps and lost connections count from the start of an agent; who looks once has seen nothing
// happen.
constexpr std::string_view kHiddenOfPorts[] = {"tcpmibdPortDiscontinuityTime", "tcpmibdPortDrops"};
constexpr std::string_view kHiddenOfAlarms[] = {"tcpmibdAlarmSeconds", "tcpmibdAlarmRaises"};

// clang-format on

// ---- which rows ----------------------------------------------------------------------------

bool is_process(std::uint32_t pid, const std::string& wanted, tcp::ProcessNames& names) {
  return std::to_string(pid) == wanted || names.identity_of(pid).command == wanted;
}

// Every holder counts, though the row names only the one with the lowest pid.
bool listens_on(std::uint32_t number, const std::string& process, const Evidence& evidence) {
  const auto port = std::ranges::find(evidence.survey().ports(), number, &tcp::PortFigures::port);
  return std::ranges::any_of(
      evidence.survey().sockets_of(*port), [&](const tcp::ListeningSocket& socket) {
        return std::ranges::any_of(evidence.processes().holders(socket.inode),
                                   [&](const tcp::Holder& holder) {
                                     return is_process(holder.pid, process, evidence.names());
                                   });
      });
}

// An option that the table knows nothing of has been refused before
// (agent/commands/command_line.cc).
bool is_wanted(const Record& record, const Options& options, const Evidence& evidence) {
  const auto state = static_cast<tcp::State>(record.number("tcpmibdStateCode"));
  if (!options.states.empty() && std::ranges::count(options.states, state) == 0)
    return false;
  const std::uint32_t port =
      record.number("tcpmibdPortNumber") + record.number("tcpmibdListenerPort");
  if (options.port && port != *options.port)
    return false;
  if (options.process.empty())
    return true;
  const std::uint32_t pid = record.number("tcpmibdProcessId");
  return port != 0 ? listens_on(port, options.process, evidence)
                   : is_process(pid, options.process, evidence.names());
}

std::string nothing(const TableView& view, const Options& options) {
  const bool filtered = options.port || !options.process.empty();
  return (filtered ? "nothing matches the options" : std::string(view.empty)) + "\n";
}

}  // namespace

constexpr TableView kStateView{
    .word = "states",
    .table = "tcpmibdStateTable",
    .prefix = "tcpmibdState",
    .columns = kStateColumns,
    .empty = "nothing matches the options",
};

constexpr TableView kAgeView{
    .word = "ages",
    .table = "tcpmibdAgeTable",
    .prefix = "tcpmibdAge",
    .columns = kAgeColumns,
    .empty = "ages are kept of synSent, finWait2, closeWait, lastAck and timeWait only",
    .index_of = "tcpmibdStateTable",
};

constexpr TableView kPortView{
    .word = "ports",
    .table = "tcpmibdPortTable",
    .prefix = "tcpmibdPort",
    .columns = kPortColumns,
    .worst_first = kWorstPorts,
    .empty = "no port is listened on",
    .hidden = kHiddenOfPorts,
};

constexpr TableView kListenerView{
    .word = "listeners",
    .table = "tcpmibdListenerTable",
    .prefix = "tcpmibdListener",
    .columns = kListenerColumns,
    .worst_first = kWorstListeners,
    .empty = "no socket listens",
};

constexpr TableView kUnitView{
    .word = "units",
    .table = "tcpmibdUnitTable",
    .prefix = "tcpmibdUnit",
    .columns = kUnitColumns,
    .worst_first = kWorstUnits,
    .empty = "no listener or connection belongs to a systemd unit",
};

constexpr TableView kProcessView{
    .word = "processes",
    .table = "tcpmibdProcessTable",
    .prefix = "tcpmibdProcess",
    .columns = kProcessColumns,
    .worst_first = kWorstProcesses,
    .empty = "no process is known to hold a connection",
};

constexpr TableView kRemoteView{
    .word = "remotes",
    .table = "tcpmibdRemoteTable",
    .prefix = "tcpmibdRemote",
    .columns = kRemoteColumns,
    .empty = "there are no connections",
};

constexpr TableView kAlarmView{
    .word = "alarms",
    .table = "tcpmibdAlarmTable",
    .prefix = "tcpmibdAlarm",
    .columns = kAlarmColumns,
    .worst_first = kWorstAlarms,
    .empty = "no alarms are configured; see tcpmibd.toml(5)",
    .hidden = kHiddenOfAlarms,
};

std::span<const TableView* const> views() {
  static constexpr const TableView* kViews[] = {&kStateView,   &kAgeView,    &kPortView, &kUnitView,
                                                &kProcessView, &kRemoteView, &kAlarmView};
  return kViews;
}

std::string view_text(const TableView& view, const Options& options, const Evidence& evidence,
                      bool colour) {
  return view_text(view, options, wanted_rows(view, options, evidence), colour);
}

std::vector<Record> wanted_rows(const TableView& view, const Options& options,
                                const Evidence& evidence) {
  std::vector<Record> rows = read_rows(view, evidence.data());
  std::erase_if(rows, [&](const Record& record) { return !is_wanted(record, options, evidence); });
  sort_rows(view, rows);
  return rows;
}

std::string view_text(const TableView& view, const Options& options, std::vector<Record> rows,
                      bool colour) {
  sort_rows(view, rows);
  if (options.json)
    return dump(Json{{view.word, to_json(view, rows)}});
  if (options.jsonl)
    return lines_of(to_json(view, rows));
  if (rows.empty())
    return nothing(view, options);
  return to_text(view, rows, {.numeric = options.numeric, .colour = colour});
}

}  // namespace tcpmibd::agent
