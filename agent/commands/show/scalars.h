#pragma once

#include "agent/commands/show/evidence.h"

namespace tcpmibd::agent {

// `show scalars`: those of TCP-MIB.
std::string scalars_text(const Options& options, const Evidence& evidence, bool colour);

// `show pressure`: what TCP uses of what it may, and what the kernel counts when that does not
// suffice.
std::string pressure_text(const Options& options, const Evidence& evidence, bool colour);
std::string pressure_remarks(const Evidence& evidence);

}  // namespace tcpmibd::agent
