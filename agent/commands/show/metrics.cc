#include "agent/commands/show/metrics.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "agent/commands/show/metric_groups.h"
#include "base/printable.h"

// OpenMetrics 1.0: https://prometheus.io/docs/specs/om/open_metrics_spec/; the older format is in
// "Exposition formats" of Prometheus' documentation.

namespace tcpmibd::agent {

namespace {

// ---- what follows from a quantity ---------------------------------------------------------------

struct Exposition {
  std::string_view type;         // of OpenMetrics
  std::string_view plain_type;   // of the older format
  std::string_view unit;         // of OpenMetrics; the family's name ends with it
  std::string_view sample_ends;  // what a sample has behind the family's name
  double scale = 1;              // from the object's unit to ours
};

Exposition exposition_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::kEvents:
      return {"counter", "counter", "", "_total"};
    case Quantity::kSeconds:
      return {"gauge", "gauge", "seconds", ""};
    case Quantity::kMilliseconds:
      return {"gauge", "gauge", "seconds", "", 0.001};
    case Quantity::kKibibytes:
      return {"gauge", "gauge", "bytes", "", 1024};
    case Quantity::kPercent:
      return {"gauge", "gauge", "ratio", "", 0.01};
    case Quantity::kInformation:
      return {"info", "gauge", "", "_info"};
    case Quantity::kNumber:
    case Quantity::kRaised:
      break;
  }
  return {"gauge", "gauge", "", ""};
}

std::string family_name(const MetricFamily& family) {
  const std::string_view unit = exposition_of(family.quantity).unit;
  return std::string(family.name) + (unit.empty() ? "" : "_" + std::string(unit));
}

std::string sample_name(const MetricFamily& family) {
  return family_name(family) + std::string(exposition_of(family.quantity).sample_ends);
}

// ---- numbers and labels -------------------------------------------------------------------------

// The shortest that is read as the same number.
std::string number_text(double number) {
  char text[32];
  const auto end =
      std::to_chars(std::begin(text), std::end(text), number, std::chars_format::fixed);
  return {text, end.ptr};
}

// Counters of 64 bits lose nothing below 2^53, which are the figures that readers have, too.
double number_in(const snmp::Value& value) {
  return std::visit(
      [](const auto& typed) -> double {
        if constexpr (requires { static_cast<double>(typed.value); })
          return static_cast<double>(typed.value);
        else
          return 0;  // Only information is made of an object that is no number.
      },
      value);
}

std::string value_text(const MetricFamily& family, const snmp::Value& value) {
  const double number = number_in(value);
  switch (family.quantity) {
    case Quantity::kInformation:
      return "1";
    case Quantity::kRaised:
      return number == static_cast<double>(tcp::AlarmState::kRaised) ? "1" : "0";
    default:
      // Divided, for a hundredth is no number of theirs and 7 times that is none that is near.
      const double scale = exposition_of(family.quantity).scale;
      return number_text(scale < 1 ? number / (1 / scale) : number * scale);
  }
}

// A name is printable UTF-8 on one line by now; what is left are the two that end or escape.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char octet : printable(text)) {
    if (octet == '"' || octet == '\\')
      result += '\\';
    result += octet;
  }
  return result;
}

std::string label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + escaped(value) + '"';
}

void add_label(std::string& labels, std::string_view name, std::string_view value) {
  labels += (labels.empty() ? "" : ",") + label(name, value);
}

void add_labels(std::string& labels, const MetricGroup& group, std::span<const MetricLabel> wanted,
                const Record& row) {
  for (const MetricLabel& each : wanted) {
    const std::string object = object_of(group, each.object);
    const std::string other = object_of(group, each.other);
    const TableViewColumn column{
        .heading = "", .object = object, .form = each.form, .other = other};
    add_label(labels, each.name, cell_text(column, row, {}));
  }
}

// ---- lines --------------------------------------------------------------------------------------

// What stands above a family's samples. The older format names counters as their samples are, has
// no units, and takes information for a gauge.
std::string head(const MetricFamily& family, bool open) {
  const Exposition kind = exposition_of(family.quantity);
  const std::string name = open ? family_name(family) : sample_name(family);
  std::string text = "# HELP " + name + ' ' + std::string(family.help) + "\n# TYPE " + name + ' ' +
                     std::string(open ? kind.type : kind.plain_type) + '\n';
  if (open && !kind.unit.empty())
    text += "# UNIT " + name + ' ' + std::string(kind.unit) + '\n';
  return text;
}

// Of one row; empty where its figures are not known.
std::string samples(const MetricGroup& group, const MetricFamily& family, const Record& row) {
  std::string lines;
  for (const MetricSample& sample : family.samples) {
    const snmp::Value* value = row.find(object_of(group, sample.object));
    if (value == nullptr)
      continue;
    std::string labels;
    add_labels(labels, group, group.labels, row);
    if (family.quantity == Quantity::kInformation)
      add_labels(labels, group, group.details, row);
    if (!sample.value.empty())
      add_label(labels, family.label, sample.value);
    lines += sample_name(family) + (labels.empty() ? "" : '{' + labels + '}') + ' ' +
             value_text(family, *value) + '\n';
  }
  return lines;
}

std::string family_text(const MetricGroup& group, const MetricFamily& family,
                        std::span<const Record> rows, bool open) {
  std::string lines;
  for (const Record& row : rows)
    lines += samples(group, family, row);
  return lines.empty() ? "" : head(family, open) + lines;
}

std::string left_out_text(const MetricGroup& group, std::size_t count, bool open) {
  const MetricFamily family{.name = group.left_out,
                            .quantity = Quantity::kNumber,
                            .help = "How many more there are, of which nothing is shown.",
                            .samples = {}};
  return head(family, open) + std::string(group.left_out) + ' ' + std::to_string(count) + '\n';
}

std::string group_text(const MetricGroup& group, const Evidence& evidence, bool open) {
  const std::vector<Record> all = group.rows(evidence);
  const bool bounded = !group.left_out.empty();
  const std::span<const Record> rows =
      std::span(all).first(bounded ? std::min(all.size(), kMostLabelled) : all.size());
  std::string text;
  for (const MetricFamily& family : group.families)
    text += family_text(group, family, rows, open);
  if (!bounded)
    return text;
  const std::size_t before = group.left_out_before == nullptr ? 0 : group.left_out_before(evidence);
  return text + left_out_text(group, before + all.size() - rows.size(), open);
}

bool is_told(const MetricGroup& group, std::string_view word) {
  return word.empty() ? group.by_default : group.word == word;
}

void add(Evidence::Needs& all, const Evidence::Needs& more) {
  for (bool Evidence::Needs::*each :
       {&Evidence::Needs::snapshot, &Evidence::Needs::processes, &Evidence::Needs::survey,
        &Evidence::Needs::owners, &Evidence::Needs::counters, &Evidence::Needs::pressure,
        &Evidence::Needs::alarms})
    all.*each = all.*each || more.*each;
}

// ---- the page -----------------------------------------------------------------------------------

std::string label_named(const MetricGroup& group, std::string_view object) {
  for (const std::span<const MetricLabel> labels : {group.labels, group.details}) {
    for (const MetricLabel& each : labels) {
      if (object_of(group, each.object) == object)
        return "label " + std::string(each.name);
    }
  }
  return "";
}

std::string sample_named(const MetricGroup& group, std::string_view object) {
  for (const MetricFamily& family : group.families) {
    for (const MetricSample& sample : family.samples) {
      if (object_of(group, sample.object) == object)
        return sample_name(family) +
               (sample.value.empty() ? "" : '{' + label(family.label, sample.value) + '}');
    }
  }
  return "";
}

}  // namespace

bool has_metrics(std::string_view word) {
  return std::ranges::any_of(metric_groups(),
                             [&](const MetricGroup& group) { return is_told(group, word); });
}

Evidence::Needs metric_needs(std::string_view word) {
  Evidence::Needs needs;
  for (const MetricGroup& group : metric_groups()) {
    if (is_told(group, word))
      add(needs, group.needs);
  }
  return needs;
}

std::string metrics_text(const Options& options, const Evidence& evidence) {
  std::string text;
  for (const MetricGroup& group : metric_groups()) {
    if (is_told(group, options.what))
      text += group_text(group, evidence, options.openmetrics);
  }
  return text + (options.openmetrics ? "# EOF\n" : "");
}

std::string metric_of(std::string_view object) {
  for (const MetricGroup& group : metric_groups()) {
    std::string name = label_named(group, object);
    if (name.empty())
      name = sample_named(group, object);
    if (!name.empty())
      return name;
  }
  return "";
}

}  // namespace tcpmibd::agent
