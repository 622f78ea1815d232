#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "kernel/opened.h"
#include "kernel/proc_counters.h"
#include "kernel/proc_file.h"
#include "support/deadline.h"
#include "support/scenes.h"
#include "support/temp_folder.h"
#include "support/trouble.h"

// What a real kernel counts, and what it does not.

namespace tcpmibd::kernel {
namespace {

using lab::Namespace;
using tcp::Counter;

class CountersOfTheKernel : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

std::uint64_t counted(const Namespace& space, Counter counter) {
  const Result<tcp::Counters> counters = space.run([] { return ProcCounters().read(); });
  if (!counters)
    throw lab::Trouble(counters.error().text());
  return counters->value(counter).value_or(0);
}

// ---- The bounds of the retransmission timeout

TEST_F(CountersOfTheKernel, TheBoundsOfTheTimeoutAreThoseThatWereSet) {
  const Namespace space;
  struct Bound {
    const char* sysctl;
    const char* value;
    Counter counter;
    std::uint64_t milliseconds;
  };
  for (const Bound& bound : {Bound{"tcp_rto_min_us", "12000", Counter::kRtoMin, 12},
                             Bound{"tcp_rto_min_us", "200001", Counter::kRtoMin, 201},
                             Bound{"tcp_rto_max_ms", "60000", Counter::kRtoMax, 60'000}}) {
    const std::string file = std::string("/proc/sys/net/ipv4/") + bound.sysctl;
    if (!read_sysctl(file))
      GTEST_SKIP() << "this kernel has no " << bound.sysctl;
    space.set_sysctl(std::string("net.ipv4.") + bound.sysctl, bound.value);
    EXPECT_EQ(counted(space, bound.counter), bound.milliseconds) << bound.sysctl;
  }
}

// As of a kernel before 6.11, and of one whose settings cannot be read.
TEST(CountersElsewhere, TheBoundsAreThoseOfTheFileWhereTheyCannotBeSet) {
  const lab::TempFolder proc;
  std::filesystem::create_directories(proc.path() / "thread-self/net");
  std::filesystem::create_directories(proc.path() / "sys/net/ipv4");
  proc.write("thread-self/net/snmp", "Tcp: RtoMin RtoMax\nTcp: 200 120000\n");
  proc.write("sys/net/ipv4/tcp_rto_max_ms", "not a number\n");
  const tcp::Counters counters = ProcCounters(proc.path().string()).read().value();
  EXPECT_EQ(counters.value(Counter::kRtoMin), 200U);
  EXPECT_EQ(counters.value(Counter::kRtoMax), std::nullopt);
}

TEST(CountersElsewhere, WithoutTheFileThereIsAnError) {
  const Result<tcp::Counters> counters = ProcCounters("/nonexistent").read();
  ASSERT_FALSE(counters);
  EXPECT_EQ(counters.error().code, ENOENT);
}

// ---- What is not counted, or twice

TEST_F(CountersOfTheKernel, ACallThatTheProgramGivesUpIsNoFailedAttempt) {
  const lab::TwoHosts hosts;
  lab::TcpSocket given_up = lab::start_connecting(hosts.a, "10.77.1.77:9");  // Nobody is there.
  given_up.close();
  EXPECT_EQ(counted(hosts.a, Counter::kActiveOpens), 1U);
  EXPECT_EQ(counted(hosts.a, Counter::kAttemptFails), 0U);
  EXPECT_THROW(lab::connect_to(hosts.a, "10.77.1.2:9"), lab::Trouble);
  EXPECT_EQ(counted(hosts.a, Counter::kAttemptFails), 1U) << "one that is refused is";
}

TEST_F(CountersOfTheKernel, AResetOverTheLoopbackIsOneAtEachEnd) {
  const Namespace space;
  lab::Connection connection = lab::connected(lab::on_loopback(space, lab::Family::kV4));
  connection.client.reset();
  EXPECT_EQ(lab::settled([&] { return counted(space, Counter::kEstabResets); }, 2U), 2U);
}

// ---- A SYN that is kept back

TEST_F(CountersOfTheKernel, ASynThatWaitsForDataHasNothingToSend) {
  const Namespace space;
  const std::unique_ptr<SockDiag> source = opened_in(space);
  const lab::TcpSocket waiting = lab::start_connecting_with_first_data(space, "127.0.0.1:9");
  const tcp::Snapshot snapshot = dump(*source);
  ASSERT_EQ(snapshot.ipv4().size(), 1U);
  const tcp::Details& details = snapshot.ipv4().front().details;
  EXPECT_EQ(details.state, tcp::State::kSynSent);
  EXPECT_TRUE(tcp::keeps_its_syn(details.state, details.timer));
  EXPECT_EQ(details.send_queue, 0U);
}

TEST_F(CountersOfTheKernel, ASynThatWasSentIsOneOctetToSend) {
  const lab::TwoHosts hosts;
  const std::unique_ptr<SockDiag> source = opened_in(hosts.a);
  const lab::TcpSocket calling = lab::start_connecting(hosts.a, "10.77.1.77:9");
  const tcp::Snapshot snapshot = dump(*source);
  ASSERT_EQ(snapshot.ipv4().size(), 1U);
  const tcp::Details& details = snapshot.ipv4().front().details;
  EXPECT_FALSE(tcp::keeps_its_syn(details.state, details.timer));
  EXPECT_EQ(details.send_queue, 1U);
}

}  // namespace
}  // namespace tcpmibd::kernel
