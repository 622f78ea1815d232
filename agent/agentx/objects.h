#pragma once

#include <span>
#include <vector>

#include "tables/data.h"

namespace tcpmibd::agent::agentx {

// What we register with a master, in the order of the roots. No root lies below another one.
class Objects {
 public:
  // They outlive it.
  explicit Objects(std::span<const tables::Managed* const> objects);

  // The object whose root `name` begins with; null where there is none.
  const tables::Managed* holding(snmp::OidView name) const;

  // The first object whose root comes after `name`; null at the end.
  const tables::Managed* after(snmp::OidView name) const;

  std::span<const tables::Managed* const> all() const { return objects_; }

 private:
  std::vector<const tables::Managed*> objects_;
};

}  // namespace tcpmibd::agent::agentx
