#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/tables.h"

// tcpmibdStateTable, tcpmibdAgeTable                  TCPMIBD-MIB: { tcpmibdObjects 2 }, { … 3 }

namespace tcpmibd::tables {

namespace {

using tcp::StateNames;

// ---- counts --------------------------------------------------------------------------------

using StateRow = const StateNames*;

std::optional<Value> name(const StateRow& row, const Data&) {
  return snmp::OctetString{std::string(row->mib)};
}

std::optional<Value> ipv4(const StateRow& row, const Data& data) {
  return snmp::Gauge32{data.snapshot->count(row->state).ipv4};
}

std::optional<Value> ipv6(const StateRow& row, const Data& data) {
  return snmp::Gauge32{data.snapshot->count(row->state).ipv6};
}

std::optional<Value> total(const StateRow& row, const Data& data) {
  return snmp::Gauge32{data.snapshot->count(row->state).total()};
}

void state_index(const StateRow& row, snmp::Oid& index) {
  index.append(static_cast<SubId>(row->state));
}

// clang-format off
constexpr snmp::Column<StateRow, Data> kStateColumns[] = {
    // id  name               syntax                access                   read
    {1, "tcpmibdStateCode",  Syntax::kInteger,     Access::kNotAccessible, nullptr},
    {2, "tcpmibdStateName",  Syntax::kOctetString, Access::kReadOnly,      &name},
    {3, "tcpmibdStateIpv4",  Syntax::kGauge32,     Access::kReadOnly,      &ipv4},
    {4, "tcpmibdStateIpv6",  Syntax::kGauge32,     Access::kReadOnly,      &ipv6},
    {5, "tcpmibdStateTotal", Syntax::kGauge32,     Access::kReadOnly,      &total},
};
// clang-format on
static_assert(std::ranges::is_sorted(kStateColumns, {}, &snmp::Column<StateRow, Data>::id));

constexpr snmp::Run<StateRow, Data> kStateRuns[] = {
    {.size = [](const Data&) { return tcp::kStateCount; },
     .at = [](const Data&, std::size_t i) { return &tcp::kStates[i]; }},
};

constexpr auto kStateRoot = own({1, 2});

// ---- ages ----------------------------------------------------------------------------------

struct AgeRow {
  tcp::State state;
  const tcp::AgeFigures* figures;
};

template <auto kFigure>
std::optional<Value> age(const AgeRow& row, const Data&) {
  return snmp::Gauge32{row.figures->*kFigure};
}

void age_index(const AgeRow& row, snmp::Oid& index) { index.append(static_cast<SubId>(row.state)); }

// clang-format off
constexpr snmp::Column<AgeRow, Data> kAgeColumns[] = {
    // id  name              syntax            access              read
    {1, "tcpmibdAgeOver10s", Syntax::kGauge32, Access::kReadOnly, &age<&tcp::AgeFigures::over_10s>},
    {2, "tcpmibdAgeOver1m",  Syntax::kGauge32, Access::kReadOnly, &age<&tcp::AgeFigures::over_1m>},
    {3, "tcpmibdAgeOver5m",  Syntax::kGauge32, Access::kReadOnly, &age<&tcp::AgeFigures::over_5m>},
    {4, "tcpmibdAgeOver1h",  Syntax::kGauge32, Access::kReadOnly, &age<&tcp::AgeFigures::over_1h>},
    {5, "tcpmibdAgeOldest",  Syntax::kGauge32, Access::kReadOnly, &age<&tcp::AgeFigures::oldest>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kAgeColumns, {}, &snmp::Column<AgeRow, Data>::id));

constexpr snmp::Run<AgeRow, Data> kAgeRuns[] = {
    {.size = [](const Data&) { return std::size(tcp::kAgingStates); },
     .at =
         [](const Data& data, std::size_t i) {
           const tcp::State state = tcp::kAgingStates[i];
           return AgeRow{state, &data.survey->ages(state)};
         }},
};

constexpr auto kAgeRoot = own({1, 3});

constexpr snmp::TableSpec<StateRow, Data> kStateTable{
    .name = "tcpmibdStateTable",
    .root = kStateRoot,
    .columns = kStateColumns,
    .runs = kStateRuns,
    .index = &state_index,
    .needs = {.counts = true},
    .question = &everything,
};

constexpr snmp::TableSpec<AgeRow, Data> kAgeTable{
    .name = "tcpmibdAgeTable",
    .root = kAgeRoot,
    .columns = kAgeColumns,
    .runs = kAgeRuns,
    .index = &age_index,
    .needs = {.survey = true},
    .question = &everything,
};

}  // namespace

std::unique_ptr<Managed> state_table() { return table(kStateTable); }
std::unique_ptr<Managed> age_table() { return table(kAgeTable); }

}  // namespace tcpmibd::tables
