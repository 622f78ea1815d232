#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tcpmibd::bench {

// A bench of two dozen figures needs no histogram: samples are kept as they came.
using Samples = std::vector<double>;

// The smallest sample that at least `part` (0 … 1) of all samples do not exceed: the nearest rank.
// 0 of none.
double percentile(Samples samples, double part);

inline double median(const Samples& samples) { return percentile(samples, 0.5); }

// One thing that was measured, of one subject, on one population.
struct Figure {
  int target = 0;           // of the targets in docs/performance.md
  std::string what;         // "snapshot", "GET of one connection"
  std::string subject;      // "tcpmibd", "snmpd", "bare dump"
  unsigned population = 0;  // sockets in the namespace; 0: none needed
  std::string unit;         // "ms", "µs", "MiB"
  Samples samples;
};

// "GET of one connection, tcpmibd standalone", and ", p99.9" where that part of its samples is
// meant.
std::string titled(const Figure& figure, double part = 0.5);

// One figure of this build and of another one, measured beside each other.
struct Pairs {
  int target = 0;
  std::string what;  // as titled
  unsigned population = 0;
  std::string unit;
  Samples of_this{};  // a value of each round; those at the same place are a pair
  Samples of_that{};
};

enum class Bound { kAtMost, kAtLeast };

// What a target demands of a ratio or of a figure.
struct Demand {
  Bound bound;
  double limit;
};

// A figure of ours set against another one, or against a limit of its own.
struct Comparison {
  int target = 0;
  std::string claim;  // what `value` is: "snapshot, tcpmibd / bare dump"
  std::string title;  // for the chart: "snapshot: tcpmibd and bare dump"
  unsigned population = 0;
  double value = 0;
  std::string unit;              // "×", or that of the figure
  double advantage = 0;          // theirs / ours: more than 1 is ahead; 0 where there is no peer
  std::optional<Demand> demand;  // none: told, and not judged
};

bool met(const Comparison& comparison);

// Whether the target names this population; at others its ratios are told, and not judged.
bool is_judged(int target, unsigned population);

// For people: three significant digits and no exponent, "0.071", "3.41", "95.0", "1 230".
std::string short_number(double value);

// "95 000".
std::string grouped(unsigned count);

// Everything that one run found out.
struct Findings {
  std::vector<Figure> figures;
  std::vector<Comparison> comparisons;
  std::vector<Pairs> pairs;           // where another build is compared
  std::vector<std::string> skipped;   // what this machine lacks, one sentence each
  std::vector<std::string> failures;  // measures that could not be taken, or answers that are wrong

  // Null where it was not measured.
  const Figure* find(const std::string& what, const std::string& subject,
                     unsigned population) const;

  // Keeps it, with its demand where that is judged.
  void add(Comparison comparison);

  // ours / theirs by their medians, demanded to be at most `most`.
  void set_against(const Figure& ours, const Figure& theirs, std::optional<double> most = {});

  // theirs / ours, demanded to be at least `least`.
  void set_ahead_of(const Figure& ours, const Figure& theirs, std::optional<double> least = {});

  // The figure at `part` of its samples itself, demanded to be at most `most`.
  void set_limit(const Figure& ours, double most, double part = 0.5);
};

}  // namespace tcpmibd::bench
