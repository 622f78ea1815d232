#include "agent/commands/watch/wish.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "agent/commands/show/topics.h"

namespace tcpmibd::agent {
namespace {

constexpr OnScreen kOnScreen{.columns = 3, .rows = 50, .height = 10};

Wish pressed(Wish wish, std::string_view keys) {
  for (const char key : keys)
    wish = press(std::move(wish), {.character = key}, kOnScreen);
  return wish;
}

Wish pressed(Wish wish, KeyName key) { return press(std::move(wish), {.name = key}, kOnScreen); }

TEST(Wish, EveryViewIsATopicAndHasItsKey) {
  std::set<char> keys;
  for (const LiveView& view : kLiveViews) {
    EXPECT_TRUE(keys.insert(view.key).second) << view.key;
    EXPECT_NE(topic_named(view.word), nullptr) << view.word;
    EXPECT_EQ(pressed({}, std::string_view(&view.key, 1)).word, view.word);
  }
  for (const Topic& topic : topics())
    EXPECT_EQ(std::ranges::count(kLiveViews, topic.word, &LiveView::word), 1) << topic.word;
}

TEST(Wish, AnotherViewBeginsAtItsTopAndIsLookedAtAtOnce) {
  const Wish wish = pressed({.word = "ports", .order = {.reversed = true}, .first = 7}, "3");
  EXPECT_EQ(wish.word, "units");
  EXPECT_EQ(wish.first, 0U);
  EXPECT_TRUE(wish.now);
  EXPECT_FALSE(wish.order.reversed);
  EXPECT_FALSE(pressed(wish, "j").now);
}

TEST(Wish, KeysEndHelpAndTurnRound) {
  EXPECT_TRUE(pressed({}, "q").quit);
  EXPECT_TRUE(pressed({}, "?").help);
  EXPECT_FALSE(pressed({}, "??").help);
  EXPECT_TRUE(pressed({}, "r").order.reversed);
  EXPECT_EQ(pressed({}, "c").order.by, LiveOrder::By::kChange);
  EXPECT_EQ(pressed({}, "cw").order.by, LiveOrder::By::kBadness);
  EXPECT_TRUE(pressed({}, " ").now);
  EXPECT_FALSE(pressed({}, "x").quit);
}

TEST(Wish, AFilterTakesEveryKeyUntilItIsKeptOrEnded) {
  Wish wish = pressed({.first = 7}, "/q?1");
  EXPECT_EQ(wish.filter, "q?1");
  EXPECT_FALSE(wish.quit);
  EXPECT_EQ(wish.first, 0U);
  wish = pressed(wish, KeyName::kBackspace);
  EXPECT_EQ(wish.filter, "q?");
  wish = pressed(wish, KeyName::kEnter);
  EXPECT_FALSE(wish.typing);
  EXPECT_EQ(wish.filter, "q?");
  EXPECT_EQ(pressed(wish, KeyName::kEscape).filter, "");
  EXPECT_EQ(pressed(pressed({}, "/ab"), KeyName::kEscape).filter, "");
}

TEST(Wish, BackspaceTakesAWholeCharacter) {
  EXPECT_EQ(pressed(pressed({}, "/aé"), KeyName::kBackspace).filter, "a");
  EXPECT_EQ(pressed(pressed({}, "/"), KeyName::kBackspace).filter, "");
}

TEST(Wish, ScrollsWithinTheRows) {
  EXPECT_EQ(pressed({}, "jjk").first, 1U);
  EXPECT_EQ(pressed({}, "k").first, 0U);
  EXPECT_EQ(pressed({}, KeyName::kPageDown).first, 10U);
  EXPECT_EQ(pressed({}, KeyName::kEnd).first, 40U);
  EXPECT_EQ(pressed({.first = 12}, KeyName::kHome).first, 0U);
  EXPECT_EQ(press({.first = 30}, {.name = KeyName::kDown}, {.rows = 3, .height = 10}).first, 0U);
}

TEST(Wish, SidewaysGoesThroughTheOrdersAndBack) {
  Wish wish;
  for (int i = 0; i < 3; ++i)
    wish = pressed(wish, KeyName::kRight);
  EXPECT_EQ(wish.order.by, LiveOrder::By::kColumn);
  EXPECT_EQ(wish.order.column, 1U);
  wish = pressed(pressed(wish, KeyName::kRight), KeyName::kRight);
  EXPECT_EQ(wish.order.by, LiveOrder::By::kBadness);
  EXPECT_EQ(pressed(wish, KeyName::kLeft).order.column, 2U);
}

}  // namespace
}  // namespace tcpmibd::agent
