#include "agent/serve/pins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What is remembered of PDUs. No time passes but what a test says.

namespace tcpmibd::agent {
namespace {

using namespace std::chrono_literals;

const Time kArrival{12h};

class PinsTest : public testing::Test {
 protected:
  Pin& of(long id, Time arrived = kArrival) {
    return pins_.of({this, id}, {.now = arrived, .arrived = arrived});
  }
  // Makes a pin known again by what is in it.
  void mark(long id) { of(id).agent.emplace(tables::AgentFigures{}, kArrival); }
  bool is_known(long id) { return of(id).agent.has_value(); }

  Pins pins_;
};

TEST_F(PinsTest, AreOneForAllBindingsOfAPdu) {
  mark(1);
  EXPECT_FALSE(is_known(2));
  EXPECT_TRUE(is_known(1));
  EXPECT_FALSE(pins_.of({nullptr, 1}, {.now = kArrival, .arrived = kArrival}).agent)
      << "of another session";
}

TEST_F(PinsTest, WithoutANumberAreToldApartByTheirArrival) {
  mark(0);
  EXPECT_TRUE(is_known(0));
  EXPECT_FALSE(of(0, kArrival + 1ms).agent);
}

TEST_F(PinsTest, ThatNobodyUsesAreForgottenAfterSomeSeconds) {
  mark(1);
  pins_.tidy(kArrival + Pins::kUnused);
  EXPECT_TRUE(is_known(1));
  pins_.tidy(kArrival + Pins::kUnused + 1ms);
  EXPECT_FALSE(is_known(1));
}

// However long agentXTimeout is: the parts of one PDU are answered from the same.
TEST_F(PinsTest, OfAPduThatWaitsAreKept) {
  mark(1);
  of(1).waits = true;
  pins_.tidy(kArrival + 5min);
  EXPECT_TRUE(is_known(1));
  of(1).waits = true;
  pins_.tidy(kArrival + Pins::kLongestWait + 1ms);
  EXPECT_EQ(pins_.size(), 0U);
}

TEST_F(PinsTest, MakeRoomForOthersTheLongestUnusedFirst) {
  for (long id = 1; id <= static_cast<long>(Pins::kMost); ++id)
    of(id, kArrival + std::chrono::milliseconds(id)).agent.emplace();
  of(1, kArrival + 1s);
  of(1000, kArrival + 1s);
  EXPECT_EQ(pins_.size(), Pins::kMost);
  EXPECT_TRUE(is_known(1));
  EXPECT_FALSE(is_known(2));
}

TEST_F(PinsTest, LetGoOfASnapshotThatMakesWayAndOfNoOther) {
  const auto old = std::make_shared<const tcp::Snapshot>();
  const auto fresh = std::make_shared<const tcp::Snapshot>();
  of(1).snapshot = {old, kArrival};
  of(2).snapshot = {fresh, kArrival};
  pins_.let_go(*old);
  EXPECT_EQ(of(1).snapshot.data.lock(), nullptr);
  EXPECT_EQ(of(2).snapshot.data.lock(), fresh);
}

}  // namespace
}  // namespace tcpmibd::agent
