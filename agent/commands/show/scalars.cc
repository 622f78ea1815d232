#include "agent/commands/show/scalars.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "agent/commands/colours.h"
#include "agent/commands/show/table_view.h"
#include "agent/commands/show/text.h"
#include "agent/commands/text_table.h"
#include "agent/process/version.h"
#include "tables/tables.h"

namespace tcpmibd::agent {

namespace {

// Scalars with their values, by name and in MIB order.
Record read_scalars(std::span<const snmp::ScalarSpec<tables::Data>> scalars,
                    const tables::Data& data) {
  Record record;
  for (const snmp::ScalarSpec<tables::Data>& scalar : scalars)
    record.set(scalar.name, scalar.read(data));
  return record;
}

// ---- pressure ------------------------------------------------------------------------------

// Something that there is only so much of.
struct Level {
  const char* name;
  std::string_view used;
  std::string_view limit;
  const char* unit;
  std::string_view percent_key;  // of JSON, where no object has it; empty: one does
};

constexpr Level kLevels[] = {
    {"orphans", "tcpmibdOrphans", "tcpmibdOrphansLimit", "", "orphans_percent"},
    {"time-wait", "tcpmibdTimeWaits", "tcpmibdTimeWaitsLimit", "", "time_waits_percent"},
    {"memory", "tcpmibdMemoryUsed", "tcpmibdMemoryLimit", " KiB", "memory_percent"},
    {"ephemeral ports", "tcpmibdEphemeralUsed", "tcpmibdEphemeralPorts", "", ""},
    {"ephemeral bound", "tcpmibdEphemeralBound", "tcpmibdEphemeralPorts", "", ""},
};

// Something that should not happen often.
struct Count {
  std::string_view object;
  const char* meaning;
  bool is_loss;  // shown in red
};

constexpr Count kCounts[] = {
    {"tcpmibdListenOverflows", "a connection found its accept queue full", true},
    {"tcpmibdListenDrops", "a listener dropped a SYN or a handshake, for any reason", true},
    {"tcpmibdSynCookiesSent", "a SYN was answered with a cookie, for the queue was full", false},
    {"tcpmibdSynQueueDrops", "a SYN was dropped, for the queue was full", true},
    {"tcpmibdTimeWaitOverflows", "a connection skipped timeWait, for its limit was reached", true},
    {"tcpmibdMemoryAborts", "a connection was reset for lack of memory", true},
    {"tcpmibdTimeoutAborts", "a connection ended, for its peer did not answer", false},
    {"tcpmibdSynRetransmits", "a SYN was sent again", false},
    {"tcpmibdTimeouts", "a segment was sent again after its time had passed", false},
};

std::optional<std::uint64_t> figure(const Record& record, std::string_view object) {
  return record.find(object) == nullptr ? std::nullopt
                                        : std::optional<std::uint64_t>(record.number(object));
}

std::optional<std::uint64_t> percent_of(const Level& level, const Record& record) {
  return tcp::percent_of(figure(record, level.used), figure(record, level.limit));
}

std::string figure_text(const Record& record, std::string_view object, const char* unit) {
  const auto known = figure(record, object);
  return known ? std::to_string(*known) + unit : "-";
}

// Between whom most ephemeral ports are used, and where most are bound; from where on memory is
// short.
std::string remark_on(const Level& level, const Record& record) {
  if (level.used == "tcpmibdEphemeralUsed" && record.number(level.used) > 0)
    return record.text("tcpmibdEphemeralLocal") + " to " + record.text("tcpmibdEphemeralRemote");
  if (level.used == "tcpmibdEphemeralBound" && record.number(level.used) > 0)
    return record.text("tcpmibdEphemeralBoundLocal") + " to anywhere";
  if (level.used == "tcpmibdMemoryUsed" && record.find("tcpmibdMemoryPressure") != nullptr)
    return "short from " + record.text("tcpmibdMemoryPressure") + " KiB";
  return "";
}

std::string levels_table(const Record& record, bool colour) {
  TextTable table({{"RESOURCE"},
                   {"USED", TextTable::Align::kRight},
                   {"LIMIT", TextTable::Align::kRight},
                   {"FULL", TextTable::Align::kRight},
                   {"WHERE"}});
  for (const Level& level : kLevels) {
    const auto percent = percent_of(level, record);
    const bool red = colour && percent && *percent >= kRedPercent;
    table.add({{level.name},
               {figure_text(record, level.used, level.unit)},
               {figure_text(record, level.limit, level.unit)},
               {percent ? percent_text(*percent) : "-", red ? kRed : ""},
               {remark_on(level, record)}});
  }
  return table.text();
}

std::string counts_table(const Record& record, bool colour) {
  TextTable table({{"COUNTER"}, {"EVENTS", TextTable::Align::kRight}, {"MEANING"}});
  for (const Count& count : kCounts) {
    const bool red = colour && count.is_loss && record.number(count.object) > 0;
    table.add({{std::string(count.object.substr(std::string_view("tcpmibd").size()))},
               {figure_text(record, count.object, ""), red ? kRed : ""},
               {count.meaning}});
  }
  return table.text();
}

Json value_json(const Record& record, std::string_view object) {
  if (object == "tcpmibdEphemeralLocal" || object == "tcpmibdEphemeralRemote" ||
      object == "tcpmibdEphemeralBoundLocal")
    return record.text(object);
  const auto known = figure(record, object);
  return known ? Json(*known) : Json(nullptr);
}

// How many rows other tables leave out is printed with those.
Json pressure_json(const Record& record) {
  Json json = Json::object();
  for (const auto& [object, value] : record.fields()) {
    if (!object.ends_with("LeftOut"))
      json[json_key(object, "tcpmibd")] = value_json(record, object);
  }
  for (const Level& level : kLevels) {
    if (const auto percent = percent_of(level, record); !level.percent_key.empty())
      json[std::string(level.percent_key)] = percent ? Json(*percent) : Json(nullptr);
  }
  return json;
}

// Figures are one row.
std::string figures_json(const char* word, Json figures, const Options& options) {
  return options.jsonl ? dump_line(figures) + "\n" : dump(Json{{word, std::move(figures)}});
}

// Of the one look that was taken; what an agent counts stays 0.
tables::AgentFigures figures_of(const Evidence& evidence) {
  const tcp::Snapshot& snapshot = evidence.snapshot();
  return {.version = version(),
          .processes_denied = evidence.processes().denied(),
          .snapshots = {.rows = static_cast<std::uint32_t>(snapshot.rows()),
                        .merged = snapshot.merged(),
                        .took = snapshot.took(),
                        .unknown_states = snapshot.unknown_states()}};
}

}  // namespace

Record agent_record(const Evidence& evidence) {
  tables::Data data = evidence.data();
  const tables::AgentFigures agent = figures_of(evidence);
  data.agent = &agent;
  return read_scalars(tables::agent_scalars(), data);
}

Record pressure_record(const Evidence& evidence) {
  tables::Data data = evidence.data();
  const tcp::Owners nobody;
  data.owners = &nobody;
  return read_scalars(tables::pressure_scalars(), data);
}

Record scalars_record(const Evidence& evidence) {
  return read_scalars(tables::tcp_scalars(), evidence.data());
}

std::string scalars_text(const Options& options, const Evidence& evidence, bool /*colour*/) {
  const Record record = scalars_record(evidence);
  TextTable table({{"SCALAR"}, {"VALUE", TextTable::Align::kRight}});
  Json scalars = Json::object();
  for (const auto& [object, value] : record.fields()) {
    if (!value)
      continue;
    const Json number = to_json(*value);
    scalars[std::string(object)] = number;
    table.add({{std::string(object)}, {number.dump()}});
  }
  return options.json || options.jsonl ? figures_json("scalars", scalars, options) : table.text();
}

std::string pressure_text(const Options& options, const Evidence& evidence, bool colour) {
  const Record record = pressure_record(evidence);
  if (options.json || options.jsonl)
    return figures_json("pressure", pressure_json(record), options);
  return levels_table(record, colour) + "\n" + counts_table(record, colour);
}

std::string pressure_remarks(const Evidence& evidence) {
  const tcp::Pressure& pressure = evidence.pressure();
  const bool lacks = !pressure.orphans_limit || !pressure.memory_limit;
  return lacks ? remark(
                     "'-' is what the kernel does not report here: it shows the limits of orphans "
                     "and of memory in the initial network namespace only")
               : "";
}

}  // namespace tcpmibd::agent
