#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"

namespace tcpmibd::tcp {

// The kernel's TCP counters, in the order of the MIB's scalars.
enum class Counter : std::uint8_t {
  kRtoAlgorithm,
  kRtoMin,
  kRtoMax,
  kMaxConn,
  kActiveOpens,
  kPassiveOpens,
  kAttemptFails,
  kEstabResets,
  kCurrEstab,
  kInSegs,
  kOutSegs,
  kRetransSegs,
  kInErrs,
  kOutRsts,
};

inline constexpr std::size_t kCounterCount = 14;

// What one read of /proc/net/snmp and of two sysctls gave. IPv4 and IPv6 together, of one network
// namespace.
class Counters {
 public:
  // None where this kernel has no such column. Signed for kMaxConn alone (-1: dynamic); others
  // are the kernel's 64 bits, of which the values in use stay far below the sign.
  std::optional<std::uint64_t> value(Counter counter) const {
    return values_[static_cast<std::size_t>(counter)];
  }
  std::optional<std::int64_t> max_conn() const { return max_conn_; }

  // Finds the two lines that begin with `Tcp:` and pairs header words with numbers: kernels may
  // append columns, so no position is taken for granted.
  static Result<Counters> parse(std::string_view proc_net_snmp);

  // What new connections begin with, where that can be set: net.ipv4.tcp_rto_min_us and
  // tcp_rto_max_ms. /proc/net/snmp has constants of the kernel's source in their place. A text that
  // is no number makes the value unknown. Parts of a millisecond are a whole one.
  void set_rto_min(std::string_view microseconds);
  void set_rto_max(std::string_view milliseconds);

  void forget(Counter counter) { of(counter).reset(); }

 private:
  std::optional<std::uint64_t>& of(Counter counter) {
    return values_[static_cast<std::size_t>(counter)];
  }

  std::array<std::optional<std::uint64_t>, kCounterCount> values_{};
  std::optional<std::int64_t> max_conn_;
};

}  // namespace tcpmibd::tcp
