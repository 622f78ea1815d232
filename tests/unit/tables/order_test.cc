#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/builders.h"

// Rows in the order a walk must give them, each pair a trap for some wrong way to sort: as text,
// as little-endian words, ports before addresses, signed octets, zones as numbers.

namespace tcpmibd::tables {
namespace {

using namespace lab;

struct Ranked {
  const char* name;  // below `tcp`
  tcp::Socket socket;
  const char* why;
};

// clang-format off
const std::vector<Ranked> kConnections = {
    {"19.1.7.1.4.9.0.0.1.80.1.4.192.0.2.1.5000", established("9.0.0.1:80", "192.0.2.1:5000"), "9.x before 10.x"},
    {"19.1.7.1.4.10.0.0.1.80.1.4.9.0.0.1.60000", established("10.0.0.1:80", "9.0.0.1:60000"), "remote address before remote port"},
    {"19.1.7.1.4.10.0.0.1.80.1.4.192.0.2.1.5000", established("10.0.0.1:80", "192.0.2.1:5000"), "port 80"},
    {"19.1.7.1.4.10.0.0.1.80.1.4.192.0.2.1.10000", established("10.0.0.1:80", "192.0.2.1:10000"), "remote port is last key"},
    {"19.1.7.1.4.10.0.0.1.443.1.4.192.0.2.1.5000", established("10.0.0.1:443", "192.0.2.1:5000"), "port 443"},
    {"19.1.7.1.4.10.0.0.1.8080.1.4.192.0.2.1.5000", established("10.0.0.1:8080", "192.0.2.1:5000"), "port 8080 after 443"},
    {"19.1.7.1.4.10.0.1.0.80.1.4.192.0.2.1.5000", established("10.0.1.0:80", "192.0.2.1:5000"), "little-endian word trap"},
    {"19.1.7.1.4.100.0.0.1.80.1.4.192.0.2.1.5000", established("100.0.0.1:80", "192.0.2.1:5000"), "100.x after 10.x"},
    {"19.1.7.1.4.127.0.0.1.80.1.4.192.0.2.1.5000", established("127.0.0.1:80", "192.0.2.1:5000"), "127 < 128"},
    {"19.1.7.1.4.128.0.0.1.80.1.4.192.0.2.1.5000", established("128.0.0.1:80", "192.0.2.1:5000"), "octet >= 128 (signed-char trap)"},
    {"19.1.7.1.4.255.255.255.255.80.1.4.192.0.2.1.5000", established("255.255.255.255:80", "192.0.2.1:5000"), "largest ipv4 still before any ipv6"},
    {"19.1.7.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.80.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.5000", established("[::1]:80", "[::1]:5000"), "smallest ipv6"},
    {"19.1.7.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.80.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.2.5000", established("[2001:db8::1]:80", "[2001:db8::2]:5000"), "ipv6"},
    {"19.1.7.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.80.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.9.0.0.0.2.5000", established("[2001:db8::1]:80", "[fe80::9%2]:5000"), "same local, remote ipv6z"},
    {"19.1.7.2.16.253.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.80.2.16.253.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.5000", established("[fd00::1]:80", "[fd00::2]:5000"), "ipv6"},
    {"19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.80.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.2.5000", established("[fe80::1%2]:80", "[2001:db8::2]:5000"), "local ipv6z sorts after every ipv6"},
    {"19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.80.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.2.5000", established("[fe80::1%2]:80", "[fe80::2%2]:5000"), "ipv6z zone 2"},
    {"19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.10.80.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.10.5000", established("[fe80::1%10]:80", "[fe80::2%10]:5000"), "zone 10 after zone 2"},
    {"19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.1.0.80.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.1.0.5000", established("[fe80::1%256]:80", "[fe80::2%256]:5000"), "zone 256 = 0.0.1.0 after zone 10 = 0.0.0.10"},
};

const std::vector<Ranked> kListeners = {
    {"20.1.4.0.0.22", listener("[::]:22"), "unknown"},
    {"20.1.4.0.0.80", listener("[::]:80"), "unknown"},
    {"20.1.4.0.0.443", listener("[::]:443"), "unknown"},
    {"20.1.4.0.0.8080", listener("[::]:8080"), "unknown"},
    {"20.1.4.0.0.65535", listener("[::]:65535"), "unknown: all ports before any ipv4"},
    {"20.1.4.1.4.0.0.0.0.21", listener("0.0.0.0:21"), "ipv4 any"},
    {"20.1.4.1.4.0.0.0.0.80", listener("0.0.0.0:80"), "ipv4 any"},
    {"20.1.4.1.4.9.9.9.9.80", listener("9.9.9.9:80"), "ipv4"},
    {"20.1.4.1.4.10.0.0.1.8", listener("10.0.0.1:8"), "ipv4, low port but higher address"},
    {"20.1.4.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.22", listener("[::]:22", {.v6only = true}), "ipv6 any, v6only"},
    {"20.1.4.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.22", listener("[::1]:22"), "ipv6"},
    {"20.1.4.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22", listener("[fe80::1%2]:22"), "ipv6z"},
};
// clang-format on

void expect_order(std::string_view table, const std::vector<Ranked>& ranked) {
  // Any order in must give the one order out.
  std::vector<tcp::Socket> sockets;
  std::ranges::transform(ranked, std::back_inserter(sockets), &Ranked::socket);
  std::ranges::rotate(sockets, sockets.begin() + 7);
  std::ranges::reverse(sockets.begin(), sockets.begin() + 5);

  const Host host(sockets);
  const std::vector<snmp::Cell> cells = walk(managed(table), host.data());
  ASSERT_GE(cells.size(), ranked.size());
  for (std::size_t i = 0; i < ranked.size(); ++i)
    EXPECT_EQ(cells[i].name, tcp_oid(ranked[i].name)) << i << ": " << ranked[i].why;
}

TEST(Order, OfConnectionsIsThatOfTheirNames) { expect_order("tcpConnectionTable", kConnections); }

TEST(Order, OfListenersIsThatOfTheirNames) { expect_order("tcpListenerTable", kListeners); }

}  // namespace
}  // namespace tcpmibd::tables
