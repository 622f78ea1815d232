#include "agent/commands/show/views.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "support/builders.h"
#include "tables/registry.h"
#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using lab::established;
using lab::listener;
using tcp::State;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

std::vector<std::string_view> objects_of(std::string_view table) {
  const auto entry = std::ranges::find(
      tables::registry(), table, [](const tables::Entry& each) { return each.object->name(); });
  std::vector<std::string_view> names;
  if (entry != tables::registry().end()) {
    for (const snmp::ObjectInfo& object : entry->object->objects())
      names.push_back(object.name);
  }
  return names;
}

TEST(Views, NameOnlyObjectsThatAreServed) {
  for (const TableView* view : views()) {
    std::vector<std::string_view> known = objects_of(view->table);
    ASSERT_THAT(known, Not(IsEmpty())) << view->table;
    const std::vector<std::string_view> index = objects_of(view->index_of);
    known.insert(known.end(), index.begin(), index.end());
    std::set<std::string_view> named(view->worst_first.begin(), view->worst_first.end());
    named.insert(view->hidden.begin(), view->hidden.end());
    for (const TableViewColumn& column : view->columns) {
      named.insert(column.object);
      if (!column.other.empty())
        named.insert(column.other);
    }
    EXPECT_THAT(known, IsSupersetOf(named));
  }
}

// A web server with a full queue (pid 10, its child 11) and a program that leaks (20).
class ShowViews : public Showing {
 protected:
  ShowViews() {
    sockets_.set({
        listener("[::]:443", {.inode = 1, .cgroup = 5, .queue = 9, .backlog = 10, .discards = 3}),
        listener("10.0.0.1:8080", {.inode = 2, .cgroup = 6, .backlog = 50}),
        listener("127.0.0.1:22", {.inode = 8}),
        established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 3, .cgroup = 5}),
        established("10.0.0.1:8080", "10.0.0.9:5001", leaked(4)),
        established("10.0.0.1:8080", "10.0.0.9:5002", leaked(5)),
        established(
            "10.0.0.1:443", "10.0.0.7:5003",
            {.state = State::kTimeWait, .timer = tcp::Timer::kTimeWait, .expires_ms = 40'000}),
        established("[fe80::1%2]:40000", "[fe80::9%2]:80",
                    {.state = State::kSynSent, .inode = 7, .cgroup = 6}),
    });
    processes_.set({{1, 10}, {1, 11}, {3, 11}, {2, 20}, {4, 20}, {5, 20}, {7, 20}});
    units_.set(5, "nginx.service");
    units_.set(6, "leaker.service");
  }

  static lab::SocketOptions leaked(std::uint32_t inode) {
    return {.state = State::kCloseWait, .inode = inode, .cgroup = 6, .quiet_ms = 301'000};
  }
};

TEST_F(ShowViews, StatesAreCounted) {
  EXPECT_THAT(shown({.what = "states"}),
              AllOf(StartsWith("NUMBER  STATE        SS          IPV4  IPV6  TOTAL\n"),
                    HasSubstr("\n     8  closeWait    CLOSE-WAIT     2     0      2\n")));
  EXPECT_EQ(shown({.what = "states", .states = {State::kSynSent}}),
            "NUMBER  STATE    SS        IPV4  IPV6  TOTAL\n"
            "     3  synSent  SYN-SENT     0     1      1\n");
  EXPECT_EQ(shown_json({.what = "states"}).at(7).dump(),
            R"({"code":8,"ipv4":2,"ipv6":0,"state":"closeWait","total":2})");
}

TEST_F(ShowViews, StatesAreColouredAndNumberedLikeThoseOfConnections) {
  EXPECT_THAT(shown({.what = "states"}, true), HasSubstr("\033[31mcloseWait\033[0m"));
  EXPECT_THAT(shown({.what = "ages", .numeric = true}), HasSubstr("\n8 "));
}

TEST_F(ShowViews, AgesAreWhatOneLookCanTell) {
  EXPECT_EQ(shown({.what = "ages"}),
            "STATE      >10 s  >1 min  >5 min  >1 h  OLDEST\n"
            "synSent        0       0       0     0     0 s\n"
            "finWait2       0       0       0     0     0 s\n"
            "closeWait      2       2       2     0   5 min\n"
            "lastAck        0       0       0     0     0 s\n"
            "timeWait       1       0       0     0    20 s\n");
  EXPECT_EQ(shown_json({.what = "ages", .states = {State::kCloseWait}}).dump(),
            R"([{"code":8,"oldest":301,"over10s":2,"over1h":0,"over1m":2,"over5m":2,)"
            R"("state":"closeWait"}])");
  EXPECT_THAT(remarks({.what = "ages"}), HasSubstr("running agent"));
  EXPECT_THAT(shown({.what = "ages", .states = {State::kListen}}), StartsWith("ages are kept of"));
}

TEST_F(ShowViews, PortsAreSortedByLeakThenByFullestQueue) {
  EXPECT_EQ(
      shown({.what = "ports"}),
      "PORT  QUEUE  LIMIT  FULL  DISCARDS  ESTAB  CLOSE-WAIT  OLDEST  TIME-WAIT  TOTAL  PROCESS    "
      "UNIT\n"
      "8080      0     50   0 %         0      0           2   5 min          0      2  20 leaker  "
      "leaker.service\n"
      " 443      9     10  90 %         3      1           0       -          1      2  10 nginx   "
      "nginx.service\n"
      "  22      0      0   0 %         0      0           0       -          0      0  -          "
      "-\n");
}

// What a listener discards harms nobody by itself.
TEST_F(ShowViews, PortsThatLeakOrAreFullAreRed) {
  EXPECT_THAT(shown({.what = "ports"}, true),
              AllOf(HasSubstr("\033[31m90 %\033[0m"), HasSubstr("\033[31m2\033[0m"),
                    Not(HasSubstr("\033[31m3\033")), Not(HasSubstr("\033[31m0"))));
}

TEST_F(ShowViews, APortIsFoundByNumberAndByEveryProcessThatHoldsIt) {
  const auto ports = [this](const Options& options) {
    std::vector<int> numbers;
    for (const Json& row : shown_json(options))
      numbers.push_back(row.at("port"));
    return numbers;
  };
  EXPECT_THAT(ports({.what = "ports"}), ElementsAre(8080, 443, 22));
  EXPECT_THAT(ports({.what = "ports", .port = 443}), ElementsAre(443));
  EXPECT_THAT(ports({.what = "ports", .process = "11"}), ElementsAre(443));
  EXPECT_THAT(ports({.what = "ports", .process = "leaker"}), ElementsAre(8080));
  EXPECT_EQ(shown({.what = "ports", .port = 9}), "nothing matches the options\n");
}

TEST_F(ShowViews, TheJsonOfAPortHasEveryObjectButThoseThatOneLookCannotKnow) {
  const Json first = shown_json({.what = "ports"}).at(0);
  EXPECT_EQ(first.size(), objects_of("tcpmibdPortTable").size() - 2);
  EXPECT_FALSE(first.contains("drops"));
  EXPECT_FALSE(first.contains("discontinuity_time"));
  const Json row = shown_json({.what = "ports", .port = 443}).at(0);
  EXPECT_EQ(row.at("process"), 10);
  EXPECT_EQ(row.at("command"), "nginx");
  EXPECT_EQ(row.at("queue_percent"), 90);
  EXPECT_EQ(row.at("discards"), 3);
  EXPECT_EQ(row.at("syn_received"), 0);
}

TEST_F(ShowViews, UnitsAreSortedByLeak) {
  EXPECT_EQ(shown({.what = "units"}),
            "UNIT            LISTENERS  SYN-SENT  ESTAB  CLOSE-WAIT  OLDEST  FIN-WAIT  LAST-ACK  "
            "TOTAL\n"
            "leaker.service          1         1      0           2   5 min         0         0  "
            "    3\n"
            "nginx.service           1         0      1           0       -         0         0  "
            "    1\n");
  EXPECT_EQ(shown_json({.what = "units"}).at(0).at("unit"), "leaker.service");
}

TEST_F(ShowViews, ProcessesAreSortedByLeak) {
  EXPECT_EQ(shown({.what = "processes"}),
            "PROCESS    UID  SYN-SENT  ESTAB  CLOSE-WAIT  OLDEST  FIN-WAIT  LAST-ACK  TOTAL  UNIT\n"
            "20 leaker   33         1      0           2   5 min         0         0      3  "
            "leaker.service\n"
            "11 nginx    33         0      1           0       -         0         0      1  "
            "nginx.service\n");
  EXPECT_THAT(shown({.what = "processes", .numeric = true}), HasSubstr("\n20  "));
  const Json rows = shown_json({.what = "processes", .process = "nginx"});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows.at(0).at("pid"), 11);
  EXPECT_EQ(rows.at(0).at("uid"), 33);
}

TEST_F(ShowViews, ProcessesThatMayNotBeLookedUpAreRemarkedOn) {
  config_.process.lookup = false;
  EXPECT_EQ(shown({.what = "processes"}), "no process is known to hold a connection\n");
  EXPECT_THAT(remarks({.what = "processes"}), HasSubstr("process.lookup is false"));
  EXPECT_THAT(shown({.what = "processes", .process = "20"}), HasSubstr("20 leaker"));
  EXPECT_THAT(shown({.what = "ports"}), Not(HasSubstr("leaker  ")));
}

TEST_F(ShowViews, RemotesAreRankedAndTheirAddressesReadable) {
  EXPECT_EQ(shown({.what = "remotes"}),
            "RANK  ADDRESS    SYN-RECV  SYN-SENT  ESTAB  CLOSE-WAIT  TIME-WAIT  TOTAL\n"
            "   1  10.0.0.9          0         0      1           2          0      3\n"
            "   2  10.0.0.7          0         0      0           0          1      1\n"
            "   3  fe80::9%2         0         1      0           0          0      1\n");
  const Json rows = shown_json({.what = "remotes"});
  EXPECT_EQ(rows.at(2).at("address"), "fe80::9%2");
  EXPECT_EQ(rows.at(2).at("address_type"), 4);
}

TEST_F(ShowViews, RowsLeftOutAreRemarkedOn) {
  std::vector<tcp::Socket> sockets;
  for (int i = 0; i < 1030; ++i)
    sockets.push_back(established(
        "10.0.0.1:1", "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":2",
        {.inode = 1, .cgroup = 1}));
  sockets_.set(sockets);
  EXPECT_THAT(remarks({.what = "remotes"}),
              "tcpmibd: 6 more remote addresses are left out, those with the least connections\n");
  EXPECT_EQ(shown_json({.what = "remotes"}).size(), 1024u);
}

TEST_F(ShowViews, WhereThereAreNoRowsASentenceSaysSo) {
  sockets_.set({});
  EXPECT_EQ(shown({.what = "ports"}), "no port is listened on\n");
  EXPECT_EQ(shown({.what = "units"}), "no listener or connection belongs to a systemd unit\n");
  EXPECT_EQ(shown({.what = "processes"}), "no process is known to hold a connection\n");
  EXPECT_EQ(shown({.what = "remotes"}), "there are no connections\n");
  for (const char* what : {"ports", "units", "processes", "remotes", "alarms"})
    EXPECT_EQ(shown_json({.what = what}), Json::array()) << what;
}

// Nothing of them stands in these tables.
TEST_F(ShowViews, ProcessesAreLookedUpOnlyForTablesThatNameThem) {
  for (const char* what : {"states", "ages", "units", "remotes", "pressure", "alarms"})
    shown({.what = what});
  EXPECT_EQ(processes_.faults().calls(), 0);
}

}  // namespace
}  // namespace tcpmibd::agent
