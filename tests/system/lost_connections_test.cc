#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "support/process.h"
#include "support/programs.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/apache.h"
#include "system/system_test.h"

// Connections that listening sockets lose, and segments that they discard without losing any, as
// real clients bring them about. The judge is nstat(8).

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kDropsColumn = 9;
constexpr std::uint32_t kDiscardsColumn = 19;
constexpr int kRequests = 20;

class LostConnections : public SystemTest {
 protected:
  // Looks every second, with an alarm that a single lost connection raises. It has looked once on
  // return.
  void watch(const Namespace& space) {
    space_ = &space;
    daemon_.emplace(Daemon::standalone(
        space, {.configuration = "[watch]\ninterval = \"1s\"\n[alarm.lost]\nmeasure = \"drops\"\n"
                                 "raise = 1\nclear = 0\n",
                .settings = {"snapshot.max-age=10ms"}}));
    manager_.emplace(Manager::v2c(space, Daemon::kAddress));
    ASSERT_TRUE(eventually([&] { return figure(own({1, 1, 9, 0})) > 0; }, kGreatPatience));
  }

  std::uint64_t figure(const Oid& oid) const {
    std::istringstream text(told(*manager_, oid));
    std::uint64_t number = 0;
    return text >> number ? number : 0;
  }
  std::string drops(std::uint16_t port) const {
    return told(*manager_, own({1, 4, 1, kDropsColumn, port}));
  }
  std::uint64_t discards(std::uint16_t port) const {
    return figure(own({1, 4, 1, kDiscardsColumn, port}));
  }

  // ListenDrops of the namespace.
  std::uint64_t counted() const {
    std::istringstream words(run({"nstat", "-asz", "TcpExtListenDrops"}, {.in = space_}).out);
    for (std::string word; words >> word;) {
      std::uint64_t number = 0;
      if (word == "TcpExtListenDrops" && words >> number)
        return number;
    }
    throw Trouble("nstat tells no ListenDrops");
  }

  bool was_raised() const { return count_of("alarm lost raised", daemon_->log()) > 0; }

  // Of a port that has discarded so many segments, for nothing.
  void expect_nothing_lost(std::uint16_t port, std::uint64_t discarded) const {
    EXPECT_TRUE(eventually([&] { return discards(port) >= discarded; }, kGreatPatience))
        << discards(port);
    EXPECT_EQ(counted(), 0u);
    EXPECT_EQ(drops(port), "0");
    EXPECT_TRUE(quiet_for(std::chrono::seconds(3), [&] { return was_raised(); })) << daemon_->log();
    EXPECT_EQ(drops(port), "0");
  }

  // Of a port where connections are lost and nowhere else.
  void expect_all_lost_at(std::uint16_t port) const {
    EXPECT_TRUE(
        eventually([&] { return drops(port) == std::to_string(counted()); }, kGreatPatience))
        << drops(port) << " of " << counted();
    EXPECT_TRUE(eventually([&] { return was_raised(); }, kGreatPatience)) << daemon_->log();
    EXPECT_THAT(daemon_->log(), HasSubstr("(port " + std::to_string(port)));
  }

  const Namespace* space_ = nullptr;
  std::optional<Daemon> daemon_;
  std::optional<Manager> manager_;
};

// One client after the other, each of whom is served.
void serve(const Namespace& space, const TcpSocket& listener, int clients) {
  for (int i = 0; i < clients; ++i) {
    const TcpSocket client = connect_to(space, text(listener.local()));
    client.send("question");
    const TcpSocket server = accept_from(listener);
    ASSERT_EQ(server.receive(), "question");
    server.send("answer");
    ASSERT_EQ(client.receive(), "answer");
  }
}

// Clients that nobody accepts.
std::vector<TcpSocket> call_in_vain(const Namespace& space, const TcpSocket& listener, int count) {
  std::vector<TcpSocket> clients;
  for (int i = 0; i < count; ++i)
    clients.push_back(start_connecting(space, text(listener.local())));
  return clients;
}

// ---- Nothing is lost ----

TEST_F(LostConnections, AreNoneOfAnApacheThatServesEverybody) {
  if (!is_installed("apache2"))
    GTEST_SKIP() << "no apache2 (package apache2-bin)";
  const Namespace space;
  const Apache apache(space);
  watch(space);
  for (int i = 0; i < kRequests; ++i)
    ASSERT_THAT(apache.answer(), testing::StartsWith("HTTP/1.1 200 "));
  expect_nothing_lost(8080, kRequests);
}

TEST_F(LostConnections, AreNoneOfAListenerThatWaitsForTheFirstData) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0", {.defer_accept = 30});
  watch(space);
  serve(space, listener, kRequests);
  expect_nothing_lost(listener.port(), kRequests);
}

// A SYN of nobody: the SYN and ACK that answer it are answered with a reset.
TEST_F(LostConnections, AreNoneOfHalfOpenProbes) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  watch(space);
  for (int i = 0; i < kRequests; ++i)
    send_syn(space, "127.0.0.1:" + std::to_string(20000 + i), text(listener.local()));
  expect_nothing_lost(listener.port(), kRequests);
}

// As of a client that the answer does not reach.
TEST_F(LostConnections, AreNoneOfASynThatComesAgain) {
  const TwoHosts hosts;
  run({"ip", "neigh", "add", "10.77.1.77", "lladdr", "02:00:00:00:00:01", "dev", "va", "nud",
       "permanent"},
      {.in = &hosts.a});
  const TcpSocket listener = listen_on(hosts.a, "10.77.1.1:0");
  watch(hosts.a);
  constexpr int kTimes = 4;
  for (int i = 0; i < kTimes; ++i)
    send_syn(hosts.b, "10.77.1.77:3333", text(listener.local()));
  expect_nothing_lost(listener.port(), kTimes - 1);
}

// ---- Some are lost ----

TEST_F(LostConnections, OfAQueueThatOverflowsAreThoseThatTheKernelCounts) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0", {.backlog = 1});
  watch(space);
  EXPECT_EQ(drops(listener.port()), "0");
  std::vector<TcpSocket> clients = call_in_vain(space, listener, 10);
  EXPECT_TRUE(eventually([&] { return counted() >= 8; })) << counted();
  clients.clear();  // Their SYNs are not sent again.
  expect_all_lost_at(listener.port());
}

TEST_F(LostConnections, AreThoseOfThePortThatOverflowsAndNotOfABusyOne) {
  const Namespace space;
  const TcpSocket full = listen_on(space, "127.0.0.1:0", {.backlog = 1});
  const TcpSocket busy = listen_on(space, "127.0.0.1:0", {.defer_accept = 30});
  watch(space);
  std::vector<TcpSocket> clients;
  for (int i = 0; i < 10; ++i) {
    serve(space, busy, 10);
    clients.push_back(start_connecting(space, text(full.local())));
  }
  clients.clear();
  expect_all_lost_at(full.port());
  EXPECT_GE(discards(busy.port()), 100u);
  EXPECT_EQ(drops(busy.port()), "0");
  EXPECT_THAT(daemon_->log(), Not(HasSubstr("(port " + std::to_string(busy.port()))));
}

// What was lost before somebody looked is nobody's.
TEST_F(LostConnections, BeforeTheFirstLookAreNotTold) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0", {.backlog = 1});
  const std::vector<TcpSocket> clients = call_in_vain(space, listener, 4);
  const Daemon daemon = Daemon::standalone(space);
  const Manager manager = Manager::v2c(space, Daemon::kAddress);
  EXPECT_EQ(told(manager, own({1, 4, 1, kDropsColumn, listener.port()})), "0");
  EXPECT_NE(told(manager, own({1, 4, 1, kDiscardsColumn, listener.port()})), "0");
}

}  // namespace
}  // namespace tcpmibd::lab
