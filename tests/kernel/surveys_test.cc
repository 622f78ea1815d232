#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kernel/opened.h"
#include "support/deadline.h"
#include "support/fake_names.h"
#include "support/scenes.h"
#include "support/ss.h"
#include "survey/survey.h"

// What surveys are counted from, as a real kernel tells it.

namespace tcpmibd::kernel {
namespace {

using namespace std::chrono_literals;
using lab::Connection;
using lab::Family;
using lab::Namespace;
using tcp::State;
using testing::SizeIs;

class SurveysTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

// ------------------------------------------------------------------------------ Accept queues

TEST_F(SurveysTest, AListenerTellsWhatWaitsAndWhatItLost) {
  const Namespace space;
  const std::unique_ptr<SockDiag> source = opened_in(space);
  for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
    const lab::TcpSocket listener = lab::listen_on(space, address, {.backlog = 1});
    const auto told = [&] {
      const tcp::Snapshot snapshot = dump(*source);
      const auto found =
          std::ranges::find(snapshot.listening(), listener.cookie(), &tcp::ListeningSocket::cookie);
      return found == snapshot.listening().end() ? tcp::ListeningSocket() : *found;
    };
    EXPECT_EQ(told().queue, 0u);
    EXPECT_EQ(told().backlog, 1u);
    EXPECT_EQ(told().discards, 0u);

    std::vector<lab::TcpSocket> clients;
    for (int i = 0; i < 8; ++i)
      clients.push_back(lab::start_connecting(space, lab::text(listener.local())));
    // The kernel lets one more wait than it was told; the others' SYNs find no room.
    EXPECT_EQ(lab::settled([&] { return told().queue; }, 2u), 2u);
    EXPECT_TRUE(lab::eventually([&] { return told().discards >= 6; })) << told().discards;
    EXPECT_EQ(told().inode, listener.inode());
  }
}

TEST_F(SurveysTest, TheListenersAloneTellWhatTheyLostToo) {
  const Namespace space;
  const std::unique_ptr<SockDiag> source = opened_in(space);
  const lab::TcpSocket listener = lab::listen_on(space, "127.0.0.1:0", {.backlog = 1});
  std::vector<lab::TcpSocket> clients;
  for (int i = 0; i < 8; ++i)
    clients.push_back(lab::start_connecting(space, lab::text(listener.local())));
  const auto lost = [&] {
    std::vector<tcp::Socket> found;
    EXPECT_TRUE(source->find(tcp::ListenersQuery{}, found));
    return found.empty() ? 0u : found.front().discards;
  };
  EXPECT_TRUE(lab::eventually([&] { return lost() >= 6; })) << lost();
}

// --------------------------------------------------------------------------------- CLOSE_WAIT

TEST_F(SurveysTest, TheKernelKnowsForHowLongACloseWaitHasBeenQuiet) {
  const Namespace space;
  const std::unique_ptr<SockDiag> source = opened_in(space);
  for (const Family family : {Family::kV4, Family::kV6}) {
    const Connection other = lab::connected(lab::on_loopback(space, family));
    const Connection connection = lab::connected(lab::on_loopback(space, family));
    const Time before = Clock::now();
    connection.server.shutdown_write();
    connection.client.await_fin();
    const auto quiet = [&] {
      std::vector<tcp::Quiet> all;
      EXPECT_TRUE(source->read_close_waits(all));
      EXPECT_THAT(all, SizeIs(1)) << "of connections in CLOSE_WAIT only";
      return all.empty() || all.front().cookie != connection.client.cookie() ? 0u : all.front().ms;
    };
    constexpr std::uint32_t kSecond = 1000;
    EXPECT_TRUE(lab::eventually([&] { return quiet() >= kSecond; })) << quiet();
    constexpr Duration kTick = 20ms;  // of the kernel's clock
    const std::chrono::milliseconds told(quiet());
    EXPECT_LE(told, Clock::now() - before + kTick);
  }
}

// ------------------------------------------------------------------------------------ Cgroups

TEST_F(SurveysTest, FullSocketsHaveTheirCgroupAndMinisocksNone) {
  const Namespace space;
  const std::unique_ptr<SockDiag> source = opened_in(space);
  Connection open = lab::connected(lab::on_loopback(space, Family::kV4));
  Connection ended = lab::connected(lab::on_loopback(space, Family::kV4));
  ended.client.close();
  ended.server.await_fin();
  ended.server.close();
  const auto waiting = [&] { return dump(*source).count(State::kTimeWait).total(); };
  ASSERT_EQ(lab::settled(waiting, 1u), 1u);

  const tcp::Snapshot snapshot = dump(*source);
  ASSERT_THAT(snapshot.listening(), SizeIs(2));
  const std::uint64_t ours = snapshot.listening().front().cgroup;
  if (ours == 0)
    GTEST_SKIP() << "this kernel tells no cgroups";
  EXPECT_EQ(snapshot.listening().back().cgroup, ours);
  snapshot.for_each_connection([&](const auto& row) {
    const bool minisock = row.details.state == State::kTimeWait;
    EXPECT_EQ(snapshot.cgroups()[row.details.cgroup], minisock ? 0 : ours)
        << tcp::names_of(row.details.state).mib;
  });
}

// -------------------------------------------------------------------------------------- Counts

using Counts = std::map<std::string, unsigned>;

Counts told_by_ss(const Namespace& space) {
  Counts counts;
  for (const lab::SsRow& row : lab::list_sockets(space))
    ++counts[row.state];
  return counts;
}

Counts told_by(const tcp::Snapshot& snapshot) {
  Counts counts;
  for (const tcp::StateNames& names : tcp::kStates) {
    if (const std::uint32_t count = snapshot.count(names.state).total(); count != 0)
      counts[std::string(names.ss)] = count;
  }
  return counts;
}

// Connections of each port that somebody listens on.
std::map<unsigned, unsigned> ports_by_ss(const Namespace& space) {
  std::map<unsigned, unsigned> ports;
  const std::vector<lab::SsRow> rows = lab::list_sockets(space);
  for (const lab::SsRow& row : rows) {
    if (row.state == "LISTEN")
      ports[row.ends.local.port];
  }
  for (const lab::SsRow& row : rows) {
    const auto port = ports.find(row.ends.local.port);
    if (row.state != "LISTEN" && port != ports.end())
      ++port->second;
  }
  return ports;
}

std::map<unsigned, unsigned> ports_by(const tcp::Snapshot& snapshot) {
  lab::FakeUnitLookup units;
  const tcp::Sightings sightings;
  const std::optional<tcp::EphemeralRange> unknown;
  const tcp::Survey survey = tcp::Survey::build({.snapshot = snapshot,
                                                 .sightings = sightings,
                                                 .before = nullptr,
                                                 .ephemeral = unknown,
                                                 .units = units});
  std::map<unsigned, unsigned> ports;
  for (const tcp::PortFigures& port : survey.ports())
    ports[port.port] = port.tally.total;
  return ports;
}

// Every state that can be held without dropping packets, of every family, at once. States move on
// meanwhile, so both are looked at until they agree.
TEST_F(SurveysTest, CountAMixedPopulationAsSsDoes) {
  const lab::TwoHosts hosts;
  std::vector<lab::Scene> scenes;
  for (const lab::Recipe& recipe : lab::recipes()) {
    for (const Family family : {Family::kV4, Family::kV6, Family::kMapped}) {
      if (!recipe.needs_filter)
        scenes.push_back(recipe.play(lab::on_cable(hosts, family)));
    }
  }
  for (const Namespace* space : {&hosts.a, &hosts.b}) {
    const std::unique_ptr<SockDiag> source = opened_in(*space);
    const auto agree = [&] {
      const tcp::Snapshot snapshot = dump(*source);
      return told_by(snapshot) == told_by_ss(*space) && ports_by(snapshot) == ports_by_ss(*space);
    };
    if (!lab::eventually(agree)) {
      EXPECT_EQ(told_by(dump(*source)), told_by_ss(*space));
      EXPECT_EQ(ports_by(dump(*source)), ports_by_ss(*space));
    }
    EXPECT_GT(told_by_ss(*space).size(), 3u) << "a population of many states";
  }
}

}  // namespace
}  // namespace tcpmibd::kernel
