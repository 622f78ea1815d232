#pragma once

#include <string>

namespace tcpmibd::agent {

// Whether managers are served by us, and through whom.
struct Standing {
  bool serving = false;  // registered with a master, or listening
  std::string text;      // "registered with the AgentX master at /var/agentx/master"
};

}  // namespace tcpmibd::agent
