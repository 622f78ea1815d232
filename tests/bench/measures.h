#pragma once

#include <chrono>

#include "bench/figures.h"
#include "bench/pairs.h"
#include "bench/stage.h"

// One function for each target of docs/performance.md. Whatever is compared is measured in turn,
// one sample each at a time, so that all share the machine's moods.
//
// They throw lab::Trouble where a measure cannot be taken, or an answer is wrong.

namespace tcpmibd::bench {

// How much is done to know a figure well.
struct Effort {
  int samples = 9;       // of what takes up to a second
  int slow_samples = 5;  // of what takes seconds
  int gets = 5000;       // for a tail, and for processor time
  int sets = 50;
  int pairs = 9;                            // of rounds, where another build is compared
  std::chrono::milliseconds idle{60'000};   // how long nobody asks
  std::chrono::milliseconds quiet{15'000};  // until a daemon has forgotten what it knew
};

// Proves that everything works; the figures mean little.
inline constexpr Effort kQuickEffort{.samples = 3,
                                     .slow_samples = 1,
                                     .gets = 300,
                                     .sets = 10,
                                     .pairs = 3,
                                     .idle = std::chrono::seconds(3),
                                     .quiet = std::chrono::milliseconds(500)};

// What one round needs: there are nine of them for each build.
inline constexpr Effort kEffortOfRound{.gets = 500, .sets = 20};

// What the kernel is asked: kernel_measures.cc.
void measure_snapshot(Stage& stage, const Effort& effort, Findings& findings);   // 1
void measure_processes(Stage& stage, const Effort& effort, Findings& findings);  // 6

// What a manager asks: manager_measures.cc.
void measure_get(Stage& stage, const Effort& effort, Findings& findings);          // 2
void measure_legacy_walk(Stage& stage, const Effort& effort, Findings& findings);  // 3
void measure_walk(Stage& stage, const Effort& effort, Findings& findings);         // 4
void measure_counts(Stage& stage, const Effort& effort, Findings& findings);       // 5
void measure_scrape(Stage& stage, const Effort& effort, Findings& findings);       // 11
void measure_module(Stage& stage, const Effort& effort, Findings& findings);       // 13

// What a person types: show_measures.cc.
void measure_show(Stage& stage, const Effort& effort, Findings& findings);  // 12

// What a host bears: service_measures.cc. The first leaves the stage without its crowd.
void measure_memory(Stage& stage, const Effort& effort, Findings& findings);   // 7
void measure_latency(Stage& stage, const Effort& effort, Findings& findings);  // 8
void measure_idleness(const Effort& effort, Findings& findings);               // 10

// Time and memory of a socket in a large crowd against a small one, from what was measured.
void compare_growth(unsigned few, unsigned many, Findings& findings);  // 9

// The same figures of tcpmibd alone, once: a round of the comparison with another build. They take
// a stage without agents, and leave it with its crowd.
Round round_of_gets(Stage& stage, const Effort& effort);          // 2
Round round_of_legacy_walks(Stage& stage, const Effort& effort);  // 3
Round round_of_walks(Stage& stage, const Effort& effort);         // 4
Round round_of_counts(Stage& stage, const Effort& effort);        // 5
Round round_of_memory(Stage& stage, const Effort& effort);        // 7
Round round_of_latency(Stage& stage, const Effort& effort);       // 8
Round round_of_scrapes(Stage& stage, const Effort& effort);       // 11

}  // namespace tcpmibd::bench
