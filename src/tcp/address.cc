#include "tcp/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace tcpmibd::tcp {

namespace {

constexpr std::size_t kMappedPrefix = 12;

// ::ffff:0:0/96 (RFC 4291, 2.5.5.2).
bool is_v4_mapped(const Octets& address) {
  return std::ranges::all_of(address.begin(), address.begin() + 10,
                             [](auto o) { return o == 0; }) &&
         address[10] == 0xff && address[11] == 0xff;
}

// fe80::/10 (RFC 4291, 2.5.6).
bool is_link_local(const Octets& address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

bool is_wildcard(const Octets& address) {
  return std::ranges::all_of(address, [](auto octet) { return octet == 0; });
}

Octets unmapped(const Octets& address) {
  Octets plain{};
  std::copy(address.begin() + kMappedPrefix, address.end(), plain.begin());
  return plain;
}

}  // namespace

InetAddress inet_address(Family family, const Octets& address, std::uint32_t interface,
                         const AddressForms& forms) {
  if (family == Family::kIpv4)
    return {AddressType::kIpv4, address, 0};
  if (is_v4_mapped(address))
    return {AddressType::kIpv4, unmapped(address), 0};
  if (is_link_local(address) && forms.zones)
    return {AddressType::kIpv6z, address, interface};
  return {AddressType::kIpv6, address, 0};
}

bool is_dual_stack_wildcard(const Socket& listener) {
  return listener.id.family == Family::kIpv6 && is_wildcard(listener.id.local.address) &&
         !listener.v6only;
}

InetAddress listener_address(const Socket& listener, const AddressForms& forms) {
  if (is_dual_stack_wildcard(listener) && forms.dual_stack_as_unknown)
    return {};
  return inet_address(listener.id.family, listener.id.local.address, listener.id.interface, forms);
}

std::string to_text(const InetAddress& address) {
  if (address.type == AddressType::kUnknown)
    return "*";
  const int family = address.type == AddressType::kIpv4 ? AF_INET : AF_INET6;
  char text[INET6_ADDRSTRLEN];
  inet_ntop(family, address.octets.data(), text, sizeof text);
  std::string result = text;
  if (address.type == AddressType::kIpv6z)
    result += "%" + std::to_string(address.zone);
  return result;
}

std::string to_text(const InetAddress& address, std::uint16_t port) {
  const bool bracketed = address.type == AddressType::kIpv6 || address.type == AddressType::kIpv6z;
  const std::string host = to_text(address);
  return (bracketed ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace tcpmibd::tcp
