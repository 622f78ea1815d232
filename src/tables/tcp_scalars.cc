#include <limits>

#include "tables/tables.h"

// The scalars of TCP-MIB, RFC 4022: { tcp 1 } to { tcp 18 }. tcp.16 was a table of RFC 2452 and is
// never answered.

namespace tcpmibd::tables {

namespace {

using tcp::Counter;

constexpr std::int32_t kRtoOther = 1;  // tcpRtoAlgorithm: other(1)

std::optional<std::uint64_t> kernel(const Data& data, Counter counter) {
  return data.counters == nullptr ? std::nullopt : data.counters->value(counter);
}

std::int32_t capped(std::uint64_t value) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::min(value, kMost));
}

// The kernel has printed 0, which is no legal value of the object.
std::optional<Value> rto_algorithm(const Data& data) {
  if (data.counters == nullptr)
    return std::nullopt;
  const std::int32_t algorithm = capped(kernel(data, Counter::kRtoAlgorithm).value_or(0));
  return snmp::Integer{algorithm == 0 ? kRtoOther : algorithm};
}

template <Counter kCounter>
std::optional<Value> timeout(const Data& data) {
  const auto value = kernel(data, kCounter);
  return value ? std::optional<Value>(snmp::Integer{capped(*value)}) : std::nullopt;
}

// -1 says that the limit is dynamic.
std::optional<Value> max_conn(const Data& data) {
  if (data.counters == nullptr || !data.counters->max_conn())
    return std::nullopt;
  const std::int64_t most = *data.counters->max_conn();
  return snmp::Integer{most < 0 ? -1 : capped(static_cast<std::uint64_t>(most))};
}

// A Counter32 is the low half of the kernel's 64 bits: it wraps, it never saturates (RFC
// 2578, 7.1.6).
template <Counter kCounter>
std::optional<Value> low_half(const Data& data) {
  const auto value = kernel(data, kCounter);
  return value ? std::optional<Value>(snmp::Counter32{static_cast<std::uint32_t>(*value)})
               : std::nullopt;
}

template <Counter kCounter>
std::optional<Value> whole(const Data& data) {
  const auto value = kernel(data, kCounter);
  return value ? std::optional<Value>(snmp::Counter64{*value}) : std::nullopt;
}

// A Gauge32 latches at its greatest value (RFC 2578, 7.1.7).
std::optional<Value> curr_estab(const Data& data) {
  const auto value = kernel(data, Counter::kCurrEstab);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return value ? std::optional<Value>(
                     snmp::Gauge32{static_cast<std::uint32_t>(std::min(*value, kMost))})
               : std::nullopt;
}

constexpr Data::Needs kCounterNeeds{.counters = true};

// clang-format off
constexpr snmp::ScalarSpec<Data> kTcpScalars[] = {
    // id  name              syntax               read
    { 1, "tcpRtoAlgorithm", Syntax::kInteger,   &rto_algorithm, kCounterNeeds},
    { 2, "tcpRtoMin",       Syntax::kInteger,   &timeout<Counter::kRtoMin>, kCounterNeeds},
    { 3, "tcpRtoMax",       Syntax::kInteger,   &timeout<Counter::kRtoMax>, kCounterNeeds},
    { 4, "tcpMaxConn",      Syntax::kInteger,   &max_conn, kCounterNeeds},
    { 5, "tcpActiveOpens",  Syntax::kCounter32, &low_half<Counter::kActiveOpens>, kCounterNeeds},
    { 6, "tcpPassiveOpens", Syntax::kCounter32, &low_half<Counter::kPassiveOpens>, kCounterNeeds},
    { 7, "tcpAttemptFails", Syntax::kCounter32, &low_half<Counter::kAttemptFails>, kCounterNeeds},
    { 8, "tcpEstabResets",  Syntax::kCounter32, &low_half<Counter::kEstabResets>, kCounterNeeds},
    { 9, "tcpCurrEstab",    Syntax::kGauge32,   &curr_estab, kCounterNeeds},
    {10, "tcpInSegs",       Syntax::kCounter32, &low_half<Counter::kInSegs>, kCounterNeeds},
    {11, "tcpOutSegs",      Syntax::kCounter32, &low_half<Counter::kOutSegs>, kCounterNeeds},
    {12, "tcpRetransSegs",  Syntax::kCounter32, &low_half<Counter::kRetransSegs>, kCounterNeeds},
    {14, "tcpInErrs",       Syntax::kCounter32, &low_half<Counter::kInErrs>, kCounterNeeds},
    {15, "tcpOutRsts",      Syntax::kCounter32, &low_half<Counter::kOutRsts>, kCounterNeeds},
    {17, "tcpHCInSegs",     Syntax::kCounter64, &whole<Counter::kInSegs>, kCounterNeeds},
    {18, "tcpHCOutSegs",    Syntax::kCounter64, &whole<Counter::kOutSegs>, kCounterNeeds},
};
// clang-format on
static_assert(std::ranges::is_sorted(kTcpScalars, {}, &snmp::ScalarSpec<Data>::id));

}  // namespace

std::span<const snmp::ScalarSpec<Data>> tcp_scalars() { return kTcpScalars; }

}  // namespace tcpmibd::tables
