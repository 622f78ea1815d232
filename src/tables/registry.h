#pragma once

#include <span>
#include <string_view>

#include "tables/data.h"

namespace tcpmibd::tables {

// The groups that `[mib] tables` of the configuration names.
enum class Group : std::uint8_t { kScalars, kConnections, kListeners, kLegacy, kTcpmibd };

struct Entry {
  Group group;
  const Managed* object;  // lives as long as the program
};

// Everything we serve, in OID order; each entry is registered with the master on its own.
std::span<const Entry> registry();

}  // namespace tcpmibd::tables
