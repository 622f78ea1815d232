#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "snmp/oid.h"

namespace tcpmibd::snmp {

// The syntaxes of SMIv2 (RFC 2578, 7.1) that our objects use, each a type of its own so that a
// counter cannot be served as a gauge by accident.
struct Integer {
  std::int32_t value;
  bool operator==(const Integer&) const = default;
};
struct Counter32 {
  std::uint32_t value;
  bool operator==(const Counter32&) const = default;
};
struct Gauge32 {  // Unsigned32 has the same tag.
  std::uint32_t value;
  bool operator==(const Gauge32&) const = default;
};
struct TimeTicks {  // hundredths of a second
  std::uint32_t value;
  bool operator==(const TimeTicks&) const = default;
};
struct Counter64 {
  std::uint64_t value;
  bool operator==(const Counter64&) const = default;
};
struct IpAddress {  // network order
  std::array<std::uint8_t, 4> octets;
  bool operator==(const IpAddress&) const = default;
};
// None unless there are four.
std::optional<IpAddress> ip_address_of(std::string_view octets);
struct OctetString {
  std::string octets;
  bool operator==(const OctetString&) const = default;
};

using Value =
    std::variant<Integer, Counter32, Gauge32, TimeTicks, Counter64, IpAddress, OctetString, Oid>;

// The tag of a Value, in the order of its alternatives; what a column promises to answer.
enum class Syntax : std::uint8_t {
  kInteger,
  kCounter32,
  kGauge32,
  kTimeTicks,
  kCounter64,
  kIpAddress,
  kOctetString,
  kObjectId,
};

inline Syntax syntax_of(const Value& value) { return static_cast<Syntax>(value.index()); }

// "Gauge32", as SMIv2 writes it.
std::string_view name_of(Syntax syntax);

enum class Access : std::uint8_t { kNotAccessible, kReadOnly, kReadWrite, kNotify };

// "read-only", as SMIv2 writes it.
std::string_view name_of(Access access);

}  // namespace tcpmibd::snmp
