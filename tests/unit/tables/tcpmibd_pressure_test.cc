#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

// How near the host's TCP is to its limits.           TCPMIBD-MIB: { tcpmibdObjects 9 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using tcp::Pressure;

std::string scalar(std::uint32_t number) { return "1.9." + std::to_string(number) + ".0"; }

// full_pressure() gives each figure the number of its object.
TEST(PressureScalars, TellWhatTheKernelTells) {
  const Host host({});
  for (const std::uint32_t number : {1, 2, 3, 4, 5, 6, 7, 8})
    EXPECT_EQ(told(host, scalar(number)), "Gauge32 " + std::to_string(number));
  for (const std::uint32_t number : {14, 15, 16, 17, 18, 19, 20, 21, 22})
    EXPECT_EQ(told(host, scalar(number)), "Counter32 " + std::to_string(number));
  EXPECT_EQ(told(host, scalar(9)), "Gauge32 28232");
}

TEST(PressureScalars, AreAbsentWhereTheKernelDoesNotTell) {
  Host host({established("10.0.0.1:40000", "10.0.0.9:1")});
  host.pressure() = {};
  for (std::uint32_t number = 1; number <= 22; ++number) {
    // Those that name the fullest route come from the survey.
    if (number != 12 && number != 13) {
      EXPECT_EQ(told(host, scalar(number)), "absent") << number;
    }
  }
}

TEST(PressureScalars, LatchAndWrapAsTheirSyntaxDemands) {
  constexpr std::uint64_t kMore = 0x1'0000'0005;
  Host host({});
  host.pressure().memory_used = kMore;
  host.pressure().listen_drops = kMore;
  EXPECT_EQ(told(host, scalar(5)), "Gauge32 4294967295");
  EXPECT_EQ(told(host, scalar(15)), "Counter32 5");
}

TEST(PressureScalars, TellTheFullestRoute) {
  Host host({established("[::ffff:10.0.0.1]:40000", "[::ffff:10.0.0.9]:5432"),
             established("10.0.0.1:40002", "10.0.0.9:5432"),
             established("10.0.0.1:40004", "10.0.0.9:5432"),
             established("10.0.0.1:40006", "10.0.0.9:5433")});
  EXPECT_EQ(told(host, scalar(10)), "Gauge32 3");
  EXPECT_EQ(told(host, scalar(11)), "Gauge32 0");
  EXPECT_EQ(told(host, scalar(12)), "OCTET STRING 10.0.0.1");
  EXPECT_EQ(told(host, scalar(13)), "OCTET STRING 10.0.0.9:5432");
  host.pressure().ephemeral = tcp::EphemeralRange::parse("40000\t40009", "40009").value();
  EXPECT_EQ(told(host, scalar(9)), "Gauge32 9");
  EXPECT_EQ(told(host, scalar(11)), "Gauge32 33");
}

TEST(PressureScalars, TellTheFullestAddressAndThePercentageOfWhateverIsFuller) {
  Host host({established("10.0.0.1:40001", "10.0.0.9:5432"),
             established("10.0.0.1:40003", "10.0.0.9:5433"),
             established("10.0.0.1:40005", "10.0.0.8:5433")});
  host.pressure().ephemeral = tcp::EphemeralRange::parse("40000\t40009", "").value();
  EXPECT_EQ(told(host, scalar(10)), "Gauge32 1");
  EXPECT_EQ(told(host, scalar(11)), "Gauge32 30");
  EXPECT_EQ(told(host, scalar(26)), "Gauge32 3");
  EXPECT_EQ(told(host, scalar(27)), "OCTET STRING 10.0.0.1");
  host.pressure() = {};
  EXPECT_EQ(told(host, scalar(26)), "absent");
}

TEST(PressureScalars, NameNoRouteWhileNoPortIsUsed) {
  const Host host({});
  EXPECT_EQ(told(host, scalar(10)), "Gauge32 0");
  EXPECT_EQ(told(host, scalar(11)), "Gauge32 0");
  EXPECT_EQ(told(host, scalar(12)), "OCTET STRING ");
  EXPECT_EQ(told(host, scalar(13)), "OCTET STRING ");
  EXPECT_EQ(told(host, scalar(26)), "Gauge32 0");
  EXPECT_EQ(told(host, scalar(27)), "OCTET STRING ");
}

TEST(PressureScalars, HaveNoPercentOfARangeThatIsReservedWhole) {
  Host host({});
  host.pressure().ephemeral = tcp::EphemeralRange::parse("40000\t40009", "40000-40009").value();
  EXPECT_EQ(told(host, scalar(9)), "Gauge32 0");
  EXPECT_EQ(told(host, scalar(11)), "absent");
}

TEST(PressureScalars, TellHowManyRowsWereLeftOut) {
  std::vector<tcp::Socket> sockets;
  constexpr std::uint32_t kMany = 1030;
  for (std::uint32_t i = 1; i <= kMany; ++i)
    sockets.push_back(
        established("10.9.0.1:" + std::to_string(i),
                    "10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ":1",
                    {.inode = i, .cgroup = i}));
  const Host host(sockets);
  EXPECT_EQ(told(host, scalar(23)), "Gauge32 6");
  EXPECT_EQ(told(host, scalar(24)), "Gauge32 966");
  EXPECT_EQ(told(host, scalar(25)), "Gauge32 774");
}

}  // namespace
}  // namespace tcpmibd::tables
