#pragma once

#include <string>

namespace tcpmibd::agent::agentx {

// What the package writes for snmpd: how its socket is opened to us.
inline constexpr const char* kOurSnmpdFile = "/etc/snmp/snmpd.conf.d/tcpmibd.conf";

// Whether the master that listens at the path `socket` was started before `file` was written or
// changed, and so has not read it as it is. False where either cannot be looked at.
//
// A master makes its socket anew at each start, and nothing later touches its time of modification:
// it shows the start by the clock that files are stamped with, to whoever may enter the folder, and
// without a search for the process.
bool started_before(const std::string& socket, const std::string& file);

// "restart snmpd: it was started before FILE was written"
std::string restart_cure(const std::string& file);

}  // namespace tcpmibd::agent::agentx
