#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "system/deleting.h"
#include "system/scripted.h"

// TestSet, CommitSet, UndoSet and CleanupSet (RFC 2741, 7.2.4) in every order that a master may get
// wrong: what does not fit is an error and ends no connection.

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using agentx::Response;
using agentx::Type;

class SetPhases : public ScriptedTest {};

// A service with connections that may be ended, and a master that may do that.
struct Deleting {
  explicit Deleting(const Namespace& space, unsigned clients = 5)
      : service(over_loopback(space), clients), agent(space), session(agent.attend()) {}

  SetRequest of(const Pair& pair) const {
    return deletion(connection_cell(kStateColumn, pair.server.ends()));
  }
  std::vector<SetRequest> chosen() { return {of(service.chosen())}; }

  std::uint16_t error_of(const Pdu& pdu) { return session.ask(pdu).error; }
  std::uint16_t test(std::uint32_t transaction, const std::vector<SetRequest>& set) {
    return error_of(agentx::test_set(transaction, set));
  }
  std::uint16_t commit(std::uint32_t transaction) {
    return error_of(agentx::phase(Type::kCommitSet, transaction));
  }
  std::uint16_t undo(std::uint32_t transaction) {
    return error_of(agentx::phase(Type::kUndoSet, transaction));
  }

  // 7.2.4.4: it has no answer.
  void clean_up(std::uint32_t transaction) {
    constexpr std::chrono::milliseconds kMoment{50};
    const std::uint32_t packet = session.begin(agentx::phase(Type::kCleanupSet, transaction));
    EXPECT_EQ(session.ask(ask_for_rto_min()), rto_min());
    EXPECT_FALSE(session.answer_to(packet, kMoment)) << "a CleanupSet has no answer";
  }

  std::size_t ended() const { return lines_with("): ended", agent.log()).size(); }

  // The lines wait for the owners of what was ended.
  void expect_ended(std::size_t count) const {
    EXPECT_EQ(settled([&] { return ended(); }, count, kDeletingPatience), count) << agent.log();
  }

  void expect_nothing_ended() const {
    ASSERT_EQ(ended(), 0U) << agent.log();
    service.expect_alive();
  }

  // The same PDU again, as a master does that has lost patience; the answers to both.
  std::vector<std::uint16_t> twice(Pdu pdu);

  Service service;
  Scripted agent;
  MasterSession session;
};

std::vector<std::uint16_t> Deleting::twice(Pdu pdu) {
  pdu.session = session.manners.session;
  pdu.packet = 600'000 + static_cast<std::uint32_t>(pdu.type);
  session.send(pdu);
  session.send(pdu);
  session.answer_to(pdu.packet);
  session.ask(ask_for_rto_min());  // Both have been dealt with.
  std::vector<std::uint16_t> errors;
  for (const Response& answer : session.answers_to(pdu.packet))
    errors.push_back(answer.error);
  return errors;
}

const Oid& row_of_nobody() {
  static const Oid cell =
      connection_cell(kStateColumn, {end_of("10.9.9.9:9"), end_of("10.9.9.9:8")});
  return cell;
}

TEST_F(SetPhases, TestCommitAndCleanupEndExactlyThatConnection) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(7, scene.chosen()), 0);
  EXPECT_TRUE(talks(scene.service.chosen())) << "a test ends nothing";
  EXPECT_EQ(scene.commit(7), 0);
  scene.clean_up(7);
  scene.service.expect_only_chosen_ended();
  scene.expect_ended(1);
}

TEST_F(SetPhases, AllBindingsOfATransactionAreEnded) {
  const Namespace space;
  Deleting scene(space);
  std::vector<SetRequest> set;
  std::vector<const Pair*> ended;
  for (const std::size_t number : {0U, 1U, 4U}) {
    ended.push_back(&scene.service.pairs()[number]);
    set.push_back(scene.of(*ended.back()));
  }
  EXPECT_EQ(scene.error_of(agentx::test_set(8, set, false)), 0);
  EXPECT_EQ(scene.commit(8), 0);
  scene.clean_up(8);
  scene.service.expect_alive(ended);
  scene.expect_ended(3);
}

TEST_F(SetPhases, ATestThatIsCleanedUpEndsNothing) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(7, scene.chosen()), 0);
  scene.clean_up(7);
  EXPECT_EQ(scene.commit(7), agentx::kProcessingError);
  scene.expect_nothing_ended();
}

// The first is refused for its value before any row is looked for, the second when the good rows
// have passed.
TEST_F(SetPhases, ARefusedTestIsOver) {
  const Namespace space;
  Deleting scene(space, 20);
  std::vector<SetRequest> good;
  for (const Pair& pair : scene.service.pairs())
    good.push_back(scene.of(pair));
  struct Bad {
    SetRequest request;
    std::uint16_t error;
  };
  constexpr std::uint16_t kWrongValue = 10;
  std::uint32_t transaction = 20;
  for (const Bad& bad : {Bad{{good.front().oid, 'i', "5"}, kWrongValue},
                         Bad{deletion(row_of_nobody()), agentx::kNoCreation}}) {
    std::vector<SetRequest> set = good;
    set.push_back(bad.request);
    const Response refusal = scene.session.ask(agentx::test_set(++transaction, set));
    EXPECT_EQ(refusal.error, bad.error);
    EXPECT_EQ(refusal.index, set.size());
    EXPECT_EQ(scene.commit(transaction), agentx::kProcessingError);
    scene.clean_up(transaction);
    EXPECT_EQ(scene.commit(transaction), agentx::kProcessingError);
    scene.expect_nothing_ended();
  }
}

TEST_F(SetPhases, ACommitOrUndoOfNothingIsAnError) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.commit(30), agentx::kProcessingError);
  EXPECT_EQ(scene.undo(31), agentx::kProcessingError);
  scene.clean_up(32);
  scene.expect_nothing_ended();
}

TEST_F(SetPhases, AnotherTransactionIsNotCommitted) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(40, scene.chosen()), 0);
  EXPECT_EQ(scene.commit(41), agentx::kProcessingError);
  scene.expect_nothing_ended();
  EXPECT_EQ(scene.commit(40), 0);
  scene.clean_up(40);
  scene.service.expect_only_chosen_ended();
}

TEST_F(SetPhases, AnUndoBeforeTheCommitEndsNothing) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(50, scene.chosen()), 0);
  EXPECT_EQ(scene.undo(50), agentx::kProcessingError);
  scene.clean_up(50);
  scene.expect_nothing_ended();
}

// What has been ended cannot come back: undoFailed(15).
TEST_F(SetPhases, AnUndoAfterTheCommitFails) {
  constexpr std::uint16_t kUndoFailed = 15;
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(51, scene.chosen()), 0);
  EXPECT_EQ(scene.commit(51), 0);
  EXPECT_EQ(scene.undo(51), kUndoFailed);
  EXPECT_EQ(scene.undo(51), agentx::kProcessingError) << "it is over";
  scene.service.expect_only_chosen_ended();
}

TEST_F(SetPhases, ASecondCommitIsAnError) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(60, scene.chosen()), 0);
  EXPECT_EQ(scene.commit(60), 0);
  EXPECT_EQ(scene.commit(60), agentx::kProcessingError);
  scene.clean_up(60);
  EXPECT_EQ(scene.commit(60), agentx::kProcessingError);
  scene.service.expect_only_chosen_ended();
  scene.expect_ended(1);
}

TEST_F(SetPhases, ASecondTestOfOneTransactionIsAnError) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(70, {scene.of(scene.service.pairs().front())}), 0);
  EXPECT_EQ(scene.test(70, scene.chosen()), agentx::kProcessingError);
  scene.clean_up(70);
  scene.expect_nothing_ended();
}

TEST_F(SetPhases, APhaseThatIsSentAgainActsOnce) {
  const Namespace space;
  Deleting scene(space);
  for (const Pdu& pdu :
       {agentx::test_set(80, scene.chosen()), agentx::phase(Type::kCommitSet, 80)}) {
    const std::vector<std::uint16_t> errors = scene.twice(pdu);
    EXPECT_FALSE(errors.empty()) << pdu.type;
    EXPECT_THAT(errors, testing::Each(0)) << pdu.type;
  }
  scene.twice(
      agentx::phase(Type::kCommitSet, 80));  // It was answered already: whatever it is told.
  scene.clean_up(80);
  scene.clean_up(80);
  scene.service.expect_only_chosen_ended();
  scene.expect_ended(1);
}

TEST_F(SetPhases, AnotherSessionIsNotOpen) {
  const Namespace space;
  Deleting scene(space);
  const auto of_another = [&](Pdu pdu) {
    pdu.session = scene.session.manners.session + 1;
    return scene.error_of(pdu);
  };
  EXPECT_EQ(of_another(agentx::test_set(90, scene.chosen())), agentx::kNotOpen);
  EXPECT_EQ(scene.commit(90), agentx::kProcessingError);
  EXPECT_EQ(scene.test(91, scene.chosen()), 0);
  EXPECT_EQ(of_another(agentx::phase(Type::kCommitSet, 91)), agentx::kNotOpen);
  EXPECT_EQ(of_another(agentx::phase(Type::kUndoSet, 91)), agentx::kNotOpen);
  scene.expect_nothing_ended();
  EXPECT_EQ(scene.commit(91), 0);
  scene.clean_up(91);
  scene.service.expect_only_chosen_ended();
}

TEST_F(SetPhases, ASessionTakesItsTransactionsWithIt) {
  const Namespace space;
  Deleting scene(space);
  for (const std::uint32_t session : {17U, 18U}) {  // The first is the same as before.
    EXPECT_EQ(scene.test(100, scene.chosen()), 0);
    scene.session.close();
    scene.session = scene.agent.attend({.session = session});
    EXPECT_EQ(scene.commit(100), agentx::kProcessingError);
    EXPECT_EQ(scene.undo(100), agentx::kProcessingError);
    scene.clean_up(100);
    scene.expect_nothing_ended();
  }
}

TEST_F(SetPhases, AClosedSessionEndsNothing) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(110, scene.chosen()), 0);
  scene.session.begin(agentx::close_pdu(agentx::kReasonByManager));
  scene.session.begin(agentx::phase(Type::kCommitSet, 110));
  EXPECT_TRUE(scene.session.serve_until([&] { return scene.session.has_ended(); }));
  scene.session = scene.agent.attend();
  scene.expect_nothing_ended();
}

TEST_F(SetPhases, ReadsBetweenThePhasesChangeNothing) {
  const Namespace space;
  Deleting scene(space);
  EXPECT_EQ(scene.test(120, scene.chosen()), 0);
  Pdu read = agentx::get_next({{.start = kConnectionState}});
  read.transaction = 120;
  EXPECT_EQ(scene.error_of(read), 0);
  EXPECT_EQ(scene.commit(120), 0);
  EXPECT_EQ(scene.error_of(read), 0);
  scene.clean_up(120);
  scene.service.expect_only_chosen_ended();
}

// A master that has given a Set up may forget to say so.
TEST_F(SetPhases, ThousandsOfAbandonedTestsKeepNoMemory) {
  constexpr std::uint32_t kBatch = 100, kFirstBatches = 10, kBatches = 50;
  constexpr long kMost = 3L * 1'024;  // KiB, for five thousand
  const Namespace space;
  Deleting scene(space);
  std::uint32_t transaction = 1'000;
  const auto abandon = [&] {
    std::vector<std::uint32_t> packets;
    for (std::uint32_t i = 0; i < kBatch; ++i)
      packets.push_back(scene.session.begin(agentx::test_set(++transaction, scene.chosen())));
    for (const std::uint32_t packet : packets)
      ASSERT_TRUE(scene.session.answer_to(packet)) << scene.agent.log();
  };
  for (std::uint32_t i = 0; i < kFirstBatches; ++i)
    ASSERT_NO_FATAL_FAILURE(abandon());
  const long before = scene.agent.memory();
  for (std::uint32_t i = 0; i < kBatches; ++i)
    ASSERT_NO_FATAL_FAILURE(abandon());
  EXPECT_LT(scene.agent.memory(), before + kMost);
  // And another one is still possible.
  ASSERT_EQ(scene.test(++transaction, scene.chosen()), 0);
  EXPECT_EQ(scene.commit(transaction), 0);
  scene.clean_up(transaction);
  scene.service.expect_only_chosen_ended();
}

}  // namespace
}  // namespace tcpmibd::lab
