#include "agent/agentx/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "tables/capabilities.h"
#include "unit/agent/agentx/asking.h"

namespace tcpmibd::agent::agentx {
namespace {

using snmp::Oid;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using State = Session::State;
using End = Session::End;

// A session and, at the other end of its socket, a master that does what the test says.
class SessionTest : public testing::Test, public ReadTarget, public WriteTarget {
 protected:
  static constexpr std::uint32_t kId = 42;

  SessionTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    master_.emplace(FileDescriptor(ends[0]));
    session_.emplace(FileDescriptor(ends[1]),
                     Session::Settings{.priority = 100, .ping = seconds(30), .description = "us"},
                     objects_, *this, *this, uptime_, now_);
  }

  SetAnswer write(const Write&) override { return snmp::SetStatus::kNoError; }

  Answer read(const Read& read) override {
    if (later_)
      return {Answer::Kind::kLater, {}};
    if (read.kind != Read::Kind::kGet)
      return {Answer::Kind::kEndOfView, {}};
    return {Answer::Kind::kValue, snmp::Cell{Oid(read.name), snmp::OctetString{text_}}};
  }

  // What has come from us since the last call.
  std::vector<Header> heard() {
    session_->turn(now_);
    std::vector<Header> all;
    while (master_->receive()) {
      std::size_t before = all.size();
      while (const std::optional<Packet> packet = master_->take())
        all.push_back(packet->header);
      if (all.size() == before)
        break;
    }
    return all;
  }

  std::vector<PduType> types_heard() {
    std::vector<PduType> types;
    for (const Header& header : heard())
      types.push_back(header.type);
    return types;
  }

  void say(const Bytes& bytes) {
    master_->out().insert(master_->out().end(), bytes.begin(), bytes.end());
    EXPECT_NE(master_->send(), Connection::Sent::kBroken);
    session_->turn(now_);
  }

  void answer(const Header& asked, ErrorCode error = ErrorCode::kNone, std::uint32_t uptime = 0) {
    Header header = asked;
    header.session = kId;
    header.type = PduType::kResponse;
    Bytes bytes;
    append_response(bytes, header, {.error = error, .index = 0});
    Bytes time;
    Writer(time, header.order()).add32(uptime);
    std::ranges::copy(time, bytes.begin() + Header::kSize);
    say(bytes);
  }

  // Answers everything we ask until we serve.
  void serve() {
    while (session_->state() != State::kServing) {
      const std::vector<Header> asked = heard();
      ASSERT_THAT(asked, SizeIs(1));
      answer(asked[0]);
    }
  }

  Bytes request(PduType type, std::uint32_t session = kId, std::uint8_t flags = 0x10,
                const Bytes& payload = {}) {
    Bytes bytes{1, static_cast<std::uint8_t>(type), flags, 0};
    Writer fields(bytes, ByteOrder::kNetwork);
    fields.add32(session);
    fields.add32(8);
    fields.add32(++packet_);
    fields.add32(static_cast<std::uint32_t>(payload.size()));
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
  }

  Bytes get(const Oid& name) {
    Bytes range;
    Writer fields(range, ByteOrder::kNetwork);
    fields.add_name(name);
    fields.add_name({});
    return request(PduType::kGet, kId, 0x10, range);
  }

  // What the only Response says that has come.
  unsigned error_heard() {
    session_->turn(now_);
    EXPECT_TRUE(master_->receive());
    const std::optional<Packet> packet = master_->take();
    if (!packet || packet->header.type != PduType::kResponse)
      return 9999;
    Reader fields = packet->reader();
    return static_cast<unsigned>(take_response(fields).error);
  }

  Time now_ = Clock::now();
  std::uint32_t packet_ = 0;
  bool later_ = false;
  std::string text_ = "value";
  std::optional<Connection> master_;
  Objects objects_{some_objects()};
  UptimeOrigin uptime_{now_};
  std::optional<Session> session_;
};

TEST_F(SessionTest, OpensAnnouncesRegistersAndServes) {
  std::vector<PduType> asked;
  while (session_->state() != State::kServing) {
    const std::vector<Header> now = heard();
    ASSERT_THAT(now, SizeIs(1)) << "one after the other";
    asked.push_back(now[0].type);
    EXPECT_EQ(now[0].session, asked.size() == 1 ? 0 : kId);
    answer(now[0]);
  }
  EXPECT_THAT(asked, ElementsAre(PduType::kOpen, PduType::kAddAgentCaps, PduType::kRegister,
                                 PduType::kRegister, PduType::kRegister));
  EXPECT_THAT(types_heard(), IsEmpty());
}

TEST_F(SessionTest, AnswersBeforeEverythingIsRegistered) {
  answer(heard()[0]);
  say(get(kScalar));
  EXPECT_THAT(types_heard(), ElementsAre(PduType::kAddAgentCaps, PduType::kResponse));
}

TEST_F(SessionTest, AnOpenThatIsRefusedIsTheEnd) {
  answer(heard()[0], ErrorCode::kOpenFailed);
  EXPECT_EQ(session_->state(), State::kEnded);
  EXPECT_EQ(session_->end(), End::kRefused);
  EXPECT_LE(session_->wake(), now_) << "its owner would sleep";
  EXPECT_EQ(session_->answer(), ErrorCode::kOpenFailed);
}

TEST_F(SessionTest, ARegistrationThatIsDeniedIsToldAndTheOthersGoOn) {
  answer(heard()[0]);
  answer(heard()[0]);
  answer(heard()[0], ErrorCode::kRequestDenied);
  const std::optional<Session::Refusal> refusal = session_->take_refusal();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->what, objects_.all()[0]->name());
  EXPECT_EQ(refusal->why, ErrorCode::kRequestDenied);
  serve();
  EXPECT_FALSE(session_->take_refusal());
}

TEST_F(SessionTest, ADuplicateIsTheEnd) {
  answer(heard()[0]);
  answer(heard()[0]);
  answer(heard()[0], ErrorCode::kDuplicateRegistration);
  EXPECT_EQ(session_->end(), End::kDuplicate);
  EXPECT_TRUE(session_->take_refusal());
}

TEST_F(SessionTest, AMasterThatDoesNotAnswerIsTheEnd) {
  heard();
  EXPECT_EQ(session_->wake(), now_ + Session::kPatience);
  now_ += Session::kPatience;
  session_->turn(now_);
  EXPECT_EQ(session_->state(), State::kEnded);
  EXPECT_EQ(session_->end(), End::kSilent);
}

TEST_F(SessionTest, AMasterThatLeavesIsTheEndAtAnyMoment) {
  master_.reset();
  session_->turn(now_);
  EXPECT_EQ(session_->state(), State::kEnded);
  EXPECT_EQ(session_->end(), End::kGone);
}

TEST_F(SessionTest, AMasterThatClosesTheSessionIsAnsweredAndLeft) {
  serve();
  say(request(PduType::kClose, kId, 0x10, {5, 0, 0, 0}));
  EXPECT_EQ(session_->state(), State::kEnded);
  EXPECT_EQ(error_heard(), 0U);
}

TEST_F(SessionTest, WhatIsNoAgentxIsTheEnd) {
  serve();
  say(Bytes(64, 'x'));
  EXPECT_EQ(session_->state(), State::kEnded);
  EXPECT_EQ(session_->end(), End::kSenseless);
}

// ---- Pings

TEST_F(SessionTest, ASilentMasterIsPingedAndOneThatAsksIsNot) {
  serve();
  EXPECT_EQ(session_->wake(), now_ + seconds(30));
  now_ += seconds(20);
  say(get(kScalar));
  EXPECT_THAT(types_heard(), ElementsAre(PduType::kResponse));
  now_ += seconds(20);
  EXPECT_THAT(types_heard(), IsEmpty());
  now_ += seconds(10);
  const std::vector<Header> ping = heard();
  ASSERT_THAT(ping, SizeIs(1));
  EXPECT_EQ(ping[0].type, PduType::kPing);
  answer(ping[0]);
  EXPECT_EQ(session_->state(), State::kServing);
}

TEST_F(SessionTest, APingThatIsNotAnsweredIsTheEnd) {
  serve();
  now_ += seconds(30);
  heard();
  now_ += Session::kPatience;
  session_->turn(now_);
  EXPECT_EQ(session_->end(), End::kSilent);
  EXPECT_EQ(session_->state(), State::kEnded);
}

TEST_F(SessionTest, UptimeIsTheMastersAndDoesNotMoveWithEachAnswer) {
  answer(heard()[0], ErrorCode::kNone, 100'000);
  const Time zero = now_ - seconds(1000);
  EXPECT_EQ(uptime_.zero(), zero);
  serve();
  now_ += seconds(30);
  answer(heard()[0], ErrorCode::kNone, 103'001);
  EXPECT_EQ(uptime_.zero(), zero);
  now_ += seconds(30);
  answer(heard()[0], ErrorCode::kNone, 0);
  EXPECT_EQ(uptime_.zero(), now_);
}

TEST_F(SessionTest, UptimeDoesNotMoveByAnAnswerThatIsReadLate) {
  answer(heard()[0], ErrorCode::kNone, 100'000);
  const Time zero = uptime_.zero();
  serve();
  now_ += seconds(30);
  const std::vector<Header> ping = heard();
  ASSERT_THAT(ping, SizeIs(1));
  now_ += seconds(3);
  answer(ping[0], ErrorCode::kNone, 103'000);
  EXPECT_EQ(uptime_.zero(), zero);
  EXPECT_EQ(session_->state(), State::kServing);
  now_ += seconds(30);
  answer(heard()[0], ErrorCode::kNone, 106'300);
  EXPECT_EQ(uptime_.zero(), zero);
}

// ---- Requests that do not fit

TEST_F(SessionTest, AnotherSessionIsNotOpen) {
  serve();
  say(request(PduType::kGet, kId + 1));
  EXPECT_EQ(error_heard(), 257U);
}

TEST_F(SessionTest, AContextIsUnsupported) {
  serve();
  for (const PduType type : {PduType::kGet, PduType::kTestSet, PduType::kCommitSet}) {
    say(request(type, kId, 0x18, {0, 0, 0, 1, 'c', 0, 0, 0}));
    EXPECT_EQ(error_heard(), 262U);
  }
}

// Its length runs over its end: bytes of ours were sent back once.
TEST_F(SessionTest, AContextIsReadByItsOwnLength) {
  serve();
  say(request(PduType::kGet, kId, 0x18, {0xff, 0xff, 0xff, 0xfc, 'c', 0, 0, 0}));
  EXPECT_EQ(error_heard(), 266U);
}

TEST_F(SessionTest, WhatIsCutShortIsAParseError) {
  serve();
  for (const PduType type :
       {PduType::kGet, PduType::kGetNext, PduType::kGetBulk, PduType::kTestSet}) {
    say(request(type, kId, 0x10, {9, 2, 0, 0, 9, 2, 0, 0}));
    EXPECT_EQ(error_heard(), 266U);
  }
}

TEST_F(SessionTest, ACleanupSetIsNeverAnswered) {
  serve();
  say(request(PduType::kCleanupSet));
  say(request(PduType::kCleanupSet, kId + 1));
  say(request(PduType::kCleanupSet, kId, 0x18, {0, 0, 0, 1, 'c', 0, 0, 0}));
  EXPECT_THAT(types_heard(), IsEmpty());
}

TEST_F(SessionTest, WhatIsForMastersIsAProcessingError) {
  serve();
  for (const int type : {1, 3, 4, 12, 13, 14, 16, 17, 0, 19, 255}) {
    say(request(static_cast<PduType>(type)));
    EXPECT_EQ(error_heard(), 268U) << type;
  }
}

TEST_F(SessionTest, AResponseThatNobodyWaitsForIsIgnored) {
  serve();
  say(request(PduType::kResponse, kId, 0x10, Bytes(8, 0)));
  EXPECT_EQ(session_->state(), State::kServing);
  EXPECT_THAT(types_heard(), IsEmpty());
}

// ---- A master that does not read

TEST_F(SessionTest, OneThatDoesNotReadIsNotAskedForMoreAndAtLastLeft) {
  serve();
  text_ = std::string(60'000, 'x');
  for (int i = 0; i < 200; ++i)
    say(get(kScalar));
  EXPECT_EQ(session_->state(), State::kServing);
  EXPECT_FALSE(session_->is_busy()) << "it would not sleep";
  EXPECT_TRUE((session_->events() & POLLOUT) != 0);
  EXPECT_LE(session_->wake(), now_ + Session::kPatience);
  now_ += Session::kPatience;
  session_->turn(now_);
  EXPECT_EQ(session_->state(), State::kEnded);
  EXPECT_EQ(session_->end(), End::kDeaf);
}

TEST_F(SessionTest, OneThatReadsAtLastHasEveryAnswer) {
  serve();
  text_ = std::string(60'000, 'x');
  for (int i = 0; i < 20; ++i)
    say(get(kScalar));
  std::size_t answers = 0;
  for (int round = 0; round < 1000 && answers < 20; ++round)
    answers += heard().size();
  EXPECT_EQ(answers, 20U);
}

TEST_F(SessionTest, WhatWaitsIsAnsweredAfterNews) {
  serve();
  later_ = true;
  say(get(kScalar));
  EXPECT_FALSE(session_->is_busy());
  later_ = false;
  session_->retry();
  EXPECT_TRUE(session_->is_busy());
  EXPECT_EQ(error_heard(), 0U);
}

// ---- Notifications and the end

tables::Notification notification() {
  return {.name = lab::tcp_oid("99"), .objects = {{kScalar, snmp::Gauge32{1}}}};
}

TEST_F(SessionTest, ANotificationIsSentWhenWeServe) {
  EXPECT_FALSE(session_->notify(notification()));
  serve();
  EXPECT_TRUE(session_->notify(notification()));
  EXPECT_THAT(types_heard(), ElementsAre(PduType::kNotify));
}

TEST_F(SessionTest, NotificationsWaitForAMasterThatDoesNotRead) {
  serve();
  int taken = 0;
  while (taken < 100'000 && session_->notify(notification()))
    ++taken;
  EXPECT_LT(taken, 1000);
  while (!heard().empty()) {
  }
  EXPECT_TRUE(session_->notify(notification()));
}

TEST_F(SessionTest, LeaveIsTakenOfAMasterThatAnswers) {
  serve();
  std::thread master([this] {
    pollfd waiting{.fd = master_->descriptor(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, 10'000);
    ASSERT_TRUE(master_->receive());
    const std::optional<Packet> packet = master_->take();
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->header.type, PduType::kClose);
    EXPECT_EQ(packet->payload[0], 5) << "reasonShutdown";
    append_response(master_->out(), packet->header, {});
    master_->send();
  });
  session_->close(seconds(60));
  master.join();
}

TEST_F(SessionTest, LeaveIsNotTakenForLong) {
  serve();
  session_->close(milliseconds(10));
  EXPECT_THAT(types_heard(), ElementsAre(PduType::kClose));
}

TEST_F(SessionTest, WhatIsRefusedHasALineInTheLogWithItsContext) {
  serve();
  testing::internal::CaptureStderr();
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kDebug));
  say(request(PduType::kGet, kId, 0x18, {0, 0, 0, 3, 'v', 'r', 'f', 0}));
  say(request(PduType::kGet, kId + 1));
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, testing::HasSubstr("GET bindings=0 context=\"vrf\" parked=no age=- "
                                      "outcome=unsupportedContext "));
  EXPECT_THAT(log, testing::HasSubstr(" outcome=notOpen "));
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
