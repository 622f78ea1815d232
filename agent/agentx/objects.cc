#include "agent/agentx/objects.h"

#include <algorithm>

namespace tcpmibd::agent::agentx {

Objects::Objects(std::span<const tables::Managed* const> objects)
    : objects_(objects.begin(), objects.end()) {
  std::ranges::sort(objects_, {}, &tables::Managed::root);
}

// The last root that does not come after the name is the only one that can hold it.
const tables::Managed* Objects::holding(snmp::OidView name) const {
  const auto later =
      std::ranges::upper_bound(objects_, snmp::Oid(name), {}, &tables::Managed::root);
  if (later == objects_.begin())
    return nullptr;
  const tables::Managed* candidate = *std::prev(later);
  return snmp::starts_with(name, candidate->root()) ? candidate : nullptr;
}

const tables::Managed* Objects::after(snmp::OidView name) const {
  const auto later =
      std::ranges::upper_bound(objects_, snmp::Oid(name), {}, &tables::Managed::root);
  return later == objects_.end() ? nullptr : *later;
}

}  // namespace tcpmibd::agent::agentx
