#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernel/opened.h"
#include "kernel/proc_gauges.h"
#include "support/crowd.h"
#include "support/deadline.h"
#include "support/scenes.h"
#include "support/temp_folder.h"
#include "tcp/life_cycle.h"

// Counts by the kernel's own gauges, beside those of a whole dump.

namespace tcpmibd::kernel {
namespace {

using lab::Family;
using lab::Namespace;
using tcp::GaugeDoubt;
using tcp::Snapshot;
using tcp::State;

constexpr Family kEachFamily[] = {Family::kV4, Family::kV6, Family::kMapped};

using StateCounts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// By state, of both protocols.
StateCounts counts_of(const Snapshot& snapshot) {
  StateCounts counts;
  for (const tcp::StateNames& names : tcp::kStates) {
    const tcp::StateCount& count = snapshot.count(names.state);
    counts.emplace_back(count.ipv4, count.ipv6);
  }
  return counts;
}

class CountsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

// Whether counts were made by gauges, and are those of whole dumps before and after. A socket that
// ends by itself meanwhile is waited for.
testing::AssertionResult counts_alike(const Namespace& space) {
  Snapshot fast;
  StateCounts whole;
  const bool alike = lab::eventually([&] {
    const std::unique_ptr<SockDiag> source = opened_in(space);
    whole = counts_of(dump(*source));
    fast = counts(*source);
    return counts_of(fast) == whole && fast.gauge_doubt() == GaugeDoubt::kNone;
  });
  if (alike && fast.count(State::kEstablished).total() > 0 &&
      fast.rows() == dump(*opened_in(space)).rows())
    return testing::AssertionFailure() << "every socket was looked at";
  if (alike)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << testing::PrintToString(counts_of(fast)) << " by gauges, "
         << testing::PrintToString(whole) << " by a dump; " << tcp::reason_of(fast.gauge_doubt());
}

TEST_F(CountsTest, OfNothingAreNone) { EXPECT_TRUE(counts_alike(Namespace())); }

// Every way into every state, in all families, at once.
TEST_F(CountsTest, OfEveryStateAreThoseOfAWholeDump) {
  const Namespace space;
  std::vector<lab::Scene> scenes;
  for (const lab::Recipe& recipe : lab::recipes()) {
    if (recipe.needs_filter)
      continue;
    for (const Family family : kEachFamily)
      scenes.push_back(recipe.play(lab::on_loopback(space, family)));
    EXPECT_TRUE(counts_alike(space)) << recipe.name;
  }
}

TEST_F(CountsTest, OfStatesThatOnlyLostPacketsHoldAreThoseOfAWholeDump) {
  if (const auto& reason = Namespace::filter_skip_reason())
    GTEST_SKIP() << *reason;
  for (const lab::Recipe& recipe : lab::recipes()) {
    const Namespace space;
    const auto connection = lab::connected(lab::on_loopback(space, Family::kV6));
    if (!recipe.needs_filter)
      continue;
    const lab::Scene scene = recipe.play(lab::on_loopback(space, Family::kMapped));
    EXPECT_TRUE(counts_alike(space)) << recipe.name;
  }
}

TEST_F(CountsTest, OfBoundSocketsAreNone) {
  const Namespace space;
  const lab::TcpSocket bound = lab::bind_only(space, "127.0.0.1:0");
  const auto connection = lab::connected(lab::on_loopback(space, Family::kV4));
  EXPECT_TRUE(counts_alike(space));
}

TEST_F(CountsTest, OfASynThatWaitsForDataAreThoseOfAWholeDump) {
  const Namespace space;
  const auto connection = lab::connected(lab::on_loopback(space, Family::kV4));
  const auto waiting =
      lab::start_connecting_with_first_data(space, lab::text(connection.listener.local()));
  EXPECT_TRUE(counts_alike(space));
}

// What is counted as IPv4 among sockets of IPv6 is dumped, be it the fewer or the more.
TEST_F(CountsTest, OfManyMappedOrManyNativeSocketsAreThoseOfAWholeDump) {
  constexpr unsigned kMany = 1200;  // more than are dumped without asking for the others
  for (const bool native : {false, true}) {
    const Namespace space;
    const lab::Crowd crowd(space, kMany, native);
    const auto native_one = lab::connected(lab::on_loopback(space, Family::kV6));
    const auto mapped_one = lab::connected(lab::on_loopback(space, Family::kMapped));
    EXPECT_TRUE(counts_alike(space)) << native;
  }
}

// So many of both that it costs less to look at all.
TEST_F(CountsTest, OfManyMappedAndManyNativeSocketsAreThoseOfAWholeDump) {
  const Namespace space;
  const lab::Crowd crowd(space, 1200, true);
  const lab::Stage stage = lab::on_loopback(space, Family::kMapped);
  std::vector<lab::Connection> mapped;
  for (int i = 0; i < 600; ++i)
    mapped.push_back(lab::connected(stage));
  const std::unique_ptr<SockDiag> source = space.run([] { return SockDiag::open(); }).value();
  for (int look = 0; look < 2; ++look) {
    const Snapshot fast = counts(*source);
    EXPECT_EQ(fast.gauge_doubt(), GaugeDoubt::kMixed) << look;
    EXPECT_EQ(fast.count(State::kEstablished).ipv4, 1200u);
    EXPECT_EQ(fast.count(State::kEstablished).ipv6, 1200u);
    EXPECT_EQ(counts_of(fast), counts_of(dump(*source)));
  }
}

TEST_F(CountsTest, OfMptcpAreThoseOfAWholeDump) {
  if (const auto reason = lab::mptcp_skip_reason())
    GTEST_SKIP() << *reason;
  const Namespace space;
  const auto pair =
      lab::connected(lab::on_loopback(space, Family::kV4), {.mptcp = true}, {.mptcp = true});
  const std::unique_ptr<SockDiag> source = opened_in(space);
  const Snapshot fast = counts(*source);
  EXPECT_EQ(fast.gauge_doubt(), GaugeDoubt::kMptcp);
  EXPECT_EQ(counts_of(fast), counts_of(dump(*source)));
}

// The gauges of another namespace, opened there, are none of ours.
TEST_F(CountsTest, AreOfTheNamespaceThatTheSourceWasOpenedIn) {
  const Namespace space;
  const Namespace other;
  const auto connection = lab::connected(lab::on_loopback(space, Family::kV4));
  const std::unique_ptr<SockDiag> source = opened_in(other);
  const Snapshot fast = space.run([&] { return counts(*source); });
  EXPECT_EQ(fast.gauge_doubt(), GaugeDoubt::kNone);
  EXPECT_EQ(fast.count(State::kEstablished).total(), 0u);
}

// Gauges of a kernel that counts in a way that we do not know of, and of which each fits the other.
TEST_F(CountsTest, ByGaugesThatAreWrongAreNotMadeAnyMoreOnceWholeDumpsHaveShownIt) {
  const Namespace space;
  const auto connection = lab::connected(lab::on_loopback(space, Family::kV4));
  const lab::TempFolder folder;
  folder.write("snmp", "Tcp: ActiveOpens PassiveOpens CurrEstab\nTcp: 1 1 5\n");
  folder.write("sockstat", "TCP: inuse 6 orphan 0 tw 0 alloc 7 mem 0\n");
  folder.write("sockstat6", "TCP6: inuse 0\n");
  const auto source =
      space.run([&] { return SockDiag::open(SockDiag::kDumpPatience, folder.path()); }).value();
  EXPECT_EQ(counts(*source).count(State::kEstablished).total(), 5u) << "nobody knows better yet";
  EXPECT_EQ(dump(*source).gauge_doubt(), GaugeDoubt::kNone) << "it may be chance";
  EXPECT_EQ(dump(*source).gauge_doubt(), GaugeDoubt::kRefuted);
  for (int look = 0; look < 2; ++look) {
    const Snapshot whole = counts(*source);
    EXPECT_EQ(whole.gauge_doubt(), GaugeDoubt::kRefuted);
    EXPECT_EQ(whole.count(State::kEstablished).total(), 2u);
  }
}

TEST_F(CountsTest, ByGaugesThatDisagreeOrCannotBeReadAreThoseOfAWholeDump) {
  const Namespace space;
  const auto connection = lab::connected(lab::on_loopback(space, Family::kV4));
  const lab::TempFolder folder;
  const auto opened = [&] {
    return space.run([&] { return SockDiag::open(SockDiag::kDumpPatience, folder.path()); })
        .value();
  };
  const auto unreadable = opened();
  folder.write("snmp", "Tcp: ActiveOpens PassiveOpens CurrEstab\nTcp: 1 1 4\n");
  folder.write("sockstat", "TCP: inuse 3 orphan 0 tw 0 alloc 7 mem 0\n");
  const auto contradicted = opened();
  for (const auto& [source, doubt] : {std::pair(&unreadable, GaugeDoubt::kUnreadable),
                                      std::pair(&contradicted, GaugeDoubt::kDisagree)}) {
    const Snapshot whole = counts(**source);
    EXPECT_EQ(whole.gauge_doubt(), doubt);
    EXPECT_EQ(counts_of(whole), counts_of(dump(**source)));
  }
}

TEST_F(CountsTest, AfterChurnAreThoseOfAWholeDump) {
  const Namespace space;
  const auto kept = lab::connected(lab::on_loopback(space, Family::kMapped));
  for (int round = 0; round < 3; ++round) {
    {
      const lab::Churn churn(space, 500);
      const std::unique_ptr<SockDiag> source = opened_in(space);
      EXPECT_TRUE(lab::eventually([&] { return churn.made() >= 100; }));
      // In motion they are doubted, or as good as a dump: never more than there can be.
      EXPECT_LE(counts(*source).count(State::kEstablished).total(), 2 * churn.made() + 4);
    }
    EXPECT_TRUE(counts_alike(space));
  }
}

}  // namespace
}  // namespace tcpmibd::kernel
