#include "survey/listen_drops.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "support/random.h"

// What is told of lost connections, in a world where it is known which ones were.

namespace tcpmibd::tcp {
namespace {

using lab::Random;

// Listening sockets to which things happen at any time, also while somebody looks at them.
class Listeners {
 public:
  Listeners(Random& random, bool may_close) : random_(random), may_close_(may_close) {
    while (sockets_.size() < 4)
      open();
  }

  // Some of: a connection is lost, a segment is discarded, a queue fills or empties, a socket comes
  // or goes.
  void live(std::size_t events) {
    for (std::size_t i = 0; i < events; ++i)
      happen();
  }

  // One look, as a dump is made: counters one after the other while life goes on. The reading
  // before the dump may fail.
  LostConnections look(ListenDrops& drops, std::size_t events_meanwhile,
                       bool fails_before = false) {
    const auto live_a_little = [&] { live(random_.below(events_meanwhile + 1)); };
    const std::uint64_t before = listen_drops_;
    dumped_.clear();
    std::vector<std::uint64_t> cookies;
    for (const auto& [cookie, socket] : sockets_)
      cookies.push_back(cookie);
    for (const std::uint64_t cookie : cookies) {
      live_a_little();
      if (const auto socket = sockets_.find(cookie); socket != sockets_.end()) {
        dumped_.push_back(socket->second);
        told_[cookie] = lost_[cookie];
      }
    }
    live_a_little();
    window_ = listen_drops_ - before;
    return drops.observe(dumped_, {.before = fails_before ? std::nullopt : std::optional(before),
                                   .after = listen_drops_});
  }

  const std::vector<ListeningSocket>& dumped() const { return dumped_; }
  std::uint64_t listen_drops() const { return listen_drops_; }

  // ListenDrops' growth while the last look was made.
  std::uint64_t window() const { return window_; }

  // What the sockets' own counters had told of connections lost when they were read last.
  std::uint64_t told() const {
    return std::accumulate(told_.begin(), told_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& each) { return sum + each.second; });
  }

 private:
  void open() {
    ++last_cookie_;
    sockets_[last_cookie_] = {.key = {}, .cookie = last_cookie_, .backlog = 8};
  }

  void happen() {
    if (may_close_ && sockets_.size() > 1 && random_.chance(5)) {
      sockets_.erase(any());
      return;
    }
    if (random_.chance(5)) {
      open();
      return;
    }
    ListeningSocket& socket = any()->second;
    switch (random_.below(3)) {
      case 0:
        ++socket.discards;
        ++listen_drops_;
        ++lost_[socket.cookie];
        break;
      case 1:
        socket.discards += random_.below(5);
        break;
      default:
        socket.queue = random_.below(10);
    }
  }

  std::map<std::uint64_t, ListeningSocket>::iterator any() {
    return std::next(sockets_.begin(), random_.below(sockets_.size()));
  }

  Random& random_;
  bool may_close_;
  std::map<std::uint64_t, ListeningSocket> sockets_;
  std::map<std::uint64_t, std::uint64_t> lost_;  // by cookie: the truth
  std::map<std::uint64_t, std::uint64_t> told_;
  std::vector<ListeningSocket> dumped_;
  std::uint64_t last_cookie_ = 0;
  std::uint64_t listen_drops_ = 0;
  std::uint64_t window_ = 0;
};

std::uint64_t sum_of(const LostConnections& lost) {
  return std::accumulate(lost.by_socket.begin(), lost.by_socket.end(), std::uint64_t{0});
}

constexpr int kWorlds = 200;
constexpr int kLooks = 30;

TEST(LostConnectionsProperty, AreNeverMoreThanTheKernelCountedNorLessThanSocketsTell) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int world = 0; world < kWorlds; ++world) {
    Listeners listeners(random, false);
    ListenDrops drops;
    listeners.live(random.below(50));
    listeners.look(drops, 0);
    const std::uint64_t at_first = listeners.listen_drops();
    const std::uint64_t told_at_first = listeners.told();
    std::uint64_t sum = 0;
    for (int look = 0; look < kLooks; ++look) {
      listeners.live(random.below(40));
      sum +=
          sum_of(listeners.look(drops, random.one_of<std::size_t>({0, 1, 3}), random.chance(20)));
      ASSERT_LE(sum, listeners.listen_drops() - at_first);
      ASSERT_GE(sum, listeners.told() - told_at_first);
    }
    sum += sum_of(listeners.look(drops, 0));
    ASSERT_EQ(sum, listeners.listen_drops() - at_first) << "all is told when all is quiet";
  }
}

// Connections of sockets that were closed are nobody's.
TEST(LostConnectionsProperty, AreOfTheTimeSinceTheLookBeforeWhateverWasClosed) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int world = 0; world < kWorlds; ++world) {
    Listeners listeners(random, true);
    ListenDrops drops;
    listeners.look(drops, 0);
    for (int look = 0; look < kLooks; ++look) {
      const std::uint64_t window = listeners.window();
      const std::uint64_t before = listeners.listen_drops();
      listeners.live(random.below(40));
      const LostConnections lost = listeners.look(drops, random.one_of<std::size_t>({0, 0, 1, 3}));
      ASSERT_EQ(lost.kind, LostConnections::Kind::kKnown);
      ASSERT_LE(sum_of(lost), listeners.listen_drops() - before + window);
    }
  }
}

// By the figures of two looks: who may have lost how much, and who comes first.
TEST(LostConnectionsProperty, OfASocketAreNoMoreThanItsOwnGrowthAndFullOnesComeFirst) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int world = 0; world < kWorlds; ++world) {
    Listeners listeners(random, true);
    ListenDrops drops;
    listeners.look(drops, 0);
    std::map<std::uint64_t, ListeningSocket> before;
    for (int look = 0; look < kLooks; ++look) {
      before.clear();
      for (const ListeningSocket& socket : listeners.dumped())
        before.emplace(socket.cookie, socket);
      const std::uint64_t drops_before = listeners.listen_drops();
      listeners.live(random.below(40));
      const LostConnections lost = listeners.look(drops, 0);
      const std::uint64_t all = listeners.listen_drops() - drops_before;
      std::uint64_t claimed = 0;
      std::uint64_t left_to_full = 0;
      std::uint64_t given_to_others = 0;
      ASSERT_EQ(lost.by_socket.size(), listeners.dumped().size());
      for (std::size_t i = 0; i < lost.by_socket.size(); ++i) {
        const ListeningSocket& now = listeners.dumped()[i];
        const auto seen = before.find(now.cookie);
        const std::uint32_t growth =
            now.discards - (seen == before.end() ? 0 : seen->second.discards);
        const bool full = is_full(now) || (seen != before.end() && is_full(seen->second));
        ASSERT_LE(lost.by_socket[i], growth);
        claimed += growth;
        left_to_full += full ? growth - lost.by_socket[i] : 0;
        given_to_others += full ? 0 : lost.by_socket[i];
      }
      ASSERT_EQ(sum_of(lost), std::min(all, claimed)) << "exact";
      ASSERT_TRUE(left_to_full == 0 || given_to_others == 0);
    }
  }
}

TEST(LostConnectionsProperty, AreNoneWhileOnlySegmentsAreDiscarded) {
  Random random;
  SCOPED_TRACE(random.text());
  ListenDrops drops;
  std::vector<ListeningSocket> sockets(5);
  for (std::size_t i = 0; i < sockets.size(); ++i)
    sockets[i].cookie = i + 1;
  for (int look = 0; look < 1000; ++look) {
    for (ListeningSocket& socket : sockets) {
      socket.discards += random.below(100);
      socket.queue = random.below(3);
      socket.backlog = random.below(3);
    }
    ASSERT_EQ(sum_of(drops.observe(sockets, {.before = 77, .after = 77})), 0u);
  }
}

}  // namespace
}  // namespace tcpmibd::tcp
