#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <vector>

#include "kernel/proc_file.h"
#include "kernel/proc_pressure.h"
#include "support/deadline.h"
#include "support/scenes.h"
#include "support/trouble.h"

// What a real kernel tells of its TCP's pressure, and that the figures follow what happens.

namespace tcpmibd::kernel {
namespace {

using lab::Family;
using lab::Namespace;
using tcp::Pressure;

class ProcPressureTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

Pressure pressure_in(const Namespace& space) {
  Result<Pressure> pressure = space.run([] { return ProcPressure().read(); });
  if (!pressure)
    throw lab::Trouble(pressure.error().text());
  return std::move(*pressure);
}

bool exists(const char* path) { return read_sysctl(path).has_value(); }

TEST_F(ProcPressureTest, AFreshNamespaceHasSeenNothing) {
  const Namespace space;
  const Pressure pressure = pressure_in(space);
  EXPECT_EQ(pressure.time_waits, 0U);
  for (const auto& events :
       {pressure.listen_overflows, pressure.listen_drops, pressure.syn_cookies_sent,
        pressure.syn_queue_drops, pressure.time_wait_overflows, pressure.memory_aborts,
        pressure.timeout_aborts, pressure.syn_retransmits, pressure.timeouts})
    EXPECT_EQ(events, 0U);
  EXPECT_TRUE(pressure.orphans);
  EXPECT_TRUE(pressure.memory_used);
  EXPECT_GT(pressure.time_waits_limit.value_or(0), 0U);
  EXPECT_EQ(pressure.time_waits_percent(), 0U);
}

TEST_F(ProcPressureTest, LimitsOfTheHostAreAbsentInANamespace) {
  const Namespace space;
  const Pressure pressure = pressure_in(space);
  EXPECT_EQ(pressure.orphans_limit, std::nullopt);
  EXPECT_EQ(pressure.orphans_percent(), std::nullopt);
  EXPECT_EQ(pressure.memory_low, std::nullopt);
  EXPECT_EQ(pressure.memory_pressure, std::nullopt);
  EXPECT_EQ(pressure.memory_limit, std::nullopt);
  EXPECT_EQ(pressure.memory_percent(), std::nullopt);
}

TEST(ProcPressureOfTheHost, HasEveryLimit) {
  if (!exists("/proc/sys/net/ipv4/tcp_mem"))
    GTEST_SKIP() << "not in the initial network namespace: there is no tcp_mem";
  const Pressure pressure = ProcPressure().read().value();
  EXPECT_GT(pressure.orphans_limit.value_or(0), 0U);
  EXPECT_TRUE(pressure.orphans_percent());
  ASSERT_TRUE(pressure.memory_low && pressure.memory_pressure && pressure.memory_limit);
  EXPECT_LE(*pressure.memory_low, *pressure.memory_pressure);
  EXPECT_LE(*pressure.memory_pressure, *pressure.memory_limit);
  EXPECT_TRUE(pressure.memory_percent());
}

TEST_F(ProcPressureTest, ATimeWaitIsCounted) {
  const Namespace space;
  for (std::uint64_t count = 1; count <= 3; ++count) {
    lab::Connection connection = lab::connected(lab::on_loopback(space, Family::kV4));
    connection.client.close();
    connection.server.await_fin();
    connection.server.close();
    EXPECT_EQ(lab::settled([&] { return pressure_in(space).time_waits.value_or(0); }, count),
              count);
  }
}

// Orphans are counted over all namespaces: other tests may have theirs. Of memory the kernel leaves
// out what each processor has in reserve, up to a megabyte, so that 0 may be told.
TEST_F(ProcPressureTest, OrphansAreCountedAndMemoryIsTold) {
  const Namespace space;
  std::vector<lab::Connection> connections;
  for (const Family family : {Family::kV4, Family::kV6, Family::kMapped})
    connections.push_back(lab::stopped_up(lab::on_loopback(space, family)));
  for (lab::Connection& connection : connections)
    connection.client.close();
  const Pressure pressure = pressure_in(space);
  EXPECT_GE(pressure.orphans.value_or(0), connections.size());
  EXPECT_TRUE(pressure.memory_used);
}

TEST_F(ProcPressureTest, AFullAcceptQueueIsAnOverflow) {
  const Namespace space;
  const lab::TcpSocket listener = lab::listen_on(space, "127.0.0.1:0", {.backlog = 0});
  const std::string to = "127.0.0.1:" + std::to_string(listener.port());
  const lab::TcpSocket accepted = lab::connect_to(space, to);
  std::vector<lab::TcpSocket> waiting;
  for (int i = 0; i < 3; ++i)
    waiting.push_back(lab::start_connecting(space, to));
  EXPECT_TRUE(lab::eventually([&] {
    const Pressure pressure = pressure_in(space);
    return pressure.listen_overflows.value_or(0) > 0 && pressure.listen_drops.value_or(0) > 0;
  }));
}

TEST_F(ProcPressureTest, ListenDropsAreToldAloneAsWithAllElse) {
  const Namespace space;
  const lab::TcpSocket listener = lab::listen_on(space, "127.0.0.1:0", {.backlog = 0});
  const std::string to = "127.0.0.1:" + std::to_string(listener.port());
  const auto alone = [&] { return space.run([] { return ProcPressure().listen_drops(); }); };
  EXPECT_EQ(alone(), 0U);
  const lab::TcpSocket accepted = lab::connect_to(space, to);
  const lab::TcpSocket waiting = lab::start_connecting(space, to);
  const lab::TcpSocket refused = lab::start_connecting(space, to);
  ASSERT_TRUE(lab::eventually([&] { return alone().value_or(0) > 0; }));
  const auto before = pressure_in(space).listen_drops;
  const auto between = alone();
  const auto after = pressure_in(space).listen_drops;
  EXPECT_LE(before, between);
  EXPECT_LE(between, after);
  EXPECT_EQ(ProcPressure("/nonexistent").listen_drops(), std::nullopt);
}

TEST_F(ProcPressureTest, ASilentPeerMakesTimeouts) {
  if (const auto& reason = Namespace::filter_skip_reason())
    GTEST_SKIP() << *reason;
  const Namespace space;
  space.drop_input("tcp dport 9");
  const lab::TcpSocket client = lab::start_connecting(space, "127.0.0.1:9");
  EXPECT_TRUE(lab::eventually([&] {
    const Pressure pressure = pressure_in(space);
    return pressure.syn_retransmits.value_or(0) > 0 && pressure.timeouts.value_or(0) > 0;
  }));
}

// ---- Ephemeral ports ----

TEST_F(ProcPressureTest, TheRangeIsTheNamespaces) {
  const Namespace space;
  space.set_sysctl("net.ipv4.ip_local_port_range", "40000 40009");
  space.set_sysctl("net.ipv4.ip_local_reserved_ports", "40001,40003-40005,50000");
  const Pressure pressure = pressure_in(space);
  ASSERT_TRUE(pressure.ephemeral);
  EXPECT_EQ(pressure.ephemeral->first(), 40000);
  EXPECT_EQ(pressure.ephemeral->last(), 40009);
  EXPECT_EQ(pressure.ephemeral->size(), 6U);
}

// The judge is the kernel: six ports are given away, each of them counted in the range.
TEST_F(ProcPressureTest, TheRangeIsWhatTheKernelChoosesFrom) {
  const Namespace space;
  space.set_sysctl("net.ipv4.ip_local_port_range", "40000 40009");
  space.set_sysctl("net.ipv4.ip_local_reserved_ports", "40001,40003-40005");
  const Pressure pressure = pressure_in(space);
  std::vector<lab::TcpSocket> bound;
  std::set<unsigned> ports;
  for (unsigned i = 0; i < pressure.ephemeral->size(); ++i) {
    bound.push_back(lab::bind_only(space, "127.0.0.1:0"));
    ports.insert(bound.back().port());
    EXPECT_TRUE(pressure.ephemeral->contains(bound.back().port())) << bound.back().port();
  }
  EXPECT_EQ(ports.size(), pressure.ephemeral->size());
  EXPECT_THROW(lab::bind_only(space, "127.0.0.1:0"), lab::Trouble);
}

// Such a list is longer than what is read at first, and a second read would tell nothing.
TEST_F(ProcPressureTest, AListOfReservedPortsIsReadWhole) {
  const Namespace space;
  std::string odd = "32769";
  for (int port = 32771; port < 33969; port += 2)
    odd += "," + std::to_string(port);
  space.set_sysctl("net.ipv4.ip_local_reserved_ports", odd);
  const Pressure pressure = pressure_in(space);
  ASSERT_TRUE(pressure.ephemeral);
  EXPECT_EQ(pressure.ephemeral->total(), 28232U);
  EXPECT_EQ(pressure.ephemeral->size(), 27632U);
  EXPECT_FALSE(pressure.ephemeral->contains(33967));
}

// ---- Failure ----

TEST(ProcPressureFailure, OnlyWhereNothingCanBeReadItIsAnError) {
  const Result<Pressure> pressure = ProcPressure("/nonexistent").read();
  ASSERT_FALSE(pressure);
  EXPECT_EQ(pressure.error().code, ENOENT);
  EXPECT_THAT(pressure.error().text(), testing::HasSubstr("/nonexistent/thread-self/net/sockstat"));
}

}  // namespace
}  // namespace tcpmibd::kernel
