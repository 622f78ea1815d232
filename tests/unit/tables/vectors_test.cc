#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "support/builders.h"

// Sockets and the rows that the TCP-MIB (RFC 4022) asks for, one by one.

namespace tcpmibd::tables {
namespace {

using namespace lab;
using snmp::Gauge32;
using snmp::Integer;
using snmp::IpAddress;
using tcp::State;
using testing::ElementsAre;
using testing::IsEmpty;

struct Vector {
  const char* number;
  const char* why;  // empty: nothing special
  std::vector<tcp::Socket> sockets;
  const char* instance;  // below `tcp`
  Value value;
  std::optional<std::uint32_t> process;  // of a connection; column 8 beside the state in column 7
};

const std::vector<Vector> kVectors = {
    {"V1",
     "",
     {established("10.0.0.1:22", "10.0.0.2:50000", {.inode = 4242})},
     "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.2.50000",
     Integer{5},
     4242},
    {"V2",
     "",
     {established("9.255.255.255:80", "203.0.113.9:1024",
                  {.state = State::kCloseWait, .inode = 77})},
     "19.1.7.1.4.9.255.255.255.80.1.4.203.0.113.9.1024",
     Integer{8},
     77},
    {"V3",
     "inode 0 (orphaned by close)",
     {established("192.0.2.200:443", "198.51.100.130:65535", {.state = State::kFinWait1})},
     "19.1.7.1.4.192.0.2.200.443.1.4.198.51.100.130.65535",
     Integer{6},
     0},
    {"V4",
     "time-wait minisocket, inode always 0",
     {established("127.0.0.1:8080", "127.0.0.1:33000", {.state = State::kTimeWait})},
     "19.1.7.1.4.127.0.0.1.8080.1.4.127.0.0.1.33000",
     Integer{11},
     0},
    {"V5",
     "request socket; diag reports it as SYN_RECV(3)",
     {established("10.0.0.1:25", "10.0.0.7:4000", {.state = State::kSynReceived})},
     "19.1.7.1.4.10.0.0.1.25.1.4.10.0.0.7.4000",
     Integer{4},
     0},
    {"V6",
     "established but still in accept queue: inode 0",
     {established("10.0.0.1:25", "10.0.0.8:4001")},
     "19.1.7.1.4.10.0.0.1.25.1.4.10.0.0.8.4001",
     Integer{5},
     0},
    {"V7",
     "",
     {established("10.0.0.1:40000", "10.0.0.9:9", {.state = State::kSynSent, .inode = 900})},
     "19.1.7.1.4.10.0.0.1.40000.1.4.10.0.0.9.9",
     Integer{3},
     900},
    {"V8",
     "tw_substate FIN_WAIT2 minisocket",
     {established("10.0.0.1:40001", "10.0.0.9:80", {.state = State::kFinWait2})},
     "19.1.7.1.4.10.0.0.1.40001.1.4.10.0.0.9.80",
     Integer{7},
     0},
    {"V9",
     "",
     {established("10.0.0.1:40002", "10.0.0.9:80", {.state = State::kLastAck})},
     "19.1.7.1.4.10.0.0.1.40002.1.4.10.0.0.9.80",
     Integer{9},
     0},
    {"V10",
     "",
     {established("10.0.0.1:40003", "10.0.0.9:80", {.state = State::kClosing})},
     "19.1.7.1.4.10.0.0.1.40003.1.4.10.0.0.9.80",
     Integer{10},
     0},
    {"V11",
     "",
     {established("[2001:db8::1]:443", "[2001:db8:0:1::ff]:50001", {.inode = 4242})},
     "19.1.7.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1.443.2.16.32.1.13.184.0.0.0.1.0.0.0.0.0.0.0."
     "255.50001",
     Integer{5},
     4242},
    {"V12",
     "loopback is plain ipv6(2), no zone",
     {established("[::1]:631", "[::1]:50002", {.inode = 10})},
     "19.1.7.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.631.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.50002",
     Integer{5},
     10},
    {"V13",
     "ULA is global scope: ipv6(2)",
     {established("[fd00::2]:22", "[fd00::3]:50003", {.inode = 11})},
     "19.1.7.2.16.253.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.22.2.16.253.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3."
     "50003",
     Integer{5},
     11},
    {"V14",
     "mapped: must be ipv4(1)",
     {established("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.2]:50004", {.inode = 4242})},
     "19.1.7.1.4.10.0.0.1.443.1.4.10.0.0.2.50004",
     Integer{5},
     4242},
    {"V15",
     "mapped time-wait",
     {established("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.2]:50005", {.state = State::kTimeWait})},
     "19.1.7.1.4.10.0.0.1.443.1.4.10.0.0.2.50005",
     Integer{11},
     0},
    {"V16",
     "both link-local",
     {established("[fe80::1]:22", "[fe80::2]:50006", {.interface = 2, .inode = 11})},
     "19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22.4.20.254.128.0.0.0.0.0.0.0.0.0.0."
     "0.0.0.2.0.0.0.2.50006",
     Integer{5},
     11},
    {"V17",
     "same 4-tuple on another interface: distinct row",
     {established("[fe80::1]:22", "[fe80::2]:50006", {.interface = 300, .inode = 12})},
     "19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.1.44.22.4.20.254.128.0.0.0.0.0.0.0.0.0.0."
     "0.0.0.2.0.0.1.44.50006",
     Integer{5},
     12},
    {"V18",
     "mixed scopes: each end typed on its own",
     {established("[fe80::1]:22", "[2001:db8::9]:50007", {.interface = 2, .inode = 11})},
     "19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22.2.16.32.1.13.184.0.0.0.0.0.0.0.0."
     "0.0.0.9.50007",
     Integer{5},
     11},
    {"V19",
     "IPv4 link-local kept as ipv4(1)",
     {established("169.254.7.7:22", "169.254.7.8:50008", {.interface = 2, .inode = 11})},
     "19.1.7.1.4.169.254.7.7.22.1.4.169.254.7.8.50008",
     Integer{5},
     11},
    {"V20",
     "dual stack",
     {listener("[::]:22", {.inode = 800})},
     "20.1.4.0.0.22",
     Gauge32{800},
     std::nullopt},
    {"V21",
     "",
     {listener("[::]:8080", {.v6only = true, .inode = 801})},
     "20.1.4.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8080",
     Gauge32{801},
     std::nullopt},
    {"V22",
     "",
     {listener("0.0.0.0:80", {.inode = 802})},
     "20.1.4.1.4.0.0.0.0.80",
     Gauge32{802},
     std::nullopt},
    {"V23",
     "mapped wildcard = IPv4 only",
     {listener("[::ffff:0.0.0.0]:81", {.inode = 803})},
     "20.1.4.1.4.0.0.0.0.81",
     Gauge32{803},
     std::nullopt},
    {"V24",
     "mapped specific = IPv4",
     {listener("[::ffff:127.0.0.1]:7004", {.inode = 804})},
     "20.1.4.1.4.127.0.0.1.7004",
     Gauge32{804},
     std::nullopt},
    {"V25",
     "",
     {listener("127.0.0.1:25", {.inode = 805})},
     "20.1.4.1.4.127.0.0.1.25",
     Gauge32{805},
     std::nullopt},
    {"V26",
     "specific IPv6: v6only is irrelevant",
     {listener("[::1]:631", {.inode = 806})},
     "20.1.4.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.631",
     Gauge32{806},
     std::nullopt},
    {"V27",
     "",
     {listener("[fe80::1]:546", {.interface = 2, .v6only = true, .inode = 807})},
     "20.1.4.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.546",
     Gauge32{807},
     std::nullopt},
    {"V28",
     "SO_BINDTODEVICE does not add a zone to a wildcard",
     {listener("[::]:7203", {.interface = 4, .inode = 808})},
     "20.1.4.0.0.7203",
     Gauge32{808},
     std::nullopt},
    {"V29",
     "two SO_REUSEPORT sockets: one row",
     {listener("0.0.0.0:7205", {.inode = 850}), listener("0.0.0.0:7205", {.inode = 809})},
     "20.1.4.1.4.0.0.0.0.7205",
     Gauge32{809},
     std::nullopt},
    {"V30",
     "kernel-owned listener, no fd: process 0",
     {listener("[::]:65535")},
     "20.1.4.0.0.65535",
     Gauge32{0},
     std::nullopt},
    {"V32",
     "",
     {established("10.0.0.1:22", "10.0.0.2:50000")},
     "13.1.1.10.0.0.1.22.10.0.0.2.50000",
     Integer{5},
     std::nullopt},
    {"V33", "", {listener("0.0.0.0:80")}, "13.1.1.0.0.0.0.80.0.0.0.0.0", Integer{2}, std::nullopt},
    {"V34", "", {listener("[::]:22")}, "13.1.1.0.0.0.0.22.0.0.0.0.0", Integer{2}, std::nullopt},
    {"V35",
     "",
     {established("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.2]:50004")},
     "13.1.4.10.0.0.1.443.10.0.0.2.50004",
     IpAddress{{10, 0, 0, 2}},
     std::nullopt},
};

std::ostream& operator<<(std::ostream& out, const Vector& vector) {
  return out << vector.number << " " << vector.why;
}

// The registered object that `name` lies in.
const Managed& object_of(const snmp::Oid& name) {
  for (const Entry& entry : registry()) {
    if (snmp::starts_with(name.view(), entry.object->root().view()))
      return *entry.object;
  }
  throw std::invalid_argument("nobody owns " + name.text());
}

std::optional<Value> read(const Host& host, const snmp::Oid& name) {
  const std::optional<snmp::Cell> cell = object_of(name).get(host.data(), name.view());
  return cell ? cell->value : std::nullopt;
}

// The same index in the process column.
snmp::Oid process_cell(const snmp::Oid& state_cell) {
  constexpr std::size_t kColumnAt = 9;
  snmp::Oid name(state_cell.view().first(kColumnAt));
  name.append(8);
  name.append(state_cell.view().subspan(kColumnAt + 1));
  return name;
}

class SocketToRow : public testing::TestWithParam<Vector> {};

TEST_P(SocketToRow, HasTheNameAndValueOfTheMib) {
  const Host host(GetParam().sockets);
  const snmp::Oid name = tcp_oid(GetParam().instance);
  EXPECT_EQ(read(host, name), GetParam().value) << name;
  if (GetParam().process) {
    EXPECT_EQ(read(host, process_cell(name)), Value(Gauge32{*GetParam().process}));
  }
}

TEST_P(SocketToRow, IsTheOnlyRowOfItsTable) {
  const Host host(GetParam().sockets);
  const snmp::Oid name = tcp_oid(GetParam().instance);
  const Managed& table = object_of(name);
  std::size_t columns = 0;
  for (const snmp::ObjectInfo& object : table.objects())
    columns += object.access == Access::kNotAccessible ? 0 : 1;
  EXPECT_EQ(walk(table, host.data()).size(), columns);
}

INSTANTIATE_TEST_SUITE_P(OfTheMib, SocketToRow, testing::ValuesIn(kVectors),
                         [](const auto& vector) { return vector.param.number; });

TEST(SocketToRow, AllSideBySideKeepTheirNamesAndValues) {
  std::vector<tcp::Socket> sockets;
  for (const Vector& vector : kVectors) {
    // tcpConnTable shows the sockets of the other vectors once more.
    if (!std::string_view(vector.instance).starts_with("13."))
      sockets.insert(sockets.end(), vector.sockets.begin(), vector.sockets.end());
  }
  const Host host(sockets);
  for (const Vector& vector : kVectors)
    EXPECT_EQ(read(host, tcp_oid(vector.instance)), vector.value) << vector;
}

TEST(SocketToRow, WhatIsNoRowAppearsNowhere) {
  // V31, V36.
  const tcp::Socket bound = established("127.0.0.1:7099", "0.0.0.0:0", {.state = State::kClosed});
  const Host idle({bound});
  for (const Entry& entry : registry()) {
    if (entry.group != Group::kTcpmibd) {
      EXPECT_THAT(walk(*entry.object, idle.data()), IsEmpty()) << entry.object->name();
    }
  }
  for (const char* table : {"tcpmibdPortTable", "tcpmibdListenerTable", "tcpmibdUnitTable",
                            "tcpmibdProcessTable", "tcpmibdRemoteTable"})
    EXPECT_THAT(walk(managed(table), idle.data()), IsEmpty()) << table;

  const Host ipv6({established("[2001:db8::1]:443", "[2001:db8::2]:50000"), listener("[::1]:80"),
                   listener("[::]:81", {.v6only = true})});
  EXPECT_THAT(walk(managed("tcpConnTable"), ipv6.data()), IsEmpty());
}

TEST(SocketToRow, ListenersAreNoConnectionsAndConnectionsNoListeners) {
  const Host host({listener("0.0.0.0:22"), established("10.0.0.1:22", "10.0.0.9:4711")});
  EXPECT_EQ(walk(managed("tcpConnectionTable"), host.data()).size(), 2u);
  EXPECT_EQ(walk(managed("tcpListenerTable"), host.data()).size(), 1u);
}

// The names that are walked, of the first column only.
std::vector<std::string> first_column(std::string_view table, const Host& host) {
  std::vector<std::string> names;
  std::optional<snmp::SubId> column;
  for (const snmp::Cell& cell : walk(managed(table), host.data())) {
    const snmp::SubId id = cell.name.view()[9];
    if (column.value_or(id) != id)
      break;
    column = id;
    names.push_back(snmp::to_text(cell.name.view().subspan(10)));
  }
  return names;
}

constexpr tcp::AddressForms kPlainLinkLocal{.zones = false};
constexpr tcp::AddressForms kPlainDualStack{.dual_stack_as_unknown = false};

TEST(AddressForms, LinkLocalAsIpv6DropsTheZoneEverywhere) {
  const Host host({established("[fe80::1%2]:22", "[fe80::2%2]:9"), listener("[fe80::1%2]:546")},
                  kPlainLinkLocal);
  EXPECT_THAT(first_column("tcpConnectionTable", host),
              ElementsAre("2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.22."
                          "2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.9"));
  EXPECT_THAT(first_column("tcpListenerTable", host),
              ElementsAre("2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.546"));
}

TEST(AddressForms, LinkLocalAsIpv6MergesWhatOnlyTheZoneToldApart) {
  const Host host({established("[fe80::1%2]:22", "[fe80::2%2]:9"),
                   established("[fe80::1%3]:22", "[fe80::2%3]:9")},
                  kPlainLinkLocal);
  EXPECT_EQ(first_column("tcpConnectionTable", host).size(), 1u);
  EXPECT_EQ(host.snapshot().merged(), 1u);
}

TEST(AddressForms, DualStackAsIpv6IsTheIpv6WildcardAndStillServesIpv4) {
  const Host host({listener("[::]:22")}, kPlainDualStack);
  EXPECT_THAT(first_column("tcpListenerTable", host),
              ElementsAre("2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.22"));
  EXPECT_THAT(first_column("tcpConnTable", host), ElementsAre("0.0.0.0.22.0.0.0.0.0"));
}

TEST(AddressForms, DualStackAsIpv6MergesBothIpv6Wildcards) {
  const Host host({listener("[::]:22"), listener("[::]:22", {.v6only = true})}, kPlainDualStack);
  EXPECT_EQ(first_column("tcpListenerTable", host).size(), 1u);
}

TEST(AddressForms, AZoneThatIsNotKnownIsZero) {
  const Host host({established("[fe80::1]:22", "[fe80::2]:9")});
  EXPECT_THAT(first_column("tcpConnectionTable", host),
              ElementsAre("4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.22."
                          "4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.9"));
}

TEST(AddressForms, AZoneIsFourOctetsMostSignificantFirst) {
  const Host host({listener("[fe80::1%16909060]:1")});
  EXPECT_THAT(first_column("tcpListenerTable", host),
              ElementsAre("4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.1.2.3.4.1"));
}

TEST(AddressForms, SiteLocalIsPlainIpv6AndTheWholeTenBitsMakeLinkLocal) {
  const Host host({listener("[fec0::1]:1"), listener("[febf::1%7]:1"), listener("[fe7f::1]:1")});
  EXPECT_THAT(first_column("tcpListenerTable", host),
              ElementsAre("2.16.254.127.0.0.0.0.0.0.0.0.0.0.0.0.0.1.1",
                          "2.16.254.192.0.0.0.0.0.0.0.0.0.0.0.0.0.1.1",
                          "4.20.254.191.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.7.1"));
}

TEST(LegacyTable, ADualStackWildcardAndAPlainOneOfThePortAreOneRow) {
  const Host host({listener("[::]:80"), listener("0.0.0.0:80"), listener("0.0.0.0:81")});
  EXPECT_THAT(first_column("tcpConnTable", host),
              ElementsAre("0.0.0.0.80.0.0.0.0.0", "0.0.0.0.81.0.0.0.0.0"));
  ASSERT_EQ(host.snapshot().legacy_listeners().size(), 2u);
  EXPECT_TRUE(host.snapshot().legacy_listeners()[0].details.shared);
  EXPECT_FALSE(host.snapshot().legacy_listeners()[1].details.shared);
}

TEST(LegacyTable, TheyStayTwoRowsOfTheListenerTable) {
  const Host host({listener("[::]:80"), listener("0.0.0.0:80")});
  EXPECT_THAT(first_column("tcpListenerTable", host), ElementsAre("0.0.80", "1.4.0.0.0.0.80"));
}

TEST(LegacyTable, ListenersAndConnectionsInterleaveInOrder) {
  const Host host({listener("10.0.0.2:80"), established("10.0.0.1:80", "10.0.0.9:1"),
                   established("10.0.0.2:80", "10.0.0.9:1"), listener("0.0.0.0:80"),
                   listener("10.0.0.2:443"), established("10.0.0.3:80", "10.0.0.9:1")});
  EXPECT_THAT(
      first_column("tcpConnTable", host),
      ElementsAre("0.0.0.0.80.0.0.0.0.0", "10.0.0.1.80.10.0.0.9.1", "10.0.0.2.80.0.0.0.0.0",
                  "10.0.0.2.80.10.0.0.9.1", "10.0.0.2.443.0.0.0.0.0", "10.0.0.3.80.10.0.0.9.1"));
}

}  // namespace
}  // namespace tcpmibd::tables
