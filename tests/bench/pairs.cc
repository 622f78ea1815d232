#include "bench/pairs.h"

#include <algorithm>
#include <utility>

namespace tcpmibd::bench {
namespace {

// The p99.9 of fewer samples is the slowest one, which is chance.
constexpr std::size_t kEnoughForATail = 1'000;

std::vector<double> compared_parts(const Figure& figure) {
  if (figure.samples.empty())
    return {};
  return figure.samples.size() < kEnoughForATail ? std::vector{0.5} : std::vector{0.5, 0.999};
}

// What is compared of a round, a single value each.
Round values_of(const Round& round) {
  Round values;
  for (const Figure& figure : round) {
    for (const double part : compared_parts(figure))
      values.push_back({figure.target,
                        titled(figure, part),
                        figure.subject,
                        figure.population,
                        figure.unit,
                        {percentile(figure.samples, part)}});
  }
  return values;
}

Pairs& pairs_of(const Figure& value, std::vector<Pairs>& all) {
  const auto found = std::ranges::find(all, value.what, &Pairs::what);
  if (found != all.end())
    return *found;
  return all.emplace_back(value.target, value.what, value.population, value.unit);
}

void add_pair(const Round& of_this, const Round& of_that, std::vector<Pairs>& all) {
  for (const Figure& value : of_this) {
    const auto partner = std::ranges::find(of_that, value.what, &Figure::what);
    if (partner == of_that.end())
      continue;
    Pairs& pairs = pairs_of(value, all);
    pairs.of_this.push_back(value.samples.front());
    pairs.of_that.push_back(partner->samples.front());
  }
}

}  // namespace

std::vector<Pairs> measure_in_pairs(int count, const std::function<Round(Build)>& measure) {
  std::vector<Pairs> all;
  Build first = Build::kThis;
  Build second = Build::kThat;
  for (int i = 0; i < count; ++i) {
    Round before = values_of(measure(first));
    Round after = values_of(measure(second));
    if (first == Build::kThat)
      std::swap(before, after);
    add_pair(before, after, all);
    std::swap(first, second);
  }
  return all;
}

Samples ratios(const Pairs& pairs) {
  Samples all;
  for (std::size_t i = 0; i < std::min(pairs.of_this.size(), pairs.of_that.size()); ++i) {
    if (pairs.of_that[i] > 0)
      all.push_back(pairs.of_this[i] / pairs.of_that[i]);
  }
  return all;
}

}  // namespace tcpmibd::bench
