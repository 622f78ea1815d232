#include "agent/serve/notification_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/builders.h"

namespace tcpmibd::agent {
namespace {

using namespace lab;
using testing::ElementsAre;
using testing::SizeIs;

constexpr std::size_t kMostATurn = 20;
constexpr std::size_t kMostWaiting = 1000;

class NotifierTest : public testing::Test {
 protected:
  // Notifications whose names are numbers.
  void queue(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      notifier_.queue({.name = {++last_}, .objects = {}});
  }

  // One that says what became of it where it is lost.
  void queue_watched() {
    const snmp::SubId name = ++last_;
    notifier_.queue({.name = {name}, .objects = {}}, [this, name](bool was_sent) {
      (was_sent ? lost_on_the_way_ : lost_unsent_).push_back(name);
    });
  }

  std::vector<snmp::SubId> sent_;
  std::vector<snmp::SubId> lost_on_the_way_;
  std::vector<snmp::SubId> lost_unsent_;
  std::size_t unconfirmed_ = 0;
  bool open_ = true;
  bool takes_ = true;
  NotificationQueue notifier_{{.is_open = [this] { return open_; },
                               .send =
                                   [this](const tables::Notification& notification) {
                                     if (takes_)
                                       sent_.push_back(notification.name.view().front());
                                     return takes_;
                                   },
                               .unconfirmed = [this] { return unconfirmed_; }}};
  snmp::SubId last_ = 0;
};

TEST_F(NotifierTest, WhatIsNotTakenIsKeptAndDoesNotKeepTheLoopAwake) {
  queue(2);
  takes_ = false;
  notifier_.on_turn();
  EXPECT_FALSE(notifier_.is_busy());
  takes_ = true;
  notifier_.on_turn();
  EXPECT_THAT(sent_, ElementsAre(1U, 2U));
  EXPECT_EQ(notifier_.folded(), 0U);
}

TEST_F(NotifierTest, SendsAtTheNextTurnAndNotBefore) {
  queue(1);
  EXPECT_THAT(sent_, SizeIs(0));
  EXPECT_TRUE(notifier_.is_busy());
  notifier_.on_turn();
  EXPECT_THAT(sent_, SizeIs(1));
  EXPECT_FALSE(notifier_.is_busy());
  notifier_.on_turn();
  EXPECT_THAT(sent_, SizeIs(1));
}

TEST_F(NotifierTest, SendsAFewATurnInTheirOrder) {
  constexpr std::size_t kCount = 2 * kMostATurn + 5;
  queue(kCount);
  for (const std::size_t sent : {kMostATurn, 2 * kMostATurn, kCount}) {
    EXPECT_TRUE(notifier_.is_busy());
    notifier_.on_turn();
    EXPECT_THAT(sent_, SizeIs(sent));
  }
  EXPECT_FALSE(notifier_.is_busy());
  EXPECT_TRUE(std::ranges::is_sorted(sent_));
  EXPECT_EQ(notifier_.folded(), 0u);
}

TEST_F(NotifierTest, FoldsWhatFindsNoRoom) {
  queue(kMostWaiting + 7);
  EXPECT_EQ(notifier_.folded(), 7u);
  while (notifier_.is_busy())
    notifier_.on_turn();
  ASSERT_THAT(sent_, SizeIs(kMostWaiting));
  EXPECT_EQ(sent_.back(), kMostWaiting) << "the earlier ones are kept";
  queue(1);
  EXPECT_EQ(notifier_.folded(), 7u) << "there is room again";
}

TEST_F(NotifierTest, FoldsWhatHasNobodyToGoTo) {
  open_ = false;
  EXPECT_FALSE(notifier_.is_open());
  queue(3);
  EXPECT_EQ(notifier_.folded(), 3u);
  EXPECT_FALSE(notifier_.is_busy());
  open_ = true;
  notifier_.on_turn();
  EXPECT_THAT(sent_, SizeIs(0)) << "never later";
}

TEST_F(NotifierTest, FoldsWhatStillWaitsWhenTheMasterGoes) {
  queue(kMostATurn + 4);
  notifier_.on_turn();
  open_ = false;
  notifier_.on_turn();
  EXPECT_THAT(sent_, SizeIs(kMostATurn));
  EXPECT_EQ(notifier_.folded(), 4u);
  EXPECT_FALSE(notifier_.is_busy()) << "or the loop would never wait again";
}

TEST_F(NotifierTest, GivesBackWhatFindsNoRoom) {
  queue(kMostWaiting);
  queue_watched();
  EXPECT_THAT(lost_unsent_, SizeIs(1));
  EXPECT_EQ(notifier_.folded(), 0U);
}

TEST_F(NotifierTest, GivesBackWhatStillWaitsWhenTheMasterGoes) {
  queue_watched();
  queue(1);
  takes_ = false;
  notifier_.on_turn();
  open_ = false;
  notifier_.on_turn();
  EXPECT_THAT(lost_unsent_, ElementsAre(1U));
  EXPECT_EQ(notifier_.folded(), 1U) << "the one that nobody cares for";
  notifier_.on_turn();
  EXPECT_THAT(lost_unsent_, SizeIs(1)) << "once";
}

TEST_F(NotifierTest, GivesBackWhatTheMasterHasNotConfirmed) {
  for (int i = 0; i < 3; ++i)
    queue_watched();
  unconfirmed_ = 3;
  notifier_.on_turn();
  unconfirmed_ = 1;
  notifier_.on_turn();
  open_ = false;
  notifier_.on_turn();
  EXPECT_THAT(sent_, SizeIs(3));
  EXPECT_THAT(lost_on_the_way_, ElementsAre(3U)) << "the first two are known to have arrived";
  EXPECT_THAT(lost_unsent_, SizeIs(0));
  EXPECT_EQ(notifier_.folded(), 0U);
}

}  // namespace
}  // namespace tcpmibd::agent
