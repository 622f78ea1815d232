#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/index.h"
#include "tables/tables.h"

// tcpmibdUnitTable, tcpmibdProcessTable, tcpmibdRemoteTable
//                                                     TCPMIBD-MIB: { tcpmibdObjects 6 } to { … 8 }

namespace tcpmibd::tables {

namespace {

using tcp::ProcessFigures;
using tcp::RemoteFigures;
using tcp::Tally;
using tcp::UnitFigures;

// ---- units ---------------------------------------------------------------------------------

using Unit = const UnitFigures*;

void unit_index(const Unit& row, snmp::Oid& index) { append_string(row->name, index); }

// clang-format off
constexpr snmp::Column<Unit, Data> kUnitColumns[] = {
    // id  name                         syntax                access                   read
    {1, "tcpmibdUnitName",            Syntax::kOctetString, Access::kNotAccessible, nullptr},
    {2, "tcpmibdUnitListeners",       Syntax::kGauge32,     Access::kReadOnly, &gauge<UnitFigures, &UnitFigures::listeners>},
    {3, "tcpmibdUnitSynSent",         Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::syn_sent>},
    {4, "tcpmibdUnitEstablished",     Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::established>},
    {5, "tcpmibdUnitCloseWait",       Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::close_wait>},
    {6, "tcpmibdUnitFinWait",         Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::fin_wait>},
    {7, "tcpmibdUnitLastAck",         Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::last_ack>},
    {8, "tcpmibdUnitTotal",           Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::total>},
    {9, "tcpmibdUnitOldestCloseWait", Syntax::kGauge32,     Access::kReadOnly, kTally<UnitFigures, &Tally::oldest_close_wait>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kUnitColumns, {}, &snmp::Column<Unit, Data>::id));

constexpr snmp::Run<Unit, Data> kUnitRuns[] = {
    {.size = [](const Data& data) { return data.survey->units().size(); },
     .at = [](const Data& data, std::size_t i) { return &data.survey->units()[i]; }},
};

constexpr auto kUnitRoot = own({1, 6});

constexpr snmp::TableSpec<Unit, Data> kUnitTable{
    .name = "tcpmibdUnitTable",
    .root = kUnitRoot,
    .columns = kUnitColumns,
    .runs = kUnitRuns,
    .index = &unit_index,
    .needs = {.survey = true},
    .question = &everything,
};

// ---- processes -----------------------------------------------------------------------------

using Process = const ProcessFigures*;

void process_index(const Process& row, snmp::Oid& index) { index.append(row->pid); }

std::optional<Value> command(const Process& row, const Data& data) {
  return command_value(row->pid, data);
}

std::optional<Value> uid(const Process& row, const Data& data) {
  return snmp::Gauge32{data.names->identity_of(row->pid).uid};
}

// clang-format off
constexpr snmp::Column<Process, Data> kProcessColumns[] = {
    // id  name                             syntax                access                   read
    { 1, "tcpmibdProcessId",              Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    { 2, "tcpmibdProcessCommand",         Syntax::kOctetString, Access::kReadOnly, &command},
    { 3, "tcpmibdProcessUid",             Syntax::kGauge32,     Access::kReadOnly, &uid},
    { 4, "tcpmibdProcessUnit",            Syntax::kOctetString, Access::kReadOnly, &text<ProcessFigures, &ProcessFigures::unit>},
    { 5, "tcpmibdProcessSynSent",         Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::syn_sent>},
    { 6, "tcpmibdProcessEstablished",     Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::established>},
    { 7, "tcpmibdProcessCloseWait",       Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::close_wait>},
    { 8, "tcpmibdProcessFinWait",         Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::fin_wait>},
    { 9, "tcpmibdProcessLastAck",         Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::last_ack>},
    {10, "tcpmibdProcessTotal",           Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::total>},
    {11, "tcpmibdProcessOldestCloseWait", Syntax::kGauge32,     Access::kReadOnly, kTally<ProcessFigures, &Tally::oldest_close_wait>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kProcessColumns, {}, &snmp::Column<Process, Data>::id));

constexpr snmp::Run<Process, Data> kProcessRuns[] = {
    {.size = [](const Data& data) { return data.owners->rows().size(); },
     .at = [](const Data& data, std::size_t i) { return &data.owners->rows()[i]; }},
};

constexpr auto kProcessRoot = own({1, 7});

// The survey first: it is what knows how long a connection has hung.
constexpr snmp::TableSpec<Process, Data> kProcessTable{
    .name = "tcpmibdProcessTable",
    .root = kProcessRoot,
    .columns = kProcessColumns,
    .runs = kProcessRuns,
    .index = &process_index,
    .needs = {.survey = true, .owners = true, .old_processes_at_entry = true},
    .question = &everything,
};

// ---- remote addresses ----------------------------------------------------------------------

struct Remote {
  std::size_t rank;  // from 1
  const RemoteFigures* figures;
};

void remote_index(const Remote& row, snmp::Oid& index) {
  index.append(static_cast<SubId>(row.rank));
}

std::optional<Value> address_type(const Remote& row, const Data&) {
  return snmp::Integer{static_cast<std::int32_t>(row.figures->address.type)};
}

std::optional<Value> address(const Remote& row, const Data&) {
  return snmp::OctetString{octets_of(row.figures->address)};
}

template <auto kFigure>
std::optional<Value> tally(const Remote& row, const Data&) {
  return snmp::Gauge32{row.figures->tally.*kFigure};
}

// clang-format off
constexpr snmp::Column<Remote, Data> kRemoteColumns[] = {
    // id  name                        syntax                access                   read
    {1, "tcpmibdRemoteRank",         Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    {2, "tcpmibdRemoteAddressType",  Syntax::kInteger,     Access::kReadOnly,      &address_type},
    {3, "tcpmibdRemoteAddress",      Syntax::kOctetString, Access::kReadOnly,      &address},
    {4, "tcpmibdRemoteSynReceived",  Syntax::kGauge32,     Access::kReadOnly,      &tally<&Tally::syn_received>},
    {5, "tcpmibdRemoteSynSent",      Syntax::kGauge32,     Access::kReadOnly,      &tally<&Tally::syn_sent>},
    {6, "tcpmibdRemoteEstablished",  Syntax::kGauge32,     Access::kReadOnly,      &tally<&Tally::established>},
    {7, "tcpmibdRemoteCloseWait",    Syntax::kGauge32,     Access::kReadOnly,      &tally<&Tally::close_wait>},
    {8, "tcpmibdRemoteTimeWait",     Syntax::kGauge32,     Access::kReadOnly,      &tally<&Tally::time_wait>},
    {9, "tcpmibdRemoteTotal",        Syntax::kGauge32,     Access::kReadOnly,      &tally<&Tally::total>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kRemoteColumns, {}, &snmp::Column<Remote, Data>::id));

constexpr snmp::Run<Remote, Data> kRemoteRuns[] = {
    {.size = [](const Data& data) { return data.survey->remotes().size(); },
     .at =
         [](const Data& data, std::size_t i) {
           return Remote{i + 1, &data.survey->remotes()[i]};
         }},
};

constexpr auto kRemoteRoot = own({1, 8});

constexpr snmp::TableSpec<Remote, Data> kRemoteTable{
    .name = "tcpmibdRemoteTable",
    .root = kRemoteRoot,
    .columns = kRemoteColumns,
    .runs = kRemoteRuns,
    .index = &remote_index,
    .needs = {.survey = true},
    .question = &everything,
};

}  // namespace

std::unique_ptr<Managed> unit_table() { return table(kUnitTable); }
std::unique_ptr<Managed> process_table() { return table(kProcessTable); }
std::unique_ptr<Managed> remote_table() { return table(kRemoteTable); }

}  // namespace tcpmibd::tables
