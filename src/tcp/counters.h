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

// What one read of /proc/net/snmp told. IPv4 and IPv6 together, of one network namespace.
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

 private:
  std::array<std::optional<std::uint64_t>, kCounterCount> values_{};
  std::optional<std::int64_t> max_conn_;
};

}  // namespace tcpmibd::tcp
