#include "bench/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tcpmibd::bench {
namespace {

struct Judged {
  int target;
  std::vector<unsigned> populations;  // that it names; none: whatever was measured
};

const std::vector<Judged> kJudged{{1, {95'000, 1'000'000}},
                                  {2, {95'000}},
                                  {3, {20'000}},
                                  {4, {95'000}},
                                  {5, {95'000}},
                                  {6, {95'000}},
                                  {7, {95'000, 1'000'000}},
                                  {8, {1'000'000}},
                                  {9, {}},
                                  {10, {}},
                                  {11, {1'000}},
                                  {12, {95'000}},
                                  {13, {20'000, 95'000}}};

// A clock that did not tick between two looks must not make a ratio infinite.
double ratio(double over, double under) { return under > 0 ? over / under : 0; }

Comparison between(const Figure& ours, const Figure& theirs) {
  return {.target = ours.target,
          .claim = {},
          .title = ours.what + ": " + ours.subject + " and " + theirs.subject,
          .population = ours.population,
          .value = 0,
          .unit = "×",
          .advantage = ratio(median(theirs.samples), median(ours.samples)),
          .demand = {}};
}

std::optional<Demand> demanded(Bound bound, std::optional<double> limit) {
  return limit ? std::optional(Demand{bound, *limit}) : std::nullopt;
}

}  // namespace

double percentile(Samples samples, double part) {
  if (samples.empty())
    return 0;
  const double rank = std::ceil(part * static_cast<double>(samples.size()));
  const auto position = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  const auto at = samples.begin() + std::min(position, std::ssize(samples) - 1);
  std::ranges::nth_element(samples, at);
  return *at;
}

std::string titled(const Figure& figure, double part) {
  const std::string title = figure.what + ", " + figure.subject;
  return part == 0.5 ? title : title + ", p" + short_number(part * 100);
}

std::string short_number(double value) {
  if (value >= 100)
    return grouped(static_cast<unsigned>(std::lround(value)));
  const int decimals = value == 0 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string grouped(unsigned count) {
  std::string text = std::to_string(count);
  for (std::ptrdiff_t at = std::ssize(text) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ' ');
  return text;
}

bool met(const Comparison& comparison) {
  if (!comparison.demand)
    return true;
  const auto [bound, limit] = *comparison.demand;
  return bound == Bound::kAtMost ? comparison.value <= limit : comparison.value >= limit;
}

bool is_judged(int target, unsigned population) {
  const auto judged = std::ranges::find(kJudged, target, &Judged::target);
  return judged != kJudged.end() &&
         (judged->populations.empty() || std::ranges::count(judged->populations, population) != 0);
}

void Findings::add(Comparison comparison) {
  if (!is_judged(comparison.target, comparison.population))
    comparison.demand.reset();
  comparisons.push_back(std::move(comparison));
}

const Figure* Findings::find(const std::string& what, const std::string& subject,
                             unsigned population) const {
  const auto found = std::ranges::find_if(figures, [&](const Figure& figure) {
    return figure.what == what && figure.subject == subject && figure.population == population;
  });
  return found == figures.end() ? nullptr : &*found;
}

void Findings::set_against(const Figure& ours, const Figure& theirs, std::optional<double> most) {
  Comparison comparison = between(ours, theirs);
  comparison.claim = titled(ours) + " / " + theirs.subject;
  comparison.value = ratio(median(ours.samples), median(theirs.samples));
  comparison.demand = demanded(Bound::kAtMost, most);
  add(std::move(comparison));
}

void Findings::set_ahead_of(const Figure& ours, const Figure& theirs, std::optional<double> least) {
  Comparison comparison = between(ours, theirs);
  comparison.claim = ours.what + ", " + theirs.subject + " / " + ours.subject;
  comparison.value = comparison.advantage;
  comparison.demand = demanded(Bound::kAtLeast, least);
  add(std::move(comparison));
}

void Findings::set_limit(const Figure& ours, double most, double part) {
  add({.target = ours.target,
       .claim = titled(ours, part),
       .title = {},
       .population = ours.population,
       .value = percentile(ours.samples, part),
       .unit = ours.unit,
       .advantage = 0,
       .demand = Demand{Bound::kAtMost, most}});
}

}  // namespace tcpmibd::bench
