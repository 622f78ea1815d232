#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kernel/opened.h"
#include "kernel/proc_pressure.h"
#include "support/deadline.h"
#include "support/fake_names.h"
#include "support/scenes.h"
#include "support/trouble.h"
#include "survey/survey.h"

// What a real kernel does when ephemeral ports run out, and that the figures say so: no sooner, and
// no later.

namespace tcpmibd::kernel {
namespace {

using lab::Namespace;
using lab::TcpSocket;
using tcp::EphemeralFigures;

constexpr unsigned kFirst = 40'000;

// A host with few ports, whose servers take calls to every address of the loopback.
class EphemeralTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
    space_.emplace();
    source_ = opened_in(*space_);
    server_ = lab::listen_on(*space_, "0.0.0.0:9", {.backlog = 500});
  }

  void leave_ports(unsigned count) const {
    space_->set_sysctl("net.ipv4.ip_local_port_range",
                       std::to_string(kFirst) + " " + std::to_string(kFirst + count - 1));
  }

  static std::string remote(unsigned number) {
    return "127.0.1." + std::to_string(number + 1) + ":9";
  }

  // Throws Trouble where the kernel has no port.
  TcpSocket call(unsigned number) const { return lab::connect_to(*space_, remote(number)); }
  TcpSocket bound_call(unsigned number) const {
    return lab::connect_to(*space_, remote(number), {.from = "127.0.0.1:0"});
  }

  EphemeralFigures figures() const {
    Result<tcp::Pressure> pressure = space_->run([] { return ProcPressure().read(); });
    if (!pressure)
      throw lab::Trouble(pressure.error().text());
    const tcp::Snapshot snapshot = dump(*source_);
    lab::FakeUnitLookup units;
    return tcp::Survey::build({.snapshot = snapshot,
                               .sightings = {},
                               .before = nullptr,
                               .ephemeral = pressure->ephemeral,
                               .reuse = pressure->reuse(),
                               .units = units})
        .ephemeral();
  }

  // Ends of calls that are over, all in TIME_WAIT on return. Until then none of them is taken over
  // by the next call: net.ipv4.tcp_tw_reuse is 0, and stays so.
  void leave_time_waits(unsigned count) const {
    space_->set_sysctl("net.ipv4.tcp_tw_reuse", "0");
    for (unsigned i = 0; i < count; ++i) {
      TcpSocket client = call(0);
      TcpSocket served = lab::accept_from(server_);
      client.close();
      served.await_fin();
      served.close();
    }
    const auto waiting = [&] { return dump(*source_).count(tcp::State::kTimeWait).total(); };
    ASSERT_EQ(lab::settled(waiting, count), count);
  }

  std::optional<Namespace> space_;
  std::unique_ptr<SockDiag> source_;
  TcpSocket server_;
};

std::set<unsigned> ports_of(const std::vector<TcpSocket>& sockets) {
  std::set<unsigned> ports;
  for (const TcpSocket& socket : sockets)
    ports.insert(socket.port() - kFirst);
  return ports;
}

// ---- What the kernel does

TEST_F(EphemeralTest, ConnectSharesHalfOfThePortsOverAllRemoteEnds) {
  leave_ports(20);
  std::vector<TcpSocket> calls;
  for (unsigned i = 0; i < 100; ++i)
    calls.push_back(call(i));
  for (const unsigned port : ports_of(calls))
    EXPECT_EQ(port % 2, 0U) << port;
  EXPECT_EQ(figures().bound, 0U) << "nothing is wrong";
  EXPECT_LE(figures().used, 1U);
  EXPECT_NO_THROW(bound_call(0));
}

TEST_F(EphemeralTest, BindTakesTheOtherHalfFirst) {
  leave_ports(20);
  std::vector<TcpSocket> calls;
  for (unsigned i = 0; i < 10; ++i)
    calls.push_back(bound_call(i));
  EXPECT_EQ(ports_of(calls), (std::set<unsigned>{1, 3, 5, 7, 9, 11, 13, 15, 17, 19}));
  EXPECT_EQ(figures().bound, 10U);
  EXPECT_EQ(figures().used, 1U);
}

// ---- When nothing is left

TEST_F(EphemeralTest, BoundPortsAreGoneForAllRemoteEndsWhenTheFigureSaysSo) {
  leave_ports(20);
  std::vector<TcpSocket> calls;
  for (unsigned i = 0; i < 20; ++i) {
    calls.push_back(bound_call(i % 5));
    EXPECT_EQ(figures().bound, i + 1);
  }
  EXPECT_EQ(figures().used, 4U);
  EXPECT_THROW(bound_call(50), lab::Trouble) << "for an end that nobody has called";
  EXPECT_THROW(call(50), lab::Trouble) << "nor has connect() a port that bind() took";
}

TEST_F(EphemeralTest, APairThatIsFullStopsCallsBetweenTheTwoAlone) {
  leave_ports(20);
  std::vector<TcpSocket> calls;
  for (unsigned i = 0; i < 20; ++i) {
    calls.push_back(call(0));
    EXPECT_EQ(figures().used, i + 1);
    EXPECT_LE(figures().bound, figures().used);
  }
  EXPECT_THROW(call(0), lab::Trouble);
  EXPECT_NO_THROW(call(1));
  EXPECT_EQ(figures().bound, 20U);
  EXPECT_THROW(bound_call(1), lab::Trouble) << "for bind() each of them is gone";
}

// ---- TIME_WAIT

TEST_F(EphemeralTest, PortsInTimeWaitOverTheLoopbackAreUsedForASecond) {
  leave_ports(10);
  leave_time_waits(10);
  space_->set_sysctl("net.ipv4.tcp_tw_reuse", "2");
  EXPECT_EQ(lab::settled([&] { return figures().used; }, 0U), 0U);
  EXPECT_EQ(figures().bound, 0U);
  std::vector<TcpSocket> calls;
  for (unsigned i = 0; i < 10; ++i)
    calls.push_back(call(0));
  EXPECT_EQ(figures().used, 10U);
}

// Nor does connect() take over what bind() has chosen.
TEST_F(EphemeralTest, BoundPortsAreGoneAsLongAsTheyWait) {
  leave_ports(10);
  space_->set_sysctl("net.ipv4.tcp_tw_reuse", "2");
  std::vector<TcpSocket> calls;
  for (unsigned i = 0; i < 10; ++i)
    calls.push_back(bound_call(i % 5));
  for (TcpSocket& client : calls) {
    TcpSocket served = lab::accept_from(server_);
    client.close();
    served.drain();
  }
  const auto waiting = [&] { return dump(*source_).count(tcp::State::kTimeWait).total(); };
  ASSERT_EQ(lab::settled(waiting, 10U), 10U);
  EXPECT_EQ(lab::settled([&] { return figures().used; }, 0U), 0U) << "by a second's age";
  EXPECT_EQ(figures().bound, 10U);
  EXPECT_THROW(bound_call(0), lab::Trouble);
  EXPECT_THROW(call(0), lab::Trouble);
  EXPECT_THROW(call(7), lab::Trouble);
}

struct NoReuse {
  const char* by;
  const char* tcp_timestamps;  // of the calls
  const char* tcp_tw_reuse;    // when they are over
};

class WithoutReuse : public EphemeralTest, public testing::WithParamInterface<NoReuse> {};

// The kernel is the judge: it has waited as long as it would have to.
TEST_P(WithoutReuse, PortsInTimeWaitAreUsedAsLongAsTheyWait) {
  leave_ports(10);
  space_->set_sysctl("net.ipv4.tcp_timestamps", GetParam().tcp_timestamps);
  leave_time_waits(10);
  space_->set_sysctl("net.ipv4.tcp_tw_reuse", GetParam().tcp_tw_reuse);
  EXPECT_FALSE(lab::eventually([&] { return figures().used != 10; }, std::chrono::seconds(2)));
  EXPECT_THROW(call(0), lab::Trouble);
}

INSTANTIATE_TEST_SUITE_P(Settings, WithoutReuse,
                         testing::Values(NoReuse{"tcp_tw_reuse", "1", "0"},
                                         NoReuse{"tcp_timestamps", "0", "2"}),
                         [](const auto& test) { return std::string(test.param.by); });

TEST_F(EphemeralTest, TheSettingsAreTheNamespaces) {
  space_->set_sysctl("net.ipv4.tcp_tw_reuse", "1");
  const tcp::Pressure pressure = space_->run([] { return ProcPressure().read(); }).value();
  EXPECT_EQ(pressure.time_wait_reuse, 1U);
  EXPECT_EQ(pressure.time_wait_reuse_delay_ms, 1000U) << "its default, and that of older kernels";
  EXPECT_EQ(pressure.timestamps, 1U);
  EXPECT_EQ(pressure.reuse(), (tcp::TimeWaitReuse{tcp::TimeWaitReuse::Scope::kAll, 1000}));
}

}  // namespace
}  // namespace tcpmibd::kernel
