#include <limits>

#include "tables/arc.h"
#include "tables/figures.h"
#include "tables/tables.h"

// How near the host's TCP is to its limits.           TCPMIBD-MIB: { tcpmibdObjects 9 }
//
// What the kernel does not report is an instance that is not there, never a zero.

namespace tcpmibd::tables {

namespace {

using tcp::Pressure;

// A Gauge32 latches at its greatest value, a Counter32 wraps (RFC 2578, 7.1.7 and 7.1.6).
std::uint32_t latched(std::uint64_t value) {
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

template <auto kFigure>
std::optional<Value> level(const Data& data) {
  const std::optional<std::uint64_t>& figure = data.pressure->*kFigure;
  return figure ? std::optional<Value>(snmp::Gauge32{latched(*figure)}) : std::nullopt;
}

template <auto kFigure>
std::optional<Value> events(const Data& data) {
  const std::optional<std::uint64_t>& figure = data.pressure->*kFigure;
  return figure ? std::optional<Value>(snmp::Counter32{static_cast<std::uint32_t>(*figure)})
                : std::nullopt;
}

std::optional<Value> ephemeral_ports(const Data& data) {
  const auto& range = data.pressure->ephemeral;
  return range ? std::optional<Value>(snmp::Gauge32{range->size()}) : std::nullopt;
}

// Without a range nobody has looked.
std::optional<Value> ephemeral_used(const Data& data) {
  if (!data.pressure->ephemeral)
    return std::nullopt;
  return snmp::Gauge32{data.survey->ephemeral().used};
}

std::optional<Value> ephemeral_percent(const Data& data) {
  const auto& range = data.pressure->ephemeral;
  const auto percent =
      tcp::percent_of(data.survey->ephemeral().most(), range ? range->size() : std::uint64_t{0});
  return percent ? std::optional<Value>(snmp::Gauge32{latched(*percent)}) : std::nullopt;
}

// Empty while no port is used.
std::optional<Value> ephemeral_local(const Data& data) {
  const tcp::EphemeralFigures& worst = data.survey->ephemeral();
  return snmp::OctetString{worst.used == 0 ? "" : to_text(worst.local)};
}

std::optional<Value> ephemeral_remote(const Data& data) {
  const tcp::EphemeralFigures& worst = data.survey->ephemeral();
  return snmp::OctetString{worst.used == 0 ? "" : to_text(worst.remote, worst.remote_port)};
}

std::optional<Value> ephemeral_bound(const Data& data) {
  if (!data.pressure->ephemeral)
    return std::nullopt;
  return snmp::Gauge32{data.survey->ephemeral().bound};
}

std::optional<Value> ephemeral_bound_local(const Data& data) {
  const tcp::EphemeralFigures& ports = data.survey->ephemeral();
  return snmp::OctetString{ports.bound == 0 ? "" : to_text(ports.bound_local)};
}

std::optional<Value> remotes_left_out(const Data& data) {
  return snmp::Gauge32{data.survey->remotes_left_out()};
}

std::optional<Value> units_left_out(const Data& data) {
  return snmp::Gauge32{data.survey->units_left_out()};
}

std::optional<Value> processes_left_out(const Data& data) {
  return snmp::Gauge32{data.owners->left_out()};
}

constexpr Data::Needs kFiles{.pressure = true};
constexpr Data::Needs kSurvey{.survey = true};
constexpr Data::Needs kBoth{.pressure = true, .survey = true};
constexpr Data::Needs kOwners{.survey = true, .owners = true};

// clang-format off
constexpr snmp::ScalarSpec<Data> kPressureScalars[] = {
    // id  name                         syntax                read                                     needs
    { 1, "tcpmibdOrphans",            Syntax::kGauge32,     &level<&Pressure::orphans>,              kFiles},
    { 2, "tcpmibdOrphansLimit",       Syntax::kGauge32,     &level<&Pressure::orphans_limit>,        kFiles},
    { 3, "tcpmibdTimeWaits",          Syntax::kGauge32,     &level<&Pressure::time_waits>,           kFiles},
    { 4, "tcpmibdTimeWaitsLimit",     Syntax::kGauge32,     &level<&Pressure::time_waits_limit>,     kFiles},
    { 5, "tcpmibdMemoryUsed",         Syntax::kGauge32,     &level<&Pressure::memory_used>,          kFiles},
    { 6, "tcpmibdMemoryLow",          Syntax::kGauge32,     &level<&Pressure::memory_low>,           kFiles},
    { 7, "tcpmibdMemoryPressure",     Syntax::kGauge32,     &level<&Pressure::memory_pressure>,      kFiles},
    { 8, "tcpmibdMemoryLimit",        Syntax::kGauge32,     &level<&Pressure::memory_limit>,         kFiles},
    { 9, "tcpmibdEphemeralPorts",     Syntax::kGauge32,     &ephemeral_ports,                        kFiles},
    {10, "tcpmibdEphemeralUsed",      Syntax::kGauge32,     &ephemeral_used,                         kBoth},
    {11, "tcpmibdEphemeralPercent",   Syntax::kGauge32,     &ephemeral_percent,                      kBoth},
    {12, "tcpmibdEphemeralLocal",     Syntax::kOctetString, &ephemeral_local,                        kSurvey},
    {13, "tcpmibdEphemeralRemote",    Syntax::kOctetString, &ephemeral_remote,                       kSurvey},
    {14, "tcpmibdListenOverflows",    Syntax::kCounter32,   &events<&Pressure::listen_overflows>,    kFiles},
    {15, "tcpmibdListenDrops",        Syntax::kCounter32,   &events<&Pressure::listen_drops>,        kFiles},
    {16, "tcpmibdSynCookiesSent",     Syntax::kCounter32,   &events<&Pressure::syn_cookies_sent>,    kFiles},
    {17, "tcpmibdSynQueueDrops",      Syntax::kCounter32,   &events<&Pressure::syn_queue_drops>,     kFiles},
    {18, "tcpmibdTimeWaitOverflows",  Syntax::kCounter32,   &events<&Pressure::time_wait_overflows>, kFiles},
    {19, "tcpmibdMemoryAborts",       Syntax::kCounter32,   &events<&Pressure::memory_aborts>,       kFiles},
    {20, "tcpmibdTimeoutAborts",      Syntax::kCounter32,   &events<&Pressure::timeout_aborts>,      kFiles},
    {21, "tcpmibdSynRetransmits",     Syntax::kCounter32,   &events<&Pressure::syn_retransmits>,     kFiles},
    {22, "tcpmibdTimeouts",           Syntax::kCounter32,   &events<&Pressure::timeouts>,            kFiles},
    {23, "tcpmibdRemotesLeftOut",     Syntax::kGauge32,     &remotes_left_out,                       kSurvey},
    {24, "tcpmibdUnitsLeftOut",       Syntax::kGauge32,     &units_left_out,                         kSurvey},
    {25, "tcpmibdProcessesLeftOut",   Syntax::kGauge32,     &processes_left_out,                     kOwners},
    {26, "tcpmibdEphemeralBound",     Syntax::kGauge32,     &ephemeral_bound,                        kBoth},
    {27, "tcpmibdEphemeralBoundLocal", Syntax::kOctetString, &ephemeral_bound_local,                 kSurvey},
};
// clang-format on
static_assert(std::ranges::is_sorted(kPressureScalars, {}, &snmp::ScalarSpec<Data>::id));

}  // namespace

std::span<const snmp::ScalarSpec<Data>> pressure_scalars() { return kPressureScalars; }

}  // namespace tcpmibd::tables
