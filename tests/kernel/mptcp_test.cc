#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/mptcp_probe.h"
#include "kernel/opened.h"
#include "support/deadline.h"
#include "support/descriptors.h"
#include "support/process.h"
#include "support/scenes.h"
#include "support/trouble.h"
#include "tcp/snapshot.h"

// MPTCP as a real kernel speaks it and tells of it: connections with states of their own, whose
// subflows are rows of TCP.

namespace tcpmibd::kernel {
namespace {

using namespace std::chrono_literals;
using lab::Family;
using lab::Namespace;
using lab::TcpSocket;
using tcp::MptcpSight;
using tcp::Snapshot;
using tcp::State;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::SizeIs;

class MptcpKernelTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = lab::mptcp_skip_reason())
      GTEST_SKIP() << *reason;
    renew();
  }

  // A namespace in which there is nothing of what was before.
  void renew() {
    space_.emplace();
    kernel_ = opened_in(*space_);
  }

  const Namespace& space() const { return *space_; }
  SockDiag& kernel() { return *kernel_; }
  Snapshot look() { return dump(*kernel_); }

  lab::Connection pair(Family family = Family::kV4) const {
    return lab::connected(lab::on_loopback(*space_, family), {.mptcp = true}, {.mptcp = true});
  }

  // So many connections are counted in `state`, if need be in a while.
  std::uint32_t counted(State state, std::uint32_t wanted) {
    return lab::settled([&] { return look().count(state).total(); }, wanted);
  }

 private:
  std::optional<Namespace> space_;
  std::unique_ptr<SockDiag> kernel_;
};

// What a snapshot tells of the MPTCP connection with the cookie of `socket`.
tcp::Details told_of(const Snapshot& snapshot, const TcpSocket& socket) {
  tcp::Details told;
  snapshot.for_each_mptcp([&](const auto& row) {
    if (row.details.cookie() == socket.cookie())
      told = row.details;
  });
  return told;
}

std::vector<State> states_of_subflows(const Snapshot& snapshot) {
  std::vector<State> states;
  snapshot.for_each_connection([&](const auto& row) {
    if (snapshot.mptcp_of(row) != nullptr)
      states.push_back(row.details.state);
  });
  return states;
}

// ---- Who is asked ----

TEST_F(MptcpKernelTest, NobodyIsAskedWhereNobodySpeaksIt) {
  EXPECT_EQ(look().mptcp_sight(), MptcpSight::kUnused);
  const lab::Connection plain = lab::connected(lab::on_loopback(space(), Family::kV4));
  EXPECT_EQ(look().mptcp_sight(), MptcpSight::kUnused);
  EXPECT_EQ(kernel().look_at_mptcp(), MptcpSight::kUnused);
}

TEST_F(MptcpKernelTest, TheKernelIsAskedAsSoonAsSomebodySpeaksIt) {
  for (const Family family : {Family::kV4, Family::kV6}) {
    const lab::Connection open = pair(family);
    EXPECT_EQ(look().mptcp_sight(), MptcpSight::kSeen);
    EXPECT_EQ(kernel().look_at_mptcp(), MptcpSight::kSeen);
  }
}

// The number of sockets in /proc/net/protocols decides whether the kernel is asked at all, so it
// must not be 0 while there is any, whichever way it came and whoever has closed.
TEST_F(MptcpKernelTest, IsSeenInProcAsLongAsThereIsAnyConnection) {
  const auto presence = [&] {
    return space().run([] { return MptcpProbe::open().value().look(); });
  };
  EXPECT_EQ(presence(), tcp::MptcpPresence::kUnused);
  for (int i = 0; i < 20; ++i) {
    lab::Connection closing = pair(i % 2 == 0 ? Family::kV4 : Family::kV6);
    closing.client.close();
    closing.server.close();
  }
  lab::Connection last = pair();
  last.listener.close();
  EXPECT_EQ(presence(), tcp::MptcpPresence::kUsed);
  last.client.close();
  last.server.await_fin();
  EXPECT_EQ(presence(), tcp::MptcpPresence::kUsed);
  EXPECT_EQ(counted(State::kCloseWait, 1), 1u);
  last.server.close();
  EXPECT_TRUE(lab::eventually([&] { return presence() == tcp::MptcpPresence::kUnused; }, 20s));
}

// ---- What is told ----

TEST_F(MptcpKernelTest, AConnectionIsToldWithItsEndsAndItsHolder) {
  for (const Family family : {Family::kV4, Family::kV6}) {
    renew();
    const lab::Connection open = pair(family);
    const Snapshot snapshot = look();
    ASSERT_EQ(snapshot.mptcp_size(), 2u) << "both ends are on this host";
    for (const TcpSocket* end : {&open.client, &open.server}) {
      const tcp::Details told = told_of(snapshot, *end);
      EXPECT_EQ(told.state, State::kEstablished);
      EXPECT_EQ(told.inode, end->inode());
      EXPECT_EQ(told.uid, ::getuid());
      EXPECT_EQ(snapshot.cgroups()[told.cgroup], snapshot.listening().front().cgroup);
    }
    EXPECT_EQ(snapshot.count(State::kEstablished).total(), 2u);
    EXPECT_THAT(states_of_subflows(snapshot), SizeIs(2));
    EXPECT_THAT(snapshot.inodes(), Contains(open.client.inode()));
    const auto port = [](const auto& row) { return row.key.local_port; };
    std::vector<std::uint16_t> ports;
    snapshot.for_each_mptcp([&](const auto& row) { ports.push_back(port(row)); });
    EXPECT_THAT(ports, Contains(open.client.port()));
    EXPECT_THAT(ports, Contains(open.listener.port()));
  }
}

TEST_F(MptcpKernelTest, WhatItsPeerHasClosedIsInCloseWaitWhileItsSubflowIsEstablished) {
  for (const Family family : {Family::kV4, Family::kV6}) {
    renew();
    lab::Connection leak = pair(family);
    leak.client.close();
    leak.server.await_fin();
    EXPECT_EQ(counted(State::kCloseWait, 1), 1u);
    const Snapshot snapshot = look();
    EXPECT_EQ(told_of(snapshot, leak.server).state, State::kCloseWait);
    EXPECT_THAT(states_of_subflows(snapshot), Each(State::kEstablished));
    EXPECT_EQ(snapshot.count(State::kEstablished).total(), 0u);
    leak.server.close();
    EXPECT_EQ(counted(State::kCloseWait, 0), 0u);
  }
}

// Ends every subflow of `connection`, as a packet filter that forgets them would.
void end_subflows(SockDiag& kernel, const TcpSocket& connection) {
  const Snapshot snapshot = dump(kernel);
  for (const tcp::Ipv4Row& row : snapshot.ipv4()) {
    const tcp::Connection ends = decoded(row);
    if (row.details.inode != connection.inode())
      continue;
    const tcp::SocketId id{.family = tcp::Family::kIpv4,
                           .local = {ends.local.octets, ends.local_port},
                           .remote = {ends.remote.octets, ends.remote_port},
                           .cookie = row.details.cookie()};
    if (const auto ended = kernel.destroy(id); !ended)
      throw lab::Trouble(ended.error().text());
  }
}

TEST_F(MptcpKernelTest, ALeakCountsWhenItsSubflowsAreGone) {
  if (!kernel().can_destroy())
    GTEST_SKIP() << "nobody may end its subflows here";
  lab::Connection leak = pair();
  leak.client.close();
  leak.server.await_fin();
  ASSERT_EQ(counted(State::kCloseWait, 1), 1u);
  end_subflows(kernel(), leak.server);
  EXPECT_TRUE(lab::eventually([&] { return states_of_subflows(look()).empty(); }));
  EXPECT_EQ(counted(State::kCloseWait, 1), 1u);
  EXPECT_EQ(told_of(look(), leak.server).inode, leak.server.inode());
  leak.server.close();
  EXPECT_EQ(counted(State::kCloseWait, 0), 0u);
}

// As with TCP: what was reset is over, though its descriptor may be held for long.
TEST_F(MptcpKernelTest, WhatWasResetIsInNoState) {
  if (!kernel().can_destroy())
    GTEST_SKIP() << "nobody may end its subflows here";
  const lab::Connection reset = pair();
  end_subflows(kernel(), reset.server);
  EXPECT_TRUE(
      lab::eventually([&] { return told_of(look(), reset.client).state == State::kClosed; }));
}

TEST_F(MptcpKernelTest, WhatItsProgramHasClosedIsCountedOnce) {
  lab::Connection leak = pair();
  leak.client.close();
  leak.server.await_fin();
  EXPECT_EQ(counted(State::kFinWait2, 1), 1u);
  const Snapshot snapshot = look();
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 0u);
  EXPECT_THAT(states_of_subflows(snapshot), SizeIs(2));
}

TEST_F(MptcpKernelTest, TheKernelKnowsForHowLongItHasBeenQuiet) {
  const lab::Connection other = pair();
  lab::Connection leak = pair();
  leak.client.close();
  leak.server.await_fin();
  ASSERT_EQ(counted(State::kCloseWait, 1), 1u);
  const auto quiet = [&] {
    std::vector<tcp::Quiet> all;
    EXPECT_TRUE(kernel().read_close_waits(all));
    EXPECT_THAT(all, SizeIs(1));
    EXPECT_THAT(all, Each(Field(&tcp::Quiet::cookie, leak.server.cookie())));
    return all.empty() ? 0u : all.front().ms;
  };
  constexpr std::uint32_t kEnough = 100;
  constexpr std::uint32_t kMost = 60'000;
  EXPECT_TRUE(lab::eventually([&] { return quiet() >= kEnough; })) << "it does not grow";
  EXPECT_LT(quiet(), kMost);
}

TEST_F(MptcpKernelTest, BeforeItIsAcceptedAConnectionIsCountedOnce) {
  const TcpSocket listener = lab::listen_on(space(), "127.0.0.1:0", {.mptcp = true});
  const TcpSocket client = lab::connect_to(space(), lab::text(listener.local()), {.mptcp = true});
  EXPECT_TRUE(lab::eventually([&] { return look().mptcp_size() == 2; }));
  EXPECT_EQ(counted(State::kEstablished, 2), 2u);
  EXPECT_THAT(states_of_subflows(look()), SizeIs(2));
}

TEST_F(MptcpKernelTest, AClientThatHasFallenBackIsCountedOnceInEveryState) {
  lab::Connection fallen =
      lab::connected(lab::on_loopback(space(), Family::kV4), {}, {.mptcp = true});
  EXPECT_EQ(counted(State::kEstablished, 2), 2u);
  fallen.server.shutdown_write();
  fallen.client.await_fin();
  EXPECT_EQ(counted(State::kCloseWait, 1), 1u);
  EXPECT_EQ(counted(State::kFinWait2, 1), 1u);
  EXPECT_EQ(look().count(State::kEstablished).total(), 0u);
}

TEST_F(MptcpKernelTest, APlainClientOfAnMptcpListenerIsPlainTcp) {
  const lab::Connection plain =
      lab::connected(lab::on_loopback(space(), Family::kV4), {.mptcp = true}, {});
  const Snapshot snapshot = look();
  EXPECT_EQ(snapshot.mptcp_size(), 0u);
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 2u);
}

// ---- Several subflows ----

void must_run_in(const Namespace& space, const std::vector<std::string>& words) {
  const lab::Output output = lab::run(words, {.in = &space});
  if (output.status != 0)
    throw lab::Trouble(output.err);
}

TEST(MptcpSubflows, OfOneConnectionAreCountedAsOne) {
  if (const auto reason = lab::mptcp_skip_reason())
    GTEST_SKIP() << *reason;
  const lab::TwoHosts hosts;
  must_run_in(hosts.a, {"ip", "addr", "add", "10.77.1.3/24", "dev", "va"});
  must_run_in(hosts.a, {"ip", "mptcp", "limits", "set", "subflow", "2"});
  must_run_in(hosts.b, {"ip", "mptcp", "limits", "set", "subflow", "2"});
  must_run_in(hosts.a, {"ip", "mptcp", "endpoint", "add", "10.77.1.3", "dev", "va", "subflow"});
  lab::Connection pair =
      lab::connected(lab::on_cable(hosts, Family::kV4), {.mptcp = true}, {.mptcp = true});
  pair.client.send("now both know that the other can");
  EXPECT_THAT(pair.server.receive(), SizeIs(32));
  for (const auto& [space, end] :
       {std::pair(&hosts.a, &pair.client), std::pair(&hosts.b, &pair.server)}) {
    const std::unique_ptr<SockDiag> kernel = opened_in(*space);
    const auto joined = [&] { return states_of_subflows(dump(*kernel)).size(); };
    ASSERT_EQ(lab::settled(joined, std::size_t{2}), 2u);
    const Snapshot snapshot = dump(*kernel);
    EXPECT_EQ(snapshot.mptcp_size(), 1u);
    EXPECT_EQ(snapshot.count(State::kEstablished).total(), 1u);
    // One that has joined is no fallback.
    std::vector<tcp::Socket> found;
    for (const tcp::Ipv4Row& row : snapshot.ipv4()) {
      const tcp::Connection ends = decoded(row);
      const tcp::ConnectionQuery query{.family = tcp::Family::kIpv4,
                                       .local = {ends.local.octets, ends.local_port},
                                       .remote = {ends.remote.octets, ends.remote_port}};
      ASSERT_TRUE(kernel->find(query, found));
    }
    EXPECT_THAT(found, Each(Field(&tcp::Socket::mptcp, tcp::MptcpRole::kSubflow)));
    EXPECT_GE(found.size(), 2u);
    EXPECT_EQ(told_of(snapshot, *end).inode, end->inode());
  }
}

// ---- Scarcity ----

TEST_F(MptcpKernelTest, WithoutADescriptorItIsNotKnownAndSaidSo) {
  const lab::FewDescriptors none(0);
  EXPECT_FALSE(MptcpProbe::open());
}

}  // namespace
}  // namespace tcpmibd::kernel
