#include "tcp/process_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tcpmibd::tcp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Time kBegan{std::chrono::seconds(42)};

ProcessMap the_map() {
  return ProcessMap::build({{7, 300}, {9, 12}, {7, 200}, {7, 300}, {8, 5}}, {10, 7, 11, 10}, 4,
                           kBegan);
}

TEST(ProcessMap, GivesTheLowestHolder) {
  EXPECT_EQ(the_map().lowest(7), 200u);
  EXPECT_EQ(the_map().lowest(8), 5u);
  EXPECT_EQ(the_map().lowest(9), 12u);
}

TEST(ProcessMap, TellsNobodysSocketsFromThoseItHasNotHeardOf) {
  EXPECT_EQ(the_map().lowest(10), 0u);
  EXPECT_EQ(the_map().lowest(11), 0u);
  EXPECT_EQ(the_map().lowest(12), std::nullopt);
  EXPECT_EQ(ProcessMap().lowest(12), std::nullopt);
}

TEST(ProcessMap, NeverLooksUpInodeZero) {
  EXPECT_EQ(ProcessMap().lowest(0), 0u);
  EXPECT_EQ(ProcessMap::build({{0, 666}}, {}, 0, kBegan).lowest(0), 0u);
}

TEST(ProcessMap, ListsEveryHolderOnceAscending) {
  EXPECT_THAT(the_map().holders(7), ElementsAre(Holder{7, 200}, Holder{7, 300}));
  EXPECT_THAT(the_map().holders(10), IsEmpty());
  EXPECT_THAT(the_map().holders(12), IsEmpty());
}

TEST(ProcessMap, RemembersWhatItCouldNotSeeAndWhenItBegan) {
  EXPECT_EQ(the_map().denied(), 4u);
  EXPECT_EQ(the_map().taken_at(), kBegan);
}

TEST(ProcessMap, TakesHoldersThatWereFoundLater) {
  ProcessMap map = the_map();
  EXPECT_THAT(map.ownerless(), ElementsAre(10, 11));
  map.add({{11, 9}, {11, 3}, {11, 9}, {12, 1}});
  EXPECT_EQ(map.lowest(11), 3u);
  EXPECT_THAT(map.holders(11), ElementsAre(Holder{11, 3}, Holder{11, 9}));
  EXPECT_EQ(map.lowest(12), 1u);
  EXPECT_EQ(map.lowest(7), 200u);
  EXPECT_THAT(map.ownerless(), ElementsAre(10));
  map.add({});
  EXPECT_EQ(map.lowest(10), 0u);
}

TEST(ProcessMap, KeepsOrderWhereverLaterHoldersBelong) {
  ProcessMap map = ProcessMap::build({{4, 1}, {6, 2}, {8, 3}}, {}, 0, kBegan);
  map.add({{9, 5}, {6, 1}, {3, 4}, {6, 2}});
  EXPECT_EQ(map.lowest(3), 4u);
  EXPECT_EQ(map.lowest(4), 1u);
  EXPECT_THAT(map.holders(6), ElementsAre(Holder{6, 1}, Holder{6, 2}));
  EXPECT_EQ(map.lowest(8), 3u);
  EXPECT_EQ(map.lowest(9), 5u);
}

TEST(ProcessMap, CanForgetThatNobodyHoldsASocket) {
  ProcessMap map = the_map();
  map.forget_ownerless();
  EXPECT_THAT(map.ownerless(), IsEmpty());
  EXPECT_EQ(map.lowest(10), std::nullopt);
  EXPECT_EQ(map.lowest(7), 200u);
}

TEST(ProcessMap, TakesInodesOfAll32Bits) {
  const ProcessMap map = ProcessMap::build({{0xffffffff, 1}}, {0xfffffffe}, 0, kBegan);
  EXPECT_EQ(map.lowest(0xffffffff), 1u);
  EXPECT_EQ(map.lowest(0xfffffffe), 0u);
}

}  // namespace
}  // namespace tcpmibd::tcp
