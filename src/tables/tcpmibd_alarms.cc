#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/tables.h"

// tcpmibdAlarmTable, tcpmibdAlarmsRaised              TCPMIBD-MIB: { tcpmibdObjects 10 }, { … 11 }

namespace tcpmibd::tables {

namespace {

using tcp::AlarmRule;

using Row = const tcp::Alarm*;

void index(const Row& row, snmp::Oid& index) { append_string(row->rule.name, index); }

std::optional<Value> measure(const Row& row, const Data&) {
  return snmp::OctetString{to_text(row->rule.measure)};
}

std::optional<Value> state(const Row& row, const Data&) {
  return snmp::Integer{static_cast<std::int32_t>(row->state)};
}

// Nobody has looked before the first observation: no time has passed.
std::optional<Value> seconds(const Row& row, const Data& data) {
  if (row->since == Time{})
    return snmp::Gauge32{0};
  const auto since = std::chrono::duration_cast<std::chrono::seconds>(data.now - row->since);
  return snmp::Gauge32{static_cast<std::uint32_t>(std::max<std::int64_t>(since.count(), 0))};
}

constexpr auto kRule = &tcp::Alarm::rule;

// clang-format off
constexpr snmp::Column<Row, Data> kAlarmColumns[] = {
    // id  name                     syntax                access                   read
    { 1, "tcpmibdAlarmName",      Syntax::kOctetString, Access::kNotAccessible, nullptr},
    { 2, "tcpmibdAlarmMeasure",   Syntax::kOctetString, Access::kReadOnly, &measure},
    { 3, "tcpmibdAlarmState",     Syntax::kInteger,     Access::kReadOnly, &state},
    { 4, "tcpmibdAlarmValue",     Syntax::kGauge32,     Access::kReadOnly, &gauge<tcp::Alarm, &tcp::Alarm::value>},
    { 5, "tcpmibdAlarmRaiseAt",   Syntax::kGauge32,     Access::kReadOnly, &gauge<tcp::Alarm, kRule, &AlarmRule::raise_at>},
    { 6, "tcpmibdAlarmClearAt",   Syntax::kGauge32,     Access::kReadOnly, &gauge<tcp::Alarm, kRule, &AlarmRule::clear_at>},
    { 7, "tcpmibdAlarmWorst",     Syntax::kOctetString, Access::kReadOnly, &text<tcp::Alarm, &tcp::Alarm::worst>},
    { 8, "tcpmibdAlarmOffenders", Syntax::kGauge32,     Access::kReadOnly, &gauge<tcp::Alarm, &tcp::Alarm::offenders>},
    { 9, "tcpmibdAlarmProcess",   Syntax::kGauge32,     Access::kReadOnly, &gauge<tcp::Alarm, &tcp::Alarm::pid>},
    {10, "tcpmibdAlarmCommand",   Syntax::kOctetString, Access::kReadOnly, &text<tcp::Alarm, &tcp::Alarm::command>},
    {11, "tcpmibdAlarmSeconds",   Syntax::kGauge32,     Access::kReadOnly, &seconds},
    {12, "tcpmibdAlarmRaises",    Syntax::kCounter32,   Access::kReadOnly, &counter<tcp::Alarm, &tcp::Alarm::raises>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kAlarmColumns, {}, &snmp::Column<Row, Data>::id));

constexpr snmp::Run<Row, Data> kAlarmRuns[] = {
    {.size = [](const Data& data) { return data.alarms->all().size(); },
     .at = [](const Data& data, std::size_t i) { return &data.alarms->all()[i]; }},
};

constexpr auto kAlarmRoot = own({1, 10});

constexpr snmp::TableSpec<Row, Data> kTable{
    .name = "tcpmibdAlarmTable",
    .root = kAlarmRoot,
    .columns = kAlarmColumns,
    .runs = kAlarmRuns,
    .index = &index,
    .needs = {},
    .question = &everything,
};

std::optional<Value> raised(const Data& data) { return snmp::Gauge32{data.alarms->raised()}; }

constexpr snmp::ScalarSpec<Data> kAlarmScalars[] = {
    {11, "tcpmibdAlarmsRaised", Syntax::kGauge32, &raised, {}},
};

}  // namespace

std::unique_ptr<Managed> alarm_table() { return table(kTable); }
std::span<const snmp::ScalarSpec<Data>> alarm_scalars() { return kAlarmScalars; }

}  // namespace tcpmibd::tables
