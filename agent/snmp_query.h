#pragma once

#include <optional>
#include <string>

#include "agent/doctor.h"
#include "base/error.h"

namespace tcpmibd::agent {

// Asks the SNMP agent at `address` (as snmpget takes it) for what tells whether our objects reach
// managers. With a community by SNMPv2c; without one as the caller's snmp.conf says who to be, the
// way snmpget does it.
//
// Not in a process that is an agent itself: it starts the SNMP library anew.
Result<Seen> query_agent(const std::string& address, const std::optional<std::string>& community);

}  // namespace tcpmibd::agent
