#pragma once

#include <cstdint>

#include "agent/serve/request.h"

namespace tcpmibd::agent::agentx {

// Names a PDU among those of all masters: each numbers its own from where it likes. `master` is 0
// for the one at the AgentX socket, and counts those that come through a module.
inline Transaction transaction_of(std::uint32_t master, std::uint32_t transaction) {
  return {.id = static_cast<long>((std::uint64_t{master} << 32) | transaction)};
}

}  // namespace tcpmibd::agent::agentx
