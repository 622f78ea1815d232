#pragma once

namespace tcpmibd::agent {

// Adds our row to sysORTable. To be called after init_agent().
void announce_capabilities();

}  // namespace tcpmibd::agent
