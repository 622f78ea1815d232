#pragma once

#include <cstdint>
#include <set>
#include <string_view>

namespace tcpmibd::tables {

// What `[mib] tables` of the configuration names, each with its word there.
enum class Group : std::uint8_t { kScalars, kConnections, kListeners, kLegacy, kTcpmibd };

struct NamedGroup {
  std::string_view word;
  Group group;
};

inline constexpr NamedGroup kGroups[] = {
    {"scalars", Group::kScalars},     {"connections", Group::kConnections},
    {"listeners", Group::kListeners}, {"legacy", Group::kLegacy},
    {"tcpmibd", Group::kTcpmibd},
};

using Groups = std::set<Group>;

inline Groups every_group() {
  Groups groups;
  for (const NamedGroup& each : kGroups)
    groups.insert(each.group);
  return groups;
}

}  // namespace tcpmibd::tables
