#pragma once

#include <string>

#include "agent/commands/command_line.h"
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

struct Shown {
  std::string text;     // for standard output
  std::string remarks;  // for standard error: what could not be seen, and the cure
};

// What the agent would serve now, as `options` asks for it: the same snapshot, the same merging,
// the same counts, the same address forms. `colour` is for terminals.
Result<Shown> show(const Options& options, const Config& config, const ShowSources& sources,
                   bool colour);

}  // namespace tcpmibd::agent
