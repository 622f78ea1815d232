#include "tcp/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;

struct AddressCase {
  const char* end;  // with a port, as the builders read it
  AddressType type;
  const char* text;
  const char* why;
};

constexpr AddressCase kAddressCases[] = {
    {"10.0.0.1:1", AddressType::kIpv4, "10.0.0.1", "IPv4"},
    {"0.0.0.0:1", AddressType::kIpv4, "0.0.0.0", "any IPv4"},
    {"169.254.7.7:1", AddressType::kIpv4, "169.254.7.7", "IPv4 link-local has no zone"},
    {"[::]:1", AddressType::kIpv6, "::", "any IPv6"},
    {"[::1]:1", AddressType::kIpv6, "::1", "loopback"},
    {"[2001:db8::1%3]:1", AddressType::kIpv6, "2001:db8::1", "a bound device is no zone"},
    {"[fd00::2]:1", AddressType::kIpv6, "fd00::2", "unique local"},
    {"[fec0::1]:1", AddressType::kIpv6, "fec0::1", "site-local"},
    {"[fe7f:ffff::1]:1", AddressType::kIpv6, "fe7f:ffff::1", "just before link-local"},
    {"[fe80::1%2]:1", AddressType::kIpv6z, "fe80::1%2", "link-local"},
    {"[febf:ffff::1%300]:1", AddressType::kIpv6z, "febf:ffff::1%300", "the last link-local"},
    {"[fe80::1]:1", AddressType::kIpv6z, "fe80::1%0", "link-local of an unknown zone"},
    {"[::ffff:10.0.0.1]:1", AddressType::kIpv4, "10.0.0.1", "v4-mapped"},
    {"[::ffff:0.0.0.0]:1", AddressType::kIpv4, "0.0.0.0", "v4-mapped any"},
    {"[::fffe:10.0.0.1]:1", AddressType::kIpv6, "::fffe:a00:1", "almost mapped"},
    {"[1::ffff:10.0.0.1]:1", AddressType::kIpv6, "1::ffff:a00:1", "almost mapped at the front"},
    {"[::10.0.0.1]:1", AddressType::kIpv6, "::10.0.0.1", "v4-compatible is IPv6"},
    {"[ff02::1%2]:1", AddressType::kIpv6, "ff02::1", "no TCP address, and typed all the same"},
};

InetAddress address_of(const char* end, const AddressForms& forms) {
  const SocketId id = listener(end).id;
  return inet_address(id.family, id.local.address, id.interface, forms);
}

TEST(InetAddress, HasTheTypeOfWhatIsSpokenOnTheWire) {
  for (const AddressCase& c : kAddressCases) {
    const InetAddress address = address_of(c.end, {});
    EXPECT_EQ(address.type, c.type) << c.why;
    EXPECT_EQ(to_text(address), c.text) << c.why;
  }
}

TEST(InetAddress, WithoutZonesIsOtherwiseTheSame) {
  for (const AddressCase& c : kAddressCases) {
    const InetAddress plain = address_of(c.end, {.zones = false});
    EXPECT_EQ(plain.zone, 0u) << c.why;
    EXPECT_EQ(plain.octets, address_of(c.end, {}).octets) << c.why;
    EXPECT_EQ(plain.type, c.type == AddressType::kIpv6z ? AddressType::kIpv6 : c.type) << c.why;
  }
}

struct ListenerCase {
  const char* end;
  bool v6only;
  AddressType type;
  const char* text;
};

constexpr ListenerCase kListenerCases[] = {
    {"[::]:22", false, AddressType::kUnknown, "*:22"},
    {"[::%4]:22", false, AddressType::kUnknown, "*:22"},  // bound to a device
    {"[::]:22", true, AddressType::kIpv6, "[::]:22"},
    {"[::1]:22", false, AddressType::kIpv6, "[::1]:22"},
    {"[fe80::1%2]:22", false, AddressType::kIpv6z, "[fe80::1%2]:22"},
    {"0.0.0.0:22", false, AddressType::kIpv4, "0.0.0.0:22"},
    {"[::ffff:0.0.0.0]:22", false, AddressType::kIpv4, "0.0.0.0:22"},
};

TEST(ListenerAddress, IsUnknownForAWildcardOfBothFamiliesAlone) {
  for (const ListenerCase& c : kListenerCases) {
    const Socket socket = listener(c.end, {.v6only = c.v6only});
    const InetAddress address = listener_address(socket, {});
    EXPECT_EQ(address.type, c.type) << c.end;
    EXPECT_EQ(to_text(address, socket.id.local.port), c.text);
    EXPECT_EQ(is_dual_stack_wildcard(socket), c.type == AddressType::kUnknown) << c.end;
  }
}

TEST(ListenerAddress, IsIpv6ForADualStackWildcardWhereTheOperatorWantsThat) {
  const InetAddress address =
      listener_address(listener("[::]:22"), {.dual_stack_as_unknown = false});
  EXPECT_EQ(address.type, AddressType::kIpv6);
  EXPECT_EQ(to_text(address, 22), "[::]:22");
}

TEST(InetAddress, ComparesByTypeThenOctetsThenZone) {
  const char* ascending[] = {"9.255.255.255:1", "10.0.0.0:1",      "127.0.0.1:1",
                             "128.0.0.1:1",     "[::]:1",          "[::1]:1",
                             "[2001::]:1",      "[fd00::]:1",      "[fe80::1%2]:1",
                             "[fe80::1%10]:1",  "[fe80::1%256]:1", "[fe80::2%1]:1"};
  EXPECT_TRUE(
      std::ranges::is_sorted(ascending, {}, [](const char* end) { return address_of(end, {}); }));
  EXPECT_LT(InetAddress{}, address_of("0.0.0.0:1", {})) << "unknown comes first";
}

}  // namespace
}  // namespace tcpmibd::tcp
