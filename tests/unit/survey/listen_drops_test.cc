#include "survey/listen_drops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace tcpmibd::tcp {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using Knowledge = LostConnections::Kind;

// A listening socket at one observation.
struct SocketSeen {
  std::uint64_t cookie;
  std::uint32_t discards;
  bool full = false;
};

// One dump, with ListenDrops after it; before it the same, unless told otherwise.
struct Look {
  std::vector<SocketSeen> sockets;
  std::optional<std::uint64_t> after;
  std::optional<std::uint64_t> before = after;
};

LostConnections observed(ListenDrops& drops, const Look& look) {
  std::vector<ListeningSocket> sockets;
  for (const SocketSeen& seen : look.sockets)
    sockets.push_back({.key = {},
                       .cookie = seen.cookie,
                       .queue = seen.full ? 129u : 1u,
                       .backlog = 128,
                       .discards = seen.discards});
  return drops.observe(sockets, {.before = look.before, .after = look.after});
}

struct ShareCase {
  const char* why;
  std::vector<Look> looks;
  std::vector<std::uint32_t> lost;  // by the sockets of the last look
};

const ShareCase kShareCases[] = {
    {"a busy server that loses nothing", {{{{1, 0}}, 7}, {{{1, 500}}, 7}}, {0}},
    {"nothing happens", {{{{1, 5}}, 7}, {{{1, 5}}, 7}}, {0}},
    {"all that was dropped was lost", {{{{1, 5}}, 7}, {{{1, 9}}, 11}}, {4}},
    {"each lost handshake counts twice on its socket", {{{{1, 0}}, 0}, {{{1, 8}}, 4}}, {4}},
    {"who did not grow has lost nothing", {{{{1, 5}, {2, 5}}, 0}, {{{1, 5}, {2, 8}}, 3}}, {0, 3}},
    {"a full queue comes before a busy one",
     {{{{1, 0}, {2, 0}}, 0}, {{{1, 100}, {2, 8, true}}, 8}},
     {0, 8}},
    {"also if it was full before only",
     {{{{1, 0}, {2, 0, true}}, 0}, {{{1, 100}, {2, 8}}, 8}},
     {0, 8}},
    {"and long ago does not count",
     {{{{1, 0}, {2, 0, true}}, 0}, {{{1, 0}, {2, 0}}, 0}, {{{1, 100}, {2, 100}}, 8}},
     {4, 4}},
    {"what the full ones did not lose goes to the others",
     {{{{1, 0}, {2, 0}}, 0}, {{{1, 100}, {2, 8, true}}, 20}},
     {12, 8}},
    {"full ones share where it is not enough for all",
     {{{{1, 0, true}, {2, 0, true}, {3, 0}}, 0}, {{{1, 30, true}, {2, 10, true}, {3, 50}}, 20}},
     {15, 5, 0}},
    {"the others share in proportion",
     {{{{1, 0}, {2, 0}, {3, 0}}, 0}, {{{1, 60}, {2, 30}, {3, 10}}, 10}},
     {6, 3, 1}},
    {"one goes to who grew most", {{{{1, 0}, {2, 0}}, 0}, {{{1, 100}, {2, 1}}, 1}}, {1, 0}},
    {"halves are rounded so that the sum is exact",
     {{{{1, 0}, {2, 0}, {3, 0}}, 0}, {{{1, 1}, {2, 1}, {3, 1}}, 2}},
     {1, 1, 0}},
    {"a new socket has grown by all it tells", {{{{1, 9}}, 0}, {{{2, 9}}, 4}}, {4}},
    {"the first look is the baseline", {{{{1, 9, true}}, 100}}, {0}},
    {"and so is the first that is told ListenDrops",
     {{{{1, 0}}, std::nullopt}, {{{1, 9}}, 100}},
     {0}},
    {"what is not told is not known", {{{{1, 0}}, 0}, {{{1, 9}}, std::nullopt}}, {0}},
    {"and told later, for all the time",
     {{{{1, 0}}, 0}, {{{1, 9}}, std::nullopt}, {{{1, 10}}, 10}},
     {10}},
    {"after ListenDrops has fallen nothing is known", {{{{1, 0}}, 50}, {{{1, 9}}, 40}}, {0}},
    {"and what comes then counts from there",
     {{{{1, 0}}, 50}, {{{1, 9}}, 40}, {{{1, 12}}, 42}},
     {2}},
    {"a counter may wrap", {{{{1, 0xffff'fffe}}, 0}, {{{1, 1}}, 3}}, {3}},
    {"more than 32 bits of drops", {{{{1, 0}}, 0}, {{{1, 7}}, 1ULL << 40}}, {7}},
    {"what sockets lost that are gone is given to nobody later",
     {{{{1, 0}, {2, 0}}, 0}, {{{1, 0}}, 50}, {{{1, 20}}, 50}},
     {0}},
    {"a drop after its counter was read is not lost",
     {{{{1, 0}}, 0}, {{{1, 0}}, 3, 1}, {{{1, 2}}, 3}},
     {2}},
    {"no more than fell between the two readings",
     {{{{1, 0}, {2, 0}}, 0}, {{{1, 0}}, 50, 48}, {{{1, 20}}, 50}},
     {2}},
    {"and only the next look may have it",
     {{{{1, 0}}, 0}, {{{1, 0}}, 3, 1}, {{{1, 0}}, 3}, {{{1, 2}}, 3}},
     {0}},
    {"without a reading before the dump all that nobody was given may be late",
     {{{{1, 0}}, 0}, {{{1, 0}}, 3, std::nullopt}, {{{1, 2}}, 3}},
     {2}},
    {"but nothing of what was left over before",
     {{{{1, 0}}, 0}, {{{1, 0}}, 5, 0}, {{{1, 0}}, 6, std::nullopt}, {{{1, 9}}, 6}},
     {1}},
    {"and no more than was left over",
     {{{{1, 0}}, 0}, {{{1, 2}}, 3, std::nullopt}, {{{1, 9}}, 3}},
     {1}},
    {"a reading before that is beyond the one after", {{{{1, 0}}, 0}, {{{1, 2}}, 1, 9}}, {1}},
};

TEST(ListenDrops, AreSharedOutAmongTheSocketsThatMayHaveLostThem) {
  for (const ShareCase& c : kShareCases) {
    ListenDrops drops;
    LostConnections lost;
    for (const Look& look : c.looks)
      lost = observed(drops, look);
    EXPECT_THAT(lost.by_socket, ElementsAreArray(c.lost)) << c.why;
  }
}

TEST(ListenDrops, SayWhatIsKnown) {
  ListenDrops drops;
  EXPECT_EQ(observed(drops, {{{1, 0}}, std::nullopt}).kind, Knowledge::kUnknown);
  EXPECT_EQ(observed(drops, {{{1, 0}}, 5}).kind, Knowledge::kBaseline);
  EXPECT_EQ(observed(drops, {{{1, 0}}, 5}).kind, Knowledge::kKnown);
  EXPECT_EQ(observed(drops, {{{1, 0}}, std::nullopt}).kind, Knowledge::kUnknown);
  EXPECT_EQ(observed(drops, {{{1, 0}}, 5}).kind, Knowledge::kKnown);
  EXPECT_EQ(observed(drops, {{{1, 0}}, 4}).kind, Knowledge::kBaseline);
  EXPECT_EQ(observed(drops, {{}, 4}).kind, Knowledge::kKnown);
}

TEST(ListenDrops, OfBillionsAreSharedOutToo) {
  ListenDrops drops;
  constexpr std::uint32_t kMost = 0xffff'ffff;
  observed(drops, {{{1, 0}, {2, 0}, {3, 0}}, 0});
  EXPECT_THAT(observed(drops, {{{1, kMost}, {2, kMost}, {3, kMost}}, 3ULL * kMost}).by_socket,
              ElementsAre(kMost, kMost, kMost));
  observed(drops, {{{1, 0}, {2, 0}, {3, 0}}, 3ULL * kMost + 3});
  const auto shared =
      observed(drops, {{{1, kMost}, {2, kMost}, {3, kMost}}, 3ULL * kMost + 3 + 1'500'000'000});
  EXPECT_THAT(shared.by_socket, ElementsAre(500'000'000u, 500'000'000u, 500'000'000u));
}

}  // namespace
}  // namespace tcpmibd::tcp
