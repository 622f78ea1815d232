#include "tcp/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

tcp::Socket twin(const SocketOptions& options) {
  return established("10.0.0.1:22", "10.0.0.9:4711", options);
}

// Which of two sockets with one index gives the row its details: `first`.
struct MergeCase {
  const char* why;
  Socket first;
  Socket second;
};

const MergeCase kMergeCases[] = {
    {"one that a process holds before one that nobody holds",
     twin({.state = State::kTimeWait, .inode = 5, .cookie = 2}), twin({.cookie = 1})},
    {"established before any other state", twin({.inode = 5, .cookie = 2}),
     twin({.state = State::kSynSent, .inode = 6, .cookie = 1})},
    {"else in the order of the MIB's states",
     twin({.state = State::kSynSent, .inode = 5, .cookie = 2}),
     twin({.state = State::kCloseWait, .inode = 6, .cookie = 1})},
    {"else the older cookie", twin({.inode = 6, .cookie = 1}), twin({.inode = 5, .cookie = 2})},
    {"cookies are 64 bits", twin({.inode = 6, .cookie = 0x0'ffff'ffff}),
     twin({.inode = 5, .cookie = 0x1'0000'0000})},
};

TEST(Merging, PrefersTheSameSocketInWhateverOrderTheyCome) {
  for (const MergeCase& c : kMergeCases) {
    for (const auto& sockets : {std::vector{c.first, c.second}, std::vector{c.second, c.first}}) {
      const Snapshot snapshot = snapshot_of(sockets);
      ASSERT_EQ(snapshot.ipv4().size(), 1u) << c.why;
      EXPECT_EQ(snapshot.ipv4()[0].details.cookie(), c.first.id.cookie) << c.why;
      EXPECT_TRUE(snapshot.ipv4()[0].details.shared) << c.why;
      EXPECT_EQ(snapshot.merged(), 1u) << c.why;
    }
  }
}

TEST(Merging, ASocketThatTheDumpToldTwiceIsOne) {
  const Socket socket = twin({.inode = 5, .cookie = 7});
  const Snapshot snapshot = snapshot_of({socket, socket, socket});
  ASSERT_EQ(snapshot.ipv4().size(), 1u);
  EXPECT_FALSE(snapshot.ipv4()[0].details.shared);
  EXPECT_EQ(snapshot.merged(), 0u);
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 1u);
  EXPECT_THAT(snapshot.siblings(snapshot.ipv4()[0].details), IsEmpty());
}

TEST(Merging, KeepsTheInodesOfAllWhoShareARow) {
  const Snapshot snapshot =
      snapshot_of({listener("0.0.0.0:80", {.inode = 33, .cookie = 3}),
                   listener("0.0.0.0:80", {.inode = 31, .cookie = 1}),
                   listener("0.0.0.0:80", {.inode = 32, .cookie = 2}),
                   listener("0.0.0.0:80", {.cookie = 4}), listener("0.0.0.0:81", {.inode = 9})});
  ASSERT_EQ(snapshot.listeners().size(), 2u);
  const Details& shared = snapshot.listeners()[0].details;
  EXPECT_EQ(shared.inode, 31u);
  std::vector<std::uint32_t> inodes;
  for (const Sibling& sibling : snapshot.siblings(shared))
    inodes.push_back(sibling.inode);
  EXPECT_THAT(inodes, UnorderedElementsAre(32, 33));
  EXPECT_THAT(snapshot.siblings(snapshot.listeners()[1].details), IsEmpty());
  EXPECT_EQ(snapshot.merged(), 3u);
}

TEST(Merging, DoesNotMixUpTheSharersOfDifferentRows) {
  const Snapshot snapshot = snapshot_of({listener("0.0.0.0:80", {.inode = 1, .cookie = 10}),
                                         listener("0.0.0.0:80", {.inode = 2, .cookie = 11}),
                                         listener("0.0.0.0:81", {.inode = 3, .cookie = 12}),
                                         listener("0.0.0.0:81", {.inode = 4, .cookie = 13})});
  ASSERT_EQ(snapshot.listeners().size(), 2u);
  EXPECT_EQ(snapshot.siblings(snapshot.listeners()[0].details).front().inode, 2u);
  EXPECT_EQ(snapshot.siblings(snapshot.listeners()[1].details).front().inode, 4u);
}

TEST(Merging, OfAMappedAndAPlainTwinMakesOneRow) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:22", "10.0.0.9:1"),
                   established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:1")});
  EXPECT_EQ(snapshot.ipv4().size(), 1u);
  EXPECT_EQ(snapshot.ipv6().size(), 0u);
  EXPECT_EQ(snapshot.merged(), 1u);
}

TEST(Merging, KeepsThatOneOfThemTakesIpv4) {
  const Snapshot snapshot =
      snapshot_of({listener("[::]:80", {.v6only = true, .inode = 1}), listener("[::]:80")},
                  {.dual_stack_as_unknown = false});
  ASSERT_EQ(snapshot.listeners().size(), 1u);
  EXPECT_TRUE(snapshot.listeners()[0].details.dual_stack);
  EXPECT_EQ(snapshot.legacy_listeners().size(), 1u);
}

TEST(Counts, TellEachStateByTheProtocolItSpeaks) {
  const Snapshot snapshot = snapshot_of({
      established("10.0.0.1:22", "10.0.0.9:1"),
      established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:2"),
      established("[2001:db8::1]:22", "[2001:db8::9]:3"),
      established("10.0.0.1:22", "10.0.0.9:4", {.state = State::kTimeWait}),
      listener("0.0.0.0:22"),
      listener("[::]:22"),
      listener("[::ffff:10.0.0.1]:23"),
      established("10.0.0.1:5", "10.0.0.9:5", {.state = State::kClosed}),
  });
  struct Want {
    State state;
    std::uint32_t ipv4, ipv6;
  };
  for (const Want& want :
       {Want{State::kEstablished, 2, 1}, Want{State::kTimeWait, 1, 0}, Want{State::kListen, 2, 1},
        Want{State::kClosed, 0, 0}, Want{State::kSynSent, 0, 0}}) {
    EXPECT_EQ(snapshot.count(want.state).ipv4, want.ipv4) << names_of(want.state).mib;
    EXPECT_EQ(snapshot.count(want.state).ipv6, want.ipv6) << names_of(want.state).mib;
    EXPECT_EQ(snapshot.count(want.state).total(), want.ipv4 + want.ipv6);
  }
}

TEST(Counts, HoldWhatOnlyTheNumberIsKnownOf) {
  SnapshotBuilder builder({});
  builder.add(established("10.0.0.1:22", "10.0.0.2:5000"));
  builder.add_counted(State::kEstablished, {.ipv4 = 3, .ipv6 = 4});
  const Snapshot snapshot = builder.finish();
  EXPECT_EQ(snapshot.count(State::kEstablished).ipv4, 4u);
  EXPECT_EQ(snapshot.count(State::kEstablished).ipv6, 4u);
  EXPECT_EQ(snapshot.rows(), 1u);
}

TEST(Counts, OfABuilderThatWasClearedBeginAnew) {
  const Time began = Clock::now();
  SnapshotBuilder builder({}, began);
  builder.add(established("10.0.0.1:22", "10.0.0.2:5000"));
  builder.add(established("[2001:db8::1]:22", "[2001:db8::2]:5000"));
  builder.add(listener("0.0.0.0:22"));
  builder.add_counted(State::kEstablished, {.ipv4 = 3, .ipv6 = 4});
  builder.add_unknown();
  builder.clear();
  builder.add(established("10.0.0.1:22", "10.0.0.3:5000"));
  const Snapshot snapshot = builder.finish();
  EXPECT_EQ(snapshot.taken_at(), began);
  EXPECT_EQ(snapshot.rows(), 1u);
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 1u);
  EXPECT_EQ(snapshot.count(State::kListen).total(), 0u);
  EXPECT_TRUE(snapshot.listening().empty());
  EXPECT_EQ(snapshot.unknown_states(), 0u);
}

TEST(Counts, CountSocketsNotRows) {
  const Snapshot snapshot =
      snapshot_of({twin({.interface = 2}), twin({.state = State::kTimeWait, .interface = 3})});
  EXPECT_EQ(snapshot.rows(), 1u);
  EXPECT_EQ(snapshot.count(State::kEstablished).ipv4, 1u);
  EXPECT_EQ(snapshot.count(State::kTimeWait).ipv4, 1u);
}

// ------------------------------------------------------------------------------------- Listening

std::vector<std::uint64_t> cookies_of(std::span<const ListeningSocket> sockets) {
  std::vector<std::uint64_t> cookies;
  std::ranges::transform(sockets, std::back_inserter(cookies), &ListeningSocket::cookie);
  return cookies;
}

TEST(Listening, HasEverySocketOfASharedRow) {
  const Snapshot snapshot =
      snapshot_of({listener("0.0.0.0:80", {.cookie = 3}), listener("0.0.0.0:80", {.cookie = 1}),
                   listener("0.0.0.0:80", {.cookie = 2})});
  EXPECT_EQ(snapshot.listeners().size(), 1u);
  EXPECT_THAT(cookies_of(snapshot.listening()), ElementsAre(1, 2, 3));
}

TEST(Listening, IsSortedByPortThenIndexThenCookie) {
  const Snapshot snapshot = snapshot_of({
      listener("10.0.0.1:443", {.cookie = 1}),
      listener("[::1]:80", {.cookie = 2}),
      listener("9.0.0.1:80", {.cookie = 4}),
      listener("9.0.0.1:80", {.cookie = 3}),
      listener("[::]:80", {.cookie = 5}),
  });
  EXPECT_THAT(cookies_of(snapshot.listening()), ElementsAre(5, 3, 4, 2, 1));
}

TEST(Listening, TellsASocketOnceThatTheDumpToldTwice) {
  const Socket socket = listener("0.0.0.0:80", {.cookie = 7});
  EXPECT_THAT(cookies_of(snapshot_of({socket, socket}).listening()), ElementsAre(7));
}

TEST(Listening, KeepsWhatTheKernelToldOfTheAcceptQueue) {
  const Snapshot snapshot = snapshot_of({listener("0.0.0.0:80", {.inode = 8,
                                                                 .cookie = 9,
                                                                 .cgroup = 0x1'0000'0007,
                                                                 .queue = 3,
                                                                 .backlog = 128,
                                                                 .discards = 5})});
  ASSERT_EQ(snapshot.listening().size(), 1u);
  const ListeningSocket& socket = snapshot.listening()[0];
  EXPECT_EQ(socket.inode, 8u);
  EXPECT_EQ(socket.cookie, 9u);
  EXPECT_EQ(socket.cgroup, 0x1'0000'0007u);
  EXPECT_EQ(socket.queue, 3u);
  EXPECT_EQ(socket.backlog, 128u);
  EXPECT_EQ(socket.discards, 5u);
}

TEST(Listening, HasTheFormsOfTheRfcWhateverTheRowsHave) {
  const Snapshot snapshot = snapshot_of({listener("[::]:22"), listener("[fe80::1%2]:22")},
                                        {.zones = false, .dual_stack_as_unknown = false});
  ASSERT_EQ(snapshot.listening().size(), 2u);
  EXPECT_EQ(snapshot.listening()[0].key.address.type, AddressType::kUnknown);
  EXPECT_EQ(snapshot.listening()[1].key.address.type, AddressType::kIpv6z);
  EXPECT_EQ(snapshot.listeners()[0].key.address.type, AddressType::kIpv6);
}

TEST(Listening, HasNoConnections) {
  EXPECT_THAT(snapshot_of({twin({}), twin({.state = State::kSynReceived})}).listening(), IsEmpty());
}

// ----------------------------------------------------------------------------------------- Twins

std::vector<std::uint64_t> visited(const Snapshot& snapshot) {
  std::vector<std::uint64_t> cookies;
  snapshot.for_each_connection([&](const auto& row) { cookies.push_back(row.details.cookie()); });
  return cookies;
}

TEST(Twins, AreTheSocketsThatAnotherStandsFor) {
  const Snapshot snapshot =
      snapshot_of({twin({.interface = 2, .cookie = 12}), twin({.interface = 3, .cookie = 11}),
                   established("[::1]:1", "[::1]:2", {.cookie = 22}),
                   established("[::1]:1", "[::1]:2", {.cookie = 21})});
  ASSERT_EQ(snapshot.ipv4_twins().size(), 1u);
  EXPECT_EQ(snapshot.ipv4_twins()[0].details.cookie(), 12u);
  ASSERT_EQ(snapshot.ipv6_twins().size(), 1u);
  EXPECT_EQ(snapshot.ipv6_twins()[0].details.cookie(), 22u);
}

TEST(Twins, KeepTheirOwnState) {
  const Snapshot snapshot = snapshot_of({twin({}), twin({.state = State::kTimeWait})});
  ASSERT_EQ(snapshot.ipv4_twins().size(), 1u);
  EXPECT_EQ(snapshot.ipv4_twins()[0].details.state, State::kTimeWait);
}

TEST(Twins, OfListenersAreNone) {
  const Snapshot snapshot = snapshot_of({listener("0.0.0.0:80"), listener("0.0.0.0:80")});
  EXPECT_THAT(snapshot.ipv4_twins(), IsEmpty());
  EXPECT_THAT(visited(snapshot), IsEmpty());
}

TEST(Twins, AreVisitedWithAllOtherConnections) {
  const Socket told_twice = established("10.0.0.2:22", "10.0.0.9:1", {.cookie = 3});
  const Snapshot snapshot =
      snapshot_of({twin({.cookie = 1}), twin({.cookie = 2}), told_twice, told_twice,
                   established("[::1]:1", "[::1]:2", {.cookie = 4}), listener("0.0.0.0:22")});
  EXPECT_THAT(visited(snapshot), UnorderedElementsAre(1, 2, 3, 4));
}

// --------------------------------------------------------------------------------------- Cgroups

std::uint64_t cgroup_of(const Snapshot& snapshot, std::size_t row) {
  return snapshot.cgroups()[snapshot.ipv4()[row].details.cgroup];
}

TEST(Cgroups, AreListedOnceAndFoundThroughTheirRows) {
  constexpr std::uint64_t kLong = 0x1'0000'0007;
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:1", "10.0.0.9:1", {.cgroup = 7}),
                   established("10.0.0.1:2", "10.0.0.9:1", {.cgroup = kLong}),
                   established("10.0.0.1:3", "10.0.0.9:1", {.cgroup = 7}),
                   established("10.0.0.1:4", "10.0.0.9:1", {.state = State::kTimeWait}),
                   established("10.0.0.1:5", "10.0.0.9:1", {.cgroup = kLong})});
  EXPECT_THAT(snapshot.cgroups(), ElementsAre(0, 7, kLong));
  const std::uint64_t want[] = {7, kLong, 7, 0, kLong};
  for (std::size_t i = 0; i < std::size(want); ++i)
    EXPECT_EQ(cgroup_of(snapshot, i), want[i]) << i;
}

TEST(Cgroups, BeginWithNone) {
  EXPECT_THAT(snapshot_of({}).cgroups(), ElementsAre(0));
  EXPECT_THAT(Snapshot().cgroups(), ElementsAre(0));
}

TEST(Cgroups, BeyondWhatARowHasRoomForAreNone) {
  constexpr std::uint16_t kMost = 1 << 14;
  std::vector<Socket> sockets;
  for (std::uint16_t i = 0; i <= kMost; ++i)
    sockets.push_back(established("10.0.0.1:" + std::to_string(i), "10.0.0.9:1",
                                  {.cgroup = std::uint64_t{1} + i}));
  const Snapshot snapshot = snapshot_of(sockets);
  EXPECT_EQ(snapshot.cgroups().size(), kMost);
  EXPECT_EQ(cgroup_of(snapshot, kMost - 2), kMost - 1);
  EXPECT_EQ(cgroup_of(snapshot, kMost - 1), 0u);
  EXPECT_EQ(cgroup_of(snapshot, kMost), 0u);
}

TEST(Cgroups, OfAnEarlierSnapshotAreForgotten) {
  SnapshotBuilder builder{AddressForms{}};
  builder.add(twin({.cgroup = 7}));
  builder.add(twin({.cgroup = 8}));
  builder.finish();
  builder.add(twin({.cgroup = 8}));
  const Snapshot second = builder.finish();
  EXPECT_THAT(second.cgroups(), ElementsAre(0, 8));
  EXPECT_EQ(cgroup_of(second, 0), 8u);
}

// --------------------------------------------------------------------------------------- Details

TEST(Snapshot, CapsRetransmitsAtWhatARowHasRoomFor) {
  for (const auto& [told, kept] : {std::pair{0, 0}, {15, 15}, {31, 31}, {32, 31}, {255, 31}}) {
    Socket socket = twin({.interface = 3});
    socket.timer = Timer::kZeroWindow;
    socket.retransmits = static_cast<std::uint8_t>(told);
    const Snapshot snapshot = snapshot_of({socket});
    const Details& details = snapshot.ipv4()[0].details;
    EXPECT_EQ(details.retransmits, kept) << told;
    EXPECT_EQ(details.timer, Timer::kZeroWindow) << told;
    EXPECT_EQ(details.cgroup, 0) << told;
  }
}

TEST(Snapshot, KeepsWhatTheKernelToldOfASocket) {
  Socket socket = twin({.interface = 4, .inode = 5, .cookie = 0x0123'4567'89ab'cdef});
  socket.timer = Timer::kZeroWindow;
  socket.retransmits = 7;
  socket.expires_ms = 1000;
  socket.receive_queue = 2;
  socket.send_queue = 3;
  socket.uid = 33;
  const Snapshot snapshot = snapshot_of({socket});
  const Details& details = snapshot.ipv4()[0].details;
  EXPECT_EQ(details.cookie(), socket.id.cookie);
  EXPECT_EQ(details.interface, 4u);
  EXPECT_EQ(details.inode, 5u);
  EXPECT_EQ(details.timer, Timer::kZeroWindow);
  EXPECT_EQ(details.retransmits, 7u);
  EXPECT_EQ(details.expires_ms, 1000u);
  EXPECT_EQ(details.receive_queue, 2u);
  EXPECT_EQ(details.send_queue, 3u);
  EXPECT_EQ(details.uid, 33u);
  EXPECT_EQ(details.state, State::kEstablished);
}

TEST(Snapshot, OfNothingIsEmpty) {
  const Snapshot snapshot = snapshot_of({});
  EXPECT_EQ(snapshot.rows(), 0u);
  EXPECT_THAT(snapshot.legacy_listeners(), IsEmpty());
  EXPECT_EQ(snapshot.merged(), 0u);
  EXPECT_EQ(snapshot.unknown_states(), 0u);
}

TEST(Snapshot, KnowsWhenItBeganAndHowLongItTook) {
  const Time began{42s};
  SnapshotBuilder builder({}, began);
  const Snapshot snapshot = builder.finish(began + 3s);
  EXPECT_EQ(snapshot.taken_at(), began);
  EXPECT_EQ(snapshot.took(), 3s);
}

TEST(SnapshotBuilder, IsEmptyAfterwards) {
  SnapshotBuilder builder{AddressForms{}};
  builder.add(twin({}));
  builder.add_unknown();
  EXPECT_EQ(builder.finish().rows(), 1u);
  const Snapshot second = builder.finish();
  EXPECT_EQ(second.rows(), 0u);
  EXPECT_EQ(second.unknown_states(), 0u);
  EXPECT_EQ(second.count(State::kEstablished).total(), 0u);
}

TEST(SnapshotBuilder, ReusesTheMemoryButNotTheRowsOfARetiredSnapshot) {
  Snapshot retired = snapshot_of({established("10.0.0.1:22", "10.0.0.9:1"),
                                  established("[2001:db8::1]:22", "[2001:db8::9]:1")});
  const void* memory[] = {retired.ipv4().data(), retired.ipv6().data()};
  SnapshotBuilder builder({});
  builder.reuse(std::move(retired));
  builder.add(established("10.0.0.1:22", "10.0.0.9:2"));
  builder.add(established("[2001:db8::1]:22", "[2001:db8::9]:2"));
  const Snapshot snapshot = builder.finish();
  EXPECT_EQ(snapshot.rows(), 2u);
  EXPECT_EQ(snapshot.merged(), 0u);
  EXPECT_EQ(snapshot.ipv4().data(), memory[0]);
  EXPECT_EQ(snapshot.ipv6().data(), memory[1]);
}

TEST(SnapshotBuilder, ReservesWithoutInventingRows) {
  const Snapshot like = snapshot_of({twin({}), established("[::1]:1", "[::1]:2")});
  SnapshotBuilder builder{AddressForms{}};
  builder.reserve(like);
  EXPECT_EQ(builder.finish().rows(), 0u);
}

}  // namespace
}  // namespace tcpmibd::tcp
