#pragma once

#include <functional>

#include "agent/commands/show/show.h"

namespace tcpmibd::agent {

// `show --watch`: the same again every few seconds, until somebody ends it. In place on a terminal,
// of which the two standard streams are; else, or in a format for programs, each round below the
// other. `remarks` get what could not be seen, once; `round_ends` is called when a round is
// written.
Status watch(const Options& options, const Config& config, const ShowSources& sources,
             bool terminal, bool colour, const Writer& write, const Writer& remarks,
             const std::function<void()>& round_ends);

}  // namespace tcpmibd::agent
