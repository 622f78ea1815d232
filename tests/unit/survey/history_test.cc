#include "survey/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace tcpmibd::tcp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kLast = std::numeric_limits<std::uint32_t>::max();

void add(History& history, std::uint32_t number) {
  Ended ended;
  ended.pid = number;
  history.add(ended, WallTime(), number);
}

History holding(std::size_t most, const std::vector<std::uint32_t>& numbers) {
  History history(most);
  for (const std::uint32_t number : numbers)
    add(history, number);
  return history;
}

std::vector<std::uint32_t> in_order(const History& history) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history.in_order(i).ended.pid, history.in_order(i).number) << "its own end";
    numbers.push_back(history.in_order(i).number);
  }
  return numbers;
}

std::vector<std::uint32_t> newest_first(const History& history) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t i = 0; i < history.size(); ++i)
    numbers.push_back(history.newest(i).number);
  return numbers;
}

TEST(History, KeepsWhatHasComeUntilItIsFull) {
  EXPECT_THAT(in_order(holding(3, {})), IsEmpty());
  EXPECT_THAT(in_order(holding(3, {7, 8})), ElementsAre(7, 8));
  EXPECT_THAT(in_order(holding(3, {7, 8, 9})), ElementsAre(7, 8, 9));
}

TEST(History, TheOldestMakesRoom) {
  EXPECT_THAT(in_order(holding(3, {1, 2, 3, 4})), ElementsAre(2, 3, 4));
  EXPECT_THAT(in_order(holding(3, {1, 2, 3, 4, 5, 6, 7, 8})), ElementsAre(6, 7, 8));
  EXPECT_THAT(newest_first(holding(3, {1, 2, 3, 4})), ElementsAre(4, 3, 2));
}

TEST(History, OfNoneKeepsNone) { EXPECT_THAT(in_order(holding(0, {1, 2})), IsEmpty()); }

TEST(History, NumbersThatBeginAnewComeFirstInTheirOrder) {
  EXPECT_THAT(in_order(holding(4, {kLast - 1, kLast, 1})), ElementsAre(1, kLast - 1, kLast));
  EXPECT_THAT(in_order(holding(4, {kLast - 1, kLast, 1, 2, 3})), ElementsAre(1, 2, 3, kLast));
  EXPECT_THAT(in_order(holding(4, {kLast - 1, kLast, 1, 2, 3, 4})), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(in_order(holding(4, {kLast - 1, kLast, 1, 2, 3, 4, 5, 6})), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(newest_first(holding(4, {kLast - 1, kLast, 1})), ElementsAre(1, kLast, kLast - 1));
}

TEST(History, TheNumberAfterTheLastIsOne) {
  EXPECT_EQ(number_after(0), 1U);
  EXPECT_EQ(number_after(kLast - 1), kLast);
  EXPECT_EQ(number_after(kLast), 1U);
}

}  // namespace
}  // namespace tcpmibd::tcp
