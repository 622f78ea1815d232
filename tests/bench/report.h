#pragma once

#include <string>

#include "bench/figures.h"
#include "bench/host.h"

// What a run found out, as people and programs read it.

namespace tcpmibd::bench {

// Markdown: the host, a table of ratios with "met" or "missed" for each, a table of figures, and
// what could not be measured. It can be pasted into docs/performance.md as it is.
std::string markdown(const HostFacts& host, const Findings& findings);

// The same, and every sample of a figure that has few:
//
//   {"host": {NAME: TEXT}, "figures": [{"target", "what", "subject", "population", "unit",
//    "count", "median", "p99", "p999", "least", "most", "samples"}],
//    "comparisons": [{"target", "claim", "population", "value", "unit", "advantage",
//    "limit", "bound", "met"}], "skipped": [TEXT], "failures": [TEXT]}
std::string json(const HostFacts& host, const Findings& findings);

}  // namespace tcpmibd::bench
