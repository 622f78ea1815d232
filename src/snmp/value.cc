#include "snmp/value.h"

#include <algorithm>

namespace tcpmibd::snmp {

std::optional<IpAddress> ip_address_of(std::string_view octets) {
  IpAddress address{};
  if (octets.size() != address.octets.size())
    return std::nullopt;
  std::ranges::copy(octets, address.octets.begin());
  return address;
}

std::string_view name_of(Syntax syntax) {
  constexpr std::string_view kNames[] = {"Integer32",    "Counter32",        "Gauge32",
                                         "TimeTicks",    "Counter64",        "IpAddress",
                                         "OCTET STRING", "OBJECT IDENTIFIER"};
  return kNames[static_cast<std::size_t>(syntax)];
}

std::string_view name_of(Access access) {
  constexpr std::string_view kNames[] = {"not-accessible", "read-only", "read-write",
                                         "accessible-for-notify"};
  return kNames[static_cast<std::size_t>(access)];
}

}  // namespace tcpmibd::snmp
