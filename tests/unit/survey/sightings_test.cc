#include "survey/sightings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;
using namespace std::chrono_literals;

constexpr Time kBeginning{1'000'000s};

Snapshot taken_at(Time time, const std::vector<Socket>& sockets) {
  SnapshotBuilder builder({}, time);
  for (const Socket& socket : sockets)
    builder.add(socket);
  return builder.finish(time);
}

Socket connection(const SocketOptions& options) {
  return established("10.0.0.1:22", "10.0.0.9:1", options);
}

Socket in_state(State state, std::uint64_t cookie = 7) {
  return connection({.state = state, .cookie = cookie});
}

// What is known of the only connection of `now` when `before` was looked at first.
std::uint32_t age_after(const Snapshot& before, const Snapshot& now,
                        const std::vector<Quiet>& quiet = {}) {
  const Sightings first = Sightings::follow({}, before, {}, {});
  return Sightings::follow(first, now, quiet, {}).age_of(now.ipv4()[0].details);
}

// At first sight.
std::uint32_t age_of(const Socket& socket, const std::vector<Quiet>& quiet = {},
                     const Lifetimes& lifetimes = {}) {
  const Snapshot now = taken_at(kBeginning, {socket});
  return Sightings::follow({}, now, quiet, lifetimes).age_of(now.ipv4()[0].details);
}

constexpr State kRemembered[] = {State::kSynSent, State::kFinWait2, State::kCloseWait,
                                 State::kLastAck};
constexpr State kNotRemembered[] = {State::kSynReceived, State::kEstablished, State::kFinWait1,
                                    State::kClosing};

TEST(Sightings, CountFromWhenAConnectionWasFirstSeenSo) {
  for (const State state : kRemembered) {
    const Snapshot before = taken_at(kBeginning, {in_state(state)});
    EXPECT_EQ(age_after({}, before), 0u) << names_of(state).mib;
    EXPECT_EQ(age_after(before, taken_at(kBeginning + 90s, {in_state(state)})), 90u)
        << names_of(state).mib;
  }
}

TEST(Sightings, CountOverAnyNumberOfSnapshots) {
  Sightings sightings;
  for (int i = 0; i <= 100; ++i) {
    const Snapshot now = taken_at(kBeginning + i * 700ms, {in_state(State::kCloseWait)});
    sightings = Sightings::follow(sightings, now, {}, {});
    EXPECT_EQ(sightings.age_of(now.ipv4()[0].details), static_cast<std::uint32_t>(i * 7 / 10));
  }
}

TEST(Sightings, OfOtherStatesAreNone) {
  for (const State state : kNotRemembered) {
    const Snapshot before = taken_at(kBeginning, {in_state(state)});
    EXPECT_EQ(age_after(before, taken_at(kBeginning + 90s, {in_state(state)})), 0u)
        << names_of(state).mib;
  }
}

TEST(Sightings, BeginAnewInAnotherState) {
  const Snapshot before = taken_at(kBeginning, {in_state(State::kCloseWait)});
  EXPECT_EQ(age_after(before, taken_at(kBeginning + 90s, {in_state(State::kLastAck)})), 0u);
}

TEST(Sightings, BeginAnewAfterAStateInBetween) {
  Sightings sightings;
  const State states[] = {State::kSynSent, State::kEstablished, State::kSynSent};
  Time now = kBeginning;
  for (const State state : states)
    sightings = Sightings::follow(sightings, taken_at(now += 10s, {in_state(state)}), {}, {});
  const Snapshot last = taken_at(now, {in_state(State::kSynSent)});
  EXPECT_EQ(sightings.age_of(last.ipv4()[0].details), 0u);
}

TEST(Sightings, BeginAnewForAnotherConnectionWithTheSameEnds) {
  const Snapshot before = taken_at(kBeginning, {in_state(State::kCloseWait, 7)});
  EXPECT_EQ(age_after(before, taken_at(kBeginning + 90s, {in_state(State::kCloseWait, 8)})), 0u);
}

TEST(Sightings, AreForgottenWithTheConnection) {
  const Snapshot present = taken_at(kBeginning, {in_state(State::kCloseWait)});
  Sightings sightings = Sightings::follow({}, present, {}, {});
  EXPECT_FALSE(sightings.lacks_close_waits(present));
  sightings = Sightings::follow(sightings, taken_at(kBeginning + 1s, {}), {}, {});
  EXPECT_TRUE(sightings.lacks_close_waits(present));
}

TEST(Sightings, TellConnectionsApartByTheWholeCookie) {
  const std::vector<Socket> early = {
      established("10.0.0.1:22", "10.0.0.9:1", {.state = State::kCloseWait, .cookie = 1})};
  std::vector<Socket> late = early;
  late.push_back(established("10.0.0.1:22", "10.0.0.9:2",
                             {.state = State::kCloseWait, .cookie = 0x1'0000'0001}));
  const Sightings first = Sightings::follow({}, taken_at(kBeginning, early), {}, {});
  const Snapshot now = taken_at(kBeginning + 60s, late);
  const Sightings sightings = Sightings::follow(first, now, {}, {});
  EXPECT_EQ(sightings.age_of(now.ipv4()[0].details), 60u);
  EXPECT_EQ(sightings.age_of(now.ipv4()[1].details), 0u);
}

TEST(Sightings, CountTwinsAndBothFamilies) {
  const std::vector<Socket> sockets = {
      connection({.state = State::kCloseWait, .interface = 2, .cookie = 1}),
      connection({.state = State::kCloseWait, .interface = 3, .cookie = 2}),
      established("[::1]:1", "[::1]:2", {.state = State::kSynSent, .cookie = 3})};
  const Sightings first = Sightings::follow({}, taken_at(kBeginning, sockets), {}, {});
  const Snapshot now = taken_at(kBeginning + 5s, sockets);
  const Sightings sightings = Sightings::follow(first, now, {}, {});
  now.for_each_connection([&](const auto& row) {
    EXPECT_EQ(sightings.age_of(row.details), 5u) << row.details.cookie();
  });
}

// ------------------------------------------------------------------------ What the kernel knows

TEST(CloseWait, IsAsOldAsTheKernelKnowsAtFirstSight) {
  EXPECT_EQ(age_of(in_state(State::kCloseWait), {{.cookie = 7, .ms = 321'000}}), 321u);
}

TEST(CloseWait, OfWhichTheKernelTellsNothingBeginsAtFirstSight) {
  EXPECT_EQ(age_of(in_state(State::kCloseWait), {{.cookie = 8, .ms = 321'000}}), 0u);
  EXPECT_EQ(age_of(in_state(State::kCloseWait)), 0u);
}

TEST(CloseWait, IsFoundAmongOthersInAnyOrder) {
  EXPECT_EQ(
      age_of(in_state(State::kCloseWait),
             {{.cookie = 9, .ms = 1000}, {.cookie = 7, .ms = 2000}, {.cookie = 1, .ms = 3000}}),
      2u);
}

TEST(CloseWait, KeepsTheEvidenceOfItsFirstSight) {
  const Snapshot before = taken_at(kBeginning, {in_state(State::kCloseWait)});
  const Sightings first = Sightings::follow({}, before, std::vector{Quiet{7, 300'000}}, {});
  const Snapshot now = taken_at(kBeginning + 10s, {in_state(State::kCloseWait)});
  // An ACK of the peer's since then makes it less quiet, and no younger.
  const Sightings second = Sightings::follow(first, now, std::vector{Quiet{7, 100}}, {});
  EXPECT_EQ(second.age_of(now.ipv4()[0].details), 310u);
}

TEST(CloseWait, OfOtherStatesNoQuietIsEvidence) {
  for (const State state : {State::kSynSent, State::kFinWait2, State::kLastAck})
    EXPECT_EQ(age_of(in_state(state), {{.cookie = 7, .ms = 300'000}}), 0u) << names_of(state).mib;
}

TEST(CloseWait, IsNoOlderThanTheClock) {
  const Snapshot now = taken_at(Time{5s}, {in_state(State::kCloseWait)});
  const Sightings sightings = Sightings::follow({}, now, std::vector{Quiet{7, 3'600'000}}, {});
  EXPECT_EQ(sightings.age_of(now.ipv4()[0].details), 5u);
}

TEST(CloseWait, IsLackedUntilItHasBeenFollowed) {
  const Snapshot none = taken_at(kBeginning, {in_state(State::kEstablished)});
  const Snapshot one = taken_at(kBeginning, {in_state(State::kCloseWait)});
  Sightings sightings = Sightings::follow({}, none, {}, {});
  EXPECT_FALSE(sightings.lacks_close_waits(none));
  EXPECT_TRUE(sightings.lacks_close_waits(one));
  sightings = Sightings::follow(sightings, one, {}, {});
  EXPECT_FALSE(sightings.lacks_close_waits(one));
  EXPECT_TRUE(sightings.lacks_close_waits(taken_at(
      kBeginning, {in_state(State::kCloseWait),
                   established("10.0.0.1:22", "10.0.0.9:2", {.state = State::kCloseWait})})));
}

TEST(CloseWait, ThatWasSeenInAnotherStateIsLacked) {
  const Sightings sightings =
      Sightings::follow({}, taken_at(kBeginning, {in_state(State::kLastAck)}), {}, {});
  EXPECT_TRUE(sightings.lacks_close_waits(taken_at(kBeginning, {in_state(State::kCloseWait)})));
}

struct TimerCase {
  const char* why;
  State state;
  Timer timer;
  std::uint32_t expires_ms;
  std::uint32_t age;
};

// tcp_fin_timeout is 20 seconds, TIME_WAIT 60.
constexpr TimerCase kTimerCases[] = {
    {"TIME_WAIT just begun", State::kTimeWait, Timer::kTimeWait, 60'000, 0},
    {"TIME_WAIT under way", State::kTimeWait, Timer::kTimeWait, 15'000, 45},
    {"TIME_WAIT over", State::kTimeWait, Timer::kTimeWait, 0, 60},
    {"TIME_WAIT of a longer timer", State::kTimeWait, Timer::kTimeWait, 61'000, 0},
    {"parts of a second do not count", State::kTimeWait, Timer::kTimeWait, 58'001, 1},
    {"FIN_WAIT_2 of a minisock", State::kFinWait2, Timer::kTimeWait, 5'000, 15},
    {"FIN_WAIT_2 of a longer timer", State::kFinWait2, Timer::kTimeWait, 50'000, 0},
    {"FIN_WAIT_2 that a process holds", State::kFinWait2, Timer::kNone, 0, 0},
    {"FIN_WAIT_2 with another timer", State::kFinWait2, Timer::kKeepalive, 5'000, 0},
};

TEST(Timers, TellHowLongAgoTheyBegan) {
  for (const TimerCase& c : kTimerCases)
    EXPECT_EQ(age_of(connection({.state = c.state, .timer = c.timer, .expires_ms = c.expires_ms}),
                     {}, {.fin_wait_2_ms = 20'000, .time_wait_ms = 60'000}),
              c.age)
        << c.why;
}

TEST(Timers, OfTimeWaitNeedNoMemory) {
  const Snapshot before = taken_at(
      kBeginning, {connection({.state = State::kTimeWait, .cookie = 7, .expires_ms = 60'000})});
  const Snapshot now =
      taken_at(kBeginning + 30s,
               {connection({.state = State::kTimeWait, .cookie = 7, .expires_ms = 55'000})});
  EXPECT_EQ(age_after(before, now), 5u);
}

TEST(Timers, OfFinWait2CountOnFromItsFirstSight) {
  const auto socket = [](Timer timer, std::uint32_t expires_ms) {
    return connection(
        {.state = State::kFinWait2, .cookie = 7, .timer = timer, .expires_ms = expires_ms});
  };
  // Held by a process for a minute, then left behind: the timer began later than the state.
  const Snapshot before = taken_at(kBeginning, {socket(Timer::kNone, 0)});
  EXPECT_EQ(age_after(before, taken_at(kBeginning + 60s, {socket(Timer::kTimeWait, 59'000)})), 60u);
}

// ---- MPTCP ----

TEST(Sightings, TellHowLongAnMptcpConnectionHasBeenInCloseWait) {
  const std::vector<Socket> subflow{established("10.0.0.1:443", "10.0.0.9:1", {.inode = 5})};
  const std::vector<Socket> leak{established(
      "10.0.0.1:443", "10.0.0.9:1", {.state = State::kCloseWait, .inode = 5, .cookie = 7})};
  const Snapshot snapshot = snapshot_of(subflow, {}, leak);
  const Sightings nothing;
  EXPECT_TRUE(nothing.lacks_close_waits(snapshot));
  const Sightings sightings =
      Sightings::follow(nothing, snapshot, std::vector<Quiet>{{.cookie = 7, .ms = 321'000}}, {});
  EXPECT_FALSE(sightings.lacks_close_waits(snapshot));
  EXPECT_EQ(sightings.age_of(snapshot.mptcp_ipv4()[0].details), 321u);
}

}  // namespace
}  // namespace tcpmibd::tcp
