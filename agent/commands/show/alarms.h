#pragma once

#include <string>
#include <vector>

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/table_view.h"

namespace tcpmibd::agent {

// `show alarms`: what would be raised now, judged once without the agent.
std::string alarms_text(const Options& options, const Evidence& evidence, bool colour);
// Its rows; what one look cannot know is left open in them.
std::vector<Record> alarm_records(const Evidence& evidence);

std::string alarms_remarks(const Evidence& evidence);

}  // namespace tcpmibd::agent
