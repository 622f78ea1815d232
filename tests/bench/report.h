#pragma once

#include <string>

#include "bench/figures.h"
#include "bench/host.h"

// What a run found out, as people and programs read it.

namespace tcpmibd::bench {

// Markdown: the host, a table of ratios with "met" or "missed" for each, a table of figures, one of
// two builds, and what could not be measured; what there is nothing for is left out. It can be
// pasted into docs/performance.md as it is.
std::string markdown(const HostFacts& host, const Findings& findings);

// The same, and every sample of a figure that has few:
//
//   {"host": {NAME: TEXT}, "figures": [{"target", "what", "subject", "population", "unit",
//    "count", "median", "p99", "p999", "least", "most", "samples"}],
//    "comparisons": [{"target", "claim", "population", "value", "unit", "advantage",
//    "limit", "bound", "met"}], "pairs": [{"target", "what", "population", "unit", "this", "that",
//    "ratio", "least", "lower_quartile", "upper_quartile", "most", "of_this", "of_that"}],
//    "skipped": [TEXT], "failures": [TEXT]}
//
// "this" and "that" are medians, and "ratio" is the median of all ratios; it and its spread are
// null where no pair has one.
std::string json(const HostFacts& host, const Findings& findings);

}  // namespace tcpmibd::bench
