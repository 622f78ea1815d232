#pragma once

#include <string>

#include "tcp/state.h"

namespace tcpmibd::agent {

// The life cycle of connections for a terminal: the picture, a line a state, what concerns
// several states, and a connection followed through its life.
std::string explain_all(bool colour);

// Everything about one state, for a terminal.
std::string explain(tcp::State state, bool colour = false);

}  // namespace tcpmibd::agent
