#include "agent/snmpd/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/agentx_pdu.h"
#include "support/scripted_module_daemon.h"
#include "support/temp_folder.h"

// The module's connection against a daemon that a test plays, at times that the test makes up.

namespace tcpmibd::agent::snmpd {
namespace {

using agentx::ErrorCode;
using agentx::PduType;
using lab::agentx::Pdu;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const lab::Oid kRoot{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7};
const snmp::Oid kName{1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7, 1, 0};

class LinkTest : public testing::Test, private LinkOwner {
 protected:
  LinkTest() : path_(folder_.file("daemon.sock")) {}

  Link& link() { return link_; }
  const std::string& path() const { return path_; }
  Time now() const { return now_; }

  void turn(Duration later = {}) {
    now_ += later;
    link_.turn(now_);
  }

  // A daemon with an open session, which has registered kRoot.
  lab::MasterSession serving(const lab::ScriptedModuleDaemon& daemon) {
    turn(Link::kRetry);
    lab::MasterSession session = daemon.take();
    session.send(lab::open_pdu(lab::kModuleProtocolText));
    turn();
    session_number_ = session.receive().value().session;
    session.send(lab::register_pdu(session_number_, 90, kRoot));
    turn();
    session.receive();
    return session;
  }

  std::optional<std::uint32_t> get() {
    const std::vector<agentx::SearchRange> names{{.start = kName}};
    return link_.read(PduType::kGet, 5, {}, {.ranges = names}, now_);
  }

  std::uint32_t session_number_ = 0;
  std::vector<Served> registered_;
  std::vector<std::pair<std::uint32_t, ErrorCode>> answers_;
  std::size_t notifications_ = 0;
  int lost_ = 0;
  std::string log_;
  bool sensible_ = true;  // whether the bindings of answers are

 private:
  ErrorCode register_subtree(const Served& served) override {
    registered_.push_back(served);
    return ErrorCode::kNone;
  }
  bool on_answer(std::uint32_t packet, const agentx::Response& response,
                 agentx::Reader /*bindings*/) override {
    answers_.emplace_back(packet, response.error);
    return sensible_;
  }
  void on_notification(const std::vector<agentx::Found>& bindings) override {
    notifications_ += bindings.size();
  }
  void on_lost() override { ++lost_; }
  void report(bool /*is_trouble*/, const std::string& line) override { log_ += line + '\n'; }
  std::uint32_t uptime() const override { return 4200; }

  lab::TempFolder folder_;
  std::string path_;
  Time now_ = Clock::now();
  Link link_{{.path = path_, .trusted = {}}, *this};
};

TEST_F(LinkTest, ConnectsWhenThereIsADaemonAndRegistersWhatItServes) {
  turn();
  EXPECT_EQ(link().descriptor(), -1);
  EXPECT_FALSE(get());
  EXPECT_THAT(log_, HasSubstr("cannot reach tcpmibd at " + path()));

  const lab::ScriptedModuleDaemon daemon(path());
  turn(Link::kRetry - milliseconds(1));
  EXPECT_EQ(link().descriptor(), -1) << "it is not time yet";
  const lab::MasterSession session = serving(daemon);
  ASSERT_EQ(registered_.size(), 1U);
  EXPECT_EQ(registered_[0].subtree.priority, 90);
  EXPECT_TRUE(link().takes_requests());
}

TEST_F(LinkTest, TellsACauseOnceHoweverLongItLasts) {
  for (int i = 0; i < 20; ++i)
    turn(Link::kRetry);
  EXPECT_EQ(std::ranges::count(log_, '\n'), 1);
}

TEST_F(LinkTest, GivesEachRequestItsAnswer) {
  const lab::ScriptedModuleDaemon daemon(path());
  lab::MasterSession session = serving(daemon);
  const std::optional<std::uint32_t> first = get(), second = get();
  ASSERT_TRUE(first && second);
  const Pdu one = session.receive().value(), two = session.receive().value();
  EXPECT_EQ(one.transaction, 5U);
  session.send(lab::answer_to(two, 0));
  session.send(lab::answer_to(two, 0));  // once more: nobody waits for it
  session.send(lab::answer_to(one, 5));
  turn();
  EXPECT_THAT(answers_, ElementsAre(std::pair(*second, ErrorCode::kNone),
                                    std::pair(*first, ErrorCode::kGenErr)));
  EXPECT_EQ(lost_, 0);
}

TEST_F(LinkTest, GivesUpASilentDaemonWithinASecondAndAsksItNoMore) {
  const lab::ScriptedModuleDaemon daemon(path());
  lab::MasterSession session = serving(daemon);
  const std::optional<std::uint32_t> packet = get();
  const Pdu request = session.receive().value();
  turn(Link::kPatience / 2);
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_EQ(session.receive().value().type, lab::agentx::Type::kGet) << "is it there?";
  turn(Link::kPatience / 2);
  EXPECT_THAT(answers_, ElementsAre(std::pair(*packet, ErrorCode::kGenErr)));
  EXPECT_FALSE(get());
  EXPECT_NE(link().descriptor(), -1) << "it may go on";

  session.send(lab::answer_to(request, 0));
  turn(seconds(10));
  EXPECT_EQ(answers_.size(), 1U) << "one answer a request";
  EXPECT_TRUE(get());
}

TEST_F(LinkTest, WaitsLongerForADaemonThatIsThere) {
  const lab::ScriptedModuleDaemon daemon(path());
  lab::MasterSession session = serving(daemon);
  const std::optional<std::uint32_t> packet = get();
  session.receive();
  for (Duration waited{}; waited + Link::kPatience / 2 < Link::kLongest;
       waited += Link::kPatience / 2) {
    turn(Link::kPatience / 2);
    EXPECT_THAT(answers_, IsEmpty());
    session.send(lab::answer_to(session.receive().value(), 0));
    turn();
  }
  turn(Link::kPatience / 2);
  EXPECT_THAT(answers_, ElementsAre(std::pair(*packet, ErrorCode::kGenErr)));
}

TEST_F(LinkTest, ALostDaemonIsAnAnswerToAllThatIsUnderWay) {
  const lab::ScriptedModuleDaemon daemon(path());
  lab::MasterSession session = serving(daemon);
  get();
  get();
  session.close();
  turn();
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[0].second, ErrorCode::kGenErr);
  EXPECT_EQ(lost_, 1);
  EXPECT_FALSE(get());
  const lab::MasterSession again = serving(daemon);
  EXPECT_TRUE(get());
}

TEST_F(LinkTest, WhatIsSenselessEndsTheConnection) {
  const lab::ScriptedModuleDaemon daemon(path());
  for (const char* bytes :
       {"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1"}) {
    lab::MasterSession session = serving(daemon);
    session.send(lab::agentx::Bytes(bytes, bytes + std::char_traits<char>::length(bytes)));
    turn();
    EXPECT_EQ(link().descriptor(), -1);
    EXPECT_TRUE(session.ends());
  }
  sensible_ = false;
  lab::MasterSession session = serving(daemon);
  get();
  session.send(lab::answer_to(session.receive().value(), 0));
  turn();
  EXPECT_EQ(link().descriptor(), -1);
}

TEST_F(LinkTest, NothingIsRegisteredThatIsMuchTooLarge) {
  const lab::ScriptedModuleDaemon daemon(path());
  lab::MasterSession session = serving(daemon);
  session.send(lab::register_pdu(session_number_, 90, {1, 3}));
  turn();
  EXPECT_EQ(link().descriptor(), -1);
  EXPECT_EQ(registered_.size(), 1U);
}

TEST_F(LinkTest, AnotherVersionIsRefusedAndTheLogSaysSo) {
  const lab::ScriptedModuleDaemon daemon(path());
  turn();
  lab::MasterSession session = daemon.take();
  session.send(lab::open_pdu("tcpmibd-module 0"));
  turn();
  EXPECT_EQ(lab::agentx::response_of(session.receive().value()).error, lab::agentx::kOpenFailed);
  EXPECT_EQ(link().descriptor(), -1);
  EXPECT_THAT(log_, HasSubstr("another version"));
}

TEST_F(LinkTest, ASetGoesThroughItsPhasesAndIsCleanedUpUnasked) {
  const lab::ScriptedModuleDaemon daemon(path());
  lab::MasterSession session = serving(daemon);
  EXPECT_TRUE(link().test_set(9, "here", {}, now()));
  EXPECT_TRUE(link().set_phase(PduType::kCommitSet, 9, now()));
  link().clean_up_set(9);
  using lab::agentx::Type;
  for (const Type type : {Type::kTestSet, Type::kCommitSet, Type::kCleanupSet}) {
    const Pdu pdu = session.receive().value();
    EXPECT_EQ(pdu.type, type);
    EXPECT_EQ(pdu.transaction, 9U);
    EXPECT_EQ(pdu.context.value_or(""), type == Type::kTestSet ? "here" : "");
  }
}

TEST_F(LinkTest, OneThatDoesNotReadIsAskedUpToALimitAndGivenUp) {
  const lab::ScriptedModuleDaemon daemon(path());
  const lab::MasterSession session = serving(daemon);
  std::size_t asked = 0;
  while (asked <= Link::kMost && get())
    ++asked;
  EXPECT_EQ(asked, Link::kMost);
  turn(Link::kPatience / 2);
  turn(Link::kPatience / 2);
  EXPECT_EQ(answers_.size(), asked);
}

// A socket that somebody else listens at. Credentials are those of the call of listen(2).
TEST_F(LinkTest, ADaemonOfAnotherUserIsNotListenedTo) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs root, to be another user";
  constexpr uid_t kNobody = 65534;
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(path(), address.sun_path);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::seteuid(kNobody), 0);
  const int listening = ::listen(socket.get(), 1);
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_EQ(listening, 0);
  turn();
  EXPECT_EQ(link().descriptor(), -1);
  EXPECT_THAT(log_, HasSubstr("runs as user 65534"));
}

}  // namespace
}  // namespace tcpmibd::agent::snmpd
