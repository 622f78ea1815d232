#include "agent/config/snmpd.h"

namespace tcpmibd::agent {

std::string_view snmpd_user() { return TCPMIBD_SNMPD_USER; }

const char* agentx_perms() { return "agentXPerms 0660 0755 " TCPMIBD_SNMPD_USER " tcpmibd"; }

}  // namespace tcpmibd::agent
