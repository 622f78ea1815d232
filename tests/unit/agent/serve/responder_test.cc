#include "agent/serve/responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "support/deadline.h"
#include "support/questioner.h"

namespace tcpmibd::agent {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using snmp::Counter32;
using snmp::Counter64;
using snmp::Gauge32;
using snmp::Integer;
using snmp::Oid;
using snmp::Value;
using tcp::State;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Answer::Kind;

MATCHER_P(Is, kind, "") { return arg.kind == kind; }
MATCHER_P(HasValue, value, "") {
  return arg.kind == Kind::kValue && arg.cell && arg.cell->value == Value(value);
}
MATCHER_P(IsNamed, name, "") { return arg.kind == Kind::kValue && arg.cell->name == name; }

const tables::Managed& connections() { return managed("tcpConnectionTable"); }
const tables::Managed& listeners() { return managed("tcpListenerTable"); }

const Oid kShownState = tcp_oid("19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711");
const Oid kProcess = tcp_oid("19.1.8.1.4.10.0.0.1.22.1.4.10.0.0.9.4711");
const Oid kListenerProcess = tcp_oid("20.1.4.1.4.0.0.0.0.22");

tcp::Socket shown_connection(const SocketOptions& options = {}) {
  return established("10.0.0.1:22", "10.0.0.9:4711", options);
}

// Every request wants rows that are newer than itself.
constexpr Ages kNothingKept{.snapshot = 0s, .processes = 0s};
constexpr Ages kKept{.snapshot = 1h, .processes = 1h};

// A snapshot that took long serves for a while even so; until that has passed.
void outlive(const tcp::Snapshot& snapshot) {
  ASSERT_TRUE(eventually([&] {
    constexpr int kShareOfTime = 5;
    return Clock::now() - snapshot.taken_at() > kShareOfTime * snapshot.took();
  }));
}

// ------------------------------------------------------------------------------------- GETNEXT

TEST(Next, IsParkedUntilThereIsASnapshotAndThenAnswered) {
  Questioner agent({shown_connection()});
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kLater));
  agent.await_news();
  const Answer answer = agent.next(connections(), connections().root(), pdu);
  EXPECT_THAT(answer, IsNamed(kShownState));
  EXPECT_THAT(answer, HasValue(Integer{5}));
  EXPECT_EQ(agent.dumps.dumps(), 1);
  EXPECT_THAT(agent.lookups.queries(), IsEmpty());
}

TEST(Next, SaysWhereTheTableEnds) {
  Questioner agent({shown_connection()}, {.look_up_processes = false});
  EXPECT_THAT(agent.next_settled(connections(), kProcess, agent.pdu()), Is(Kind::kEndOfView));
  EXPECT_THAT(agent.next_settled(listeners(), listeners().root(), agent.pdu()),
              Is(Kind::kEndOfView));
}

TEST(Next, MayBeInclusive) {
  Questioner agent({shown_connection()}, kKept);
  const auto pdu = agent.pdu();
  EXPECT_THAT(
      agent.settled_answer([&] { return agent.next(connections(), kShownState, pdu, true); }),
      IsNamed(kShownState));
}

TEST(Next, WithinTheAgeNeedsNoSecondSnapshot) {
  Questioner agent({shown_connection()}, kKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.next(connections(), connections().root(), agent.pdu()), HasValue(Integer{5}));
  EXPECT_THAT(agent.next(listeners(), listeners().root(), agent.pdu()), Is(Kind::kEndOfView));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Next, BeyondTheAgeWaitsForANewSnapshot) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  agent.set({shown_connection({.state = State::kCloseWait})});
  outlive(*agent.responder->stock().snapshot());
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kLater));
  agent.await_news();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), HasValue(Integer{8}));
  EXPECT_EQ(agent.dumps.dumps(), 2);
}

TEST(Next, BindingsParkedDuringTheDumpTheyWaitForNeedNoSecond) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.dumps.faults().hold();
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kLater));
  ASSERT_TRUE(agent.dumps.faults().await_calls(1));
  EXPECT_THAT(agent.next(listeners(), listeners().root(), pdu), Is(Kind::kLater));
  agent.dumps.faults().release();
  agent.await_news();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kValue));
  EXPECT_THAT(agent.next(listeners(), listeners().root(), pdu), Is(Kind::kEndOfView));
  agent.worker->want_processes();  // Comes after any further snapshot that is wanted.
  ASSERT_TRUE(agent.processes.faults().await_calls(1));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Next, AnAgeThatWasChangedHoldsAtOnce) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  agent.responder->set_ages(kKept);
  EXPECT_THAT(agent.next(connections(), connections().root(), agent.pdu()), Is(Kind::kValue));
}

TEST(Next, ASnapshotThatTookLongServesFiveTimesAsLong) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.dumps.while_reading([] {
    eventually([] { return false; }, 200ms);  // so long it takes
  });
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.next(connections(), connections().root(), agent.pdu()), Is(Kind::kValue));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Next, TheNextSnapshotIsBegunBeforeThisOneIsTooOld) {
  Questioner agent({shown_connection()}, {.snapshot = 1ms});
  agent.dumps.while_reading([] {
    eventually([] { return false; }, 500ms);  // so long it takes, and 2.5 s it serves
  });
  agent.next_settled(connections(), connections().root(), agent.pdu());
  const std::shared_ptr<const tcp::Snapshot> first = agent.responder->stock().snapshot();
  ASSERT_TRUE(eventually([&] { return Clock::now() - first->taken_at() > 3 * first->took(); }));
  EXPECT_THAT(agent.next(connections(), connections().root(), agent.pdu()), Is(Kind::kValue));
  agent.await_news();
  EXPECT_NE(agent.responder->stock().snapshot(), first);
}

TEST(Next, ASnapshotBegunBeforeTheRequestIsTooOldForItWhereNothingIsKept) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.dumps.faults().hold();
  const auto early = agent.pdu();
  agent.next(connections(), connections().root(), early);
  ASSERT_TRUE(agent.dumps.faults().await_calls(1));
  const auto late = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), late), Is(Kind::kLater));
  agent.set({shown_connection({.state = State::kCloseWait})});
  agent.dumps.faults().release();
  agent.next_settled(connections(), connections().root(), late);
  EXPECT_LE(agent.dumps.dumps(), 2) << "one for each, and no more";
}

TEST(Next, OnePduIsAnsweredFromOneSnapshotWhileNewerOnesArePublished) {
  Questioner agent({shown_connection(), established("10.0.0.1:22", "10.0.0.9:4712")}, kNothingKept);
  const auto pdu = agent.pdu();
  ASSERT_THAT(agent.next_settled(connections(), connections().root(), pdu), HasValue(Integer{5}));

  agent.set({shown_connection({.state = State::kTimeWait}),
             established("10.0.0.1:22", "10.0.0.9:4712", {.state = State::kTimeWait})});
  outlive(*agent.responder->stock().snapshot());
  const auto other = agent.pdu();
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), other),
              HasValue(Integer{11}));

  EXPECT_THAT(agent.next(connections(), kShownState, pdu), HasValue(Integer{5}))
      << "the old PDU's own";
  EXPECT_THAT(agent.next(connections(), kShownState, other), HasValue(Integer{11}));
}

TEST(Next, APduWhoseSnapshotMadeWayGoesOnWithTheNewest) {
  Questioner agent({shown_connection()}, kNothingKept);
  const auto pdu = agent.pdu();
  agent.next_settled(connections(), connections().root(), pdu);
  agent.set({shown_connection({.state = State::kTimeWait})});
  for (int i = 0; i < 3; ++i) {
    outlive(*agent.responder->stock().snapshot());
    agent.next_settled(connections(), connections().root(), agent.pdu());
  }
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), pdu), HasValue(Integer{11}));
}

TEST(Next, NeverKeepsMoreThanTwoSnapshotsTheOneBeingMadeIncluded) {
  Questioner agent({shown_connection()}, kNothingKept);
  std::mutex mutex;
  std::vector<std::weak_ptr<const tcp::Snapshot>> all;
  const auto alive = [&] {
    const std::lock_guard lock(mutex);
    return std::ranges::count_if(all, [](const auto& one) { return !one.expired(); });
  };
  std::atomic<long> most = 0;
  agent.dumps.while_reading([&] { most = std::max(most.load(), alive() + 1); });

  std::vector<Questioner::Pdu> under_way;
  for (int i = 0; i < 6; ++i) {
    under_way.push_back(agent.pdu());
    agent.next_settled(connections(), connections().root(), under_way.back());
    {
      const std::lock_guard lock(mutex);
      all.push_back(agent.responder->stock().snapshot());
    }
    for (const auto& pdu : under_way)
      agent.next(connections(), connections().root(), pdu);
    most = std::max<long>(most, alive());
    outlive(*agent.responder->stock().snapshot());
  }
  EXPECT_EQ(most, 2);
}

TEST(Next, AFailureAnswersThoseThatCameBeforeTheAttempt) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.dumps.faults().fail_nth(1);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kLater));
  agent.await_news();
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kFailed));
  EXPECT_THAT(agent.next(listeners(), listeners().root(), pdu), Is(Kind::kFailed));
}

TEST(Next, AFailureDoesNotAnswerThoseThatCameLater) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.dumps.faults().fail_nth(1);
  agent.dumps.faults().hold();
  const auto before = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), before), Is(Kind::kLater));
  ASSERT_TRUE(agent.dumps.faults().await_calls(1));
  const auto during = agent.pdu();
  EXPECT_THAT(agent.next(connections(), connections().root(), during), Is(Kind::kLater));
  agent.dumps.faults().release();
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), during),
              HasValue(Integer{5}));
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), agent.pdu()),
              HasValue(Integer{5}));
}

TEST(Next, AFailureIsNeverHiddenBehindOldRows) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  outlive(*agent.responder->stock().snapshot());
  agent.dumps.faults().fail_always(true);
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), agent.pdu()),
              Is(Kind::kFailed));
  agent.dumps.faults().fail_always(false);
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), agent.pdu()),
              HasValue(Integer{5}));
}

// ----------------------------------------------------------------------------------------- GET

TEST(Get, OfAConnectionAsksTheKernelForItAndWaitsForNothing) {
  Questioner agent({shown_connection(), established("10.0.0.1:22", "10.0.0.9:4712")});
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), HasValue(Integer{5}));
  tcp::ConnectionQuery want;
  want.local = shown_connection().id.local;
  want.remote = shown_connection().id.remote;
  EXPECT_THAT(agent.lookups.queries(), ElementsAre(want));
  EXPECT_EQ(agent.dumps.dumps(), 0);
}

TEST(Get, IsAnsweredWithWhatIsThereNowHoweverFreshTheSnapshot) {
  Questioner agent({shown_connection()}, kKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  agent.set({shown_connection({.state = State::kCloseWait})});
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), HasValue(Integer{8}));
  agent.set({});
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), Is(Kind::kNoSuchInstance));
}

TEST(Get, FindsAConnectionThatIsBoundToADevice) {
  Questioner agent({shown_connection({.interface = 4})});
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), HasValue(Integer{5}));
}

TEST(Get, OfALinkLocalConnectionAsksOnItsLinkOnly) {
  Questioner agent({established("[fe80::1%2]:22", "[fe80::2%2]:9"),
                    established("[fe80::1%3]:22", "[fe80::2%3]:9", {.state = State::kCloseWait})});
  const auto name = [](const char* zone) {
    return tcp_oid(std::string("19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.") + zone +
                   ".22.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2." + zone + ".9");
  };
  EXPECT_THAT(agent.get(name("0.0.0.2"), agent.pdu()), HasValue(Integer{5}));
  EXPECT_THAT(agent.get(name("0.0.0.3"), agent.pdu()), HasValue(Integer{8}));
  EXPECT_THAT(agent.get(name("0.0.0.4"), agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_EQ(agent.lookups.queries().at(0).zone, 2u);
}

TEST(Get, OfATwinShowsTheOneRowThatAWalkShows) {
  Questioner agent({shown_connection({.state = State::kTimeWait, .interface = 2}),
                    shown_connection({.interface = 3, .inode = 5})},
                   {.look_up_processes = false});
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), HasValue(Integer{5}));
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), agent.pdu()),
              HasValue(Integer{5}));
}

TEST(Get, OfSeveralBindingsOfAPduAsksOnce) {
  Questioner agent({shown_connection(), listener("0.0.0.0:22")}, {.look_up_processes = false});
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kShownState, pdu), HasValue(Integer{5}));
  agent.set({});
  EXPECT_THAT(agent.get(kProcess, pdu), HasValue(Gauge32{0})) << "one PDU, one answer";
  EXPECT_EQ(agent.lookups.queries().size(), 1u);
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), Is(Kind::kNoSuchInstance)) << "another PDU";
}

TEST(Get, OfListenersReadsTheListenersAloneAndOnceAPdu) {
  Questioner agent({shown_connection(), listener("0.0.0.0:22"), listener("[::]:80")},
                   {.look_up_processes = false});
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kListenerProcess, pdu), HasValue(Gauge32{0}));
  EXPECT_THAT(agent.get(tcp_oid("20.1.4.0.0.80"), pdu), HasValue(Gauge32{0}));
  EXPECT_THAT(agent.get(tcp_oid("20.1.4.0.0.81"), pdu), Is(Kind::kNoSuchInstance));
  EXPECT_THAT(agent.get(tcp_oid("13.1.1.0.0.0.0.80.0.0.0.0.0"), pdu), HasValue(Integer{2}));
  EXPECT_EQ(agent.lookups.listener_dumps(), 1);
  EXPECT_EQ(agent.dumps.dumps(), 0);
}

TEST(Get, OfWhatCanBeNoRowAsksNobody) {
  Questioner agent({shown_connection()});
  struct Case {
    const char* name;
    Kind want;
  };
  for (const Case& c : {
           Case{"19", Kind::kNoSuchObject},
           Case{"19.1.1.1.4.10.0.0.1.22.1.4.10.0.0.9.4711", Kind::kNoSuchObject},
           Case{"19.1.9.1.4.10.0.0.1.22.1.4.10.0.0.9.4711", Kind::kNoSuchObject},
           Case{"19.1.7", Kind::kNoSuchInstance},
           Case{"19.1.7.1.4.266.0.0.1.22.1.4.10.0.0.9.4711", Kind::kNoSuchInstance},
           Case{"19.1.7.1.4.10.0.0.1.65558.1.4.10.0.0.9.4711", Kind::kNoSuchInstance},
           Case{"19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711.0", Kind::kNoSuchInstance},
           Case{"20.1.4.0.1.7", Kind::kNoSuchInstance},
       })
    EXPECT_THAT(agent.get(tcp_oid(c.name), agent.pdu()), Is(c.want)) << c.name;
  EXPECT_THAT(agent.lookups.queries(), IsEmpty());
  EXPECT_EQ(agent.lookups.listener_dumps(), 0);
}

TEST(Get, WhoseQuestionFailsFailsAndTheNextOneAsksAgain) {
  Questioner agent({shown_connection(), listener("0.0.0.0:22")}, {.look_up_processes = false});
  agent.lookups.faults().fail_always(true);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kShownState, pdu), Is(Kind::kFailed));
  EXPECT_THAT(agent.get(kListenerProcess, pdu), Is(Kind::kFailed));
  agent.lookups.faults().fail_always(false);
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), HasValue(Integer{5}));
  EXPECT_THAT(agent.get(kListenerProcess, agent.pdu()), HasValue(Gauge32{0}));
}

TEST(Get, ThatCouldNotLookEverywhereFallsBackToASnapshot) {
  Questioner agent({shown_connection({.interface = 99})}, kKept);
  agent.lookups.set_coverage(tcp::Coverage::kPartial);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kShownState, pdu), Is(Kind::kLater));
  EXPECT_THAT(agent.get_settled(kShownState, pdu), HasValue(Integer{5}));
  EXPECT_EQ(agent.dumps.dumps(), 1);
  EXPECT_THAT(agent.get(tcp_oid("19.1.7.1.4.10.0.0.1.23.1.4.10.0.0.9.4711"), agent.pdu()),
              Is(Kind::kNoSuchInstance));
}

TEST(Get, ThatCouldNotLookEverywhereFailsWithTheSnapshot) {
  Questioner agent({shown_connection({.interface = 99})}, kKept);
  agent.lookups.set_coverage(tcp::Coverage::kPartial);
  agent.dumps.faults().fail_nth(1);
  EXPECT_THAT(agent.get_settled(kShownState, agent.pdu()), Is(Kind::kFailed));
}

// ------------------------------------------------------------------------------------- Scalars

TEST(Scalars, OfOnePduComeFromOneRead) {
  Questioner agent;
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  EXPECT_THAT(agent.get(tcp_oid("17.0"), pdu), HasValue(Counter64{1}));
  EXPECT_THAT(agent.next(managed("tcpHCInSegs"), tcp_oid("17"), pdu), HasValue(Counter64{1}));
  EXPECT_THAT(agent.get(tcp_oid("10.0"), agent.pdu()), HasValue(Counter32{2}));
  EXPECT_EQ(agent.dumps.dumps(), 0);
}

TEST(Scalars, OfOtherSessionsWithTheSameNumberAreOtherPdus) {
  Questioner agent;
  const auto pdu = agent.pdu();
  auto other = pdu;
  other.transaction.session = &other;
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  EXPECT_THAT(agent.get(tcp_oid("10.0"), other), HasValue(Counter32{2}));
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
}

TEST(Scalars, ThatCannotBeReadFailAndAreReadAgainForTheNextPdu) {
  Questioner agent;
  agent.counters.faults().fail_nth(1);
  EXPECT_THAT(agent.get(tcp_oid("10.0"), agent.pdu()), Is(Kind::kFailed));
  EXPECT_THAT(agent.get(tcp_oid("10.0"), agent.pdu()), HasValue(Counter32{2}));
}

TEST(Scalars, WithoutTheirInstanceAreMissing) {
  Questioner agent;
  EXPECT_THAT(agent.get(tcp_oid("10"), agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_THAT(agent.get(tcp_oid("10.0.0"), agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_THAT(agent.next(managed("tcpInSegs"), tcp_oid("10.0"), agent.pdu()), Is(Kind::kEndOfView));
}

TEST(Pins, AreForgottenWhenTheMasterNoLongerWaits) {
  Questioner agent;
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  agent.responder->tidy(Clock::now());
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  agent.responder->tidy(Clock::now() + 8s);
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{2}));
}

// snmpd asks for its own purposes, such as its monitors, without a number.
TEST(Pins, OfPdusWithoutANumberAreToldApartByTheirArrival) {
  Questioner agent;
  auto pdu = agent.pdu();
  pdu.transaction.id = 0;
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  pdu.arrived += 1ms;
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{2}));
}

TEST(Pins, OfMoreManagersThanCanBeRememberedMakeRoomForEachOther) {
  Questioner agent;
  const auto first = agent.pdu();
  EXPECT_THAT(agent.get(tcp_oid("10.0"), first), HasValue(Counter32{1}));
  for (std::uint32_t i = 0; i < 64; ++i)
    EXPECT_THAT(agent.get(tcp_oid("10.0"), agent.pdu()), HasValue(Counter32{2 + i}));
  EXPECT_THAT(agent.get(tcp_oid("10.0"), first), HasValue(Counter32{66})) << "read anew";
}

// ---- A master may let its PDUs wait for as long as its operator likes (agentXTimeout)

TEST(LongWait, IsNotEndedWithRowsThatHaveBecomeTooOldMeanwhile) {
  Questioner agent({shown_connection()}, {.snapshot = 1s});
  agent.next_settled(connections(), connections().root(), agent.pdu());
  const auto pdu = agent.pdu();
  ASSERT_THAT(agent.next(connections(), connections().root(), pdu), HasValue(Integer{5}));
  agent.set({shown_connection({.state = State::kCloseWait})});
  for (int i = 0; i < 20; ++i) {
    agent.let_pass(1s);
    agent.get(tcp_oid("10.0"), pdu);  // It is asked on, so that nothing of it is forgotten.
  }
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kLater));
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), pdu), HasValue(Integer{8}));
}

TEST(LongWait, OfALaterPartOfAPduIsAnsweredWithCountersOfItsOwn) {
  Questioner agent;
  auto pdu = agent.pdu();
  ASSERT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  agent.let_pass(8s);
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1})) << "read since it came";
  pdu.arrived = agent.now();
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{2}));
}

TEST(LongWait, LeavesAPduWhatWasReadForIt) {
  Questioner agent({shown_connection()}, kNothingKept);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
  EXPECT_THAT(agent.next(connections(), connections().root(), pdu), Is(Kind::kLater));
  agent.let_pass(1min);
  agent.responder->tidy(agent.now());
  EXPECT_THAT(agent.get(tcp_oid("10.0"), pdu), HasValue(Counter32{1}));
}

TEST(LongWait, AnAnswerSaysUntilWhenItIsAsFreshAsPromised) {
  Questioner agent({shown_connection()}, {.snapshot = 1s});
  const auto early = agent.pdu();
  const Answer own = agent.next_settled(connections(), connections().root(), early);
  EXPECT_EQ(own.basis.serves_until, Time::max()) << "read since it came";
  const Answer shared = agent.next(connections(), connections().root(), agent.pdu());
  const Time read_at = agent.responder->stock().snapshot()->taken_at();
  EXPECT_EQ(shared.basis.read_at, read_at);
  EXPECT_EQ(shared.basis.serves_until, read_at + 1s + Freshness::kTogether);
}

TEST(LongWait, SaysWhatItIsFor) {
  Questioner agent({shown_connection({.inode = 8})}, kKept);
  EXPECT_EQ(agent.next(connections(), connections().root(), agent.pdu()).awaits,
            Awaited::kSnapshot);
  EXPECT_EQ(agent.get(kProcess, agent.pdu()).awaits, Awaited::kProcesses);
  EXPECT_EQ(agent.get(own_oid("1.4.1.17.22"), agent.pdu()).awaits, Awaited::kSurvey);
  EXPECT_EQ(agent.get(kShownState, agent.pdu()).awaits, Awaited::kNothing);
}

TEST(Ages, OfAnAnswerAreThoseOfProcessesWhereItIsMadeOfThem) {
  Questioner agent({shown_connection({.inode = 8})}, kKept, {{.inode = 8, .pid = 4242}});
  agent.get_settled(kProcess, agent.pdu());
  agent.let_pass(1s);
  const auto pdu = agent.pdu();
  const Answer process = agent.get(kProcess, pdu);
  EXPECT_EQ(process.basis.read_at, agent.responder->stock().processes()->taken_at());
  EXPECT_GT(agent.get(kShownState, pdu).basis.read_at, process.basis.read_at);
}

TEST(Idle, FreesTheSnapshotThatMayNotBeServedAnyMore) {
  Questioner agent({shown_connection()}, {.snapshot = 1s});
  agent.next_settled(connections(), connections().root(), agent.pdu());
  const std::weak_ptr<const tcp::Snapshot> snapshot = agent.responder->stock().snapshot();
  agent.responder->tidy(Clock::now() + 5s);
  EXPECT_FALSE(snapshot.expired());
  agent.responder->tidy(Clock::now() + 11s);
  EXPECT_TRUE(snapshot.expired());
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), agent.pdu()),
              HasValue(Integer{5}));
}

TEST(Idle, KeepsTheSnapshotThatMayStillBeServed) {
  Questioner agent({shown_connection()}, kKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_TRUE(agent.responder->tidy(Clock::now() + 60s)) << "and has to be called again";
  EXPECT_NE(agent.responder->stock().snapshot(), nullptr);
}

TEST(Idle, FreesTheProcessMapAsWell) {
  Questioner agent({shown_connection({.inode = 8})}, {.processes = 5s},
                   {{.inode = 8, .pid = 4242}});
  agent.processes.deny(3);
  agent.get_settled(kProcess, agent.pdu());
  EXPECT_TRUE(agent.responder->tidy(Clock::now()));
  ASSERT_NE(agent.responder->stock().processes(), nullptr);
  EXPECT_FALSE(agent.responder->tidy(Clock::now() + 11s)) << "nothing is left";
  EXPECT_EQ(agent.responder->stock().processes(), nullptr);
  EXPECT_EQ(agent.responder->stock().processes_denied(), 3u)
      << "what it could not see is still told";
}

// ----------------------------------------------------------------------------------- Processes

TEST(Processes, AreParkedForAndThenTold) {
  Questioner agent({shown_connection({.inode = 8})}, kKept, {{.inode = 8, .pid = 4242}});
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kProcess, pdu), Is(Kind::kLater));
  EXPECT_THAT(agent.get_settled(kProcess, pdu), HasValue(Gauge32{4242}));
}

TEST(Processes, ParkedForDuringTheLookUpTheyWaitForNeedNoSecond) {
  Questioner agent({shown_connection({.inode = 8}), listener("0.0.0.0:22", {.inode = 8})}, kKept,
                   {{.inode = 8, .pid = 4242}});
  agent.processes.faults().hold();
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kProcess, pdu), Is(Kind::kLater));
  ASSERT_TRUE(agent.processes.faults().await_calls(1));
  EXPECT_THAT(agent.get(kListenerProcess, pdu), Is(Kind::kLater));
  agent.processes.faults().release();
  agent.await_news();
  EXPECT_THAT(agent.get(kProcess, pdu), HasValue(Gauge32{4242}));
  EXPECT_THAT(agent.get(kListenerProcess, pdu), HasValue(Gauge32{4242}));
  pollfd waiting{.fd = agent.worker->descriptor(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&waiting, 1, 1100), 0) << "a second look-up that nobody waits for";
}

TEST(Processes, WhoseLookUpTookLongServeUntilTheNextOneMayBegin) {
  Questioner agent({shown_connection({.inode = 8})}, {.processes = 0s},
                   {{.inode = 8, .pid = 4242}});
  agent.processes.faults().hold();
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kProcess, pdu), Is(Kind::kLater));
  ASSERT_TRUE(agent.processes.faults().await_calls(1));
  eventually([] { return false; }, 1s);  // so long it takes, and 4 s it serves
  agent.processes.faults().release();
  EXPECT_THAT(agent.get_settled(kProcess, pdu), HasValue(Gauge32{4242}));
  EXPECT_THAT(agent.get(kProcess, agent.pdu()), HasValue(Gauge32{4242}));
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

TEST(Processes, AreNotLookedUpForOtherColumns) {
  Questioner agent({shown_connection({.inode = 8})}, kKept);
  EXPECT_THAT(agent.get(kShownState, agent.pdu()), HasValue(Integer{5}));
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_EQ(agent.processes.faults().calls(), 0);
}

TEST(Processes, WithinTheAgeComeFromTheSameMap) {
  Questioner agent({shown_connection({.inode = 8})}, kKept, {{.inode = 8, .pid = 4242}});
  agent.get_settled(kProcess, agent.pdu());
  agent.processes.set({{.inode = 8, .pid = 17}});
  EXPECT_THAT(agent.get(kProcess, agent.pdu()), HasValue(Gauge32{4242}));
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

TEST(Processes, BeyondTheAgeComeFromANewMap) {
  Questioner agent({shown_connection({.inode = 8})}, kNothingKept, {{.inode = 8, .pid = 4242}});
  agent.get_settled(kProcess, agent.pdu());
  agent.processes.set({{.inode = 8, .pid = 17}});
  EXPECT_THAT(agent.get_settled(kProcess, agent.pdu()), HasValue(Gauge32{17}));
  EXPECT_EQ(agent.processes.faults().calls(), 2);
}

TEST(Processes, OfASocketTheMapHasNotHeardOfComeFromANewOneASecondLater) {
  Questioner agent({shown_connection({.inode = 8})}, kKept, {{.inode = 8, .pid = 4242}});
  const Time began = Clock::now();
  agent.get_settled(kProcess, agent.pdu());
  agent.processes.set({{.inode = 9, .pid = 17}});
  agent.set({shown_connection({.inode = 9})});
  EXPECT_THAT(agent.get_settled(kProcess, agent.pdu()), HasValue(Gauge32{17}));
  EXPECT_GE(Clock::now() - began, 1s);
  EXPECT_EQ(agent.processes.faults().calls(), 2);
}

TEST(Processes, OfASocketThatNobodyHoldsAreFinallyZero) {
  Questioner agent({shown_connection({.inode = 8})}, kKept);
  EXPECT_THAT(agent.get_settled(kProcess, agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

TEST(Processes, OfASocketKnownToBeNobodysNeedNoFurtherMap) {
  Questioner agent({shown_connection({.inode = 8})}, kKept);
  agent.get_settled(kProcess, agent.pdu());
  EXPECT_THAT(agent.get(kProcess, agent.pdu()), HasValue(Gauge32{0}));
}

TEST(Processes, OfAWalkKnowWhatIsNobodysFromOneMap) {
  Questioner agent({listener("0.0.0.0:80", {.inode = 31}), listener("0.0.0.0:80", {.inode = 32})},
                   kKept);
  EXPECT_THAT(agent.next_settled(listeners(), listeners().root(), agent.pdu()),
              HasValue(Gauge32{0}));
  EXPECT_THAT(agent.next(listeners(), listeners().root(), agent.pdu()), HasValue(Gauge32{0}));
}

TEST(Processes, OfARowThatSeveralSocketsShareAreTheLowestOfAll) {
  Questioner agent({listener("0.0.0.0:22", {.inode = 31}), listener("0.0.0.0:22", {.inode = 32})},
                   kKept, {{.inode = 31, .pid = 900}, {.inode = 32, .pid = 300}});
  EXPECT_THAT(agent.get_settled(kListenerProcess, agent.pdu()), HasValue(Gauge32{300}));
  EXPECT_THAT(agent.next_settled(listeners(), listeners().root(), agent.pdu()),
              HasValue(Gauge32{300}));
}

TEST(Processes, OfAnInodeOfZeroAreZeroAndNeverLookedFor) {
  Questioner agent({shown_connection()}, kKept, {{.inode = 0, .pid = 666}});
  EXPECT_THAT(agent.get_settled(kProcess, agent.pdu()), HasValue(Gauge32{0}));
}

TEST(Processes, ThatAreNotToBeLookedUpAreZeroAtOnce) {
  Questioner agent({shown_connection({.inode = 8})}, {.look_up_processes = false},
                   {{.inode = 8, .pid = 4242}});
  EXPECT_THAT(agent.get(kProcess, agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_EQ(agent.processes.faults().calls(), 0);
}

TEST(Processes, WhoseLookUpFailsAreZeroUntilItWorksAgain) {
  Questioner agent({shown_connection({.inode = 8})}, kNothingKept, {{.inode = 8, .pid = 4242}});
  agent.processes.faults().fail_nth(1);
  EXPECT_THAT(agent.get_settled(kProcess, agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_THAT(agent.get_settled(kProcess, agent.pdu()), HasValue(Gauge32{4242}));
}

// --------------------------------------------------------------------------------------- Surveys

const tables::Managed& ports() { return managed("tcpmibdPortTable"); }
const Oid kPortTotal = own_oid("1.4.1.17.22");
const Oid kPortProcess = own_oid("1.4.1.2.22");

std::vector<tcp::Socket> a_service() {
  return {listener("0.0.0.0:22", {.inode = 9}), shown_connection({.inode = 8})};
}

TEST(Surveys, AreParkedForAndThenServeGetAndNext) {
  Questioner agent(a_service(), kKept);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kPortTotal, pdu), Is(Kind::kLater));
  agent.await_news();
  EXPECT_THAT(agent.get(kPortTotal, pdu), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.next(ports(), own_oid("1.4.1.17"), pdu), IsNamed(kPortTotal));
  EXPECT_THAT(agent.get(own_oid("1.4.1.17.23"), pdu), Is(Kind::kNoSuchInstance));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Surveys, WithinTheAgeServeManyPdus) {
  Questioner agent(a_service(), kKept);
  agent.get_settled(kPortTotal, agent.pdu());
  EXPECT_THAT(agent.get(kPortTotal, agent.pdu()), HasValue(Gauge32{1}));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Surveys, AreCountedFromTheSnapshotThatAWalkHasLeft) {
  Questioner agent(a_service(), kKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.get_settled(kPortTotal, agent.pdu()), HasValue(Gauge32{1}));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Surveys, ServeTheWalksAfterThem) {
  Questioner agent(a_service(), kKept);
  agent.get_settled(kPortTotal, agent.pdu());
  EXPECT_THAT(agent.next(connections(), connections().root(), agent.pdu()), IsNamed(kShownState));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Surveys, BeyondTheAgeAreCountedAnew) {
  Questioner agent(a_service(), kNothingKept);
  agent.get_settled(kPortTotal, agent.pdu());
  agent.set({listener("0.0.0.0:22")});
  outlive(*agent.responder->stock().snapshot());
  EXPECT_THAT(agent.get_settled(kPortTotal, agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_EQ(agent.dumps.dumps(), 2);
}

TEST(Surveys, OfAPduAreTheSameForAllItsBindings) {
  Questioner agent(a_service(), kNothingKept);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get_settled(kPortTotal, pdu), HasValue(Gauge32{1}));
  agent.set({listener("0.0.0.0:22")});
  outlive(*agent.responder->stock().snapshot());
  agent.get_settled(kPortTotal, agent.pdu());
  EXPECT_THAT(agent.get(kPortTotal, pdu), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.next(ports(), own_oid("1.4.1.17"), pdu), HasValue(Gauge32{1}));
}

TEST(Surveys, BindingsParkedDuringTheDumpTheyWaitForNeedNoSecond) {
  Questioner agent(a_service(), kNothingKept);
  agent.dumps.faults().hold();
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(kPortTotal, pdu), Is(Kind::kLater));
  ASSERT_TRUE(agent.dumps.faults().await_calls(1));
  EXPECT_THAT(agent.get(own_oid("1.3.1.1.8"), pdu), Is(Kind::kLater));
  agent.dumps.faults().release();
  EXPECT_THAT(agent.get_settled(kPortTotal, pdu), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.get_settled(own_oid("1.3.1.1.8"), pdu), HasValue(Gauge32{0}));
  agent.worker->want_processes();  // Comes after any further survey that is wanted.
  ASSERT_TRUE(agent.processes.faults().await_calls(1));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Surveys, OfASnapshotThatFailsAreAnErrorUntilItWorksAgain) {
  Questioner agent(a_service(), kNothingKept);
  agent.dumps.faults().fail_nth(1);
  EXPECT_THAT(agent.get_settled(kPortTotal, agent.pdu()), Is(Kind::kFailed));
  EXPECT_THAT(agent.get_settled(kPortTotal, agent.pdu()), HasValue(Gauge32{1}));
}

TEST(Surveys, FromBeforeADeletionAreNotServed) {
  Questioner agent(a_service(), kKept);
  agent.get_settled(kPortTotal, agent.pdu());
  agent.set({listener("0.0.0.0:22")});
  agent.responder->forget(established("10.0.0.1:22", "10.0.0.9:4711"), Clock::now());
  EXPECT_THAT(agent.get_settled(kPortTotal, agent.pdu()), HasValue(Gauge32{0}));
}

const Oid kPortDrops = own_oid("1.4.1.9.22");
const Oid kPortDiscards = own_oid("1.4.1.19.22");

TEST(Surveys, OfAnAgentThatHasJustStartedKnowOfNoLostConnection) {
  Questioner agent({listener("0.0.0.0:22", {.discards = 7})}, kKept);
  EXPECT_THAT(agent.get_settled(kPortDrops, agent.pdu()), HasValue(Counter32{0}));
  EXPECT_THAT(agent.get_settled(kPortDiscards, agent.pdu()), HasValue(Counter32{7}));
  EXPECT_THAT(agent.get_settled(own_oid("1.5.1.8.1.4.0.0.0.0.22"), agent.pdu()),
              HasValue(Counter32{0}));
}

TEST(Surveys, HaveNoLostConnectionsWhereTheKernelDoesNotTellThem) {
  Questioner agent({listener("0.0.0.0:22", {.discards = 7})}, kKept);
  agent.worker_pressure.faults().fail_always(true);
  EXPECT_THAT(agent.get_settled(kPortDrops, agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_THAT(agent.get_settled(kPortDiscards, agent.pdu()), HasValue(Counter32{7}));
  EXPECT_THAT(agent.next_settled(ports(), own_oid("1.4.1.9"), agent.pdu()),
              IsNamed(own_oid("1.4.1.10.22")));
}

TEST(Surveys, TellTheProcessesOfPorts) {
  Questioner agent(a_service(), kKept, {{.inode = 9, .pid = 700}});
  EXPECT_THAT(agent.get_settled(kPortProcess, agent.pdu()), HasValue(Gauge32{700}));
}

TEST(States, OfOneCellWaitForASnapshotWhileAConnectionDoesNot) {
  Questioner agent(a_service(), kKept);
  const auto pdu = agent.pdu();
  const Oid cell = own_oid("1.2.1.5.5");
  EXPECT_THAT(agent.get(kShownState, pdu), HasValue(Integer{5}));
  EXPECT_EQ(agent.dumps.dumps(), 0);
  EXPECT_THAT(agent.get(cell, pdu), Is(Kind::kLater));
  EXPECT_THAT(agent.get_settled(cell, pdu), HasValue(Gauge32{1}));
  EXPECT_EQ(agent.responder->stock().survey(), nullptr) << "no survey is needed for it";
}

// ---------------------------------------------------------------------------------------- Owners

const tables::Managed& processes() { return managed("tcpmibdProcessTable"); }
const Oid kProcessTotal = own_oid("1.7.1.10.700");

TEST(Owners, AreParkedForAfterTheSurvey) {
  Questioner agent(a_service(), kKept, {{.inode = 8, .pid = 700}});
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get_settled(kProcessTotal, pdu), HasValue(Gauge32{1}));
  EXPECT_NE(agent.responder->stock().survey(), nullptr);
  EXPECT_THAT(agent.next(processes(), own_oid("1.7.1.10"), pdu), IsNamed(kProcessTotal));
  EXPECT_THAT(agent.get(own_oid("1.9.25.0"), agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_EQ(agent.dumps.dumps(), 1);
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

TEST(Owners, BeyondTheAgeOfProcessesAreCountedAnew) {
  Questioner agent(a_service(), {.snapshot = 1h, .processes = 0s}, {{.inode = 8, .pid = 700}});
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.processes.set({{.inode = 8, .pid = 701}});
  EXPECT_THAT(agent.get_settled(own_oid("1.7.1.10.701"), agent.pdu()), HasValue(Gauge32{1}));
  EXPECT_EQ(agent.dumps.dumps(), 1);
}

TEST(Owners, AreNoneWhereProcessesAreNotToBeLookedUp) {
  Questioner agent(a_service(), {.look_up_processes = false}, {{.inode = 8, .pid = 700}});
  EXPECT_THAT(agent.next_settled(processes(), processes().root(), agent.pdu()),
              Is(Kind::kEndOfView));
  EXPECT_THAT(agent.get_settled(kPortProcess, agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_EQ(agent.processes.faults().calls(), 0);
}

TEST(Owners, OfALookUpThatFailsAreNoneUntilItWorksAgain) {
  Questioner agent(a_service(), {.snapshot = 1h, .processes = 0s}, {{.inode = 8, .pid = 700}});
  agent.processes.faults().fail_nth(1);
  EXPECT_THAT(agent.get_settled(kProcessTotal, agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_THAT(agent.get_settled(kProcessTotal, agent.pdu()), HasValue(Gauge32{1}));
}

TEST(Owners, AreCountedByTheLookUpForAPortsProcess) {
  Questioner agent(a_service(), kKept, {{.inode = 8, .pid = 700}, {.inode = 9, .pid = 700}});
  EXPECT_THAT(agent.get_settled(kPortProcess, agent.pdu()), HasValue(Gauge32{700}));
  EXPECT_THAT(agent.get(kProcessTotal, agent.pdu()), HasValue(Gauge32{1}));
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

// ---- A walk that runs into a table

const Oid kLastUnit = own_oid("1.6.1.9.255");
const Oid kFirstProcess = own_oid("1.7.1.2.700");
constexpr Ages kProcessesNotKept{.snapshot = 1h, .processes = 0s};

TEST(Entering, TheProcessesNeedsNoNewLookUp) {
  Questioner agent(a_service(), kProcessesNotKept, {{.inode = 8, .pid = 700}});
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.responder->tidy(Clock::now() + 1min);
  EXPECT_THAT(agent.next_settled(processes(), kLastUnit, agent.pdu()), IsNamed(kFirstProcess));
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

// As a master puts it.
TEST(Entering, AtTheRootNeedsNoNewLookUp) {
  Questioner agent(a_service(), kProcessesNotKept, {{.inode = 8, .pid = 700}});
  agent.get_settled(kProcessTotal, agent.pdu());
  EXPECT_THAT(agent.next(processes(), processes().root(), agent.pdu(), true),
              IsNamed(kFirstProcess));
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

TEST(Entering, IsFollowedByANewLookUpInside) {
  Questioner agent(a_service(), kProcessesNotKept, {{.inode = 8, .pid = 700}});
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.processes.set({{.inode = 8, .pid = 701}});
  agent.next_settled(processes(), kLastUnit, agent.pdu());
  EXPECT_THAT(agent.next_settled(processes(), kFirstProcess, agent.pdu()),
              IsNamed(own_oid("1.7.1.2.701")));
  EXPECT_EQ(agent.processes.faults().calls(), 2);
}

TEST(Entering, WhereNoProcessWasSeenLooksForOne) {
  Questioner agent(a_service(), kProcessesNotKept);
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.processes.set({{.inode = 8, .pid = 700}});
  EXPECT_THAT(agent.next_settled(processes(), kLastUnit, agent.pdu()), IsNamed(kFirstProcess));
}

// Two ports of two processes, and a connection of each.
std::vector<tcp::Socket> two_services() {
  return {listener("0.0.0.0:22", {.inode = 9}), listener("0.0.0.0:80", {.inode = 10}),
          established("10.0.0.1:22", "10.0.0.9:4711", {.inode = 8}),
          established("10.0.0.1:80", "10.0.0.9:4712", {.inode = 7})};
}

const std::vector<tcp::Holder> kTwoHolders{{.inode = 9, .pid = 700},
                                           {.inode = 10, .pid = 701},
                                           {.inode = 8, .pid = 700},
                                           {.inode = 7, .pid = 701}};
const Oid kLastAge = own_oid("1.3.1.5.11");

// The rows of one GETBULK that begins before the table.
void expect_a_bulk_without_a_look_up(const tables::Managed& table, const Oid& before,
                                     const std::vector<Oid>& rows) {
  Questioner agent(two_services(), kProcessesNotKept, kTwoHolders);
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.responder->tidy(Clock::now() + 1min);
  const auto pdu = agent.pdu();
  Oid last = before;
  for (const Oid& row : rows) {
    EXPECT_THAT(agent.next_settled(table, last, pdu), IsNamed(row));
    last = row;
  }
  EXPECT_EQ(agent.processes.faults().calls(), 1);
}

TEST(Entering, ThePortsNeedsNoNewLookUpHoweverManyRowsFollow) {
  expect_a_bulk_without_a_look_up(managed("tcpmibdPortTable"), kLastAge,
                                  {own_oid("1.4.1.2.22"), own_oid("1.4.1.2.80")});
}

TEST(Entering, TheProcessesNeedsNoNewLookUpHoweverManyRowsFollow) {
  expect_a_bulk_without_a_look_up(processes(), kLastUnit, {kFirstProcess, own_oid("1.7.1.2.701")});
}

TEST(Entering, AfterMinutesLooksProcessesUpAnew) {
  Questioner agent(a_service(), kProcessesNotKept, {{.inode = 8, .pid = 700}});
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.responder->tidy(Clock::now() + 6min);
  agent.processes.set({{.inode = 8, .pid = 701}});
  EXPECT_THAT(agent.next_settled(processes(), kLastUnit, agent.pdu()),
              IsNamed(own_oid("1.7.1.2.701")));
}

TEST(Entering, TellsWhatIsLeftOutOfTheNewestOnly) {
  Questioner agent(a_service(), kProcessesNotKept, {{.inode = 8, .pid = 700}});
  agent.get_settled(kProcessTotal, agent.pdu());
  agent.responder->tidy(Clock::now() + 1min);
  EXPECT_THAT(
      agent.next_settled(managed("tcpmibdProcessesLeftOut"), own_oid("1.9.24.0"), agent.pdu()),
      HasValue(Gauge32{0}));
  EXPECT_EQ(agent.processes.faults().calls(), 2);
}

TEST(Entering, TheRfcsListenersIsAnsweredAsEver) {
  Questioner agent({listener("0.0.0.0:22", {.inode = 9})}, kProcessesNotKept,
                   {{.inode = 9, .pid = 700}});
  agent.get_settled(kListenerProcess, agent.pdu());
  agent.processes.set({{.inode = 9, .pid = 701}});
  EXPECT_THAT(agent.next_settled(listeners(), tcp_oid("19"), agent.pdu()), HasValue(Gauge32{701}));
}

// --------------------------------------------------------------------- The agent and its limits

TEST(AgentScalars, NeedNoSnapshotAndKnowOfThoseThatWereTaken) {
  Questioner agent(a_service(), kKept);
  agent.figures.deletes_done = 3;
  EXPECT_THAT(agent.get(own_oid("1.1.13.0"), agent.pdu()), HasValue(Counter32{3}));
  EXPECT_THAT(agent.get(own_oid("1.1.9.0"), agent.pdu()), HasValue(Counter32{0}));
  EXPECT_THAT(agent.get(own_oid("1.1.5.0"), agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_EQ(agent.dumps.dumps(), 0);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.get(own_oid("1.1.9.0"), agent.pdu()), HasValue(Counter32{1}));
  EXPECT_THAT(agent.get(own_oid("1.1.6.0"), agent.pdu()), HasValue(Gauge32{2}));
  EXPECT_THAT(agent.get(own_oid("1.1.5.0"), agent.pdu()), Is(Kind::kValue));
}

TEST(AgentScalars, CountSnapshotsThatFailed) {
  Questioner agent(a_service(), kNothingKept);
  agent.dumps.faults().fail_nth(1);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.get(own_oid("1.1.10.0"), agent.pdu()), HasValue(Counter32{1}));
}

TEST(PressureScalars, AreReadOnceAPduAndNeedNoSnapshot) {
  Questioner agent(a_service(), kKept);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get(own_oid("1.9.1.0"), pdu), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.get(own_oid("1.9.14.0"), pdu), HasValue(Counter32{14}));
  EXPECT_EQ(agent.pressure.faults().calls(), 1);
  EXPECT_THAT(agent.get(own_oid("1.9.14.0"), agent.pdu()), HasValue(Counter32{14}));
  EXPECT_EQ(agent.pressure.faults().calls(), 2);
  EXPECT_EQ(agent.dumps.dumps(), 0);
}

TEST(PressureScalars, ThatCannotBeReadAreAnErrorUntilTheyCan) {
  Questioner agent(a_service(), kKept);
  agent.pressure.faults().fail_nth(1);
  EXPECT_THAT(agent.get(own_oid("1.9.1.0"), agent.pdu()), Is(Kind::kFailed));
  EXPECT_THAT(agent.get(own_oid("1.9.1.0"), agent.pdu()), HasValue(Gauge32{1}));
}

TEST(PressureScalars, ThatAreAbsentAreNoInstances) {
  Questioner agent(a_service(), kKept);
  agent.pressure.set({});
  EXPECT_THAT(agent.get(own_oid("1.9.1.0"), agent.pdu()), Is(Kind::kNoSuchInstance));
  EXPECT_THAT(agent.next(managed("tcpmibdOrphans"), own_oid("1.9.1"), agent.pdu()),
              Is(Kind::kEndOfView));
}

TEST(AlarmTable, NeedsNoSnapshot) {
  Questioner agent(a_service(), kKept);
  agent.alarms.configure({alarm_rule("a", {}, 5)});
  EXPECT_THAT(agent.get(own_oid("1.10.1.5.1.97"), agent.pdu()), HasValue(Gauge32{5}));
  EXPECT_THAT(agent.get(own_oid("1.11.0"), agent.pdu()), HasValue(Gauge32{0}));
  EXPECT_EQ(agent.dumps.dumps(), 0);
}

// --------------------------------------------------------------------------------------- MPTCP

// How often it is said that MPTCP cannot be seen, of snapshots that saw so far.
long complaints_about_mptcp(const std::vector<tcp::MptcpSight>& sights) {
  Questioner agent({shown_connection()});
  testing::internal::CaptureStderr();
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kWarning));
  for (const tcp::MptcpSight sight : sights) {
    agent.dumps.set_mptcp({}, sight);
    agent.worker->want_snapshot();
    agent.await_news();
  }
  log::set_level(log::Level::kError);
  const std::string lines = testing::internal::GetCapturedStderr();
  constexpr std::string_view kComplaint = "modprobe mptcp_diag";
  long count = 0;
  for (auto at = lines.find(kComplaint); at != lines.npos; at = lines.find(kComplaint, at + 1))
    ++count;
  return count;
}

TEST(Mptcp, ThatCannotBeSeenIsSaidOnce) {
  using Sight = tcp::MptcpSight;
  EXPECT_EQ(complaints_about_mptcp({Sight::kAbsent, Sight::kUnused, Sight::kSeen}), 0);
  EXPECT_EQ(
      complaints_about_mptcp({Sight::kHidden, Sight::kHidden, Sight::kUnused, Sight::kHidden}), 1);
  EXPECT_EQ(complaints_about_mptcp({Sight::kHidden, Sight::kSeen, Sight::kHidden}), 2);
}

// ------------------------------------------------------------------------------------- Counts

const Oid kEstablishedTotal = own_oid("1.2.1.5.5");

TEST(CountsByState, NeedNoSnapshotOfAllSockets) {
  Questioner agent({shown_connection()}, kKept);
  EXPECT_THAT(agent.get_settled(kEstablishedTotal, agent.pdu()), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.next(managed("tcpmibdStateTable"), own_oid("1.2.1.5.4"), agent.pdu()),
              HasValue(Gauge32{1}));
  EXPECT_EQ(agent.dumps.counts(), 1);
  EXPECT_EQ(agent.responder->stock().snapshot(), nullptr);
}

TEST(CountsByState, AreThoseOfASnapshotThatIsFresh) {
  Questioner agent({shown_connection()}, kKept);
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.get(kEstablishedTotal, agent.pdu()), HasValue(Gauge32{1}));
  EXPECT_EQ(agent.dumps.counts(), 0);
}

TEST(CountsByState, OfOnePduAreOfOneMoment) {
  Questioner agent({shown_connection()}, kKept);
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get_settled(kEstablishedTotal, pdu), HasValue(Gauge32{1}));
  agent.set({});
  agent.next_settled(connections(), connections().root(), agent.pdu());
  EXPECT_THAT(agent.get(kEstablishedTotal, pdu), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.get(kEstablishedTotal, agent.pdu()), HasValue(Gauge32{0}));
}

TEST(CountsByState, ThatCannotBeMadeFail) {
  Questioner agent({shown_connection()}, kNothingKept);
  agent.dumps.faults().fail_always(true);
  EXPECT_THAT(agent.get_settled(kEstablishedTotal, agent.pdu()), Is(Kind::kFailed));
  agent.dumps.faults().fail_always(false);
  EXPECT_THAT(agent.get_settled(kEstablishedTotal, agent.pdu()), HasValue(Gauge32{1}));
}

TEST(CountsByState, FromBeforeAConnectionWasEndedAreNotServed) {
  Questioner agent({shown_connection()}, kKept);
  agent.get_settled(kEstablishedTotal, agent.pdu());
  agent.set({});
  agent.responder->forget(shown_connection(), agent.now());
  EXPECT_THAT(agent.get_settled(kEstablishedTotal, agent.pdu()), HasValue(Gauge32{0}));
}

TEST(Mptcp, ALeakIsInTheStateTableAndItsSubflowInTheTableOfTcp) {
  Questioner agent({shown_connection({.inode = 5})}, kKept);
  agent.dumps.set_mptcp({shown_connection({.state = State::kCloseWait, .inode = 5})});
  const auto pdu = agent.pdu();
  EXPECT_THAT(agent.get_settled(own_oid("1.2.1.5.8"), pdu), HasValue(Gauge32{1}));
  EXPECT_THAT(agent.get_settled(own_oid("1.2.1.5.5"), pdu), HasValue(Gauge32{0}));
  EXPECT_THAT(agent.next_settled(connections(), connections().root(), pdu), HasValue(Integer{5}));
}

}  // namespace
}  // namespace tcpmibd::agent
