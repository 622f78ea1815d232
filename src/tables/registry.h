#pragma once

#include <span>

#include "tables/data.h"
#include "tables/groups.h"

namespace tcpmibd::tables {

struct Entry {
  Group group;
  const Managed* object;  // lives as long as the program
};

// Everything we serve, in OID order; each entry is registered with the master on its own.
std::span<const Entry> registry();

}  // namespace tcpmibd::tables
