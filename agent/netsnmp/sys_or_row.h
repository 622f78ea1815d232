#pragma once

#include "snmp/oid.h"

namespace tcpmibd::agent {

// The AGENT-CAPABILITIES statement of our MIB module: how our row in sysORTable is known.
snmp::Oid capability_statement();

// Adds our row to sysORTable. A master gets it, too, every time we connect. To be called after
// init_agent().
void announce_capabilities();

}  // namespace tcpmibd::agent
