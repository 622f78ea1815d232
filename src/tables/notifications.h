#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tables/data.h"

// The notifications of TCPMIBD-MIB, { tcpmibd 0 }.

namespace tcpmibd::tables {

// snmpTrapOID.0, the first binding of a notification but for sysUpTime.0 (RFC 3416, 4.2.6).
inline constexpr snmp::SubId kSnmpTrapOid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};

// Ready to be sent: what snmpTrapOID names, and the objects that follow it.
struct Notification {
  snmp::Oid name;
  std::vector<snmp::Cell> objects;
};

// What the descriptors say of a notification, for the comparison with the MIB text.
struct NotificationInfo {
  std::string_view name;
  snmp::Oid oid;
  std::vector<snmp::Oid> objects;  // without instance, in order
};

// A connection that was ended on a manager's order.
struct DeletedConnection {
  std::string local;  // "10.0.0.1:443"
  std::string remote;
  tcp::State state = tcp::State::kClosed;
  std::uint32_t pid = 0;  // 0: unknown
  std::string command;
};

// tcpmibdAlarmRaised or tcpmibdAlarmCleared, as the alarm has become.
Notification notification_of(const tcp::AlarmEvent& event);

// tcpmibdConnectionDeleted.
Notification notification_of(const DeletedConnection& connection);

std::vector<NotificationInfo> notifications();

// Objects that appear in notifications only.
std::vector<snmp::ObjectInfo> notification_objects();

}  // namespace tcpmibd::tables
