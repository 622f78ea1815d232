#pragma once

#include <algorithm>
#include <string>

#include "fuzz/target.h"
#include "snmp/oid.h"
#include "snmp/value.h"

namespace tcpmibd::fuzz {

// `from`, and so many sub-identifiers as the next octet says: of an octet, or of all four.
inline snmp::Oid drawn_name(Draw& draw, snmp::Oid from) {
  const std::uint8_t how = draw.octet();
  for (std::size_t left = how / 2; left > 0 && !draw.is_empty(); --left)
    from.append(how % 2 == 0 ? draw.octet() : draw.number<snmp::SubId>());
  return from;
}

// Of any syntax.
inline snmp::Value drawn_value(Draw& draw) {
  switch (static_cast<snmp::Syntax>(draw.octet() % 8)) {
    case snmp::Syntax::kInteger:
      return snmp::Integer{draw.number<std::int32_t>()};
    case snmp::Syntax::kCounter32:
      return snmp::Counter32{draw.number<std::uint32_t>()};
    case snmp::Syntax::kGauge32:
      return snmp::Gauge32{draw.number<std::uint32_t>()};
    case snmp::Syntax::kTimeTicks:
      return snmp::TimeTicks{draw.number<std::uint32_t>()};
    case snmp::Syntax::kCounter64:
      return snmp::Counter64{draw.number<std::uint64_t>()};
    case snmp::Syntax::kIpAddress: {
      snmp::IpAddress address{};
      std::ranges::copy(draw.octets(address.octets.size()), address.octets.begin());
      return address;
    }
    case snmp::Syntax::kOctetString:
      return snmp::OctetString{std::string(text_of(draw.piece()))};
    case snmp::Syntax::kObjectId:
      return drawn_name(draw, snmp::Oid{1, 3});
  }
  return snmp::Integer{0};
}

}  // namespace tcpmibd::fuzz
