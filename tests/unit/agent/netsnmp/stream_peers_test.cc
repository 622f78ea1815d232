#include "agent/netsnmp/stream_peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>

namespace tcpmibd::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time kStart{1h};

// A few connections, told apart by where they lie.
class StreamPeersTest : public testing::Test {
 protected:
  StreamPeers::Key key(std::size_t number) const { return &places_.at(number); }

  void add(std::size_t number, const std::string& address, Time when = kStart) {
    peers_.add(key(number), address, when);
  }

  std::array<char, 8> places_{};
  StreamPeers peers_{{.idle = 60s, .most = 4, .each = 2}};
};

TEST_F(StreamPeersTest, FromOneAddressOnlyAFewMayCome) {
  add(0, "10.0.0.1");
  EXPECT_EQ(peers_.refusal("10.0.0.1"), std::nullopt);
  add(1, "10.0.0.1");
  EXPECT_THAT(peers_.refusal("10.0.0.1").value_or(""),
              HasSubstr("2 are open from there (standalone.tcp-connections-each)"));
  EXPECT_EQ(peers_.refusal("10.0.0.2"), std::nullopt);
}

TEST_F(StreamPeersTest, AltogetherOnlySoManyMayCome) {
  for (std::size_t number = 0; number < 4; ++number)
    add(number, "10.0.0." + std::to_string(number));
  EXPECT_THAT(peers_.refusal("10.0.0.9").value_or(""),
              HasSubstr("4 are open (standalone.tcp-connections)"));
  peers_.remove(key(2));
  EXPECT_EQ(peers_.refusal("10.0.0.9"), std::nullopt);
}

TEST_F(StreamPeersTest, OneThatHasEndedCountsUntilItIsRemoved) {
  add(0, "10.0.0.1");
  add(1, "10.0.0.1");
  peers_.end(key(0));
  EXPECT_FALSE(peers_.is_open(key(0)));
  EXPECT_TRUE(peers_.is_open(key(1)));
  EXPECT_THAT(peers_.ended(), ElementsAre(key(0)));
  EXPECT_NE(peers_.refusal("10.0.0.1"), std::nullopt);
  peers_.remove(key(0));
  EXPECT_THAT(peers_.ended(), IsEmpty());
  EXPECT_EQ(peers_.refusal("10.0.0.1"), std::nullopt);
}

TEST_F(StreamPeersTest, OneThatIsSilentForTooLongIsIdle) {
  add(0, "10.0.0.1");
  add(1, "10.0.0.2", kStart + 1s);
  EXPECT_THAT(peers_.idle(kStart + 60s - 1ns), IsEmpty());
  EXPECT_THAT(peers_.idle(kStart + 60s), ElementsAre(key(0)));
  peers_.heard(key(0), kStart + 59s);
  EXPECT_THAT(peers_.idle(kStart + 61s), ElementsAre(key(1)));
}

TEST_F(StreamPeersTest, WhoHasEndedIsNotIdle) {
  add(0, "10.0.0.1");
  peers_.end(key(0));
  EXPECT_THAT(peers_.idle(kStart + 1h), IsEmpty());
  EXPECT_EQ(peers_.next_idle(), std::nullopt);
}

TEST_F(StreamPeersTest, TheNextToBeIdleIsTheOneSilentForLongest) {
  EXPECT_EQ(peers_.next_idle(), std::nullopt);
  add(0, "10.0.0.1", kStart + 2s);
  add(1, "10.0.0.2", kStart);
  EXPECT_EQ(peers_.next_idle(), kStart + 60s);
  peers_.heard(key(1), kStart + 5s);
  EXPECT_EQ(peers_.next_idle(), kStart + 62s);
}

TEST_F(StreamPeersTest, NewLimitsSendNobodyAwayButTheIdle) {
  for (std::size_t number = 0; number < 3; ++number)
    add(number, "10.0.0." + std::to_string(number));
  peers_.set_limits({.idle = 10s, .most = 2, .each = 1});
  EXPECT_EQ(peers_.size(), 3U);
  EXPECT_THAT(peers_.refusal("10.0.0.9").value_or(""), HasSubstr("3 are open"));
  EXPECT_EQ(peers_.next_idle(), kStart + 10s);
}

TEST_F(StreamPeersTest, AnUnknownOneIsNobody) {
  peers_.heard(key(7), kStart);
  peers_.end(key(7));
  peers_.remove(key(7));
  EXPECT_FALSE(peers_.is_open(key(7)));
  EXPECT_EQ(peers_.size(), 0U);
}

}  // namespace
}  // namespace tcpmibd::agent
