#pragma once

#include "agent/commands/show/evidence.h"

namespace tcpmibd::agent {

// `show scalars`: those of TCP-MIB. After read_counters().
std::string scalars_text(const Options& options, const Evidence& evidence);

// `show pressure`: what TCP uses of what it may, and what the kernel counts when that does not
// suffice. After the survey and read_pressure().
Shown show_pressure(const Options& options, const Evidence& evidence, bool colour);

}  // namespace tcpmibd::agent
