#pragma once

#include "agent/commands/show/evidence.h"

namespace tcpmibd::agent {

// `show alarms`: what would be raised now, judged once without the agent.
std::string alarms_text(const Options& options, const Evidence& evidence, bool colour);
std::string alarms_remarks(const Evidence& evidence);

}  // namespace tcpmibd::agent
