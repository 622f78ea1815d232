#include "agent/commands/show/alarms.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "agent/commands/show/views.h"
#include "survey/alarm.h"

namespace tcpmibd::agent {

namespace {

using Kind = tcp::Measure::Kind;

// Without a look at how long: who asks wants to know what is so now.
tcp::Alarms without_delay(std::vector<tcp::AlarmRule> rules) {
  for (tcp::AlarmRule& rule : rules)
    rule.hold = Duration::zero();
  return tcp::Alarms(std::move(rules));
}

// Processes cost more than all the rest, so they are looked up only where an alarm needs them.
Status judge(tcp::Alarms& alarms, Evidence& evidence) {
  const Time now = Clock::now();
  if (evidence.may_look_up() && alarms.wants_owners(evidence.survey(), evidence.pressure(), now)) {
    if (Status status = evidence.look_up_processes(); !status)
      return status;
    evidence.find_owners();
  }
  alarms.judge({evidence.survey(), evidence.pressure(), evidence.owners(), evidence.names()}, now);
  return {};
}

bool has_figure(Kind kind, const tcp::Pressure& pressure) {
  switch (kind) {
    case Kind::kDrops:
      return false;  // They are counted between two looks.
    case Kind::kEphemeralPercent:
      return pressure.ephemeral.has_value();
    case Kind::kMemoryPercent:
      return pressure.memory_percent().has_value();
    case Kind::kOrphansPercent:
      return pressure.orphans_percent().has_value();
    case Kind::kTimeWaitPercent:
      return pressure.time_waits_percent().has_value();
    case Kind::kState:
    case Kind::kConnections:
    case Kind::kQueuePercent:
      break;
  }
  return true;
}

// One that was left as it is could not be judged without the processes.
bool is_known(const tcp::Alarm& alarm, const tcp::Pressure& pressure) {
  return alarm.since != Time{} && has_figure(alarm.rule.measure.kind, pressure);
}

void forget_findings(Record& record) {
  for (const char* object : {"tcpmibdAlarmState", "tcpmibdAlarmValue", "tcpmibdAlarmWorst",
                             "tcpmibdAlarmOffenders", "tcpmibdAlarmProcess", "tcpmibdAlarmCommand"})
    record.set(object, std::nullopt);
}

std::string remarks(bool any, bool all_known) {
  std::string remarks;
  if (any)
    remarks += remark(
        "alarms are judged once and from now on, without their 'for'; what the "
        "running agent has raised is in tcpmibdAlarmTable");
  if (!all_known)
    remarks += remark(
        "'-' is what one look cannot tell: drops between two looks, a limit that the "
        "kernel keeps to itself, processes that are not looked up");
  return remarks;
}

}  // namespace

Result<Shown> show_alarms(const Options& options, const Config& config, Evidence& evidence,
                          bool colour) {
  tcp::Alarms alarms = without_delay(config.alarms);
  if (const Status status = judge(alarms, evidence); !status)
    return tl::unexpected(status.error());
  tables::Data data = evidence.data();
  data.alarms = &alarms;
  const View& view = *view_named("alarms");
  std::vector<Record> rows = read_rows(view, data);
  bool all_known = true;
  for (Record& row : rows) {
    const auto alarm = std::ranges::find(
        alarms.all(), row.text("tcpmibdAlarmName"),
        [](const tcp::Alarm& each) -> const auto& { return each.rule.name; });
    if (is_known(*alarm, evidence.pressure()))
      continue;
    forget_findings(row);
    all_known = false;
  }
  const bool any = !rows.empty();
  return Shown{view_text(view, options, std::move(rows), colour),
               evidence.remarks() + remarks(any, all_known)};
}

}  // namespace tcpmibd::agent
