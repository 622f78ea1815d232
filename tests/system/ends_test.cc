#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/scenes.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// Connections that end, as a manager behind a real snmpd is told of them. The truth is what the
// test has done.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint32_t kReason = 4, kLocalPort = 10, kRemotePort = 13, kSpace = 21;

// TcpmibdEndReason.
constexpr const char* kNormal = "1";
constexpr const char* kResetByPeer = "2";
constexpr const char* kRefused = "3";
constexpr const char* kAbortedLocally = "7";

class EndsTest : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    const Namespace space;
    const Daemon daemon = Daemon::standalone(space);
    const std::string log = daemon.log();
    if (const std::size_t at = log.find("connections that end are not watched"); at != log.npos)
      GTEST_SKIP() << log.substr(at);
  }
};

Oid ended(std::uint32_t column) { return own({1, 13, 6, 1, column}); }

std::string number_of(const Varbind& cell) { return std::to_string(cell.oid.back()); }

// Number → the column's value, of the whole table or of what follows a number.
std::map<std::string, std::string> column(const Manager& manager, std::uint32_t id) {
  std::map<std::string, std::string> cells;
  for (const Varbind& cell : manager.bulk_walk(ended(id)).varbinds)
    cells[number_of(cell)] = cell.value;
  return cells;
}

// The reasons of those rows whose `port_column` is the port, each once.
std::multiset<std::string> reasons_at(const Manager& manager, std::uint32_t port_column,
                                      std::uint16_t port) {
  const auto ports = column(manager, port_column);
  const auto reasons = column(manager, kReason);
  std::multiset<std::string> found;
  for (const auto& [number, value] : ports) {
    if (value == std::to_string(port) && reasons.contains(number))
      found.insert(reasons.at(number));
  }
  return found;
}

// Of the namespace, as EndedNamespace tells it.
std::string inode_of(const Namespace& space) {
  struct stat status {};
  EXPECT_EQ(::stat(space.file().c_str(), &status), 0);
  return std::to_string(status.st_ino);
}

std::uint16_t free_port(const Namespace& space) { return bind_only(space, "127.0.0.1:0").port(); }

void refuse(const Namespace& space, std::uint16_t port) {
  const TcpSocket refused = start_connecting(space, "127.0.0.1:" + std::to_string(port));
}

// Closed in good order by both: the client is the one that waits.
void end_normally(const Namespace& space, const TcpSocket& listener) {
  TcpSocket client = connect_to(space, "127.0.0.1:" + std::to_string(listener.port()));
  TcpSocket server = accept_from(listener);
  client.close();
  server.await_fin();
  server.close();
}

void end_by_reset(const Namespace& space, const TcpSocket& listener) {
  TcpSocket client = connect_to(space, "127.0.0.1:" + std::to_string(listener.port()));
  TcpSocket server = accept_from(listener);
  server.reset();
}

std::string reasons_counted(const Manager& manager, const char* reason) {
  return told(manager, own({1, 13, 7, 1, 3, static_cast<std::uint32_t>(*reason - '0')}));
}

TEST_F(EndsTest, AManagerIsToldWhatEndedAndWhy) {
  const Namespace space;
  const Attached agent(space);
  const Manager manager = agent.manager();
  EXPECT_EQ(told(manager, own({1, 13, 1, 0})), "1");
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  const std::uint16_t closed = free_port(space);
  for (int i = 0; i < 3; ++i)
    end_normally(space, listener);
  for (int i = 0; i < 2; ++i)
    end_by_reset(space, listener);
  refuse(space, closed);

  using Reasons = std::multiset<std::string>;
  EXPECT_TRUE(eventually([&] {
    return reasons_at(manager, kLocalPort, listener.port()) ==
           Reasons{kNormal, kNormal, kNormal, kAbortedLocally, kAbortedLocally};
  })) << testing::PrintToString(reasons_at(manager, kLocalPort, listener.port()));
  EXPECT_EQ(reasons_at(manager, kRemotePort, listener.port()),
            (Reasons{kNormal, kNormal, kNormal, kResetByPeer, kResetByPeer}));
  EXPECT_EQ(reasons_at(manager, kRemotePort, closed), Reasons{kRefused});

  EXPECT_TRUE(eventually([&] { return reasons_counted(manager, kNormal) == "6"; }));
  EXPECT_EQ(reasons_counted(manager, kResetByPeer), "2");
  EXPECT_EQ(reasons_counted(manager, kRefused), "1");
  EXPECT_EQ(reasons_counted(manager, kAbortedLocally), "2");

  const std::uint32_t port = listener.port();
  EXPECT_EQ(told(manager, own({1, 13, 8, 1, 2, port})), "5") << "accepted";
  EXPECT_EQ(told(manager, own({1, 13, 8, 1, 3, port})), "3") << "normal";
  EXPECT_EQ(told(manager, own({1, 13, 8, 1, 9, port})), "2") << "aborted locally";
  EXPECT_EQ(told(manager, own({1, 13, 9, 1, 4, 1, 4, 127, 0, 0, 1, port})), "5") << "calls";
  EXPECT_EQ(told(manager, own({1, 13, 9, 1, 6, 1, 4, 127, 0, 0, 1, port})), "2") << "reset";
  EXPECT_EQ(told(manager, own({1, 13, 9, 1, 7, 1, 4, 127, 0, 0, 1, closed})), "1") << "refused";
  EXPECT_EQ(told(manager, own({1, 13, 10, 1, 2, closed})), "1") << "closed port";
  EXPECT_EQ(told(manager, own({1, 13, 3, 0})), "0") << "lost";
}

TEST_F(EndsTest, WhoKnowsTheLastNumberReadsOnlyWhatIsNew) {
  const Namespace space;
  const Attached agent(space);
  const Manager manager = agent.manager();
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  end_normally(space, listener);
  ASSERT_TRUE(eventually([&] { return column(manager, kReason).size() >= 2; }));
  const std::string newest = told(manager, own({1, 13, 4, 0}));
  ASSERT_THAT(newest, Not(HasSubstr("no")));
  Oid from = ended(kReason);
  from.push_back(static_cast<std::uint32_t>(std::stoul(newest)));

  const auto follows = [&] {
    std::vector<std::string> numbers;
    for (const Varbind& cell : manager.bulk(0, 50, {from}).varbinds) {
      if (std::ranges::equal(std::span(cell.oid).first(from.size() - 1),
                             std::span(from).first(from.size() - 1)))
        numbers.push_back(number_of(cell));
    }
    return numbers;
  };
  const std::size_t before = follows().size();
  end_by_reset(space, listener);
  EXPECT_TRUE(eventually([&] { return follows().size() >= before + 2; }));
  for (const std::string& number : follows())
    EXPECT_GT(std::stoul(number), std::stoul(newest));
}

TEST_F(EndsTest, OtherNamespacesAreInTheRingAndNotInTheCounts) {
  const Namespace space;
  const Namespace other;
  const Attached agent(space);
  const Manager manager = agent.manager();
  const TcpSocket listener = listen_on(other, "127.0.0.1:0");
  const std::string refused_before = reasons_counted(manager, kRefused);
  end_by_reset(other, listener);
  EXPECT_TRUE(eventually(
      [&] { return reasons_at(manager, kLocalPort, listener.port()).contains(kAbortedLocally); }));
  const auto ports = column(manager, kLocalPort);
  const auto spaces = column(manager, kSpace);
  const std::string own_space = inode_of(space);
  for (const auto& [number, port] : ports) {
    if (port == std::to_string(listener.port())) {
      EXPECT_NE(spaces.at(number), own_space);
    }
  }
  EXPECT_EQ(told(manager, own({1, 13, 8, 1, 2, listener.port()})), kGone);
  EXPECT_EQ(reasons_counted(manager, kRefused), refused_before);
}

TEST_F(EndsTest, NumbersGoOnAfterARestart) {
  const Namespace space;
  const TempFolder state;
  const DaemonOptions options{.settings = {"standalone.state=" + state.path().string()}};
  const auto first_number = [&] {
    Daemon daemon = Daemon::standalone(space, options);
    const Manager manager = Manager::v2c(space, Daemon::kAddress);
    const TcpSocket listener = listen_on(space, "127.0.0.1:0");
    end_by_reset(space, listener);
    EXPECT_TRUE(eventually([&] { return !column(manager, kReason).empty(); }));
    const auto cells = column(manager, kReason);
    EXPECT_EQ(daemon.terminate(), 0);
    std::uint32_t least = 0;
    for (const auto& [number, reason] : cells) {
      const auto value = static_cast<std::uint32_t>(std::stoul(number));
      least = least == 0 ? value : std::min(least, value);
    }
    return least;
  };
  EXPECT_EQ(first_number(), 1U);
  EXPECT_EQ(first_number(), 65'537U);
}

TEST_F(EndsTest, AViewCanExcludeThem) {
  const Namespace space;
  const std::string arc = "1.3.6.1.4.1.8072.9999.9999.4022";
  const Attached agent(
      space, {.lines = {"view shown included ." + arc, "view shown excluded ." + arc + ".1.13.6",
                        "rocommunity watcher 127.0.0.1 -V shown"}});
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  end_by_reset(space, listener);
  EXPECT_TRUE(eventually([&] { return !column(agent.manager(), kReason).empty(); }));
  const Manager watcher = Manager::v2c(space, agent.master.address(), "watcher");
  EXPECT_THAT(column(watcher, kReason), IsEmpty());
  EXPECT_EQ(reasons_counted(watcher, kAbortedLocally),
            reasons_counted(agent.manager(), kAbortedLocally));
}

TEST_F(EndsTest, NothingIsWatchedWhereThatIsSwitchedOff) {
  const Namespace space;
  const Attached agent(space, {}, {.settings = {"ends.watch=off"}});
  const Manager manager = agent.manager();
  EXPECT_EQ(told(manager, own({1, 13, 1, 0})), "2");
  EXPECT_EQ(told(manager, own({1, 13, 3, 0})), kGone) << "not 0";
  EXPECT_THAT(manager.bulk_walk(own({1, 13, 7})).varbinds, IsEmpty());
}

TEST_F(EndsTest, WithoutAHistoryTheyAreCounted) {
  const Namespace space;
  const Attached agent(space, {}, {.settings = {"ends.history=0"}});
  const Manager manager = agent.manager();
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  end_by_reset(space, listener);
  EXPECT_TRUE(eventually([&] { return reasons_counted(manager, kAbortedLocally) == "1"; }));
  EXPECT_THAT(column(manager, kReason), IsEmpty());
}

TEST_F(EndsTest, TheOldestMakeRoom) {
  const Namespace space;
  const Attached agent(space, {}, {.settings = {"ends.history=4"}});
  const Manager manager = agent.manager();
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  for (int i = 0; i < 5; ++i)
    end_by_reset(space, listener);
  EXPECT_TRUE(eventually([&] { return reasons_counted(manager, kAbortedLocally) == "5"; }));
  EXPECT_EQ(column(manager, kReason).size(), 4U);
  EXPECT_EQ(told(manager, own({1, 13, 5, 0})), "4");
}

class EndsPlainUserTest : public PlainUserTest {};

TEST_F(EndsPlainUserTest, IsToldOnceThatTheyAreNotWatched) {
  const Namespace space;
  DaemonOptions options;
  options.process.user = kPlainUser;
  const Daemon daemon = Daemon::standalone(space, options);
  EXPECT_EQ(told(Manager::v2c(space, Daemon::kAddress), own({1, 13, 1, 0})), "2");
  EXPECT_EQ(count_of("connections that end are not watched", daemon.log()), 1) << daemon.log();
}

}  // namespace
}  // namespace tcpmibd::lab
