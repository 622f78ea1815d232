#pragma once

#include "agent/agentx/master_address.h"
#include "base/error.h"

namespace tcpmibd::agent {

// Opens an AgentX session (RFC 2741) with a master and closes it again, without the SNMP library:
// that a socket can be connected to does not say who is behind it. Waits two seconds at most.
Status ping_master(const MasterAddress& master);

}  // namespace tcpmibd::agent
