#pragma once

#include <string_view>

namespace tcpmibd::agent {

// The user that snmpd runs as on the system this was built for.
std::string_view snmpd_user();

// The line of snmpd.conf by which it opens its AgentX socket to the group tcpmibd.
const char* agentx_perms();

// Where the daemon and its module in snmpd meet, by default.
inline constexpr std::string_view kModuleSocket = "/run/tcpmibd/snmpd.sock";

}  // namespace tcpmibd::agent
