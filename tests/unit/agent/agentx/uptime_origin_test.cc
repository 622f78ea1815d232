#include "agent/agentx/uptime_origin.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

namespace tcpmibd::agent::agentx {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{100'000s};

// A master that has been up for 1000 s when we open a session.
class UptimeOriginTest : public testing::Test {
 protected:
  UptimeOriginTest() { origin_.open(100'000, kNow); }

  UptimeOrigin origin_{kNow - 1h};
  const Time zero_ = kNow - 1000s;
};

TEST(UptimeOriginBefore, TheFirstSessionIsWhenWeBegan) {
  EXPECT_EQ(UptimeOrigin(kNow).zero(), kNow);
}

TEST_F(UptimeOriginTest, IsToldByTheAnswerToOpen) { EXPECT_EQ(origin_.zero(), zero_); }

TEST_F(UptimeOriginTest, StaysWhenAnswersAreLateOrEarly) {
  Time now = kNow;
  std::uint32_t uptime = 100'000;
  for (const auto late : {0ms, 10ms, 1900ms, 5ms, 1990ms, 0ms}) {
    now += 30s;
    uptime += 3'000;
    origin_.follow(uptime, now + late);
    EXPECT_EQ(origin_.zero(), zero_);
  }
}

// 100 parts in a million, for a year: the two are then an hour apart.
TEST_F(UptimeOriginTest, StaysHoweverFarClocksDriftApart) {
  Time now = kNow;
  std::uint32_t uptime = 100'000;
  for (int hour = 0; hour < 365 * 24; ++hour) {
    now += 1h;
    uptime += 360'036;
    origin_.follow(uptime, now);
  }
  EXPECT_EQ(origin_.zero(), zero_);
}

TEST_F(UptimeOriginTest, StaysThroughADriftThatNobodyTold) {
  constexpr std::uint32_t kDay = 24 * 360'000;
  origin_.follow(100'000 + 90 * kDay + 90 * 864, kNow + 90 * 24h);
  EXPECT_EQ(origin_.zero(), zero_);
}

// RFC 2579: existing values of TimeStamp objects do not change then.
TEST(UptimeOriginWrap, StaysWhenSysUpTimeBeginsAnewAfterItsGreatestValue) {
  UptimeOrigin origin(kNow);
  origin.open(0xffff'ff00, kNow);
  const Time zero = origin.zero();
  origin.follow(0xf4, kNow + 5s);
  EXPECT_EQ(origin.zero(), zero);
}

// Also while there was no session: 2^32 hundredths of a second are up in 2.56 s, and it is asked
// 10 s later; then at the very moment, when the answer may be a little early or late.
TEST(UptimeOriginWrap, StaysWhenSysUpTimeBeginsAnewDuringALostSession) {
  struct {
    std::uint32_t heard;
    std::uint32_t told;
  } const cases[] = {{0xffff'ff00, 744}, {0xffff'ffff - 950, 49}, {0xffff'ffff - 1050, 10}};
  for (const auto& c : cases) {
    UptimeOrigin origin(kNow);
    origin.open(c.heard, kNow);
    const Time zero = origin.zero();
    origin.open(c.told, kNow + 10s);
    EXPECT_EQ(origin.zero(), zero) << c.told;
  }
}

TEST(UptimeOriginWrap, MovesWithAMasterThatHasBegunAnewAboutThatTime) {
  UptimeOrigin origin(kNow);
  origin.open(0xffff'ff00, kNow);
  origin.open(400, kNow + 10s);
  EXPECT_EQ(origin.zero(), kNow + 6s);
}

TEST_F(UptimeOriginTest, MovesWhenTheMastersClockJumps) {
  for (const std::uint32_t uptime : {0U, 103'000U - 300U, 103'000U + 300U}) {
    UptimeOrigin origin(kNow);
    origin.open(100'000, kNow);
    origin.follow(uptime, kNow + 30s);
    EXPECT_EQ(origin.zero(), kNow + 30s - uptime * 10ms) << uptime;
    const Time moved = origin.zero();
    origin.follow(uptime + 3'001, kNow + 60s);
    EXPECT_EQ(origin.zero(), moved) << "once";
  }
}

TEST_F(UptimeOriginTest, StaysInANewSessionWithTheSameMaster) {
  origin_.open(100'000 + 1'003, kNow + 10s);
  EXPECT_EQ(origin_.zero(), zero_);
}

TEST_F(UptimeOriginTest, MovesInASessionWithAMasterThatHasBegunAnew) {
  origin_.open(50, kNow + 10s);
  EXPECT_EQ(origin_.zero(), kNow + 10s - 500ms);
}

// The whole life of the first master is shorter than two answers may differ.
TEST(UptimeOriginOfShortLives, MovesWithEachOfThem) {
  UptimeOrigin origin(kNow);
  origin.open(50, kNow);
  origin.open(20, kNow + 300ms);
  EXPECT_EQ(origin.zero(), kNow + 100ms);
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
