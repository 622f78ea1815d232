#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "tcp/socket.h"

namespace tcpmibd::tcp {

// InetAddressType (RFC 4001); the values we produce.
enum class AddressType : std::uint8_t { kUnknown = 0, kIpv4 = 1, kIpv6 = 2, kIpv6z = 4 };

// An InetAddressType with its InetAddress.
//
// Compares as its sub-identifiers do: the type decides the length, and the zone's four octets
// (big-endian) come last.
struct InetAddress {
  AddressType type = AddressType::kUnknown;
  Octets octets{};         // as in Endpoint
  std::uint32_t zone = 0;  // interface index; 0 unless kIpv6z

  auto operator<=>(const InetAddress&) const = default;
};

// The forms an operator may choose between, for managers that cannot read those of the RFC.
struct AddressForms {
  bool zones = true;                  // false: a link-local address is ipv6(2), its zone dropped
  bool dual_stack_as_unknown = true;  // false: a dual-stack wildcard listener is ipv6(2) `::`
};

// The one place where an address gets its type.
//
// v4-mapped is ipv4: the type says what is spoken on the wire (RFC 4022, tcpConnectionTable).
// fe80::/10 is ipv6z with the interface as its zone; each end is typed alone.
InetAddress inet_address(Family family, const Octets& address, std::uint32_t interface,
                         const AddressForms& forms);

// As above, and a wildcard that serves both families is unknown(0) with a zero-length address
// (RFC 4022, tcpListenerLocalAddressType).
InetAddress listener_address(const Socket& listener, const AddressForms& forms);

// A listener on `::` that takes IPv4 connections too.
bool is_dual_stack_wildcard(const Socket& listener);

// "10.0.0.1", "fe80::1%2", "*" for unknown.
std::string to_text(const InetAddress& address);

// "10.0.0.1:443", "[::1]:443", "*:443".
std::string to_text(const InetAddress& address, std::uint16_t port);

}  // namespace tcpmibd::tcp
