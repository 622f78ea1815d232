#include "agent/commands/show/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "agent/commands/text_table.h"
#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using lab::established;
using lab::listener;
using tcp::State;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

// A web server's host: pid 10 and its child 11 share the listener; 20 leaks a connection.
class Show : public Showing {
 protected:
  Show() {
    sockets_.set({leaked(), listener("[::]:443", {.inode = 1}),
                  established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 2}),
                  established("[fd00::1]:443", "[fd00::9]:5001", {.state = State::kTimeWait})});
    processes_.set({{1, 10}, {1, 11}, {2, 11}, {3, 20}});
  }

  static tcp::Socket leaked() {
    tcp::Socket socket =
        established("10.0.0.1:40000", "10.0.0.7:80", {.state = State::kCloseWait, .inode = 3});
    socket.receive_queue = 1;
    return socket;
  }
};

TEST_F(Show, PrintsListenersAndConnectionsInMibOrder) {
  EXPECT_EQ(shown({}),
            "STATE        LOCAL           REMOTE          RECV-Q  SEND-Q  WAITING       PROCESS\n"
            "listen       *:443           *                    0       0                10 nginx, "
            "11 nginx\n"
            "established  10.0.0.1:443    10.0.0.9:5000        0       0                11 nginx\n"
            "closeWait    10.0.0.1:40000  10.0.0.7:80          1       0  end not read  20 leaker\n"
            "timeWait     [fd00::1]:443   [fd00::9]:5001       0       0                -\n");
}

TEST_F(Show, FindsEveryHolderOfASocketByPidAndByName) {
  EXPECT_THAT(shown({.what = "listeners", .process = "11"}), HasSubstr("10 nginx, 11 nginx"));
  EXPECT_THAT(shown({.process = "leaker"}),
              AllOf(HasSubstr("closeWait"), Not(HasSubstr("established"))));
}

// Some holders are looked for only because they are asked for.
TEST_F(Show, AsksForTheHoldersOfEverySocket) {
  for (const char* what : {"", "ports", "processes"}) {
    processes_.set({});
    shown({.what = what});
    EXPECT_THAT(processes_.asked(), UnorderedElementsAre(1, 2, 3)) << what;
  }
}

TEST_F(Show, KeepsOnlyTheStatesAndThePortAskedFor) {
  EXPECT_THAT(shown({.states = {State::kTimeWait}}),
              AllOf(HasSubstr("timeWait"), Not(HasSubstr("listen")), Not(HasSubstr("closeWait"))));
  EXPECT_THAT(shown({.port = 80}), AllOf(HasSubstr("closeWait"), Not(HasSubstr("listen"))));
}

TEST_F(Show, TellsTheTwoKindsOfCloseWaitApart) {
  tcp::Socket read = leaked();
  read.receive_queue = 0;
  sockets_.set({read});
  EXPECT_THAT(shown({}), HasSubstr("end read, not closed"));
}

TEST_F(Show, TellsHowLongTimeWaitStillLasts) {
  tcp::Socket waiting = established("10.0.0.1:1", "10.0.0.2:2", {.state = State::kTimeWait});
  waiting.timer = tcp::Timer::kTimeWait;
  waiting.expires_ms = 43'900;
  sockets_.set({waiting});
  EXPECT_THAT(shown({}), HasSubstr("43 s left"));
}

TEST_F(Show, TellsASynThatWaitsForDataFromOneThatWaitsForAnAnswer) {
  sockets_.set({established("10.0.0.1:1", "10.0.0.2:2", {.state = State::kSynSent})});
  EXPECT_THAT(shown({}), HasSubstr("data to send with the SYN"));
  sockets_.set({established("10.0.0.1:1", "10.0.0.2:2",
                            {.state = State::kSynSent, .timer = tcp::Timer::kRetransmit})});
  EXPECT_THAT(shown({}), Not(HasSubstr("data to send")));
}

TEST_F(Show, WritesNumbersInPlaceOfNamesWhereAsked) {
  EXPECT_THAT(shown({.numeric = true}),
              AllOf(HasSubstr("\n8  "), HasSubstr("  20\n"), Not(HasSubstr("leaker"))));
}

TEST_F(Show, ColoursNothingUnlessOnATerminal) {
  EXPECT_THAT(shown({}, false), Not(HasSubstr("\033")));
  EXPECT_THAT(shown({}, true), HasSubstr("\033[31mcloseWait\033[0m"));
}

TEST_F(Show, SpeaksJson) {
  const Json all = Json::parse(shown({.json = true}));
  ASSERT_EQ(all["connections"].size(), 3u);
  ASSERT_EQ(all["listeners"].size(), 1u);
  EXPECT_EQ(all["listeners"][0]["local"]["type"], 0);
  EXPECT_EQ(all["listeners"][0]["processes"].size(), 2u);
  EXPECT_EQ(all["connections"][1]["state"], "closeWait");
  EXPECT_EQ(all["connections"][1]["remote"]["port"], 80);
}

TEST_F(Show, JsonIsOneDocumentWithARowALine) {
  const std::string text = shown({.what = "connections", .json = true});
  EXPECT_EQ(Json::parse(text).at("connections").size(), 3u);
  EXPECT_EQ(std::ranges::count(text, '\n'), 3 + 4);
  sockets_.set({});
  EXPECT_EQ(Json::parse(shown({.json = true})),
            (Json{{"listeners", Json::array()}, {"connections", Json::array()}}));
}

TEST_F(Show, JsonLinesAreTheRowsOfTheDocument) {
  for (const char* what : {"connections", "listeners", "states", "ports", "remotes"}) {
    std::istringstream lines(shown({.what = what, .jsonl = true}));
    Json rows = Json::array();
    for (std::string line; std::getline(lines, line);)
      rows.push_back(Json::parse(line));
    EXPECT_EQ(rows, shown_json({.what = what})) << what;
  }
  EXPECT_EQ(Json::parse(shown({.what = "scalars", .jsonl = true})).at("tcpRtoMin"), 200);
  EXPECT_TRUE(Json::parse(shown({.what = "pressure", .jsonl = true})).contains("orphans"));
}

TEST_F(Show, WhatANameHoldsStaysInsideItsStringOfJson) {
  struct Odd final : tcp::ProcessNames {
    tcp::ProcessIdentity identity_of(std::uint32_t) override {
      return {.command = "a\"b\\c\xc2\x9b\xff", .uid = 0};
    }
  } odd;
  std::string text;
  ASSERT_TRUE(show({.what = "connections", .jsonl = true, .port = 80}, config_,
                   {sockets_, processes_, counters_, pressure_, units_, odd}, false,
                   [&](std::string_view piece) { text += piece; }));
  EXPECT_THAT(text, AllOf(HasSubstr(R"(a\"b\\c\u009b)"), Not(HasSubstr("\xc2\x9b"))));
  EXPECT_TRUE(Json::accept(text)) << text;
}

TEST_F(Show, AsksTheKernelForNoMoreThanTheOptionsDo) {
  shown({.states = {State::kCloseWait}, .port = 80});
  shown({.what = "connections"});
  shown({.what = "states", .states = {State::kCloseWait}});
  EXPECT_THAT(sockets_.selections(),
              testing::ElementsAre(tcp::Selection{{State::kCloseWait}, 80}, tcp::Selection{},
                                   tcp::Selection{{State::kCloseWait}}));
  EXPECT_EQ(sockets_.counts(), 0);
}

TEST_F(Show, AsksForNoMoreThanCountsWhereAllStatesAreCounted) {
  shown({.what = "states"});
  shown({.what = "states", .states = {State::kCloseWait, State::kEstablished}});
  EXPECT_EQ(sockets_.counts(), 2);
  EXPECT_TRUE(sockets_.selections().empty());
}

TEST_F(Show, LooksForNoProcessWhereNoSocketIsLeft) {
  sockets_.set({});
  shown({.port = 9});
  EXPECT_EQ(processes_.calls(), 0);
}

TEST_F(Show, CountsStates) {
  const Json states = shown_json({.what = "states"});
  ASSERT_EQ(states.size(), tcp::kStateCount);
  EXPECT_EQ(states[1]["ipv6"], 1);  // The dual-stack listener.
  EXPECT_EQ(states[4]["ipv4"], 1);
  EXPECT_EQ(states[10]["total"], 1);
}

TEST_F(Show, FailsWhereTheKernelDoes) {
  sockets_.faults().fail_always(true);
  for (const char* what : {"", "connections", "listeners", "states", "ages", "ports", "units",
                           "processes", "remotes", "pressure", "alarms"})
    EXPECT_FALSE(show_all({.what = what})) << what;
}

TEST_F(Show, TheAcceptQueueOfAListenerIsNamedSo) {
  sockets_.set({listener("10.0.0.1:80", {.inode = 1, .queue = 4, .backlog = 5, .discards = 7}),
                listener("10.0.0.1:81", {.inode = 2, .queue = 0, .backlog = 0})});
  EXPECT_EQ(shown({.what = "listeners"}),
            "STATE   LOCAL        QUEUE  LIMIT  FULL  DISCARDS  PROCESS\n"
            "listen  10.0.0.1:80      4      5  80 %         7  10 nginx, 11 nginx\n"
            "listen  10.0.0.1:81      0      0   0 %         0  11 nginx\n");
  EXPECT_THAT(shown({.what = "listeners"}, true),
              AllOf(HasSubstr("\033[31m80 %\033[0m"), Not(HasSubstr("\033[31m7")),
                    Not(HasSubstr("\033[31m0"))));
  const Json row = shown_json({.what = "listeners"}).at(0);
  EXPECT_EQ(row.at("queue"), 4);
  EXPECT_EQ(row.at("queue_limit"), 5);
  EXPECT_EQ(row.at("queue_percent"), 80);
  EXPECT_EQ(row.at("discards"), 7);
  EXPECT_FALSE(row.contains("drops"));
  EXPECT_EQ(row.at("receive_queue"), 4);
}

TEST_F(Show, SocketsThatListenTogetherAddTheirQueues) {
  sockets_.set({listener("10.0.0.1:80", {.inode = 1, .queue = 5, .backlog = 5, .discards = 7}),
                listener("10.0.0.1:80", {.inode = 2, .queue = 1, .backlog = 10, .discards = 1})});
  EXPECT_THAT(
      shown({.what = "listeners"}),
      HasSubstr("listen  10.0.0.1:80      6     15  100 %         8  10 nginx, 11 nginx\n"));
  EXPECT_THAT(shown({}), ContainsRegex("listen +10.0.0.1:80 +[*] +6 +15 "));
  const Json row = shown_json({.what = "listeners"}).at(0);
  EXPECT_EQ(row.at("receive_queue"), 6);
  EXPECT_EQ(row.at("send_queue"), 15);
}

TEST_F(Show, TheAcceptQueueIsThatOfTheRowInEveryAddressForm) {
  config_.mib.dual_stack_as_unknown = false;
  sockets_.set({listener("[::]:443", {.inode = 1, .queue = 1, .backlog = 4})});
  EXPECT_THAT(shown({.what = "listeners"}),
              HasSubstr("listen  [::]:443      1      4  25 %         0  10 nginx, 11 nginx\n"));
}

TEST_F(Show, WhereNothingIsToBeShownASentenceSaysSo) {
  EXPECT_EQ(shown({.port = 9}), "nothing matches the options\n");
  sockets_.set({});
  EXPECT_EQ(shown({}), "there are no listeners and no connections\n");
  EXPECT_EQ(shown({.what = "listeners"}), "no socket listens\n");
  EXPECT_EQ(shown({.what = "connections"}), "there are no connections\n");
  EXPECT_EQ(shown_json({.what = "connections"}), Json::array());
}

TEST_F(Show, TheScalarsAreThoseOfTheMib) {
  EXPECT_THAT(shown({.what = "scalars"}), HasSubstr("\ntcpMaxConn           -1\n"));
  EXPECT_EQ(shown_json({.what = "scalars"}).at("tcpRtoMin"), 200);
  counters_.faults().fail_always(true);
  EXPECT_FALSE(show_all({.what = "scalars"}));
}

// ---- MPTCP ----

// The leak of a server that speaks MPTCP: its subflows look established.
class ShowMptcp : public Show {
 protected:
  ShowMptcp() {
    sockets_.set({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 3}),
                  established("10.0.0.1:443", "10.0.0.8:1", {.inode = 2}),
                  established("10.0.1.1:443", "10.0.1.9:5001", {.inode = 3})});
    sockets_.set_mptcp({established("10.0.0.1:443", "10.0.0.9:5000",
                                    {.state = State::kCloseWait, .inode = 3, .cookie = 99})});
  }
};

TEST_F(ShowMptcp, PutsTheSubflowsBelowTheirConnection) {
  EXPECT_EQ(shown({.what = "connections"}),
            "STATE        PROTOCOL   LOCAL         REMOTE         RECV-Q  SEND-Q  WAITING     "
            "PROCESS\n"
            "closeWait    mptcp      10.0.0.1:443  10.0.0.9:5000       0       0  not closed  "
            "20 leaker\n"
            "established    subflow  10.0.0.1:443  10.0.0.9:5000       0       0              "
            "20 leaker\n"
            "established    subflow  10.0.1.1:443  10.0.1.9:5001       0       0              "
            "20 leaker\n"
            "established  tcp        10.0.0.1:443  10.0.0.8:1          0       0              "
            "11 nginx\n");
}

// Such a connection never has the timer of one that has sent its SYN.
TEST_F(ShowMptcp, OfACallUnderWayDoesNotSayThatItWaitsForData) {
  sockets_.set({});
  sockets_.set_mptcp({established("10.0.0.1:5000", "10.0.0.9:443", {.state = State::kSynSent})});
  EXPECT_THAT(shown({}), AllOf(HasSubstr("synSent"), Not(HasSubstr("data to send"))));
}

TEST_F(ShowMptcp, StillShowsTheConnectionWhenItsSubflowsAreGone) {
  sockets_.set({});
  EXPECT_THAT(shown({.what = "connections"}), HasSubstr("closeWait  mptcp     10.0.0.1:443"));
}

TEST_F(ShowMptcp, FiltersConnectionsAndSubflowsEachByItsOwnState) {
  EXPECT_THAT(shown({.states = {State::kCloseWait}}),
              AllOf(HasSubstr("mptcp"), Not(HasSubstr("subflow"))));
  EXPECT_THAT(shown({.states = {State::kEstablished}}),
              AllOf(Not(HasSubstr("mptcp")), HasSubstr("subflow")));
}

TEST_F(ShowMptcp, TellsInJsonWhatBelongsToWhat) {
  const Json rows = shown_json({.what = "connections"});
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0]["protocol"], "mptcp");
  EXPECT_EQ(rows[0]["state"], "closeWait");
  EXPECT_EQ(rows[0]["cookie"], 99);
  EXPECT_FALSE(rows[0].contains("mptcp_cookie"));
  for (const std::size_t subflow : {1u, 2u}) {
    EXPECT_EQ(rows[subflow]["protocol"], "tcp");
    EXPECT_EQ(rows[subflow]["mptcp_cookie"], 99);
  }
  EXPECT_EQ(rows[3]["protocol"], "tcp");
  EXPECT_FALSE(rows[3].contains("mptcp_cookie"));
}

TEST_F(ShowMptcp, CountsTheConnectionAndNotItsSubflows) {
  const Json states = shown_json({.what = "states"});
  EXPECT_EQ(states[4]["total"], 1);
  EXPECT_EQ(states[7]["total"], 1);
  const Json processes = shown_json({.what = "processes"});
  ASSERT_EQ(processes.size(), 2u);
  EXPECT_EQ(processes[0]["pid"], 20) << "the leaker first";
  EXPECT_EQ(processes[0]["close_wait"], 1);
  EXPECT_EQ(processes[0]["total"], 1);
}

TEST_F(ShowMptcp, SaysWhereTheKernelDoesNotTell) {
  EXPECT_EQ(remarks({}), "");
  sockets_.set_mptcp({}, tcp::MptcpSight::kHidden);
  EXPECT_THAT(remarks({}), HasSubstr("modprobe mptcp_diag"));
}

TEST(TextTable, LetsNothingThroughThatSteersTheTerminal) {
  TextTable table({{"A"}});
  table.add({{"a\033[2Jb\n\x7f\xc3\xa4"}});
  EXPECT_EQ(table.text(), "A\na\\x1b[2Jb\\x0a\\x7f\xc3\xa4\n");
}

// Two wide characters of East Asia, an accent that is put upon its letter, a fish.
TEST(TextTable, PadsByTheWidthOnATerminal) {
  TextTable table({{"A"}, {"B", TextTable::Align::kRight}, {"C"}});
  table.add({{"\xe5\x90\x8c\xe6\xad\xa5"}, {"\xc3\xa4"}, {"x"}});
  table.add({{"e\xcc\x81"}, {"\xf0\x9f\x90\x9f"}, {"y"}});
  EXPECT_EQ(table.text(),
            "A      B  C\n"
            "\xe5\x90\x8c\xe6\xad\xa5   \xc3\xa4  x\n"
            "e\xcc\x81     \xf0\x9f\x90\x9f  y\n");
}

TEST(TextTable, PadsToTheWidestCellAndLeavesNoTrailingSpace) {
  TextTable table({{"A"}, {"NUMBER", TextTable::Align::kRight}, {"B"}});
  table.add({{"long cell"}, {"7"}, {""}});
  EXPECT_EQ(table.text(), "A          NUMBER  B\nlong cell       7\n");
}

}  // namespace
}  // namespace tcpmibd::agent
