#pragma once

#include <string>

namespace tcpmibd::agent {

// What `tcpmibd explain` prints, as Markdown: docs/tcp-states.md.
std::string life_cycle_markdown();

}  // namespace tcpmibd::agent
