#include "agent/commands/watch/live.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <vector>

#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using lab::established;
using lab::listener;
using tcp::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr ScreenSize kSize{.rows = 24, .columns = 100};

// A web server, and a program (20) that leaks.
class LiveLook : public Showing {
 protected:
  LiveLook() {
    sockets_.set({listener("10.0.0.1:80", {.inode = 1, .backlog = 50}),
                  established("10.0.0.1:80", "10.0.0.9:1", {.inode = 2}), leaked("10.0.0.9:2", 3),
                  leaked("10.0.0.9:3", 4)});
    processes_.set({{1, 10}, {2, 10}, {3, 20}, {4, 20}});
  }

  static tcp::Socket leaked(const char* remote, std::uint32_t inode) {
    return established("10.0.0.1:40000", remote, {.state = State::kCloseWait, .inode = inode});
  }

  Live live(const Options& options = kNone) {
    return Live(options, config_, {sockets_, processes_, counters_, pressure_, units_, names_});
  }

  static LiveTable looked(Live& live, const Wish& wish, const ScreenSize& size = kSize) {
    const Status status = live.look(wish, size);
    EXPECT_TRUE(status) << status.error().text();
    return live.table(wish, size);
  }

  static std::vector<std::string> first_cells(const LiveTable& table) {
    std::vector<std::string> cells;
    for (const LiveRow& row : table.rows)
      cells.push_back(row.cells.at(0).text);
    return cells;
  }

  static inline const Options kNone{};
};

TEST_F(LiveLook, SaysWhoLeaksOnTheFirstView) {
  Live live = this->live();
  const LiveTable table = looked(live, {.word = kFirstLiveView});
  EXPECT_THAT(first_cells(table), ElementsAre("20 leaker", "10 nginx"));
  EXPECT_THAT(live.host().verdict, StartsWith("20 leaker has not closed 2 connections"));
  EXPECT_EQ(live.host().counts[static_cast<std::size_t>(State::kCloseWait) - 1], 2U);
}

TEST_F(LiveLook, ATableHasARowForEachOfItsObjects) {
  Live live = this->live();
  for (const LiveView& view : kLiveViews) {
    const LiveTable table = looked(live, {.word = view.word});
    EXPECT_EQ(table.word, view.word);
    EXPECT_EQ(table.all, table.rows.size()) << view.word;
    for (const LiveRow& row : table.rows) {
      EXPECT_EQ(row.cells.size(), table.columns.size()) << view.word;
      EXPECT_FALSE(row.key.empty()) << view.word;
    }
    EXPECT_EQ(table.rows.empty(), view.word == "alarms" || view.word == "units") << view.word;
  }
}

TEST_F(LiveLook, KeysTellRowsApart) {
  Live live = this->live();
  for (const LiveView& view : kLiveViews) {
    std::set<std::string> keys;
    for (const LiveRow& row : looked(live, {.word = view.word}).rows)
      EXPECT_TRUE(keys.insert(row.key).second) << view.word << ' ' << row.key;
  }
}

TEST_F(LiveLook, OfConnectionsMakesOnlyWhatFits) {
  Live live = this->live();
  const LiveTable table = looked(live, {.word = "connections"}, {.rows = 9, .columns = 100});
  EXPECT_THAT(first_cells(table), ElementsAre("closeWait", "closeWait"));
  EXPECT_EQ(table.all, 3U);
  EXPECT_EQ(table.rows[0].cells.back().text, "20 leaker");
  EXPECT_THAT(
      first_cells(live.table({.word = "connections", .first = 1}, {.rows = 9, .columns = 100})),
      ElementsAre("closeWait", "established"));
}

TEST_F(LiveLook, ConnectionsAreFilteredByTheirEndsAndStates) {
  Live live = this->live();
  EXPECT_THAT(first_cells(looked(live, {.word = "connections", .filter = "10.0.0.9:1"})),
              ElementsAre("established"));
  EXPECT_EQ(live.table({.word = "connections", .filter = "CLOSEwait"}, kSize).all, 2U);
}

TEST_F(LiveLook, WhatTheOptionsLeaveOutIsNotThere) {
  const Options options{.what = "connections", .states = {State::kEstablished}};
  Live live = this->live(options);
  EXPECT_THAT(first_cells(looked(live, {.word = "connections"})), ElementsAre("established"));
}

TEST_F(LiveLook, WithoutOwnersNamesTheUnit) {
  config_.process.lookup = false;
  Live live = this->live();
  EXPECT_THAT(looked(live, {.word = "processes"}).rows, IsEmpty());
  EXPECT_THAT(live.host().verdict, HasSubstr("of a program that is not known"));
}

TEST_F(LiveLook, OwnersOfOtherViewsAreNotLookedUp) {
  Live live = this->live();
  looked(live, {.word = "remotes"});
  looked(live, {.word = "states"});
  EXPECT_EQ(processes_.calls(), 0);
  looked(live, {.word = "processes"});
  EXPECT_EQ(processes_.calls(), 1);
}

TEST_F(LiveLook, AFailedLookLeavesWhatWasSeen) {
  Live live = this->live();
  looked(live, {.word = "states"});
  const std::uint32_t listening = live.host().counts[1];
  sockets_.faults().fail_nth(1);
  EXPECT_FALSE(live.look({.word = "states"}, kSize));
  EXPECT_EQ(live.host().counts[1], listening);
  EXPECT_TRUE(live.look({.word = "states"}, kSize));
}

TEST_F(LiveLook, TheNextOneComesAfterTheInterval) {
  Live live = this->live();
  const Time before = Clock::now();
  looked(live, {.word = "states"});
  EXPECT_GE(live.next_look(std::chrono::seconds(3)), before + std::chrono::seconds(3));
}

}  // namespace
}  // namespace tcpmibd::agent
