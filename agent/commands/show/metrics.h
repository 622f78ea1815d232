#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agent/commands/show/evidence.h"

// What `show` prints for monitoring that scrapes: the objects of the MIBs as metrics, in
// OpenMetrics 1.0 or in the text format 0.0.4 of Prometheus.

namespace tcpmibd::agent {

// Of what has names that come and go, ports and remote addresses among them, no more than so many
// are printed, the worst; how many are left out is a metric of its own.
inline constexpr std::size_t kMostLabelled = 128;

// Whether there are metrics of what `show` shows by that word. Where nothing is named there are, of
// all that every host should be asked.
bool has_metrics(std::string_view word);

// What the metrics of a word go by.
Evidence::Needs metric_needs(std::string_view word);

// All metrics of the word, which has some; what they need has been looked at.
std::string metrics_text(const Options& options, const Evidence& evidence);

// What becomes of an object: `tcpmibd_port_state_connections{state="closeWait"}`, or the label
// that it is; empty where no metric has it.
std::string metric_of(std::string_view object);

}  // namespace tcpmibd::agent
