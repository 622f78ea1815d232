#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

// tcpmibdStateTable, tcpmibdAgeTable                  TCPMIBD-MIB: { tcpmibdObjects 2 }, { … 3 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using tcp::State;
using testing::ElementsAre;

TEST(StateTable, HasEveryStateWhetherOrNotAnySocketIsInIt) {
  const Shape shape = shape_of(managed("tcpmibdStateTable"), Host({}));
  EXPECT_THAT(shape.columns, ElementsAre("2", "3", "4", "5"));
  EXPECT_THAT(shape.rows, ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"));
}

TEST(StateTable, CountsByProtocol) {
  const Host host({established("10.0.0.1:22", "10.0.0.9:1"),
                   established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:2"),
                   established("[::1]:22", "[::1]:3"),
                   established("10.0.0.1:22", "10.0.0.9:4", {.state = State::kCloseWait}),
                   listener("[::]:22")});
  EXPECT_EQ(told(host, "1.2.1.2.5"), "OCTET STRING established");
  EXPECT_EQ(told(host, "1.2.1.3.5"), "Gauge32 2");
  EXPECT_EQ(told(host, "1.2.1.4.5"), "Gauge32 1");
  EXPECT_EQ(told(host, "1.2.1.5.5"), "Gauge32 3");
  EXPECT_EQ(told(host, "1.2.1.2.8"), "OCTET STRING closeWait");
  EXPECT_EQ(told(host, "1.2.1.5.8"), "Gauge32 1");
  EXPECT_EQ(told(host, "1.2.1.4.2"), "Gauge32 1") << "listeners";
  EXPECT_EQ(told(host, "1.2.1.5.11"), "Gauge32 0");
}

TEST(StateTable, HasNoOtherInstances) {
  const Host host({});
  for (const char* name : {"1.2.1.1.5", "1.2.1.5.0", "1.2.1.5.12", "1.2.1.5.5.0", "1.2.1.6.5"})
    EXPECT_EQ(told(host, name), "absent") << name;
}

TEST(AgeTable, HasTheStatesThatMayHang) {
  const Shape shape = shape_of(managed("tcpmibdAgeTable"), Host({}));
  EXPECT_THAT(shape.columns, ElementsAre("1", "2", "3", "4", "5"));
  EXPECT_THAT(shape.rows, ElementsAre("3", "7", "8", "9", "11"));
}

TEST(AgeTable, TellsHowManyHaveBeenSoForHowLong) {
  const auto waiting = [](const char* local, std::uint32_t left_ms) {
    return established(local, "10.0.0.9:1", {.state = State::kTimeWait, .expires_ms = left_ms});
  };
  const Host host(
      {waiting("10.0.0.1:1", 0), waiting("10.0.0.1:2", 45'000), waiting("10.0.0.1:3", 59'000)});
  EXPECT_EQ(told(host, "1.3.1.1.11"), "Gauge32 2");
  EXPECT_EQ(told(host, "1.3.1.2.11"), "Gauge32 1");
  EXPECT_EQ(told(host, "1.3.1.3.11"), "Gauge32 0");
  EXPECT_EQ(told(host, "1.3.1.4.11"), "Gauge32 0");
  EXPECT_EQ(told(host, "1.3.1.5.11"), "Gauge32 60");
  EXPECT_EQ(told(host, "1.3.1.1.8"), "Gauge32 0");
  EXPECT_EQ(told(host, "1.3.1.1.5"), "absent");
}

}  // namespace
}  // namespace tcpmibd::tables
