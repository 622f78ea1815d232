#pragma once

#include <string>

#include "agent/commands/command_line.h"
#include "agent/commands/writer.h"
#include "agent/config/config.h"
#include "tcp/sources.h"

namespace tcpmibd::agent {

// Where `tcpmibd show` looks.
struct ShowSources {
  tcp::SocketSource& sockets;
  tcp::ProcessLookup& processes;
  tcp::CounterSource& counters;
  tcp::PressureSource& pressure;
  tcp::UnitLookup& units;
  tcp::ProcessNames& names;
};

// Writes what the agent would serve now, as `options` asks for it: the same snapshot, the same
// merging, the same counts, the same address forms. `colour` is for terminals. Returns what could
// not be seen and the cure, a line each, for standard error.
Result<std::string> show(const Options& options, const Config& config, const ShowSources& sources,
                         bool colour, const Writer& write);

}  // namespace tcpmibd::agent
