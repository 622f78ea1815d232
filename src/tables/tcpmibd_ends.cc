#include <array>
#include <chrono>
#include <ctime>

#include "base/printable.h"
#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/index.h"
#include "tables/tables.h"

// What ended, and why.                                TCPMIBD-MIB: { tcpmibdObjects 13 }
//
// Where nothing is watched, the tables are empty and the scalars but one are not there.

namespace tcpmibd::tables {

namespace {

using tcp::ClosedPort;
using tcp::NumberedEnd;
using tcp::PortEnds;
using tcp::RemoteEnds;

constexpr Data::Needs kEnds{.agent = true, .ends = true};

// How many rows a part of the figures has; without figures, none.
template <auto kPart>
std::size_t size_of(const Data& data) {
  return data.ends == nullptr ? 0 : (data.ends->*kPart)().size();
}

// Addresses here have no zone: the kernel does not say which interface they were of.
tcp::InetAddress address_of(tcp::Family family, const tcp::Octets& octets) {
  return tcp::inet_address(family, octets, 0, {.zones = false});
}

// ---- the newest ends -----------------------------------------------------------------------

using EndRow = const NumberedEnd*;

void ended_index(const EndRow& row, snmp::Oid& index) { index.append(row->number); }

// RFC 2579, DateAndTime: eleven octets, in UTC.
std::optional<Value> date_and_time(const EndRow& row, const Data&) {
  const auto second = std::chrono::floor<std::chrono::seconds>(row->at);
  const auto tenths = (row->at - second).count() / 100;
  const std::time_t time = std::chrono::system_clock::to_time_t(second);
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  const int year = utc.tm_year + 1900;
  std::string octets;
  for (const int octet : {year / 256, year % 256, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                          utc.tm_min, utc.tm_sec, static_cast<int>(tenths)})
    octets += static_cast<char>(octet);
  return snmp::OctetString{octets + '+' + std::string(2, '\0')};
}

std::optional<Value> ended_at(const EndRow& row, const Data& data) {
  return time_stamp(row->ended.at, data);
}

template <auto kField>
std::optional<Value> code(const EndRow& row, const Data&) {
  return snmp::Integer{static_cast<std::int32_t>(row->ended.*kField)};
}

template <auto kField>
std::optional<Value> number_of(const EndRow& row, const Data&) {
  return snmp::Gauge32{row->ended.*kField};
}

template <auto kField>
std::optional<Value> octets(const EndRow& row, const Data&) {
  return snmp::Counter64{row->ended.*kField};
}

template <auto kEnd>
std::optional<Value> address_type(const EndRow& row, const Data&) {
  const tcp::InetAddress address = address_of(row->ended.family, (row->ended.*kEnd).address);
  return snmp::Integer{static_cast<std::int32_t>(address.type)};
}

template <auto kEnd>
std::optional<Value> address(const EndRow& row, const Data&) {
  return snmp::OctetString{octets_of(address_of(row->ended.family, (row->ended.*kEnd).address))};
}

template <auto kEnd>
std::optional<Value> port(const EndRow& row, const Data&) {
  return snmp::Gauge32{(row->ended.*kEnd).port};
}

std::optional<Value> lifetime(const EndRow& row, const Data&) {
  const auto lived =
      std::chrono::duration_cast<std::chrono::microseconds>(row->ended.lived).count();
  return snmp::Counter64{static_cast<std::uint64_t>(std::max<std::int64_t>(lived, 0))};
}

std::optional<Value> command(const EndRow& row, const Data&) {
  const std::array<char, 16>& name = row->ended.command;
  return snmp::OctetString{printable({name.begin(), std::ranges::find(name, '\0')})};
}

using tcp::Ended;

// clang-format off
constexpr snmp::Column<EndRow, Data> kEndedColumns[] = {
    // id  name                            syntax                access                   read
    { 1, "tcpmibdEndedNumber",           Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    { 2, "tcpmibdEndedDateAndTime",      Syntax::kOctetString, Access::kReadOnly, &date_and_time},
    { 3, "tcpmibdEndedTimeStamp",        Syntax::kTimeTicks,   Access::kReadOnly, &ended_at},
    { 4, "tcpmibdEndedReason",           Syntax::kInteger,     Access::kReadOnly, &code<&Ended::reason>},
    { 5, "tcpmibdEndedState",            Syntax::kInteger,     Access::kReadOnly, &code<&Ended::left>},
    { 6, "tcpmibdEndedError",            Syntax::kInteger,     Access::kReadOnly, &code<&Ended::error>},
    { 7, "tcpmibdEndedDirection",        Syntax::kInteger,     Access::kReadOnly, &code<&Ended::direction>},
    { 8, "tcpmibdEndedLocalAddressType", Syntax::kInteger,     Access::kReadOnly, &address_type<&Ended::local>},
    { 9, "tcpmibdEndedLocalAddress",     Syntax::kOctetString, Access::kReadOnly, &address<&Ended::local>},
    {10, "tcpmibdEndedLocalPort",        Syntax::kGauge32,     Access::kReadOnly, &port<&Ended::local>},
    {11, "tcpmibdEndedRemAddressType",   Syntax::kInteger,     Access::kReadOnly, &address_type<&Ended::remote>},
    {12, "tcpmibdEndedRemAddress",       Syntax::kOctetString, Access::kReadOnly, &address<&Ended::remote>},
    {13, "tcpmibdEndedRemPort",          Syntax::kGauge32,     Access::kReadOnly, &port<&Ended::remote>},
    {14, "tcpmibdEndedLifetime",         Syntax::kCounter64,   Access::kReadOnly, &lifetime},
    {15, "tcpmibdEndedReceived",         Syntax::kCounter64,   Access::kReadOnly, &octets<&Ended::received>},
    {16, "tcpmibdEndedSent",             Syntax::kCounter64,   Access::kReadOnly, &octets<&Ended::sent>},
    {17, "tcpmibdEndedRetransmits",      Syntax::kGauge32,     Access::kReadOnly, &number_of<&Ended::retransmits>},
    {18, "tcpmibdEndedRoundTrip",        Syntax::kGauge32,     Access::kReadOnly, &number_of<&Ended::round_trip_us>},
    {19, "tcpmibdEndedProcess",          Syntax::kGauge32,     Access::kReadOnly, &number_of<&Ended::pid>},
    {20, "tcpmibdEndedCommand",          Syntax::kOctetString, Access::kReadOnly, &command},
    {21, "tcpmibdEndedNamespace",        Syntax::kGauge32,     Access::kReadOnly, &number_of<&Ended::space>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kEndedColumns, {}, &snmp::Column<EndRow, Data>::id));

constexpr snmp::Run<EndRow, Data> kEndedRuns[] = {
    {.size = &size_of<&tcp::EndsFigures::history>,
     .at = [](const Data& data, std::size_t i) { return &data.ends->history().in_order(i); }},
};

constexpr auto kEndedRoot = own({1, 13, 6});

constexpr snmp::TableSpec<EndRow, Data> kEndedTable{
    .name = "tcpmibdEndedTable",
    .root = kEndedRoot,
    .columns = kEndedColumns,
    .runs = kEndedRuns,
    .index = &ended_index,
    .needs = kEnds,
    .question = &everything,
};

// ---- by reason -----------------------------------------------------------------------------

using ReasonRow = const tcp::EndReasonName*;

void reason_index(const ReasonRow& row, snmp::Oid& index) {
  index.append(static_cast<SubId>(row->reason));
}

std::optional<Value> reason_name(const ReasonRow& row, const Data&) {
  return snmp::OctetString{std::string(row->mib)};
}

// A Counter32 wraps (RFC 2578, 7.1.6).
std::optional<Value> reason_count(const ReasonRow& row, const Data& data) {
  const std::uint64_t count = data.ends->counts()[static_cast<std::size_t>(row->reason) - 1];
  return snmp::Counter32{static_cast<std::uint32_t>(count)};
}

// clang-format off
constexpr snmp::Column<ReasonRow, Data> kReasonColumns[] = {
    {1, "tcpmibdReasonCode", Syntax::kInteger,     Access::kNotAccessible, nullptr},
    {2, "tcpmibdReasonName", Syntax::kOctetString, Access::kReadOnly, &reason_name},
    {3, "tcpmibdReasonEnds", Syntax::kCounter32,   Access::kReadOnly, &reason_count},
};
// clang-format on
static_assert(std::ranges::is_sorted(kReasonColumns, {}, &snmp::Column<ReasonRow, Data>::id));

constexpr snmp::Run<ReasonRow, Data> kReasonRuns[] = {
    {.size = &size_of<&tcp::EndsFigures::counts>,
     .at = [](const Data&, std::size_t i) { return &tcp::kEndReasonNames[i]; }},
};

constexpr auto kReasonRoot = own({1, 13, 7});

constexpr snmp::TableSpec<ReasonRow, Data> kReasonTable{
    .name = "tcpmibdReasonTable",
    .root = kReasonRoot,
    .columns = kReasonColumns,
    .runs = kReasonRuns,
    .index = &reason_index,
    .needs = kEnds,
    .question = &everything,
};

// ---- by local port, by called service ------------------------------------------------------

template <typename Figures>
std::optional<Value> begun(const Figures* const& row, const Data&) {
  return snmp::Counter32{row->tally.begun};
}

template <typename Figures, tcp::EndReason kReason>
std::optional<Value> ended(const Figures* const& row, const Data&) {
  return snmp::Counter32{row->tally.ended[static_cast<std::size_t>(kReason) - 1]};
}

template <typename Figures>
std::optional<Value> tally_since(const Figures* const& row, const Data& data) {
  return time_stamp(row->tally.since, data);
}

using tcp::EndReason;

using PortRow = const PortEnds*;

void port_ends_index(const PortRow& row, snmp::Oid& index) { index.append(row->port); }

// clang-format off
constexpr snmp::Column<PortRow, Data> kPortEndsColumns[] = {
    // id  name                                syntax              access                   read
    { 1, "tcpmibdPortEndsPort",              Syntax::kGauge32,   Access::kNotAccessible, nullptr},
    { 2, "tcpmibdPortEndsAccepted",          Syntax::kCounter32, Access::kReadOnly, &begun<PortEnds>},
    { 3, "tcpmibdPortEndsNormal",             Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kNormal>},
    { 4, "tcpmibdPortEndsResetByPeer",        Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kResetByPeer>},
    { 5, "tcpmibdPortEndsRefused",            Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kRefused>},
    { 6, "tcpmibdPortEndsSynTimedOut",        Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kSynTimedOut>},
    { 7, "tcpmibdPortEndsTimedOut",           Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kTimedOut>},
    { 8, "tcpmibdPortEndsDestroyed",          Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kDestroyed>},
    { 9, "tcpmibdPortEndsAbortedLocally",     Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kAbortedLocally>},
    {10, "tcpmibdPortEndsCancelled",          Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kCancelled>},
    {11, "tcpmibdPortEndsOther",              Syntax::kCounter32, Access::kReadOnly, &ended<PortEnds, EndReason::kOther>},
    {12, "tcpmibdPortEndsDiscontinuityTime", Syntax::kTimeTicks, Access::kReadOnly, &tally_since<PortEnds>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kPortEndsColumns, {}, &snmp::Column<PortRow, Data>::id));

constexpr snmp::Run<PortRow, Data> kPortEndsRuns[] = {
    {.size = &size_of<&tcp::EndsFigures::ports>,
     .at = [](const Data& data, std::size_t i) { return &data.ends->ports()[i]; }},
};

constexpr auto kPortEndsRoot = own({1, 13, 8});

constexpr snmp::TableSpec<PortRow, Data> kPortEndsTable{
    .name = "tcpmibdPortEndsTable",
    .root = kPortEndsRoot,
    .columns = kPortEndsColumns,
    .runs = kPortEndsRuns,
    .index = &port_ends_index,
    .needs = kEnds,
    .question = &everything,
};

using RemoteRow = const RemoteEnds*;

void remote_ends_index(const RemoteRow& row, snmp::Oid& index) {
  append_address(address_of(row->family, row->service.address), index);
  index.append(row->service.port);
}

// clang-format off
constexpr snmp::Column<RemoteRow, Data> kRemoteEndsColumns[] = {
    // id  name                                  syntax                access                   read
    { 1, "tcpmibdRemoteEndsAddressType",       Syntax::kInteger,     Access::kNotAccessible, nullptr},
    { 2, "tcpmibdRemoteEndsAddress",           Syntax::kOctetString, Access::kNotAccessible, nullptr},
    { 3, "tcpmibdRemoteEndsPort",              Syntax::kGauge32,     Access::kNotAccessible, nullptr},
    { 4, "tcpmibdRemoteEndsCalls",             Syntax::kCounter32,   Access::kReadOnly, &begun<RemoteEnds>},
    { 5, "tcpmibdRemoteEndsNormal",             Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kNormal>},
    { 6, "tcpmibdRemoteEndsResetByPeer",        Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kResetByPeer>},
    { 7, "tcpmibdRemoteEndsRefused",            Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kRefused>},
    { 8, "tcpmibdRemoteEndsSynTimedOut",        Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kSynTimedOut>},
    { 9, "tcpmibdRemoteEndsTimedOut",           Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kTimedOut>},
    {10, "tcpmibdRemoteEndsDestroyed",          Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kDestroyed>},
    {11, "tcpmibdRemoteEndsAbortedLocally",     Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kAbortedLocally>},
    {12, "tcpmibdRemoteEndsCancelled",          Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kCancelled>},
    {13, "tcpmibdRemoteEndsOther",              Syntax::kCounter32,   Access::kReadOnly, &ended<RemoteEnds, EndReason::kOther>},
    {14, "tcpmibdRemoteEndsDiscontinuityTime", Syntax::kTimeTicks,   Access::kReadOnly, &tally_since<RemoteEnds>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kRemoteEndsColumns, {}, &snmp::Column<RemoteRow, Data>::id));

constexpr snmp::Run<RemoteRow, Data> kRemoteEndsRuns[] = {
    {.size = &size_of<&tcp::EndsFigures::remotes>,
     .at = [](const Data& data, std::size_t i) { return &data.ends->remotes()[i]; }},
};

constexpr auto kRemoteEndsRoot = own({1, 13, 9});

constexpr snmp::TableSpec<RemoteRow, Data> kRemoteEndsTable{
    .name = "tcpmibdRemoteEndsTable",
    .root = kRemoteEndsRoot,
    .columns = kRemoteEndsColumns,
    .runs = kRemoteEndsRuns,
    .index = &remote_ends_index,
    .needs = kEnds,
    .question = &everything,
};

// ---- closed ports --------------------------------------------------------------------------

using ClosedRow = const ClosedPort*;

void closed_port_index(const ClosedRow& row, snmp::Oid& index) { index.append(row->port); }

// clang-format off
constexpr snmp::Column<ClosedRow, Data> kClosedPortColumns[] = {
    {1, "tcpmibdClosedPort",      Syntax::kGauge32,   Access::kNotAccessible, nullptr},
    {2, "tcpmibdClosedPortCalls", Syntax::kCounter32, Access::kReadOnly, &counter<ClosedPort, &ClosedPort::calls>},
};
// clang-format on
static_assert(std::ranges::is_sorted(kClosedPortColumns, {}, &snmp::Column<ClosedRow, Data>::id));

constexpr snmp::Run<ClosedRow, Data> kClosedPortRuns[] = {
    {.size = &size_of<&tcp::EndsFigures::closed_ports>,
     .at = [](const Data& data, std::size_t i) { return &data.ends->closed_ports()[i]; }},
};

constexpr auto kClosedPortRoot = own({1, 13, 10});

constexpr snmp::TableSpec<ClosedRow, Data> kClosedPortTable{
    .name = "tcpmibdClosedPortTable",
    .root = kClosedPortRoot,
    .columns = kClosedPortColumns,
    .runs = kClosedPortRuns,
    .index = &closed_port_index,
    .needs = kEnds,
    .question = &everything,
};

// ---- of the watch itself -------------------------------------------------------------------

std::optional<Value> watched(const Data& data) {
  constexpr std::int32_t kTrue = 1, kFalse = 2;  // RFC 2579, TruthValue
  return snmp::Integer{data.ends == nullptr ? kFalse : kTrue};
}

std::optional<Value> since(const Data& data) {
  return data.ends == nullptr ? std::nullopt : std::optional(time_stamp(data.ends->since(), data));
}

template <auto kLoss>
std::optional<Value> loss(const Data& data) {
  if (data.ends == nullptr)
    return std::nullopt;
  return snmp::Counter32{static_cast<std::uint32_t>(data.ends->losses().*kLoss)};
}

std::optional<Value> newest(const Data& data) {
  return data.ends == nullptr ? std::nullopt
                              : std::optional<Value>(snmp::Gauge32{data.ends->newest()});
}

std::optional<Value> kept(const Data& data) {
  if (data.ends == nullptr)
    return std::nullopt;
  return snmp::Gauge32{static_cast<std::uint32_t>(data.ends->history().size())};
}

// clang-format off
constexpr snmp::ScalarSpec<Data> kEndsScalars[] = {
    // id  name                  syntax              read                           needs
    { 1, "tcpmibdEndsWatched",   Syntax::kInteger,   &watched,                           kEnds},
    { 2, "tcpmibdEndsSince",     Syntax::kTimeTicks, &since,                             kEnds},
    { 3, "tcpmibdEndsLost",      Syntax::kCounter32, &loss<&tcp::EndLosses::records>,    kEnds},
    { 4, "tcpmibdEndsNewest",    Syntax::kGauge32,   &newest,                            kEnds},
    { 5, "tcpmibdEndsKept",      Syntax::kGauge32,   &kept,                              kEnds},
    {11, "tcpmibdEndsUncounted", Syntax::kCounter32, &loss<&tcp::EndLosses::uncounted>,  kEnds},
    {12, "tcpmibdEndsEvicted",   Syntax::kCounter32, &loss<&tcp::EndLosses::evicted>,    kEnds},
};
// clang-format on
static_assert(std::ranges::is_sorted(kEndsScalars, {}, &snmp::ScalarSpec<Data>::id));

}  // namespace

std::unique_ptr<Managed> ended_table() { return table(kEndedTable); }
std::unique_ptr<Managed> reason_table() { return table(kReasonTable); }
std::unique_ptr<Managed> port_ends_table() { return table(kPortEndsTable); }
std::unique_ptr<Managed> remote_ends_table() { return table(kRemoteEndsTable); }
std::unique_ptr<Managed> closed_port_table() { return table(kClosedPortTable); }
std::span<const snmp::ScalarSpec<Data>> ends_scalars() { return kEndsScalars; }

}  // namespace tcpmibd::tables
