#pragma once

#include "agent/commands/show/evidence.h"

namespace tcpmibd::agent {

// `show alarms`: what would be raised now, judged once without the agent. After the survey and
// the pressure; processes are looked up where an alarm needs them.
Result<Shown> show_alarms(const Options& options, const Config& config, Evidence& evidence,
                          bool colour);

}  // namespace tcpmibd::agent
