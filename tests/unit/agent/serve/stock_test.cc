#include "agent/serve/stock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "support/builders.h"

// What the worker has handed over, without a worker. No time passes but what a test says.

namespace tcpmibd::agent {
namespace {

using namespace std::chrono_literals;

const Time kBegan{12h};

class StockTest : public testing::Test {
 protected:
  StockTest() { EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError)); }

  static Stock::SharedSnapshot snapshot(Time began, std::vector<tcp::Socket> sockets = {}) {
    tcp::SnapshotBuilder builder({}, began);
    for (const tcp::Socket& socket : sockets)
      builder.add(socket);
    return std::make_shared<const tcp::Snapshot>(builder.finish(began + 10ms));
  }

  static Stock::SharedProcesses processes(Time began, std::uint32_t denied = 0) {
    return std::make_shared<const tcp::ProcessMap>(
        tcp::ProcessMap::build({{.inode = 8, .pid = 700}}, {}, denied, began));
  }

  void receive(News news) { stock_.receive(std::move(news)); }

  // Of a failure a line is written; it is not looked at here.
  void receive_failure(Time began) {
    testing::internal::CaptureStderr();
    receive({.snapshot_failure = Failure{failure("dump", ENOBUFS).value(), began}});
    testing::internal::GetCapturedStderr();
  }

  const Freshness freshness_{Ages{.snapshot = 1s, .processes = 5s}};
  Stock stock_;
};

TEST_F(StockTest, AreNothingBeforeTheFirstNews) {
  EXPECT_EQ(stock_.snapshot(), nullptr);
  EXPECT_EQ(stock_.oldest(), std::nullopt);
  EXPECT_EQ(stock_.retire_previous(), nullptr);
  EXPECT_EQ(stock_.tidy(kBegan, freshness_), std::nullopt);
}

TEST_F(StockTest, AreTheNewestCountsUntilTheyAreIdle) {
  const auto counts = snapshot(kBegan);
  receive({.counts = counts});
  EXPECT_EQ(stock_.counts(), counts);
  EXPECT_EQ(stock_.snapshot(), nullptr);
  EXPECT_NE(stock_.tidy(kBegan + 1s, freshness_), std::nullopt);
  EXPECT_EQ(stock_.counts(), counts);
  EXPECT_EQ(stock_.tidy(kBegan + 1min, freshness_), std::nullopt);
  EXPECT_EQ(stock_.counts(), nullptr);
}

TEST_F(StockTest, SayOnceThatGaugesAreWrong) {
  tcp::SnapshotBuilder builder({}, kBegan);
  builder.set_gauge_doubt(tcp::GaugeDoubt::kRefuted);
  const auto refuted = std::make_shared<const tcp::Snapshot>(builder.finish());
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kWarning));
  testing::internal::CaptureStderr();
  receive({.counts = snapshot(kBegan)});
  receive({.snapshot = refuted});
  receive({.counts = refuted});
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(said, '\n'), 1) << said;
  EXPECT_THAT(said, testing::HasSubstr("whole dumps have found other numbers"));
}

TEST_F(StockTest, AreTheNewestSnapshotAndTheOneBeforeUntilThatMakesWay) {
  const auto first = snapshot(kBegan);
  receive({.snapshot = first});
  EXPECT_EQ(stock_.retire_previous(), nullptr) << "the only one there is stays";
  receive({.snapshot = snapshot(kBegan + 1s)});
  EXPECT_EQ(stock_.oldest(), kBegan);
  EXPECT_EQ(stock_.retire_previous(), first);
  EXPECT_EQ(stock_.oldest(), kBegan + 1s);
}

TEST_F(StockTest, KeepWhatIsNotAmongTheNews) {
  receive({.snapshot = snapshot(kBegan), .processes = processes(kBegan)});
  receive({});
  EXPECT_NE(stock_.snapshot(), nullptr);
  EXPECT_NE(stock_.processes(), nullptr);
}

TEST_F(StockTest, CountSnapshotsAndFailures) {
  receive({.snapshot = snapshot(kBegan, {lab::established("10.0.0.1:22", "10.0.0.9:4711")})});
  receive_failure(kBegan + 1s);
  EXPECT_EQ(stock_.figures().taken, 1U);
  EXPECT_EQ(stock_.figures().rows, 1U);
  EXPECT_EQ(stock_.figures().took, 10ms);
  EXPECT_EQ(stock_.figures().failures, 1U);
}

TEST_F(StockTest, AFailureHoldsForThoseThatCameBeforeTheAttempt) {
  receive_failure(kBegan);
  EXPECT_TRUE(stock_.has_failed_since(kBegan));
  EXPECT_FALSE(stock_.has_failed_since(kBegan + 1ms));
  EXPECT_EQ(stock_.failure().code, ENOBUFS);
}

TEST_F(StockTest, AFailedLookUpMakesEveryProcessUnknown) {
  receive({.processes = processes(kBegan, 3)});
  testing::internal::CaptureStderr();
  receive({.processes_failure = Failure{failure("look", EMFILE).value(), kBegan + 1s}});
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(stock_.processes()->lowest(8), std::nullopt);
  EXPECT_EQ(stock_.processes()->taken_at(), kBegan + 1s);
  EXPECT_TRUE(stock_.owners()->rows().empty());
  EXPECT_EQ(stock_.processes_denied(), 3U) << "of the last one that came to something";
}

TEST_F(StockTest, AreFreedWhenNobodyHasAskedForLong) {
  receive({.snapshot = snapshot(kBegan), .processes = processes(kBegan)});
  EXPECT_EQ(stock_.tidy(kBegan + 4s, freshness_), Freshness::kIdle - 4s);
  EXPECT_NE(stock_.snapshot(), nullptr);
  EXPECT_EQ(stock_.tidy(kBegan + Freshness::kIdle, freshness_), std::nullopt);
  EXPECT_EQ(stock_.snapshot(), nullptr);
  EXPECT_EQ(stock_.processes(), nullptr);
}

TEST_F(StockTest, OfProcessesKeepSomeMinutesWhatATableIsEnteredWith) {
  receive({.processes = processes(kBegan)});
  stock_.tidy(kBegan + 1min, freshness_);
  ASSERT_EQ(stock_.processes(), nullptr);
  EXPECT_NE(stock_.newest_listeners(), nullptr);
  stock_.tidy(kBegan + Freshness::kMostAgeOnEntering + 1ms, freshness_);
  EXPECT_EQ(stock_.newest_listeners(), nullptr);
}

}  // namespace
}  // namespace tcpmibd::agent
