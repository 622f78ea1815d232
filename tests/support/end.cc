#include "support/end.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && stop == text.data() + text.size();
}

std::uint32_t zone_of(const std::string& name) {
  std::uint32_t index = 0;
  return read_number(name, index) ? index : ::if_nametoindex(name.c_str());
}

std::vector<std::uint8_t> octets_of(const std::string& address) {
  if (address == "*")
    return {};
  std::vector<std::uint8_t> octets(address.find(':') == std::string::npos ? 4 : 16);
  if (::inet_pton(octets.size() == 4 ? AF_INET : AF_INET6, address.c_str(), octets.data()) != 1)
    throw Trouble("no address: " + address);
  return octets;
}

// InetAddressType and InetAddress as index: type, length, octets (RFC 4001).
void append_address(Oid& oid, const End& mapped_or_not) {
  const End end = unmapped(mapped_or_not);
  const bool zoned = end.octets.size() == 16 && is_link_local(end);
  const std::uint32_t type = end.octets.empty() ? 0 : end.octets.size() == 4 ? 1 : zoned ? 4 : 2;
  oid.push_back(type);
  oid.push_back(static_cast<std::uint32_t>(end.octets.size()) + (zoned ? 4 : 0));
  oid.insert(oid.end(), end.octets.begin(), end.octets.end());
  for (int shift = 24; zoned && shift >= 0; shift -= 8)
    oid.push_back(end.zone >> shift & 0xff);
  oid.push_back(end.port);
}

}  // namespace

End end_of(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos)
    throw Trouble("no port: " + std::string(text));
  End end;
  const std::string_view port = text.substr(colon + 1);
  if (port != "*" && !read_number(port, end.port))
    throw Trouble("no port: " + std::string(text));

  std::string address(text.substr(0, colon));
  std::erase_if(address, [](char c) { return c == '[' || c == ']'; });
  const std::size_t percent = address.find('%');
  end.octets = octets_of(address.substr(0, percent));
  if (percent != std::string::npos && is_link_local(end))
    end.zone = zone_of(address.substr(percent + 1));
  return end;
}

std::string text(const End& end) {
  const std::string port = ":" + std::to_string(end.port);
  if (end.octets.empty())
    return "*" + port;
  char address[INET6_ADDRSTRLEN];
  const bool v4 = end.octets.size() == 4;
  ::inet_ntop(v4 ? AF_INET : AF_INET6, end.octets.data(), address, sizeof address);
  const std::string zone = end.zone == 0 ? "" : "%" + std::to_string(end.zone);
  return v4 ? address + port : "[" + std::string(address) + zone + "]" + port;
}

std::ostream& operator<<(std::ostream& stream, const End& end) { return stream << text(end); }

End unmapped(End end) {
  if (end.octets.size() == 16 && std::ranges::equal(kMappedPrefix, std::span(end.octets).first(12)))
    end.octets.erase(end.octets.begin(), end.octets.begin() + 12);
  return end;
}

bool is_link_local(const End& end) {
  return end.octets.size() == 16 && end.octets[0] == 0xfe && (end.octets[1] & 0xc0) == 0x80;
}

std::ostream& operator<<(std::ostream& stream, const Ends& ends) {
  return stream << text(ends.local) << " -> " << text(ends.remote);
}

Oid oid_of(std::string_view text) {
  Oid oid;
  while (!text.empty()) {
    if (text.front() == '.')
      text.remove_prefix(1);
    const std::size_t length = std::min(text.find('.'), text.size());
    if (!read_number(text.substr(0, length), oid.emplace_back()))
      throw Trouble("no OID: " + std::string(text));
    text.remove_prefix(length);
  }
  return oid;
}

std::string text(const Oid& oid) {
  std::string text;
  for (const std::uint32_t number : oid)
    text += (text.empty() ? "" : ".") + std::to_string(number);
  return text;
}

Oid connection_cell(unsigned column, const Ends& ends) {
  Oid oid{1, 3, 6, 1, 2, 1, 6, 19, 1, column};
  append_address(oid, ends.local);
  append_address(oid, ends.remote);
  return oid;
}

Oid listener_cell(const End& local) {
  Oid oid{1, 3, 6, 1, 2, 1, 6, 20, 1, 4};
  append_address(oid, local);
  return oid;
}

Oid legacy_cell(unsigned column, const Ends& ends) {
  Oid oid{1, 3, 6, 1, 2, 1, 6, 13, 1, column};
  for (const End& end : {unmapped(ends.local), unmapped(ends.remote)}) {
    oid.insert(oid.end(), end.octets.begin(), end.octets.end());
    oid.push_back(end.port);
  }
  return oid;
}

}  // namespace tcpmibd::lab
