#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_ends.h"
#include "support/own_tables.h"

// tcpmibdEnds                                         TCPMIBD-MIB: { tcpmibdObjects 13 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using tcp::EndReason;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

tcp::Octets octets(std::initializer_list<std::uint8_t> first) {
  tcp::Octets octets{};
  std::ranges::copy(first, octets.begin());
  return octets;
}

// 30 November 2026, 07:08:09.4 UTC
constexpr tcp::WallTime kWall{std::chrono::milliseconds{1'796'022'489'456}};

// A host of which the ends are watched: one of each table's rows.
class Ends : public testing::Test {
 protected:
  void SetUp() override {
    data_.ends = &figures_;
    agent_ = *data_.agent;
    agent_.uptime_zero = Time(1000s);
    data_.agent = &agent_;
    tcp::Ended ended{.at = Time(1005s + 430ms),
                     .lived = 1234567us,
                     .received = 5'000'000'000,
                     .sent = 7,
                     .space = 4026531840,
                     .pid = 4711,
                     .retransmits = 3,
                     .round_trip_us = 250,
                     .error = 104,
                     .left = tcp::State::kEstablished,
                     .reason = EndReason::kResetByPeer,
                     .direction = tcp::Direction::kActive,
                     .local = {octets({10, 0, 0, 1}), 40000},
                     .remote = {octets({10, 0, 0, 9}), 443}};
    std::ranges::copy(std::string_view("cu\x1brl"), ended.command.begin());
    history_.add(ended, kWall, 7);
    kernel_.reasons = {11, 12, 13, 14, 15, 16, 17, 18, 19};
    kernel_.lost = {.records = 5, .uncounted = 6, .evicted = 8};
    const tcp::EndTally tally{
        .begun = 20, .ended = {21, 22, 23, 24, 25, 26, 27, 28, 29}, .since = Time(1002s)};
    kernel_.by_port = {{443, tally}};
    kernel_.by_service = {{tcp::Family::kIpv4, {octets({10, 0, 0, 9}), 443}, tally},
                          {tcp::Family::kIpv6,
                           {octets({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), 22},
                           tally}};
    kernel_.closed = {{23, 9}};
  }

  std::string at(const std::string& below) const { return told(data_, "1.13." + below); }

  const Host host_{{}};
  tcp::History history_{4};
  FakeEndsSource kernel_;
  tcp::EndsFigures figures_{kernel_, {.history = history_, .since = Time(1001s), .newest = 7}};
  AgentFigures agent_;
  Data data_ = host_.data();
};

TEST_F(Ends, AnEndHasAllThatTheKernelHasToldOfIt) {
  const char* const want[] = {
      "TimeTicks 543",           // time stamp
      "Integer32 2",             // reason
      "Integer32 5",             // state
      "Integer32 104",           // error
      "Integer32 1",             // direction
      "Integer32 1",             // address type
      "",                        // checked below, for it holds zeros
      "Gauge32 40000",           // port
      "Integer32 1",             // address type
      "",                        // checked below
      "Gauge32 443",             // port
      "Counter64 1234567",       // lifetime
      "Counter64 5000000000",    // received
      "Counter64 7",             // sent
      "Gauge32 3",               // retransmits
      "Gauge32 250",             // round trip
      "Gauge32 4711",            // process
      "OCTET STRING cu\\x1brl",  // command
      "Gauge32 4026531840",      // namespace
  };
  for (std::size_t i = 0; i < std::size(want); ++i) {
    const std::size_t column = i + 3;
    if (column != 9 && column != 12) {
      EXPECT_EQ(at("6.1." + std::to_string(column) + ".7"), want[i]) << column;
    }
  }
}

snmp::Value value_of(const Data& data, std::string_view below) {
  const snmp::Oid name = own_oid(below);
  return managed("tcpmibdEndedTable").get(data, name.view())->value.value();
}

TEST_F(Ends, AddressesAndTheDateAreOctets) {
  using namespace std::string_literals;
  EXPECT_EQ(value_of(data_, "1.13.6.1.9.7"), snmp::Value(snmp::OctetString{"\x0a\0\0\x01"s}));
  EXPECT_EQ(value_of(data_, "1.13.6.1.12.7"), snmp::Value(snmp::OctetString{"\x0a\0\0\x09"s}));
  EXPECT_EQ(value_of(data_, "1.13.6.1.2.7"),
            snmp::Value(snmp::OctetString{"\x07\xea\x0b\x1e\x07\x08\x09\x04+\0\0"s}));
}

TEST_F(Ends, WhoKnowsANumberReadsWhatIsNewer) {
  for (const std::uint32_t number : {8U, 9U})
    history_.add({}, kWall, number);
  const Managed& table = managed("tcpmibdEndedTable");
  const std::optional<snmp::Cell> next = table.next(data_, own_oid("1.13.6.1.4.8").view(), false);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->name, own_oid("1.13.6.1.4.9"));
  const std::optional<snmp::Cell> after_all =
      table.next(data_, own_oid("1.13.6.1.21.9").view(), false);
  EXPECT_FALSE(after_all);
}

TEST_F(Ends, ReasonsHaveTheirNamesAndCounts) {
  EXPECT_EQ(at("7.1.2.1"), "OCTET STRING normal");
  EXPECT_EQ(at("7.1.3.1"), "Counter32 11");
  EXPECT_EQ(at("7.1.2.9"), "OCTET STRING other");
  EXPECT_EQ(at("7.1.3.9"), "Counter32 19");
  EXPECT_EQ(at("7.1.3.10"), "absent");
}

TEST_F(Ends, CountsWrap) {
  kernel_.reasons[0] = (1ULL << 32U) + 3;
  EXPECT_EQ(at("7.1.3.1"), "Counter32 3");
}

TEST_F(Ends, EachTableReadsItsOwnPartOfTheKernels) {
  using Looks = FakeEndsSource::Looks;
  EXPECT_EQ(at("4.0"), "Gauge32 7");
  EXPECT_EQ(at("6.1.19.7"), "Gauge32 4711");
  EXPECT_EQ(kernel_.looks(), Looks{}) << "numbers and records are ours";
  EXPECT_EQ(at("7.1.3.1"), "Counter32 11");
  EXPECT_EQ(kernel_.looks(), (Looks{.counts = 1}));
  EXPECT_EQ(at("8.1.2.443"), "Counter32 20");
  EXPECT_EQ(at("8.1.3.443"), "Counter32 21");
  EXPECT_EQ(kernel_.looks(), (Looks{.counts = 1, .ports = 1}));
  EXPECT_EQ(at("10.1.2.23"), "Counter32 9");
  EXPECT_EQ(kernel_.looks(), (Looks{.counts = 1, .ports = 1, .closed_ports = 1}));
}

TEST_F(Ends, PortsAreCounted) {
  for (std::size_t column = 2; column <= 11; ++column)
    EXPECT_EQ(at("8.1." + std::to_string(column) + ".443"),
              "Counter32 " + std::to_string(column + 18));
  EXPECT_EQ(at("8.1.12.443"), "TimeTicks 200");
}

TEST_F(Ends, ServicesAreCountedByAddressAndPort) {
  const std::string index = ".1.4.10.0.0.9.443";
  for (std::size_t column = 4; column <= 13; ++column)
    EXPECT_EQ(at("9.1." + std::to_string(column) + index),
              "Counter32 " + std::to_string(column + 16));
  EXPECT_EQ(at("9.1.14" + index), "TimeTicks 200");
  EXPECT_EQ(at("9.1.4.2.16.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.22"), "Counter32 20")
      << "link-local, without a zone";
}

TEST_F(Ends, ClosedPortsAreCounted) { EXPECT_EQ(at("10.1.2.23"), "Counter32 9"); }

TEST_F(Ends, TheWatchSaysWhatItHasAndWhatItLost) {
  EXPECT_EQ(at("1.0"), "Integer32 1");
  EXPECT_EQ(at("2.0"), "TimeTicks 100");
  EXPECT_EQ(at("3.0"), "Counter32 5");
  EXPECT_EQ(at("4.0"), "Gauge32 7");
  EXPECT_EQ(at("5.0"), "Gauge32 1");
  EXPECT_EQ(at("11.0"), "Counter32 6");
  EXPECT_EQ(at("12.0"), "Counter32 8");
}

TEST_F(Ends, WhereNothingIsWatchedThereIsNoRowAndNoZero) {
  data_.ends = nullptr;
  EXPECT_EQ(at("1.0"), "Integer32 2");
  for (const char* scalar : {"2.0", "3.0", "4.0", "5.0", "11.0", "12.0"})
    EXPECT_EQ(at(scalar), "absent") << scalar;
  for (const char* table : {"tcpmibdEndedTable", "tcpmibdReasonTable", "tcpmibdPortEndsTable",
                            "tcpmibdRemoteEndsTable", "tcpmibdClosedPortTable"})
    EXPECT_THAT(walk(managed(table), data_), IsEmpty()) << table;
}

TEST_F(Ends, EveryColumnIsWalked) {
  EXPECT_THAT(walk(managed("tcpmibdEndedTable"), data_), SizeIs(20));
  EXPECT_THAT(walk(managed("tcpmibdReasonTable"), data_), SizeIs(18));
  EXPECT_THAT(walk(managed("tcpmibdPortEndsTable"), data_), SizeIs(11));
  EXPECT_THAT(walk(managed("tcpmibdRemoteEndsTable"), data_), SizeIs(22));
}

}  // namespace
}  // namespace tcpmibd::tables
