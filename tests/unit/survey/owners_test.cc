#include "survey/owners.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Owners owners_of(const std::vector<Socket>& sockets, std::vector<Holder> holders,
                 const Sightings& sightings = {}, const std::vector<Socket>& mptcp = {}) {
  FakeUnitLookup units;
  return Owners::build(snapshot_of(sockets, {}, mptcp), sightings,
                       std::make_shared<const ProcessMap>(
                           ProcessMap::build(std::move(holders), {}, 0, Clock::now())),
                       units);
}

std::vector<std::uint32_t> pids_of(std::span<const ProcessFigures> processes) {
  std::vector<std::uint32_t> pids;
  std::ranges::transform(processes, std::back_inserter(pids), &ProcessFigures::pid);
  return pids;
}

Socket numbered(std::uint32_t number, const SocketOptions& options) {
  return established("10.0.0.1:" + std::to_string(number), "10.0.0.9:1", options);
}

TEST(Owners, CountTheConnectionsOfEachProcess) {
  const Owners owners = owners_of({numbered(1, {.inode = 11}), numbered(2, {.inode = 12}),
                                   numbered(3, {.state = State::kCloseWait, .inode = 13}),
                                   numbered(4, {.state = State::kSynSent, .inode = 14})},
                                  {{11, 500}, {12, 300}, {13, 300}, {14, 300}});
  ASSERT_THAT(pids_of(owners.all()), ElementsAre(300, 500));
  const Tally& busy = owners.all()[0].tally;
  EXPECT_EQ(busy.established, 1u);
  EXPECT_EQ(busy.close_wait, 1u);
  EXPECT_EQ(busy.syn_sent, 1u);
  EXPECT_EQ(busy.total, 3u);
  EXPECT_EQ(owners.all()[1].tally.total, 1u);
  EXPECT_EQ(owners.left_out(), 0u);
}

TEST(Owners, CountASharedSocketForEachProcess) {
  const Owners owners = owners_of({numbered(1, {.inode = 11})}, {{11, 300}, {11, 200}, {11, 100}});
  ASSERT_THAT(pids_of(owners.all()), ElementsAre(100, 200, 300));
  for (const ProcessFigures& process : owners.all())
    EXPECT_EQ(process.tally.total, 1u) << process.pid;
}

TEST(Owners, CountTwinsButNoListenersAndNobodysSockets) {
  const Owners owners = owners_of(
      {numbered(1, {.interface = 2, .inode = 11}), numbered(1, {.interface = 3, .inode = 12}),
       listener("0.0.0.0:22", {.inode = 13}), numbered(2, {}), numbered(3, {.inode = 14})},
      {{11, 7}, {12, 7}, {13, 8}});
  ASSERT_THAT(pids_of(owners.all()), ElementsAre(7));
  EXPECT_EQ(owners.all()[0].tally.total, 2u);
}

// Subflows have the inode of the descriptor that their connection has.
TEST(Owners, CountAnMptcpConnectionInItsStateAndItsSubflowsNot) {
  const Socket leak = numbered(1, {.state = State::kCloseWait, .inode = 11, .cookie = 50});
  for (const std::vector<Socket>& subflows :
       {std::vector<Socket>{numbered(1, {.inode = 11}), numbered(2, {.inode = 11})},
        std::vector<Socket>{}}) {
    const Owners owners = owners_of(subflows, {{11, 7}}, {}, {leak});
    ASSERT_THAT(pids_of(owners.all()), ElementsAre(7));
    EXPECT_EQ(owners.all()[0].tally.close_wait, 1u);
    EXPECT_EQ(owners.all()[0].tally.total, 1u);
  }
}

TEST(Owners, KnowTheUnitOfTheirRows) {
  const Owners owners = owners_of({numbered(1, {.inode = 11, .cgroup = 5}),
                                   numbered(2, {.inode = 11}), numbered(3, {.inode = 12})},
                                  {{11, 100}, {12, 200}});
  ASSERT_THAT(owners.rows(), SizeIs(2));
  EXPECT_EQ(owners.rows()[0].unit, "u5.service");
  EXPECT_EQ(owners.rows()[1].unit, "");
}

TEST(Owners, KnowHowLongConnectionsHaveHung) {
  const std::vector<Socket> sockets = {
      numbered(1, {.state = State::kCloseWait, .inode = 11, .cookie = 1}),
      numbered(2, {.state = State::kCloseWait, .inode = 12, .cookie = 2})};
  const Snapshot snapshot = snapshot_of(sockets);
  const Sightings sightings =
      Sightings::follow({}, snapshot, std::vector<Quiet>{{1, 40'000}, {2, 90'000}}, {});
  const Owners owners = owners_of(sockets, {{11, 100}, {12, 100}}, sightings);
  EXPECT_EQ(owners.all()[0].tally.oldest_close_wait, 90u);
}

TEST(Owners, KeepTheWorstAsRowsAscendingByPid) {
  std::vector<Socket> sockets;
  std::vector<Holder> holders;
  const auto add = [&](std::uint32_t pid, State state) {
    const auto number = static_cast<std::uint32_t>(sockets.size() + 1);
    sockets.push_back(numbered(number, {.state = state, .inode = number}));
    holders.push_back({number, pid});
  };
  constexpr std::uint32_t kProcesses = kMostProcesses + 10;
  for (std::uint32_t pid = 1; pid <= kProcesses; ++pid)
    add(pid, State::kEstablished);
  add(kProcesses, State::kEstablished);      // busier than others
  add(kProcesses - 1, State::kEstablished);  // likewise, and
  add(kProcesses - 2, State::kCloseWait);    // worse than any
  const Owners owners = owners_of(sockets, holders);
  EXPECT_THAT(owners.all(), SizeIs(kProcesses));
  EXPECT_TRUE(std::ranges::is_sorted(owners.all(), {}, &ProcessFigures::pid));
  ASSERT_THAT(owners.rows(), SizeIs(kMostProcesses));
  EXPECT_EQ(owners.left_out(), 10u);
  std::vector<std::uint32_t> want;
  for (std::uint32_t pid = 1; pid <= kMostProcesses - 3; ++pid)
    want.push_back(pid);
  want.insert(want.end(), {kProcesses - 2, kProcesses - 1, kProcesses});
  EXPECT_EQ(pids_of(owners.rows()), want);
}

TEST(Owners, OneCloseWaitIsWorseThanAnyNumberOfOthers) {
  std::vector<Socket> sockets;
  std::vector<Holder> holders;
  for (std::uint32_t i = 0; i < 2 * kMostProcesses; ++i) {
    sockets.push_back(numbered(i + 1, {.inode = i + 1}));
    holders.push_back({i + 1, 1 + i / 2});
  }
  sockets.push_back(numbered(9999, {.state = State::kCloseWait, .inode = 9999}));
  holders.push_back({9999, 9999});
  const Owners owners = owners_of(sockets, holders);
  EXPECT_EQ(owners.rows().back().pid, 9999u);
  EXPECT_EQ(owners.left_out(), 1u);
}

TEST(Owners, AreOfTheMomentOfTheirMap) {
  const auto map =
      std::make_shared<const ProcessMap>(ProcessMap::build({{5, 6}}, {}, 0, Time{42s}));
  FakeUnitLookup units;
  const Owners owners = Owners::build(Snapshot(), Sightings(), map, units);
  EXPECT_EQ(owners.taken_at(), Time{42s});
  ASSERT_NE(owners.map(), nullptr);
  EXPECT_EQ(owners.map()->lowest(5), 6u);
  EXPECT_THAT(owners.all(), IsEmpty());
  EXPECT_THAT(owners.rows(), IsEmpty());
}

TEST(Owners, OfALookUpThatFailedHaveNoMap) {
  const Owners owners = Owners::none(Time{42s});
  EXPECT_EQ(owners.taken_at(), Time{42s});
  EXPECT_EQ(owners.map(), nullptr);
  EXPECT_THAT(owners.all(), IsEmpty());
}

TEST(Owners, BeforeTheFirstLookUpKnowNothing) {
  const Owners owners;
  EXPECT_EQ(owners.map(), nullptr);
  EXPECT_EQ(owners.taken_at(), Time{});
  EXPECT_EQ(owners.left_out(), 0u);
}

}  // namespace
}  // namespace tcpmibd::tcp
