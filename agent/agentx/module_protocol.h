#pragma once

#include <string_view>

// What the daemon and its module in snmpd must agree on (docs/module.md).

namespace tcpmibd::agent::agentx {

// How the daemon describes its session in Open. What one side could not do with the other's takes
// another number.
inline constexpr std::string_view kModuleProtocol = "tcpmibd-module 1";

// At which it registers: before its own session with the same master.
inline constexpr int kModulePriority = 90;

}  // namespace tcpmibd::agent::agentx
