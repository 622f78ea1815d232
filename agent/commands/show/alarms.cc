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

}  // namespace

std::vector<Record> alarm_records(const Evidence& evidence) {
  std::vector<Record> rows = read_rows(kAlarmView, evidence.data());
  for (Record& row : rows) {
    const auto alarm = std::ranges::find(
        evidence.alarms().all(), row.text("tcpmibdAlarmName"),
        [](const tcp::Alarm& each) -> const auto& { return each.rule.name; });
    if (!is_known(*alarm, evidence.pressure()))
      forget_findings(row);
  }
  return rows;
}

std::string alarms_text(const Options& options, const Evidence& evidence, bool colour) {
  return view_text(kAlarmView, options, alarm_records(evidence), colour);
}

std::string alarms_remarks(const Evidence& evidence) {
  const auto& alarms = evidence.alarms().all();
  std::string remarks;
  if (!alarms.empty())
    remarks += remark(
        "alarms are judged once and from now on, without their 'for'; what the "
        "running agent has raised is in tcpmibdAlarmTable");
  if (!std::ranges::all_of(
          alarms, [&](const tcp::Alarm& each) { return is_known(each, evidence.pressure()); }))
    remarks += remark(
        "'-' is what one look cannot know: drops between two looks, a limit that the "
        "kernel keeps to itself, processes that are not looked up");
  return remarks;
}

}  // namespace tcpmibd::agent
