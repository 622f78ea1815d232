#include "agent/process/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include "support/builders.h"
#include "support/datagrams.h"
#include "support/descriptors.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

const Standing kWaiting{.serving = false, .text = "waiting for M: Connection refused"};
const Standing kServing{.serving = true, .text = "registered with M"};

// With a systemd that listens, for as long as a test lasts.
class ServiceManagerTest : public testing::Test {
 protected:
  ServiceManagerTest() {
    std::string pattern = testing::TempDir() + "tcpmibd-notify-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    systemd_.emplace(folder_ / "notify");
    ::setenv("NOTIFY_SOCKET", systemd_->path().c_str(), 1);
  }
  ~ServiceManagerTest() override {
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
    ::unsetenv("WATCHDOG_PID");
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path folder_;
  std::optional<lab::Datagrams> systemd_;
  const Time now_ = Clock::now();
};

TEST_F(ServiceManagerTest, NothingIsSaidWhereNobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  ::setenv("WATCHDOG_USEC", "1000000", 1);
  ServiceManager service(seconds(2));
  EXPECT_FALSE(service.listens());
  EXPECT_FALSE(service.beat());
  service.report(kServing, nullptr, now_);
  service.stopping();
  EXPECT_THAT(systemd_->all(), IsEmpty());
}

TEST_F(ServiceManagerTest, WithoutAMasterItIsNotReadyButAsksForMoreTime) {
  ServiceManager service(seconds(2));
  service.report(kWaiting, nullptr, now_);
  EXPECT_THAT(systemd_->all(),
              ElementsAre("EXTEND_TIMEOUT_USEC=32000000\n"
                          "STATUS=waiting for M: Connection refused; no rows read yet"));
}

TEST_F(ServiceManagerTest, EveryAttemptAsksForMoreTimeAgain) {
  ServiceManager service(seconds(2));
  for (const int at : {0, 2, 4})
    service.report(kWaiting, nullptr, now_ + seconds(at));
  EXPECT_EQ(systemd_->count("EXTEND_TIMEOUT_USEC="), 3);
}

// A registration takes many turns, and systemd's socket holds few messages.
TEST_F(ServiceManagerTest, ManyTurnsWithoutAMasterAskOnce) {
  ServiceManager service(seconds(2));
  for (int turn = 0; turn < 100; ++turn)
    service.report(kWaiting, nullptr, now_ + milliseconds(turn));
  EXPECT_EQ(systemd_->count("EXTEND_TIMEOUT_USEC="), 1);
  const tcp::Snapshot rows = lab::snapshot_of({});
  service.report(kServing, nullptr, now_ + milliseconds(100));
  service.report(kServing, &rows, now_ + milliseconds(101));
  EXPECT_THAT(systemd_->last("STATUS="), HasSubstr("rows read"))
      << "the first rows wait for nothing";
}

TEST_F(ServiceManagerTest, ItIsReadyOnceWhenManagersAreServed) {
  ServiceManager service(seconds(2));
  service.report(kWaiting, nullptr, now_);
  service.report(kServing, nullptr, now_);
  service.report(kWaiting, nullptr, now_);
  service.report(kServing, nullptr, now_);
  EXPECT_EQ(systemd_->count("READY=1"), 1);
  EXPECT_EQ(systemd_->count("EXTEND_TIMEOUT_USEC="), 1);
  EXPECT_THAT(systemd_->all(), SizeIs(4));
}

TEST_F(ServiceManagerTest, WhatCouldNotBeSaidIsSaidAtTheNextTurn) {
  ServiceManager service(seconds(2));
  const Time now = now_;  // to look into an object a sanitizer needs descriptors
  {
    const lab::FewDescriptors none(0);
    for (int turn = 0; turn < 2; ++turn)
      service.report(kServing, nullptr, now);
  }
  EXPECT_THAT(systemd_->all(), IsEmpty());
  service.report(kServing, nullptr, now_);
  EXPECT_EQ(systemd_->count("READY=1"), 1);
  service.reloading();
  {
    const lab::FewDescriptors none(0);
    service.reloaded();
  }
  for (int turn = 0; turn < 2; ++turn)
    service.report(kServing, nullptr, now_);
  EXPECT_EQ(systemd_->count("READY=1"), 2) << "or it would be reloading for ever";
}

TEST_F(ServiceManagerTest, TheStatusTellsOfTheRowsAndWhenTheyWereRead) {
  ServiceManager service(seconds(2));
  const tcp::Snapshot rows = lab::snapshot_of(
      {lab::listener("0.0.0.0:22"), lab::established("10.0.0.1:22", "10.0.0.9:4711")});
  service.report(kServing, &rows, rows.taken_at());
  EXPECT_THAT(systemd_->last("STATUS="),
              MatchesRegex("registered with M; 2 rows read at "
                           "20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"));
}

TEST_F(ServiceManagerTest, TheRowsAreRememberedWhenTheirSnapshotIsGone) {
  ServiceManager service(seconds(2));
  const tcp::Snapshot rows = lab::snapshot_of({lab::listener("0.0.0.0:22")});
  service.report(kServing, &rows, now_);
  service.report(kWaiting, nullptr, now_ + seconds(20));
  EXPECT_THAT(systemd_->last("STATUS="),
              AllOf(HasSubstr("waiting for M"), HasSubstr("1 rows read at")));
}

TEST_F(ServiceManagerTest, WhatHasNotChangedIsNotSaidAgain) {
  ServiceManager service(seconds(2));
  for (const int at : {0, 5, 50})
    service.report(kServing, nullptr, now_ + seconds(at));
  EXPECT_THAT(systemd_->all(), SizeIs(1));
}

TEST_F(ServiceManagerTest, NewRowsAreToldTwiceASecondAtMost) {
  ServiceManager service(seconds(2));
  for (int turn = 0; turn <= 20; ++turn) {
    std::vector<tcp::Socket> sockets;
    for (int port = 0; port <= turn; ++port)
      sockets.push_back(lab::listener("0.0.0.0:" + std::to_string(1000 + port)));
    const tcp::Snapshot rows = lab::snapshot_of(sockets);
    service.report(kServing, &rows, now_ + milliseconds(100) * turn);
  }
  EXPECT_THAT(systemd_->all(), SizeIs(5));
  EXPECT_THAT(systemd_->last("STATUS="), HasSubstr("; 21 rows"));
}

TEST_F(ServiceManagerTest, AReloadIsFramed) {
  ServiceManager service(seconds(2));
  service.report(kServing, nullptr, now_);
  service.reloading();
  service.reloaded();
  ASSERT_THAT(systemd_->all(), SizeIs(3));
  EXPECT_THAT(systemd_->all()[1], MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  EXPECT_EQ(systemd_->all()[2], "READY=1");
}

TEST_F(ServiceManagerTest, AReloadWhileAMasterIsWaitedForMakesNothingReady) {
  ServiceManager service(seconds(2));
  service.report(kWaiting, nullptr, now_);
  service.reloading();
  service.reloaded();
  EXPECT_EQ(systemd_->count("RELOADING=1") + systemd_->count("READY=1"), 0);
}

TEST_F(ServiceManagerTest, TheHeartBeatsTwiceInTheTimeAllowed) {
  EXPECT_FALSE(ServiceManager(seconds(2)).beat());
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  EXPECT_EQ(ServiceManager(seconds(2)).beat(), milliseconds(1500));
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceManager(seconds(2)).beat()) << "it is another process's to beat";
}

TEST_F(ServiceManagerTest, LastWordAndHeartbeatAreTheProtocols) {
  const ServiceManager service(seconds(2));
  service.alive();
  service.stopping();
  EXPECT_THAT(systemd_->all(), ElementsAre("WATCHDOG=1", "STOPPING=1"));
}

}  // namespace
}  // namespace tcpmibd::agent
