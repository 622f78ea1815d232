#pragma once

#include <optional>
#include <string>

#include "base/error.h"

namespace tcpmibd::agent {

// What a manager gets when it asks for these.
struct Seen {
  bool our_capabilities = false;  // our row of sysORTable
  bool tcp_rto_min = false;       // an object that snmpd has, too
  bool tcp_hc_in_segs = false;    // one that only we have
  bool our_arc = false;           // something below it
};

// Asks the SNMP agent at `address` (as snmpget takes it) for what shows whether our objects reach
// managers. With a community by SNMPv2c; without one as the caller's snmp.conf says who to be, the
// way snmpget does it.
//
// Not in a process that is an agent itself: it starts the SNMP library anew.
Result<Seen> query_agent(const std::string& address, const std::optional<std::string>& community);

}  // namespace tcpmibd::agent
