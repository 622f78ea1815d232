#include "agent/serve/freshness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/random.h"

// The rules of age alone: no thread, no clock, no time passes.

namespace tcpmibd::agent {
namespace {

using namespace std::chrono_literals;

const Time kRead{12h};  // when the data was read
constexpr Ages kUsual{.snapshot = 1s, .processes = 5s};

// However long agentXTimeout lets a PDU be late.
constexpr Duration kWaits[] = {0s, 6s, 8s, 1min, 1h};

TEST(FreshnessTest, WhatIsYoungEnoughIsFresh) {
  EXPECT_TRUE(Freshness::is_fresh(kRead, 1s, {.now = kRead + 1s, .arrived = kRead + 1s}));
  EXPECT_FALSE(Freshness::is_fresh(kRead, 1s, {.now = kRead + 1001ms, .arrived = kRead + 1ms}));
}

TEST(FreshnessTest, WhatWasReadAfterTheRequestArrivedIsFreshHoweverLongThatWaits) {
  for (const Duration wait : kWaits) {
    EXPECT_TRUE(Freshness::is_fresh(kRead, 0s, {.now = kRead + wait, .arrived = kRead}));
    EXPECT_TRUE(Freshness::keeps(kRead, 0s, {.now = kRead + wait, .arrived = kRead}));
  }
}

TEST(FreshnessTest, WhatAPduWasAnsweredFromServesItAFewSecondsLonger) {
  const Time arrived = kRead + 1s;
  const Duration most = 1s + Freshness::kTogether;
  EXPECT_TRUE(Freshness::keeps(kRead, 1s, {.now = kRead + most, .arrived = arrived}));
  EXPECT_FALSE(Freshness::keeps(kRead, 1s, {.now = kRead + most + 1ms, .arrived = arrived}));
}

TEST(FreshnessTest, NoPduIsAnsweredFromOlderDataHoweverLongItWaits) {
  for (const Duration wait : kWaits) {
    const Moment late{.now = kRead + 500ms + wait, .arrived = kRead + 500ms};
    EXPECT_TRUE(wait <= 1s + Freshness::kTogether || !Freshness::keeps(kRead, 1s, late))
        << wait.count();
    EXPECT_EQ(Freshness::keeps(kRead, 1s, late),
              late.now <= Freshness::basis(kRead, 1s, late.arrived).serves_until);
  }
}

TEST(FreshnessTest, ASnapshotThatTookLongServesFiveTimesAsLong) {
  EXPECT_EQ(Freshness(kUsual).most_age(10ms), 1s);
  EXPECT_EQ(Freshness(kUsual).most_age(2s), 10s);
  EXPECT_EQ(Freshness({.snapshot = 0s}).most_age(2s), 10s);
}

TEST(FreshnessTest, AProcessMapThatTookLongServesUntilTheNextMayBegin) {
  EXPECT_EQ(Freshness(kUsual).most_age_of_processes(kRead, kRead), 5s);
  EXPECT_EQ(Freshness(kUsual).most_age_of_processes(kRead, kRead + 12s), 12s);
}

TEST(FreshnessTest, TheOldestThatIsFreshIsFreshAndNothingBeforeIt) {
  lab::Random random;
  SCOPED_TRACE(random.text());
  const Freshness freshness(kUsual);
  for (int i = 0; i < 1000; ++i) {
    const Duration took = std::chrono::milliseconds(random.below(2000));
    const Time arrived = kRead + std::chrono::milliseconds(random.below(20'000));
    const Moment moment{.now = arrived + std::chrono::milliseconds(random.below(20'000)),
                        .arrived = arrived};
    const Time oldest = freshness.oldest(took, moment);
    EXPECT_TRUE(Freshness::is_fresh(oldest, freshness.most_age(took), moment));
    EXPECT_FALSE(Freshness::is_fresh(oldest - 1ns, freshness.most_age(took), moment));
  }
}

TEST(FreshnessTest, TheNextSnapshotIsBegunTwiceAsLongAheadAsTheLastOneTook) {
  const Freshness freshness(kUsual);
  EXPECT_FALSE(freshness.is_to_be_renewed(kRead, 100ms, kRead + 800ms));
  EXPECT_TRUE(freshness.is_to_be_renewed(kRead, 100ms, kRead + 801ms));
  EXPECT_FALSE(Freshness({.snapshot = 0s}).is_to_be_renewed(kRead, 100ms, kRead + 1h))
      << "where each request has its own, none is made ahead";
}

TEST(FreshnessTest, WhatMayStillBeServedIsKept) {
  EXPECT_EQ(Freshness::kept_until(kRead, 1s), kRead + Freshness::kIdle);
  EXPECT_EQ(Freshness::kept_until(kRead, 1h), kRead + 1h);
}

}  // namespace
}  // namespace tcpmibd::agent
