#pragma once

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/table_view.h"

namespace tcpmibd::agent {

// `show scalars`: those of TCP-MIB.
std::string scalars_text(const Options& options, const Evidence& evidence, bool colour);

// `show pressure`: what TCP uses of what it may, and what the kernel counts when that does not
// suffice.
std::string pressure_text(const Options& options, const Evidence& evidence, bool colour);
std::string pressure_remarks(const Evidence& evidence);

// The same as objects, and what the look itself has to report, under the names by which an agent
// reports it of its newest one.
Record agent_record(const Evidence& evidence);
Record pressure_record(const Evidence& evidence);
Record scalars_record(const Evidence& evidence);

}  // namespace tcpmibd::agent
