#pragma once

#include <string_view>

#include "snmp/oid.h"
#include "tables/arc.h"

namespace tcpmibd::tables {

// The AGENT-CAPABILITIES statement of our MIB module: how our row in sysORTable is known.
inline snmp::Oid capability_statement() {
  snmp::Oid statement(kArc);
  statement.append({2, 3, 1});  // conformance, agent capabilities, the first statement
  return statement;
}

inline constexpr const char* kCapabilityDescription =
    "TCP-MIB (RFC 4022) of the kernel's sockets, by tcpmibd";

}  // namespace tcpmibd::tables
