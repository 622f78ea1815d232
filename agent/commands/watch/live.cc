#include "agent/commands/watch/live.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "agent/commands/show/alarms.h"
#include "agent/commands/show/scalars.h"
#include "agent/commands/show/topics.h"
#include "agent/commands/show/views.h"
#include "agent/commands/watch/connections.h"
#include "base/words.h"

namespace tcpmibd::agent {

namespace {

constexpr int kLooksShare = 10;       // a look takes one part in so many of the time, at most
constexpr int kOwnersShare = 20;      // likewise
constexpr std::uint32_t kShort = 80;  // percent of what is limited, from which on it hurts

// ---- tables of objects --------------------------------------------------------------------------

// A view whose rows are those of a table; what distinguishes a row from the others are some of its
// columns.
struct TableSource {
  std::string_view word;
  const TableView* view;
  std::size_t key = 0;
  std::size_t keys = 1;
};

constexpr TableSource kTableSources[] = {
    {"processes", &kProcessView},
    {"ports", &kPortView},
    {"units", &kUnitView},
    {"remotes", &kRemoteView, 1},
    {"listeners", &kListenerView, 0, 2},
    {"states", &kStateView},
    {"ages", &kAgeView},
    {"alarms", &kAlarmView, 1},
};

bool is_counter(const snmp::Value* value) {
  return value != nullptr && (std::holds_alternative<snmp::Counter32>(*value) ||
                              std::holds_alternative<snmp::Counter64>(*value));
}

// The seconds that something has hung grow by themselves: no difference is made of them, but they
// are sorted by.
LiveCell live_cell(const TableViewColumn& column, const Record& record, const Options& options) {
  const snmp::Value* value = record.find(column.object);
  const std::string text = cell_text(column, record, {.numeric = options.numeric});
  const std::uint32_t number = record.number(column.object);
  LiveCell cell{.text = text.empty() ? "-" : text,
                .counter = is_counter(value),
                .drifts = column.form == Form::kSeconds,
                .hurts = column.red_from != 0 && number >= column.red_from};
  if (value != nullptr && is_number(column.form))
    cell.number = number;
  return cell;
}

LiveRow live_row(const TableSource& source, const Record& record, const Options& options) {
  LiveRow row;
  for (const TableViewColumn& column : source.view->columns)
    row.cells.push_back(live_cell(column, record, options));
  for (std::size_t i = source.key; i < source.key + source.keys; ++i)
    row.key += row.cells[i].text + ' ';
  for (const std::string_view object : source.view->worst_first)
    row.badness.push_back(record.number(object));
  return row;
}

std::vector<Record> records_of(const TableSource& source, const Options& options,
                               const Evidence& evidence) {
  return source.view == &kAlarmView ? alarm_records(evidence)
                                    : wanted_rows(*source.view, options, evidence);
}

LiveTable table_of_view(const TableSource& source, const Options& options,
                        const Evidence& evidence) {
  LiveTable table{.word = source.word, .columns = {}, .rows = {}};
  for (const TableViewColumn& column : source.view->columns)
    table.columns.push_back({std::string(column.heading), is_number(column.form)});
  for (const Record& record : records_of(source, options, evidence))
    table.rows.push_back(live_row(source, record, options));
  table.all = table.rows.size();
  return table;
}

// ---- figures of the host ------------------------------------------------------------------------

std::int64_t figure_of(const Record& record, std::string_view object) {
  return number<std::int64_t>(record.text(object)).value_or(0);
}

// The kernel's own numbers, in the order of their objects.
LiveTable table_of_figures(std::string_view word, const Record& record) {
  LiveTable table{.word = word, .columns = {{"FIGURE"}, {"VALUE", true}}, .rows = {}};
  for (const auto& [object, value] : record.fields()) {
    if (!value)
      continue;
    LiveCell cell{.text = record.text(object), .counter = is_counter(&*value)};
    cell.number = number<std::int64_t>(cell.text);
    table.rows.push_back({.key = std::string(object),
                          .cells = {{.text = std::string(object)}, cell},
                          .badness = {}});
  }
  table.all = table.rows.size();
  return table;
}

struct CounterSource {
  std::string_view name;
  std::string_view object;
  bool hurts = false;
};

constexpr CounterSource kScalarCounters[] = {
    {"in", "tcpHCInSegs"},        {"out", "tcpHCOutSegs"},         {"resent", "tcpRetransSegs"},
    {"opened", "tcpActiveOpens"}, {"accepted", "tcpPassiveOpens"}, {"failed", "tcpAttemptFails"},
    {"reset", "tcpEstabResets"},
};
constexpr CounterSource kPressureCounters[] = {
    {"drops", "tcpmibdListenDrops", true},
    {"aborts", "tcpmibdMemoryAborts", true},
};

void add_counters(std::span<const CounterSource> wanted, const Record& record,
                  std::vector<HostCounter>& counters) {
  for (const CounterSource& each : wanted)
    counters.push_back({.name = each.name,
                        .value = static_cast<std::uint64_t>(figure_of(record, each.object)),
                        .hurts = each.hurts});
}

// ---- what hurts ---------------------------------------------------------------------------------

std::string unclosed(const std::string& who, const tcp::Tally& tally) {
  return who + " has not closed " + std::to_string(tally.close_wait) +
         (tally.close_wait == 1 ? " connection that its peer has"
                                : " connections that their peers have") +
         " (closeWait), the oldest for " + seconds_text(tally.oldest_close_wait);
}

constexpr auto kLeaked = [](const auto& figures) { return figures.tally.close_wait; };

// By the process where it is known, else by the unit.
std::string leak(const Evidence& evidence) {
  const std::uint32_t count = evidence.survey().count(tcp::State::kCloseWait);
  if (count == 0)
    return "";
  if (evidence.owners() != nullptr) {
    const auto rows = evidence.owners()->rows();
    const auto worst = std::ranges::max_element(rows, {}, kLeaked);
    if (worst != rows.end() && worst->tally.close_wait > 0)
      return unclosed(
          process_text(worst->pid, evidence.names().identity_of(worst->pid).command, false),
          worst->tally);
  }
  const auto units = evidence.survey().units();
  const auto worst = std::ranges::max_element(units, {}, kLeaked);
  if (worst != units.end() && worst->tally.close_wait > 0)
    return unclosed(worst->name, worst->tally);
  return std::to_string(count) + " connections in closeWait, of a program that is not known";
}

std::string full_queue(const Evidence& evidence) {
  const auto ports = evidence.survey().ports();
  const auto fullest = std::ranges::max_element(
      ports, {}, [](const tcp::PortFigures& port) { return port.accepting.percent; });
  if (fullest == ports.end() || fullest->accepting.percent < kShort)
    return "";
  return "the accept queue of port " + std::to_string(fullest->port) + " is " +
         percent_text(fullest->accepting.percent) + " full";
}

std::string shortage(const Evidence& evidence) {
  struct Limit {
    const char* name;
    std::optional<std::uint64_t> percent;
  };
  const tcp::Pressure& pressure = evidence.pressure();
  const std::uint64_t ports = pressure.ephemeral ? pressure.ephemeral->size() : 0;
  const Limit limits[] = {
      {"ephemeral ports", tcp::percent_of(evidence.survey().ephemeral().most(), ports)},
      {"TCP memory", pressure.memory_percent()},
      {"orphans", pressure.orphans_percent()},
      {"timeWait", pressure.time_waits_percent()}};
  for (const Limit& limit : limits) {
    if (limit.percent.value_or(0) >= kShort)
      return std::string(limit.name) + ": " + percent_text(*limit.percent) +
             " of what there may be is used; see the view of pressure";
  }
  return "";
}

std::string verdict_of(const Evidence& evidence) {
  for (std::string (*judge)(const Evidence&) : {leak, full_queue, shortage}) {
    if (std::string found = judge(evidence); !found.empty())
      return found;
  }
  return "";
}

// ---- whose owners are asked for -----------------------------------------------------------------

ConnectionsPage page_wanted(const Wish& wish, const ScreenSize& size) {
  return {.first = wish.first, .count = seen_of({}, wish, size).height, .filter = wish.filter};
}

std::vector<std::uint32_t> listening_inodes(const Evidence& evidence) {
  std::vector<std::uint32_t> inodes;
  for (const tcp::ListeningSocket& socket : evidence.snapshot().listening())
    inodes.push_back(socket.inode);
  return inodes;
}

}  // namespace

Live::Live(const Options& options, const Config& config, const ShowSources& sources)
    : options_(options), evidence_(options, config, sources) {}

Status Live::look(const Wish& wish, const ScreenSize& size) {
  began_ = Clock::now();
  const Evidence::Needs everywhere{
      .snapshot = true, .survey = true, .counters = true, .pressure = true};
  const Status looked = evidence_.look_at(everywhere);
  cost_ = Clock::now() - began_;
  return looked ? look_up(wish, size) : looked;
}

Time Live::next_look(std::chrono::seconds interval) const {
  return began_ + std::max<Duration>(interval, cost_ * kLooksShare);
}

bool Live::is_owners_turn(std::string_view word) const {
  return Clock::now() >= owners_from_ || owners_of_ != word;
}

// Alarms look owners up by themselves, and only where one is about them.
Status Live::look_up(const Wish& wish, const ScreenSize& size) {
  if (wish.word == "alarms")
    return evidence_.look_at({.alarms = true});
  if (!is_owners_turn(wish.word))
    return {};
  const Time began = Clock::now();
  Status status;
  owners_of_ = wish.word;
  if (wish.word == "processes")
    status = evidence_.look_at({.processes = true, .owners = true});
  else if (wish.word == "connections")
    status = evidence_.look_up(inodes_on(options_, evidence_, page_wanted(wish, size)));
  else if (wish.word == "ports" || wish.word == "listeners")
    status = evidence_.look_up(listening_inodes(evidence_));
  const Time ended = Clock::now();
  owners_from_ = std::exchange(knows_way_, true) ? ended + (ended - began) * kOwnersShare : ended;
  return status;
}

LiveHost Live::host() const {
  const tcp::Snapshot& snapshot = evidence_.snapshot();
  LiveHost host{.at = snapshot.taken_at(), .took = snapshot.took()};
  for (const tcp::StateNames& names : tcp::kStates)
    host.counts[static_cast<std::size_t>(names.state) - 1] = snapshot.count(names.state).total();
  add_counters(kScalarCounters, scalars_record(evidence_), host.counters);
  add_counters(kPressureCounters, pressure_record(evidence_), host.counters);
  host.verdict = verdict_of(evidence_);
  return host;
}

LiveTable Live::table(const Wish& wish, const ScreenSize& size) const {
  if (wish.word == "connections")
    return connections_table(options_, evidence_, page_wanted(wish, size));
  if (wish.word == "pressure")
    return table_of_figures(wish.word, pressure_record(evidence_));
  if (wish.word == "scalars")
    return table_of_figures(wish.word, scalars_record(evidence_));
  const auto* source = std::ranges::find(kTableSources, wish.word, &TableSource::word);
  return source == std::end(kTableSources) ? LiveTable{}
                                           : table_of_view(*source, options_, evidence_);
}

}  // namespace tcpmibd::agent
