#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

// tcpmibdPortTable, tcpmibdListenerTable              TCPMIBD-MIB: { tcpmibdObjects 4 }, { … 5 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using tcp::State;
using testing::ElementsAre;

// One connection in synReceived, two established, three in closeWait, and so on up to six in
// timeWait: no two figures are alike.
std::vector<tcp::Socket> listening_population() {
  std::vector<tcp::Socket> sockets = {
      listener("10.0.0.1:22",
               {.inode = 500, .cgroup = 7, .queue = 3, .backlog = 4, .discards = 40}),
      listener("10.0.0.1:22",
               {.inode = 400, .cgroup = 8, .queue = 1, .backlog = 8, .discards = 2})};
  std::uint32_t count = 0, port = 0;
  for (const State state : {State::kSynReceived, State::kEstablished, State::kCloseWait,
                            State::kFinWait1, State::kLastAck, State::kTimeWait}) {
    ++count;
    for (std::uint32_t i = 0; i < count; ++i)
      sockets.push_back(established("10.0.0.1:22", "10.0.0.9:" + std::to_string(++port),
                                    {.state = state, .expires_ms = 60'000}));
  }
  return sockets;
}

TEST(PortTable, TellsWhatListensThereAndWhatBecameOfIt) {
  const Host host(listening_population());
  const char* const want[] = {
      "Gauge32 400",              // process: the lowest of both
      "OCTET STRING p400",        // command
      "OCTET STRING u7.service",  // unit: of the first socket
      "Gauge32 2",                // sockets
      "Gauge32 4",                // queue
      "Gauge32 12",               // queue limit
      "Gauge32 75",               // queue percent
      "Counter32 15",             // drops: as many as the kernel counted of all
      "TimeTicks 100000",         // discontinuity time
      "Gauge32 1",                // synReceived
      "Gauge32 2",                // established
      "Gauge32 3",                // closeWait
      "Gauge32 4",                // finWait
      "Gauge32 5",                // lastAck
      "Gauge32 6",                // timeWait
      "Gauge32 21",               // total
      "Gauge32 0",                // oldest closeWait
      "Counter32 42",             // discards
  };
  for (std::size_t i = 0; i < std::size(want); ++i) {
    const std::string column = std::to_string(i + 2);
    // The survey is some microseconds younger than the host's clock.
    if (column == "10") {
      EXPECT_THAT(told(host, "1.4.1.10.22"), testing::StartsWith("TimeTicks 1000"));
    } else {
      EXPECT_EQ(told(host, "1.4.1." + column + ".22"), want[i]) << column;
    }
  }
}

TEST(ListenerTable, TellsTheSameByAddress) {
  const Host host(listening_population());
  const std::string index = ".1.4.10.0.0.1.22";
  const std::pair<int, const char*> want[] = {
      {4, "Gauge32 400"},   {5, "OCTET STRING p400"}, {6, "Gauge32 4"},  {7, "Gauge32 12"},
      {8, "Counter32 15"},  {10, "Gauge32 1"},        {11, "Gauge32 2"}, {12, "Gauge32 3"},
      {13, "Gauge32 4"},    {14, "Gauge32 5"},        {15, "Gauge32 6"}, {16, "Gauge32 21"},
      {17, "Counter32 42"},
  };
  for (const auto& [column, value] : want)
    EXPECT_EQ(told(host, "1.5.1." + std::to_string(column) + index), value) << column;
  EXPECT_THAT(told(host, "1.5.1.9" + index), testing::StartsWith("TimeTicks 1000"));
}

TEST(PortTable, HasARowForEachPort) {
  const Shape shape =
      shape_of(managed("tcpmibdPortTable"),
               Host({listener("0.0.0.0:8080"), listener("[::]:22"), listener("10.0.0.1:8080"),
                     listener("0.0.0.0:443"), established("10.0.0.1:1", "10.0.0.9:1")}));
  EXPECT_THAT(shape.columns, ElementsAre("2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
                                         "13", "14", "15", "16", "17", "18", "19"));
  EXPECT_THAT(shape.rows, ElementsAre("22", "443", "8080"));
}

TEST(ListenerTable, IsIndexedAsTheListenersOfTcpMib) {
  const Shape shape = shape_of(
      managed("tcpmibdListenerTable"),
      Host({listener("[::]:22"), listener("10.0.0.1:8080"), listener("9.0.0.1:8080"),
            listener("[::1]:22"), listener("[fe80::1%258]:22"), listener("10.0.0.1:8080")}));
  EXPECT_THAT(shape.columns, ElementsAre("4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14",
                                         "15", "16", "17"));
  EXPECT_THAT(shape.rows, ElementsAre("0.0.22", "1.4.9.0.0.1.8080", "1.4.10.0.0.1.8080",
                                      "2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.22",
                                      "4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.1.2.22"));
}

TEST(ListenerTable, KeepsTheFormsOfTheRfcWhereTcpMibHasOthers) {
  const Host host({listener("[::]:22")}, {.zones = false, .dual_stack_as_unknown = false});
  EXPECT_THAT(shape_of(managed("tcpmibdListenerTable"), host).rows, ElementsAre("0.0.22"));
}

TEST(PortTable, HasNoProcessWhereNobodyHoldsASocket) {
  const Host host({listener("0.0.0.0:22")});
  EXPECT_EQ(told(host, "1.4.1.2.22"), "Gauge32 0");
  EXPECT_EQ(told(host, "1.4.1.3.22"), "OCTET STRING ");
  EXPECT_EQ(told(host, "1.4.1.4.22"), "OCTET STRING ");
}

// The caller looks processes up and asks again.
TEST(PortTable, LacksTheProcessUntilAMapHasHeardOfEverySocket) {
  const Host host({listener("0.0.0.0:22", {.inode = 7}), listener("0.0.0.0:22", {.inode = 8})});
  const tcp::ProcessMap older = tcp::ProcessMap::build({{7, 70}}, {}, 0, Time());
  for (const char* column :
       {"1.4.1.2.22", "1.4.1.3.22", "1.5.1.4.1.4.0.0.0.0.22", "1.5.1.5.1.4.0.0.0.0.22"}) {
    Data data = host.data();
    data.processes_are_final = false;
    data.processes = nullptr;
    EXPECT_EQ(told(data, column), "not at hand") << column;
    data.processes = &older;
    EXPECT_EQ(told(data, column), "not at hand") << column;
    data.processes_are_final = true;
    EXPECT_NE(told(data, column), "not at hand") << column;
  }
  EXPECT_EQ(told(host, "1.4.1.5.22"), "Gauge32 2") << "other columns need no process";
}

// What the kernel does not tell is no zero.
TEST(PortTable, HasNoDropsWhereNobodyKnowsThem) {
  const tcp::Snapshot snapshot = snapshot_of({listener("0.0.0.0:22", {.discards = 7})});
  FakeUnitLookup units;
  const tcp::Survey survey = tcp::Survey::build({.snapshot = snapshot,
                                                 .sightings = tcp::Sightings(),
                                                 .before = nullptr,
                                                 .ephemeral = std::nullopt,
                                                 .units = units});
  const Host host({});
  Data data = host.data();
  data.survey = &survey;
  EXPECT_EQ(told(data, "1.4.1.9.22"), "absent");
  EXPECT_EQ(told(data, "1.5.1.8.1.4.0.0.0.0.22"), "absent");
  EXPECT_EQ(told(data, "1.4.1.19.22"), "Counter32 7");
  EXPECT_EQ(told(data, "1.5.1.17.1.4.0.0.0.0.22"), "Counter32 7");
  for (const snmp::Cell& cell : walk(managed("tcpmibdPortTable"), data))
    EXPECT_FALSE(snmp::starts_with(cell.name.view(), own_oid("1.4.1.9").view())) << cell.name;
}

TEST(PortTable, HasNoOtherInstances) {
  const Host host({listener("0.0.0.0:22")});
  for (const char* name : {"1.4.1.1.22", "1.4.1.17.23", "1.4.1.17", "1.4.1.17.22.0", "1.4.1.20.22",
                           "1.4.1.17.65558", "1.5.1.16.22", "1.5.1.3.1.4.0.0.0.0.22"})
    EXPECT_EQ(told(host, name), "absent") << name;
}

}  // namespace
}  // namespace tcpmibd::tables
