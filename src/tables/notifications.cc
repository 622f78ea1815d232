#include "tables/notifications.h"

#include <algorithm>
#include <chrono>
#include <ranges>
#include <utility>

#include "tables/arc.h"
#include "tables/figures.h"

namespace tcpmibd::tables {

namespace {

using snmp::Oid;
using snmp::SubId;

// Children of tcpmibdEvent, { tcpmibdObjects 12 }; each has the one instance 0.
enum EventObject : SubId {
  kEventName = 1,
  kEventLocal = 2,
  kEventRemote = 3,
  kEventState = 4,
  kEventProcess = 5,
  kEventCommand = 6,
};

// Columns of tcpmibdAlarmTable.
enum AlarmColumn : SubId {
  kMeasure = 2,
  kValue = 4,
  kRaiseAt = 5,
  kClearAt = 6,
  kWorst = 7,
  kOffenders = 8,
  kProcess = 9,
  kCommand = 10,
  kSeconds = 11,
};

enum Kind : SubId { kAlarmRaised = 1, kAlarmCleared = 2, kConnectionDeleted = 3 };

Oid event_object(SubId id) { return Oid(own({1, 12, id})); }
Oid alarm_object(SubId id) { return Oid(own({1, 10, 1, id})); }
Oid notification(Kind kind) { return Oid(own({0, kind})); }

snmp::Cell event_cell(SubId id, Value value) {
  Oid name = event_object(id);
  name.append(0);
  return {name, std::move(value)};
}

snmp::Cell alarm_cell(const tcp::Alarm& alarm, SubId column, Value value) {
  Oid name = alarm_object(column);
  append_string(alarm.rule.name, name);
  return {name, std::move(value)};
}

snmp::OctetString text_value(std::string_view text) { return {std::string(text)}; }

std::vector<snmp::Cell> what_happened(const tcp::Alarm& alarm) {
  return {event_cell(kEventName, text_value(alarm.rule.name)),
          alarm_cell(alarm, kMeasure, text_value(to_text(alarm.rule.measure))),
          alarm_cell(alarm, kWorst, text_value(alarm.worst)),
          alarm_cell(alarm, kValue, snmp::Gauge32{alarm.value})};
}

Notification raised(const tcp::Alarm& alarm) {
  Notification notification{tables::notification(kAlarmRaised), what_happened(alarm)};
  std::vector<snmp::Cell>& objects = notification.objects;
  objects.push_back(alarm_cell(alarm, kRaiseAt, snmp::Gauge32{alarm.rule.raise_at}));
  objects.push_back(alarm_cell(alarm, kOffenders, snmp::Gauge32{alarm.offenders}));
  objects.push_back(alarm_cell(alarm, kProcess, snmp::Gauge32{alarm.pid}));
  objects.push_back(alarm_cell(alarm, kCommand, text_value(alarm.command)));
  return notification;
}

// tcpmibdAlarmSeconds is how long it was raised, not how long it is clear.
Notification cleared(const tcp::AlarmEvent& event) {
  const tcp::Alarm& alarm = event.alarm;
  const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(event.lasted).count();
  Notification notification{tables::notification(kAlarmCleared), what_happened(alarm)};
  std::vector<snmp::Cell>& objects = notification.objects;
  objects.push_back(alarm_cell(alarm, kClearAt, snmp::Gauge32{alarm.rule.clear_at}));
  objects.push_back(alarm_cell(alarm, kSeconds, snmp::Gauge32{static_cast<std::uint32_t>(lasted)}));
  return notification;
}

std::vector<Oid> alarm_objects(std::initializer_list<SubId> columns) {
  std::vector<Oid> objects{event_object(kEventName)};
  std::ranges::transform(columns, std::back_inserter(objects), alarm_object);
  return objects;
}

}  // namespace

Notification notification_of(const tcp::AlarmEvent& event) {
  return event.alarm.state == tcp::AlarmState::kRaised ? raised(event.alarm) : cleared(event);
}

Notification notification_of(const DeletedConnection& connection) {
  return {notification(kConnectionDeleted),
          {event_cell(kEventLocal, text_value(connection.local)),
           event_cell(kEventRemote, text_value(connection.remote)),
           event_cell(kEventState, snmp::Integer{static_cast<std::int32_t>(connection.state)}),
           event_cell(kEventProcess, snmp::Gauge32{connection.pid}),
           event_cell(kEventCommand, text_value(connection.command))}};
}

std::vector<NotificationInfo> notifications() {
  return {
      {"tcpmibdAlarmRaised", notification(kAlarmRaised),
       alarm_objects({kMeasure, kWorst, kValue, kRaiseAt, kOffenders, kProcess, kCommand})},
      {"tcpmibdAlarmCleared", notification(kAlarmCleared),
       alarm_objects({kMeasure, kWorst, kValue, kClearAt, kSeconds})},
      {"tcpmibdConnectionDeleted",
       notification(kConnectionDeleted),
       {event_object(kEventLocal), event_object(kEventRemote), event_object(kEventState),
        event_object(kEventProcess), event_object(kEventCommand)}},
  };
}

std::vector<snmp::ObjectInfo> notification_objects() {
  constexpr std::pair<std::string_view, std::pair<SubId, Syntax>> kObjects[] = {
      {"tcpmibdEventName", {kEventName, Syntax::kOctetString}},
      {"tcpmibdEventLocal", {kEventLocal, Syntax::kOctetString}},
      {"tcpmibdEventRemote", {kEventRemote, Syntax::kOctetString}},
      {"tcpmibdEventState", {kEventState, Syntax::kInteger}},
      {"tcpmibdEventProcess", {kEventProcess, Syntax::kGauge32}},
      {"tcpmibdEventCommand", {kEventCommand, Syntax::kOctetString}},
  };
  std::vector<snmp::ObjectInfo> objects;
  for (const auto& [name, object] : kObjects)
    objects.push_back({name, event_object(object.first), object.second, Access::kNotify});
  return objects;
}

}  // namespace tcpmibd::tables
