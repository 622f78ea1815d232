#pragma once

#include <functional>
#include <vector>

#include "bench/figures.h"

// Two builds of tcpmibd beside each other. A machine has its moods, and they last for minutes: each
// build is measured a little while at a time, and only neighbours are compared.

namespace tcpmibd::bench {

enum class Build { kThis, kThat };

// What one build was found to do, once.
using Round = std::vector<Figure>;

// Takes so many rounds of each build in turn, and begins each pair with the other one: AB BA AB.
//
// Compared are the medians of a round and, of a figure with a thousand samples, the p99.9. What
// only one round of a pair has is left out.
std::vector<Pairs> measure_in_pairs(int count, const std::function<Round(Build)>& measure);

// This / that, of each pair that has a ratio: one whose divisor is 0 has none.
Samples ratios(const Pairs& pairs);

}  // namespace tcpmibd::bench
