#pragma once

#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace tcpmibd::lab {

// One end of a connection, or where a listener listens.
//
// Written without any help of tcpmibd's own code, for it judges that code.
struct End {
  std::vector<std::uint8_t> octets{};  // 4 or 16; none: the wildcard of both families at once
  std::uint32_t zone = 0;              // interface index, of a link-local address only
  std::uint16_t port = 0;

  auto operator<=>(const End&) const = default;
};

// "10.0.0.1:80", "[fd77::1]:80", "[fe80::1%2]:80", "*:80". A port "*" is 0; a zone is a number
// or the name of a device of the calling thread's namespace.
End end_of(std::string_view text);

// end_of() reads it back to the same.
std::string text(const End& end);
std::ostream& operator<<(std::ostream& stream, const End& end);

// ::ffff:10.0.0.1 as 10.0.0.1; every other end as it is.
End unmapped(End end);

bool is_link_local(const End& end);

// A connection as one of its ends sees it.
struct Ends {
  End local, remote;

  auto operator<=>(const Ends&) const = default;
};
std::ostream& operator<<(std::ostream& stream, const Ends& ends);

using Oid = std::vector<std::uint32_t>;

// "1.3.6.1" and ".1.3.6.1" alike.
Oid oid_of(std::string_view text);
std::string text(const Oid& oid);

// Names of rows by RFC 4022, mapped addresses as ipv4, a both-family wildcard as unknown(0).
inline constexpr unsigned kStateColumn = 7;
inline constexpr unsigned kProcessColumn = 8;
Oid connection_cell(unsigned column, const Ends& ends);  // tcpConnectionTable
Oid listener_cell(const End& local);                     // tcpListenerProcess
Oid legacy_cell(unsigned column, const Ends& ends);      // tcpConnTable; IPv4 only

}  // namespace tcpmibd::lab
