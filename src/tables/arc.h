#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "snmp/oid.h"

namespace tcpmibd::tables {

// Where everything of our own hangs: netSnmpPlaypen.4022, an arc that anybody may use for
// experiments. The only place that knows it.
inline constexpr snmp::SubId kArc[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 4022};

// An OID below the arc: own({1, 2}) is kArc.1.2.
template <std::size_t kLength>
constexpr auto own(const snmp::SubId (&tail)[kLength]) {
  std::array<snmp::SubId, std::size(kArc) + kLength> oid{};
  std::ranges::copy(tail, std::ranges::copy(kArc, oid.begin()).out);
  return oid;
}

}  // namespace tcpmibd::tables
