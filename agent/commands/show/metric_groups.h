#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/commands/show/evidence.h"
#include "agent/commands/show/table_view.h"

// Which object becomes which metric, as data.

namespace tcpmibd::agent {

// What a family of metrics measures; type, unit and the number itself follow from it.
enum class Quantity : std::uint8_t {
  kNumber,        // a gauge
  kEvents,        // a counter
  kSeconds,       // gauges of a unit, of objects that have
  kMilliseconds,  // another one: seconds
  kKibibytes,     // bytes
  kPercent,       // a ratio, 0 to 1
  kRaised,        // of an alarm's state: 1 if it is raised, else 0
  kInformation,   // 1; what is said are the labels
};

// A sample of each row. Objects of a group are named without its prefix.
struct MetricSample {
  std::string_view object;
  std::string_view value{};  // of the family's label; empty: it has none
};

struct MetricFamily {
  std::string_view name;  // without its unit, and without "_total" or "_info"
  Quantity quantity;
  std::string_view help;
  std::span<const MetricSample> samples;
  std::string_view label{};  // that distinguishes the samples of one row
};

struct MetricLabel {
  std::string_view name;
  std::string_view object;
  Form form = Form::kText;
  std::string_view other{};  // as TableViewColumn::other
};

// The metrics of one table, or of figures that stand for the whole host.
struct MetricGroup {
  std::string_view word;    // of `show`
  std::string_view prefix;  // "tcpmibdPort"
  Evidence::Needs needs;
  std::vector<Record> (*rows)(const Evidence& evidence);
  std::span<const MetricLabel> labels;   // every family has them
  std::span<const MetricLabel> details;  // of a family of information alone
  std::span<const MetricFamily> families;
  bool by_default = false;  // whether they are printed where no word is
  // The metric that counts rows that are left out; empty: there are never many.
  std::string_view left_out{};
  // Those that the survey has left out before; null: it leaves out none.
  std::uint32_t (*left_out_before)(const Evidence& evidence) = nullptr;
};

// An object of the group by its name in the MIB. What a table borrows is named in full.
std::string object_of(const MetricGroup& group, std::string_view name);

// In the order in which they are printed.
std::span<const MetricGroup> metric_groups();

}  // namespace tcpmibd::agent
