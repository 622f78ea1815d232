#include "agent/serve/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/log.h"
#include "support/fakes.h"

namespace tcpmibd::agent {
namespace {

using namespace lab;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kInode = 7;
constexpr std::uint32_t kPid = 700;

tcp::Socket held() { return established("10.0.0.1:22", "10.0.0.9:4711", {.inode = kInode}); }

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    audit_.emplace(Audit::Owners{
        .newest = [this] { return map_; },
        .want = [this](std::uint32_t inode) { wanted_.push_back(inode); },
        .command_of = [this](std::uint32_t) { return command_; },
        .on_written =
            [this](const Deletion& deletion, std::uint32_t pid, const std::string& command) {
              written_.push_back(deletion.outcome + " " + std::to_string(pid) + " " + command);
            }});
  }

  // What still waits is of no interest any more.
  ~AuditTest() override { log::set_level(log::Level::kError); }

  // A process map of this moment, or of before it.
  void learn(std::vector<tcp::Holder> holders, Time taken_at = Clock::now()) {
    map_ = std::make_shared<const tcp::ProcessMap>(
        tcp::ProcessMap::build(std::move(holders), {}, 0, taken_at));
  }

  // What `act` writes to the log.
  template <typename Act>
  static std::string logged(Act act) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kNotice));
    act();
    return testing::internal::GetCapturedStderr();
  }

  std::string recorded(tcp::Socket socket, const char* outcome = "ended", bool done = true) {
    return logged(
        [&] { audit_->record({.socket = std::move(socket), .outcome = outcome, .done = done}); });
  }
  std::string settled() {
    return logged([&] { audit_->settle(); });
  }

  std::shared_ptr<const tcp::ProcessMap> map_;
  std::vector<std::uint32_t> wanted_;
  std::string command_ = "sshd";
  std::vector<std::string> written_;
  std::optional<Audit> audit_;
};

TEST_F(AuditTest, ALineTellsBothEndsStateOwnerAndOutcome) {
  learn({{kInode, kPid}});
  EXPECT_EQ(recorded(held()),
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, pid 700 sshd): ended\n");
}

struct LineCase {
  const char* why;
  tcp::Socket socket;
  const char* line;
};

const LineCase kLines[] = {
    {"a mapped connection tells IPv4", established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:1"),
     "notice: deleteTCB 10.0.0.1:22 10.0.0.9:1 (established, no process): ended\n"},
    {"a link-local one its zone",
     established("[fe80::1%2]:22", "[fe80::2%2]:1", {.state = tcp::State::kTimeWait}),
     "notice: deleteTCB [fe80::1%2]:22 [fe80::2%2]:1 (timeWait, no process): ended\n"},
    {"a listener has one end", listener("[::]:22"),
     "notice: deleteTCB *:22 * (listen, no process): ended\n"},
};

TEST_F(AuditTest, WhatNoProcessCanHoldIsWrittenAtOnce) {
  for (const LineCase& c : kLines)
    EXPECT_EQ(recorded(c.socket), c.line) << c.why;
  EXPECT_THAT(wanted_, IsEmpty());
}

TEST_F(AuditTest, AProcessWhoseNameIsNotToBeHadIsANumber) {
  learn({{kInode, kPid}});
  command_ = "";
  EXPECT_EQ(recorded(held(), "refused"),
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, pid 700): refused\n");
}

TEST_F(AuditTest, AnOlderMapThatKnowsTheOwnerWillDo) {
  learn({{kInode, kPid}}, Clock::now() - std::chrono::seconds(60));
  EXPECT_NE(recorded(held()), "");
  EXPECT_THAT(wanted_, IsEmpty());
}

TEST_F(AuditTest, AnUnknownOwnerIsLookedUpAndTheLineWaits) {
  EXPECT_EQ(recorded(held()), "");
  EXPECT_THAT(wanted_, ElementsAre(kInode));
  EXPECT_EQ(settled(), "") << "there is no map yet";
  learn({{kInode, kPid}});
  EXPECT_EQ(settled(),
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, pid 700 sshd): ended\n");
  EXPECT_EQ(settled(), "") << "once";
}

TEST_F(AuditTest, AMapFromAfterThatKnowsNoOwnerSettlesIt) {
  recorded(held());
  learn({});
  EXPECT_EQ(settled(),
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, no process): ended\n");
}

TEST_F(AuditTest, AMapBegunBeforeTheDeletionThatDoesNotKnowTheOwnerIsFollowedByAnother) {
  const Time before = Clock::now();
  recorded(held());
  learn({}, before);  // was under way meanwhile
  EXPECT_EQ(settled(), "");
  EXPECT_THAT(wanted_, ElementsAre(kInode, kInode)) << "or the line would wait for ever";
  EXPECT_EQ(settled(), "");
  EXPECT_THAT(wanted_, ElementsAre(kInode, kInode)) << "but each map is looked into once";
  learn({{kInode, kPid}});
  EXPECT_NE(settled(), "");
}

TEST_F(AuditTest, LinesThatWaitComeInTheirOrder) {
  recorded(held(), "first");
  recorded(held(), "second");
  EXPECT_NE(recorded(established("10.0.0.1:1", "10.0.0.2:2")), "") << "nobody waits for another";
  learn({{kInode, kPid}});
  EXPECT_EQ(settled(),
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, pid 700 sshd): first\n"
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, pid 700 sshd): second\n");
}

TEST_F(AuditTest, TheEndWritesWhatStillWaits) {
  recorded(held());
  EXPECT_EQ(logged([&] { audit_.reset(); }),
            "notice: deleteTCB 10.0.0.1:22 10.0.0.9:4711 (established, owner unknown): ended\n");
}

TEST_F(AuditTest, WhoWantsToKnowIsToldWithEachLine) {
  recorded(held(), "first");
  EXPECT_THAT(written_, IsEmpty()) << "the line waits for its owner";
  recorded(established("10.0.0.1:1", "10.0.0.2:2"), "second");
  learn({{kInode, kPid}});
  settled();
  recorded(established("10.0.0.1:1", "10.0.0.2:2", {.inode = 999}), "third");
  logged([&] { audit_.reset(); });
  EXPECT_THAT(written_, ElementsAre("second 0 ", "first 700 sshd", "third 0 "));
}

TEST_F(AuditTest, CountsDoneAndRefusedAtOnceEvenIfTheirLinesWait) {
  recorded(held(), "ended", true);
  recorded(held(), "ended", true);
  recorded(held(), "refused", false);
  EXPECT_EQ(audit_->done(), 2u);
  EXPECT_EQ(audit_->refused(), 1u);
}

}  // namespace
}  // namespace tcpmibd::agent
