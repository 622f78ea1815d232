#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/index.h"
#include "tables/tables.h"

// tcpmibdPortTable, tcpmibdListenerTable              TCPMIBD-MIB: { tcpmibdObjects 4 }, { … 5 }

namespace tcpmibd::tables {

namespace {

using tcp::AcceptQueues;
using tcp::ListenerFigures;
using tcp::PortFigures;
using tcp::Tally;

using Port = const PortFigures*;
using Listening = const ListenerFigures*;

// ---- what both tables have -----------------------------------------------------------------

template <typename Figures>
std::optional<Value> process(const Figures* const& row, const Data& data) {
  const std::optional<std::uint32_t> pid = lowest_holder(data.survey->sockets_of(*row), data);
  return pid ? std::optional<Value>(snmp::Gauge32{*pid}) : std::nullopt;
}

template <typename Figures>
std::optional<Value> command(const Figures* const& row, const Data& data) {
  const std::optional<std::uint32_t> pid = lowest_holder(data.survey->sockets_of(*row), data);
  return pid ? std::optional(command_value(*pid, data)) : std::nullopt;
}

template <typename Figures>
std::optional<Value> discontinuity(const Figures* const& row, const Data& data) {
  return time_stamp(row->accepting.unchanged_since, data);
}

template <typename Figures, auto kFigure>
constexpr auto kQueue = &gauge<Figures, &Figures::accepting, kFigure>;

template <typename Figures, auto kFigure>
constexpr auto kCount = &counter<Figures, &Figures::accepting, kFigure>;

bool knows_drops(const Data& data) { return data.survey->knows_drops(); }

constexpr Data::Needs kPortNeeds{.survey = true, .agent = true, .old_processes_at_entry = true};
constexpr Data::Needs kListenerNeeds{.survey = true, .agent = true};

// ---- ports ---------------------------------------------------------------------------------

void port_index(const Port& row, snmp::Oid& index) { index.append(row->port); }

// clang-format off
constexpr snmp::Column<Port, Data> kPortColumns[] = {
    // id  name                            syntax                access                   read
    { 1, "tcpmibdPortNumber",            Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    { 2, "tcpmibdPortProcess",           Syntax::kGauge32,     Access::kReadOnly, &process<PortFigures>},
    { 3, "tcpmibdPortCommand",           Syntax::kOctetString, Access::kReadOnly, &command<PortFigures>},
    { 4, "tcpmibdPortUnit",              Syntax::kOctetString, Access::kReadOnly, &text<PortFigures, &PortFigures::unit>},
    { 5, "tcpmibdPortSockets",           Syntax::kGauge32,     Access::kReadOnly, kQueue<PortFigures, &AcceptQueues::sockets>},
    { 6, "tcpmibdPortQueue",             Syntax::kGauge32,     Access::kReadOnly, kQueue<PortFigures, &AcceptQueues::queue>},
    { 7, "tcpmibdPortQueueLimit",        Syntax::kGauge32,     Access::kReadOnly, kQueue<PortFigures, &AcceptQueues::backlog>},
    { 8, "tcpmibdPortQueuePercent",      Syntax::kGauge32,     Access::kReadOnly, kQueue<PortFigures, &AcceptQueues::percent>},
    { 9, "tcpmibdPortDrops",             Syntax::kCounter32,   Access::kReadOnly, kCount<PortFigures, &AcceptQueues::drops>, nullptr, &knows_drops},
    {10, "tcpmibdPortDiscontinuityTime", Syntax::kTimeTicks,   Access::kReadOnly, &discontinuity<PortFigures>},
    {11, "tcpmibdPortSynReceived",       Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::syn_received>},
    {12, "tcpmibdPortEstablished",       Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::established>},
    {13, "tcpmibdPortCloseWait",         Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::close_wait>},
    {14, "tcpmibdPortFinWait",           Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::fin_wait>},
    {15, "tcpmibdPortLastAck",           Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::last_ack>},
    {16, "tcpmibdPortTimeWait",          Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::time_wait>},
    {17, "tcpmibdPortTotal",             Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::total>},
    {18, "tcpmibdPortOldestCloseWait",   Syntax::kGauge32,     Access::kReadOnly, kTally<PortFigures, &Tally::oldest_close_wait>},
    {19, "tcpmibdPortDiscards",          Syntax::kCounter32,   Access::kReadOnly, kCount<PortFigures, &AcceptQueues::discards>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kPortColumns, {}, &snmp::Column<Port, Data>::id));

constexpr snmp::Run<Port, Data> kPortRuns[] = {
    {.size = [](const Data& data) { return data.survey->ports().size(); },
     .at = [](const Data& data, std::size_t i) { return &data.survey->ports()[i]; }},
};

constexpr auto kPortRoot = own({1, 4});

constexpr snmp::TableSpec<Port, Data> kPortTable{
    .name = "tcpmibdPortTable",
    .root = kPortRoot,
    .columns = kPortColumns,
    .runs = kPortRuns,
    .index = &port_index,
    .needs = kPortNeeds,
    .question = &everything,
};

// ---- listeners -----------------------------------------------------------------------------

void listener_index(const Listening& row, snmp::Oid& index) {
  append_address(row->key.address, index);
  index.append(row->key.port);
}

// clang-format off
constexpr snmp::Column<Listening, Data> kListenerColumns[] = {
    // id  name                                syntax                access                   read
    { 1, "tcpmibdListenerAddressType",       Syntax::kInteger,     Access::kNotAccessible, nullptr},
    { 2, "tcpmibdListenerAddress",           Syntax::kOctetString, Access::kNotAccessible, nullptr},
    { 3, "tcpmibdListenerPort",              Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    { 4, "tcpmibdListenerProcess",           Syntax::kGauge32,     Access::kReadOnly, &process<ListenerFigures>},
    { 5, "tcpmibdListenerCommand",           Syntax::kOctetString, Access::kReadOnly, &command<ListenerFigures>},
    { 6, "tcpmibdListenerQueue",             Syntax::kGauge32,     Access::kReadOnly, kQueue<ListenerFigures, &AcceptQueues::queue>},
    { 7, "tcpmibdListenerQueueLimit",        Syntax::kGauge32,     Access::kReadOnly, kQueue<ListenerFigures, &AcceptQueues::backlog>},
    { 8, "tcpmibdListenerDrops",             Syntax::kCounter32,   Access::kReadOnly, kCount<ListenerFigures, &AcceptQueues::drops>, nullptr, &knows_drops},
    { 9, "tcpmibdListenerDiscontinuityTime", Syntax::kTimeTicks,   Access::kReadOnly, &discontinuity<ListenerFigures>},
    {10, "tcpmibdListenerSynReceived",       Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::syn_received>},
    {11, "tcpmibdListenerEstablished",       Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::established>},
    {12, "tcpmibdListenerCloseWait",         Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::close_wait>},
    {13, "tcpmibdListenerFinWait",           Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::fin_wait>},
    {14, "tcpmibdListenerLastAck",           Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::last_ack>},
    {15, "tcpmibdListenerTimeWait",          Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::time_wait>},
    {16, "tcpmibdListenerTotal",             Syntax::kGauge32,     Access::kReadOnly, kTally<ListenerFigures, &Tally::total>},
    {17, "tcpmibdListenerDiscards",          Syntax::kCounter32,   Access::kReadOnly, kCount<ListenerFigures, &AcceptQueues::discards>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kListenerColumns, {}, &snmp::Column<Listening, Data>::id));

constexpr snmp::Run<Listening, Data> kListenerRuns[] = {
    {.size = [](const Data& data) { return data.survey->listeners().size(); },
     .at = [](const Data& data, std::size_t i) { return &data.survey->listeners()[i]; }},
};

constexpr auto kListenerRoot = own({1, 5});

constexpr snmp::TableSpec<Listening, Data> kListenerTable{
    .name = "tcpmibdListenerTable",
    .root = kListenerRoot,
    .columns = kListenerColumns,
    .runs = kListenerRuns,
    .index = &listener_index,
    .needs = kListenerNeeds,
    .question = &everything,
};

}  // namespace

std::unique_ptr<Managed> port_table() { return table(kPortTable); }
std::unique_ptr<Managed> listener_table() { return table(kListenerTable); }

}  // namespace tcpmibd::tables
