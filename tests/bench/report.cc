#include "bench/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "bench/pairs.h"

namespace tcpmibd::bench {
namespace {

using nlohmann::ordered_json;

// So many samples are worth a tail, and too many to be listed one by one.
constexpr std::size_t kMany = 100;

// A figure that needs no sockets has "-".
std::string sockets(unsigned population) { return population == 0 ? "-" : grouped(population); }

std::string with_unit(double value, const std::string& unit) {
  return unit.empty() ? short_number(value) : short_number(value) + " " + unit;
}

std::string row(std::initializer_list<std::string> cells) {
  std::string text = "|";
  for (const std::string& cell : cells)
    text += " " + cell + " |";
  return text + "\n";
}

std::string demanded(const Comparison& comparison) {
  if (!comparison.demand)
    return "-";
  const char* sign = comparison.demand->bound == Bound::kAtMost ? "≤ " : "≥ ";
  return sign + with_unit(comparison.demand->limit, comparison.unit);
}

std::string verdict(const Comparison& comparison) {
  if (!comparison.demand)
    return "-";
  return met(comparison) ? "met" : "**missed**";
}

// Those of one target stand together, whatever population was measured first.
template <typename Entry>
std::vector<Entry> by_target(std::vector<Entry> entries) {
  std::ranges::stable_sort(entries, {}, &Entry::target);
  return entries;
}

std::string host_lines(const HostFacts& host) {
  std::string text;
  for (const auto& [name, value] : host)
    text += "- " + name + ": " + value + "\n";
  return text;
}

std::string comparison_table(const Findings& findings) {
  if (findings.comparisons.empty())
    return {};
  std::string text = "\n" + row({"no.", "what", "sockets", "measured", "target", ""}) +
                     row({"--:", "---", "--:", "--:", "--:", "---"});
  for (const Comparison& comparison : by_target(findings.comparisons)) {
    text += row({std::to_string(comparison.target), comparison.claim,
                 sockets(comparison.population), with_unit(comparison.value, comparison.unit),
                 demanded(comparison), verdict(comparison)});
  }
  return text;
}

std::string tail(const Figure& figure, double part) {
  return figure.samples.size() < kMany ? "" : short_number(percentile(figure.samples, part));
}

std::string figure_table(const Findings& findings) {
  if (findings.figures.empty())
    return {};
  std::string text = "\n" +
                     row({"no.", "what", "of", "sockets", "unit", "median", "p99", "p99.9",
                          "longest", "samples"}) +
                     row({"--:", "---", "---", "--:", "---", "--:", "--:", "--:", "--:", "--:"});
  for (const Figure& figure : by_target(findings.figures)) {
    text += row(
        {std::to_string(figure.target), figure.what, figure.subject, sockets(figure.population),
         figure.unit, short_number(median(figure.samples)), tail(figure, 0.99), tail(figure, 0.999),
         short_number(percentile(figure.samples, 1)), std::to_string(figure.samples.size())});
  }
  return text;
}

// "0.971 … 1.02"; none of none.
std::string range(const Samples& samples, double from, double to) {
  if (samples.empty())
    return "-";
  return short_number(percentile(samples, from)) + " … " + short_number(percentile(samples, to));
}

std::string ratio_cell(const Samples& ratios) {
  return ratios.empty() ? "-" : with_unit(median(ratios), "×");
}

std::string pair_table(const Findings& findings) {
  if (findings.pairs.empty())
    return {};
  std::string text = "\n" +
                     row({"no.", "what", "sockets", "unit", "this", "that", "this / that",
                          "quartiles", "least … greatest", "pairs"}) +
                     row({"--:", "---", "--:", "---", "--:", "--:", "--:", "--:", "--:", "--:"});
  for (const Pairs& pairs : by_target(findings.pairs)) {
    const Samples all = ratios(pairs);
    text += row({std::to_string(pairs.target), pairs.what, sockets(pairs.population), pairs.unit,
                 short_number(median(pairs.of_this)), short_number(median(pairs.of_that)),
                 ratio_cell(all), range(all, 0.25, 0.75), range(all, 0, 1),
                 std::to_string(all.size())});
  }
  return text;
}

std::string list(const std::string& title, const std::vector<std::string>& sentences) {
  if (sentences.empty())
    return {};
  std::string text = "\n" + title + "\n\n";
  for (const std::string& sentence : sentences)
    text += "- " + sentence + "\n";
  return text;
}

ordered_json as_json(const Figure& figure) {
  const Samples& samples = figure.samples;
  ordered_json entry{{"target", figure.target},
                     {"what", figure.what},
                     {"subject", figure.subject},
                     {"population", figure.population},
                     {"unit", figure.unit},
                     {"count", samples.size()},
                     {"median", median(samples)},
                     {"p99", percentile(samples, 0.99)},
                     {"p999", percentile(samples, 0.999)},
                     {"least", percentile(samples, 0)},
                     {"most", percentile(samples, 1)}};
  if (samples.size() < kMany)
    entry["samples"] = samples;
  return entry;
}

ordered_json as_json(const Comparison& comparison) {
  ordered_json entry{{"target", comparison.target},
                     {"claim", comparison.claim},
                     {"population", comparison.population},
                     {"value", comparison.value},
                     {"unit", comparison.unit},
                     {"advantage", comparison.advantage}};
  if (comparison.demand) {
    entry["limit"] = comparison.demand->limit;
    entry["bound"] = comparison.demand->bound == Bound::kAtMost ? "at most" : "at least";
    entry["met"] = met(comparison);
  }
  return entry;
}

ordered_json as_json(const Pairs& pairs) {
  const Samples all = ratios(pairs);
  const auto part = [&](double which) {
    return all.empty() ? ordered_json() : ordered_json(percentile(all, which));
  };
  return {{"target", pairs.target},
          {"what", pairs.what},
          {"population", pairs.population},
          {"unit", pairs.unit},
          {"this", median(pairs.of_this)},
          {"that", median(pairs.of_that)},
          {"ratio", part(0.5)},
          {"least", part(0)},
          {"lower_quartile", part(0.25)},
          {"upper_quartile", part(0.75)},
          {"most", part(1)},
          {"of_this", pairs.of_this},
          {"of_that", pairs.of_that}};
}

template <typename Entry>
ordered_json all_as_json(const std::vector<Entry>& entries) {
  ordered_json array = ordered_json::array();
  for (const Entry& entry : entries)
    array.push_back(as_json(entry));
  return array;
}

}  // namespace

std::string markdown(const HostFacts& host, const Findings& findings) {
  return host_lines(host) + comparison_table(findings) + figure_table(findings) +
         pair_table(findings) + list("Not measured:", findings.skipped) +
         list("Failed:", findings.failures);
}

std::string json(const HostFacts& host, const Findings& findings) {
  ordered_json facts = ordered_json::object();
  for (const auto& [name, value] : host)
    facts[name] = value;
  const ordered_json all{{"host", facts},
                         {"figures", all_as_json(findings.figures)},
                         {"comparisons", all_as_json(findings.comparisons)},
                         {"pairs", all_as_json(findings.pairs)},
                         {"skipped", findings.skipped},
                         {"failures", findings.failures}};
  return all.dump(2) + "\n";
}

}  // namespace tcpmibd::bench
