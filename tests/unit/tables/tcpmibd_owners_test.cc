#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

// tcpmibdUnitTable, tcpmibdProcessTable, tcpmibdRemoteTable
//                                                     TCPMIBD-MIB: { tcpmibdObjects 6 } to { … 8 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using tcp::State;
using testing::ElementsAre;

// One connection in synSent, two established, and so on: no two figures are alike. All of one
// unit, process and remote address.
std::vector<tcp::Socket> population() {
  std::vector<tcp::Socket> sockets;
  std::uint32_t count = 0, port = 0;
  for (const State state :
       {State::kSynSent, State::kEstablished, State::kCloseWait, State::kFinWait2, State::kLastAck,
        State::kTimeWait, State::kSynReceived}) {
    ++count;
    for (std::uint32_t i = 0; i < count; ++i)
      sockets.push_back(
          established("10.0.0.1:" + std::to_string(++port), "10.0.0.9:1",
                      {.state = state, .inode = 300, .cgroup = 7, .expires_ms = 60'000}));
  }
  return sockets;
}

TEST(UnitTable, TellsTheConnectionsOfAUnit) {
  std::vector<tcp::Socket> sockets = population();
  sockets.push_back(listener("0.0.0.0:9000", {.cgroup = 7}));
  const Host host(sockets);
  const std::string index = ".10.117.55.46.115.101.114.118.105.99.101";  // 10, "u7.service"
  const char* const want[] = {"Gauge32 1", "Gauge32 1", "Gauge32 2",  "Gauge32 3",
                              "Gauge32 4", "Gauge32 5", "Gauge32 28", "Gauge32 0"};
  for (std::size_t i = 0; i < std::size(want); ++i)
    EXPECT_EQ(told(host, "1.6.1." + std::to_string(i + 2) + index), want[i]) << i + 2;
  EXPECT_EQ(told(host, "1.6.1.1" + index), "absent") << "not accessible";
}

TEST(UnitTable, IsIndexedByLengthAndThenOctets) {
  const Host host({established("10.0.0.1:1", "10.0.0.9:1", {.cgroup = 10}),
                   established("10.0.0.1:2", "10.0.0.9:1", {.cgroup = 9}),
                   established("10.0.0.1:3", "10.0.0.9:1", {.cgroup = 8})});
  const std::string rest = ".46.115.101.114.118.105.99.101";
  EXPECT_THAT(shape_of(managed("tcpmibdUnitTable"), host).rows,
              ElementsAre("10.117.56" + rest, "10.117.57" + rest, "11.117.49.48" + rest));
}

TEST(ProcessTable, TellsTheConnectionsOfAProcess) {
  const Host host(population());
  const char* const want[] = {"OCTET STRING p300", "Gauge32 1300", "OCTET STRING u7.service",
                              "Gauge32 1",         "Gauge32 2",    "Gauge32 3",
                              "Gauge32 4",         "Gauge32 5",    "Gauge32 28",
                              "Gauge32 0"};
  for (std::size_t i = 0; i < std::size(want); ++i)
    EXPECT_EQ(told(host, "1.7.1." + std::to_string(i + 2) + ".300"), want[i]) << i + 2;
  EXPECT_EQ(told(host, "1.7.1.1.300"), "absent") << "not accessible";
  EXPECT_EQ(told(host, "1.7.1.2.301"), "absent");
}

TEST(ProcessTable, IsIndexedByPid) {
  const Host host({established("10.0.0.1:1", "10.0.0.9:1", {.inode = 4194304}),
                   established("10.0.0.1:2", "10.0.0.9:1", {.inode = 9}),
                   established("10.0.0.1:3", "10.0.0.9:1", {.inode = 10})});
  EXPECT_THAT(shape_of(managed("tcpmibdProcessTable"), host).rows,
              ElementsAre("9", "10", "4194304"));
}

TEST(RemoteTable, TellsTheConnectionsOfARemoteAddress) {
  const Host host(population());
  const std::string address{10, 0, 0, 9};
  const std::string want[] = {"Integer32 1", "OCTET STRING " + address,
                              "Gauge32 7",   "Gauge32 1",
                              "Gauge32 2",   "Gauge32 3",
                              "Gauge32 6",   "Gauge32 28"};
  for (std::size_t i = 0; i < std::size(want); ++i)
    EXPECT_EQ(told(host, "1.8.1." + std::to_string(i + 2) + ".1"), want[i]) << i + 2;
  EXPECT_EQ(told(host, "1.8.1.1.1"), "absent") << "not accessible";
  EXPECT_EQ(told(host, "1.8.1.2.0"), "absent") << "ranks begin with 1";
  EXPECT_EQ(told(host, "1.8.1.2.2"), "absent");
}

TEST(RemoteTable, WritesAddressesAsTheirTypeDemands) {
  const Host host({established("10.0.0.1:1", "10.0.0.200:1"),
                   established("[2001:db8::1]:1", "[2001:db8::ff]:1"),
                   established("[fe80::1%258]:1", "[fe80::2%258]:1")});
  EXPECT_THAT(shape_of(managed("tcpmibdRemoteTable"), host).rows, ElementsAre("1", "2", "3"));
  const auto octets = [&](const char* name) { return told(host, name).substr(13); };
  EXPECT_EQ(told(host, "1.8.1.2.1"), "Integer32 1");
  EXPECT_EQ(octets("1.8.1.3.1"), std::string("\x0a\0\0\xc8", 4));
  EXPECT_EQ(told(host, "1.8.1.2.2"), "Integer32 2");
  EXPECT_EQ(octets("1.8.1.3.2"), std::string("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\xff", 16));
  EXPECT_EQ(told(host, "1.8.1.2.3"), "Integer32 4");
  EXPECT_EQ(octets("1.8.1.3.3"),
            std::string("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\x01\x02", 20));
}

TEST(OwnersTables, OfAHostWithoutConnectionsAreEmpty) {
  for (const char* table : {"tcpmibdUnitTable", "tcpmibdProcessTable", "tcpmibdRemoteTable"})
    EXPECT_THAT(walk(managed(table), Host({listener("0.0.0.0:22")}).data()), testing::IsEmpty())
        << table;
}

}  // namespace
}  // namespace tcpmibd::tables
