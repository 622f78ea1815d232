#include "agent/agentx/sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "support/random.h"
#include "unit/agent/agentx/asking.h"

namespace tcpmibd::agent::agentx {
namespace {

using snmp::Oid;
using snmp::SetStatus;
using testing::ElementsAre;
using testing::IsEmpty;
using Phase = Write::Phase;

// A letter a phase, and the row: "r1" is RESERVE1 of the first connection.
std::string letter_of(Phase phase) {
  switch (phase) {
    case Phase::kReserve1:
      return "r";
    case Phase::kReserve2:
      return "f";
    case Phase::kAction:
      return "a";
    case Phase::kUndo:
      return "u";
    case Phase::kCommit:
      return "c";
    case Phase::kFree:
      return "x";
  }
  return "?";
}

class SetsTest : public testing::Test, public WriteTarget {
 protected:
  SetAnswer write(const Write& write) override {
    const std::string what =
        letter_of(write.phase) + std::to_string(write.name[write.name.size() - 1]);
    written_.push_back(what);
    transactions_.push_back(write.transaction.id);
    if (later_ && what == *later_)
      return SetAnswer::later(again_);
    const auto refused = refused_.find(what);
    return refused == refused_.end() ? SetStatus::kNoError : refused->second;
  }

  static std::vector<Binding> rows(std::initializer_list<snmp::SubId> numbers) {
    std::vector<Binding> bindings;
    for (const snmp::SubId row : numbers)
      bindings.push_back({connection_cell(row), snmp::Integer{12}});
    return bindings;
  }

  // What is answered; "" to what is not.
  std::string send(PduType type, std::uint32_t transaction, std::vector<Binding> bindings = {}) {
    return send({.type = type, .transaction = transaction, .packet = ++packet_},
                std::move(bindings));
  }

  std::string send(const Header& header, std::vector<Binding> bindings = {}) {
    Bytes out;
    sets_.receive(header, std::move(bindings), now_, out);
    sets_.work(soon(), out);
    const std::vector<std::string> responses = responses_in(out);
    EXPECT_LE(responses.size(), 1U);
    return responses.empty() ? "" : responses[0].substr(responses[0].find(':') + 1);
  }

  std::string test(std::uint32_t transaction, std::initializer_list<snmp::SubId> numbers) {
    return send(PduType::kTestSet, transaction, rows(numbers));
  }
  std::string commit(std::uint32_t transaction) { return send(PduType::kCommitSet, transaction); }
  std::string undo(std::uint32_t transaction) { return send(PduType::kUndoSet, transaction); }
  std::string clean_up(std::uint32_t transaction) {
    return send(PduType::kCleanupSet, transaction);
  }

  std::vector<std::string> written() { return std::exchange(written_, {}); }

  static constexpr const char* kMisfit = " error 268 at 0";

  std::map<std::string, SetStatus> refused_;
  std::optional<std::string> later_;  // what has to wait
  Time again_ = soon();
  std::vector<std::string> written_;
  std::vector<long> transactions_;
  std::uint32_t packet_ = 0;
  Time now_ = Clock::now();
  Objects objects_{some_objects()};
  Sets sets_{objects_, *this};
};

TEST_F(SetsTest, OneThatFaresWell) {
  EXPECT_EQ(test(1, {1, 2}), "");
  EXPECT_THAT(written(), ElementsAre("r1", "r2", "f1", "f2"));
  EXPECT_EQ(commit(1), "");
  EXPECT_THAT(written(), ElementsAre("a1", "a2"));
  EXPECT_EQ(clean_up(1), "");
  EXPECT_THAT(written(), ElementsAre("c1", "c2"));
  EXPECT_EQ(sets_.open(), 0U);
  EXPECT_THAT(transactions_, testing::Each(1));
}

TEST_F(SetsTest, ARefusalInTheFirstPassIsTheEnd) {
  refused_ = {{"r2", SetStatus::kWrongValue}};
  EXPECT_EQ(test(1, {1, 2, 3}), " error 10 at 2");
  EXPECT_THAT(written(), ElementsAre("r1", "r2", "x1", "x2", "x3"));
  EXPECT_EQ(commit(1), kMisfit);
  EXPECT_THAT(written(), IsEmpty());
}

// Sixty connections were ended so once.
TEST_F(SetsTest, ARefusalInTheSecondPassIsTheEndOfThoseBeforeItToo) {
  refused_ = {{"f3", SetStatus::kNoCreation}};
  EXPECT_EQ(test(1, {1, 2, 3}), " error 11 at 3");
  written();
  EXPECT_EQ(commit(1), kMisfit);
  EXPECT_EQ(undo(1), kMisfit);
  EXPECT_EQ(clean_up(1), "");
  EXPECT_THAT(written(), IsEmpty());
  EXPECT_EQ(sets_.open(), 0U);
}

TEST_F(SetsTest, ATestThatIsGivenUpIsReleased) {
  test(1, {1});
  written();
  clean_up(1);
  EXPECT_THAT(written(), ElementsAre("x1"));
  EXPECT_EQ(commit(1), kMisfit);
}

TEST_F(SetsTest, ACommitThatFailsStopsThereAndIsUndoneWhole) {
  refused_ = {{"a2", SetStatus::kCommitFailed}};
  test(1, {1, 2, 3});
  written();
  EXPECT_EQ(commit(1), " error 14 at 2");
  EXPECT_THAT(written(), ElementsAre("a1", "a2"));
  refused_ = {{"u1", SetStatus::kUndoFailed}};
  EXPECT_EQ(undo(1), " error 15 at 1");
  EXPECT_THAT(written(), ElementsAre("u1", "u2", "u3", "x1", "x2", "x3"));
  EXPECT_EQ(sets_.open(), 0U);
}

TEST_F(SetsTest, NothingIsCommittedTwice) {
  test(1, {1});
  commit(1);
  written();
  EXPECT_EQ(commit(1), kMisfit);
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(SetsTest, TheSamePduOnceMoreIsAnsweredAsBeforeAndDoesNothing) {
  const Header tested{.type = PduType::kTestSet, .transaction = 1, .packet = 71};
  const Header committed{.type = PduType::kCommitSet, .transaction = 1, .packet = 72};
  refused_ = {{"a1", SetStatus::kCommitFailed}};
  EXPECT_EQ(send(tested, rows({1})), "");
  written();
  EXPECT_EQ(send(tested, rows({1})), "");
  EXPECT_THAT(written(), IsEmpty());
  EXPECT_EQ(send(committed), " error 14 at 1");
  written();
  EXPECT_EQ(send(committed), " error 14 at 1");
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(SetsTest, ANumberThatIsInUseIsRefusedAndTheFirstGoesOn) {
  test(1, {1});
  EXPECT_EQ(test(1, {2}), kMisfit);
  written();
  EXPECT_EQ(commit(1), "");
  EXPECT_THAT(written(), ElementsAre("a1"));
}

TEST_F(SetsTest, TransactionsAreKeptApart) {
  test(1, {1});
  test(2, {2});
  written();
  EXPECT_EQ(commit(1), "");
  EXPECT_THAT(written(), ElementsAre("a1"));
  EXPECT_EQ(commit(2), "");
  EXPECT_THAT(written(), ElementsAre("a2"));
}

TEST_F(SetsTest, WhatIsNotOursIsNotWritable) {
  Bytes out;
  EXPECT_EQ(send(PduType::kTestSet, 1, {{Oid{1, 3, 6, 1, 2, 1, 1, 4, 0}, snmp::Integer{1}}}),
            " error 17 at 1");
  EXPECT_EQ(send(PduType::kTestSet, 1, {{lab::tcp_oid("5.0"), snmp::Integer{1}}}),
            " error 17 at 1");
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(SetsTest, OneOfNothingFaresWell) {
  EXPECT_EQ(test(1, {}), "");
  EXPECT_EQ(commit(1), "");
}

TEST_F(SetsTest, OneThatIsTooOldIsNotCommitted) {
  test(1, {1});
  written();
  now_ += Sets::kKept;
  EXPECT_EQ(commit(1), kMisfit);
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(SetsTest, AbandonedTestsDoNotPileUp) {
  for (std::uint32_t transaction = 1; transaction <= 3 * Sets::kMost; ++transaction)
    EXPECT_EQ(test(transaction, {1}), "");
  EXPECT_EQ(sets_.open(), Sets::kMost);
  EXPECT_EQ(commit(1), kMisfit);
  EXPECT_EQ(commit(3 * Sets::kMost), "");
}

TEST_F(SetsTest, OneMoreThanCanBeUnderWayIsRefused) {
  later_ = "f1";
  for (std::uint32_t transaction = 1; transaction <= Sets::kMost; ++transaction)
    EXPECT_EQ(test(transaction, {1}), "");
  EXPECT_EQ(test(Sets::kMost + 1, {1}), " error 13 at 0");
  later_.reset();
  sets_.retry();
  Bytes out;
  sets_.work(soon(), out);
  EXPECT_EQ(responses_in(out).size(), Sets::kMost) << "each is answered";
}

TEST_F(SetsTest, TheEndOfTheSessionReleasesAll) {
  test(1, {1});
  test(2, {2});
  commit(2);
  written();
  sets_.release_all();
  EXPECT_THAT(written(), ElementsAre("x1", "c2"));
  EXPECT_EQ(sets_.open(), 0U);
}

// ---- What has to wait

TEST_F(SetsTest, ATestThatWaitsGoesOnAfterNewsFromWhereItStood) {
  later_ = "f2";
  EXPECT_EQ(test(1, {1, 2}), "");
  EXPECT_THAT(written(), ElementsAre("r1", "r2", "f1", "f2"));
  EXPECT_FALSE(sets_.is_busy());
  EXPECT_EQ(sets_.wake(), again_);
  later_.reset();
  sets_.retry();
  EXPECT_TRUE(sets_.is_busy());
  Bytes out;
  sets_.work(soon(), out);
  EXPECT_THAT(responses_in(out), ElementsAre("1:"));
  EXPECT_THAT(written(), ElementsAre("f2"));
  EXPECT_EQ(sets_.wake(), std::nullopt);
}

TEST_F(SetsTest, ATestThatWaitsIsAskedAgainWhenItsTimeHasCome) {
  later_ = "f1";
  again_ = Clock::now();
  test(1, {1});
  later_.reset();
  refused_ = {{"f1", SetStatus::kResourceUnavailable}};
  Bytes out;
  sets_.work(soon(), out);
  EXPECT_THAT(responses_in(out), ElementsAre("1: error 13 at 1"));
}

TEST_F(SetsTest, OneThatIsSentAgainWhileItWaitsIsAnsweredOnce) {
  later_ = "f1";
  const Header header{.type = PduType::kTestSet, .transaction = 1, .packet = 77};
  EXPECT_EQ(send(header, rows({1})), "");
  EXPECT_EQ(send(header, rows({1})), "");
  EXPECT_EQ(commit(1), kMisfit) << "it has not been tested yet";
  later_.reset();
  sets_.retry();
  Bytes out;
  sets_.work(soon(), out);
  EXPECT_THAT(responses_in(out), ElementsAre("77:"));
}

TEST_F(SetsTest, ATestThatIsGivenUpWhileItWaitsIsReleased) {
  later_ = "f1";
  test(1, {1});
  written();
  EXPECT_EQ(clean_up(1), "");
  EXPECT_THAT(written(), ElementsAre("x1"));
  EXPECT_EQ(sets_.open(), 0U);
  EXPECT_EQ(sets_.wake(), std::nullopt);
}

// ---- By a model: RFC 2741, 7.2.4, and nothing else

// What may follow what, of one transaction.
struct Model {
  enum class State : std::uint8_t { kNone, kTested, kCommitted };

  // Whether the phase is carried out.
  bool take(PduType type, bool refused) {
    switch (type) {
      case PduType::kTestSet:
        if (state != State::kNone)
          return false;
        state = refused ? State::kNone : State::kTested;
        return true;
      case PduType::kCommitSet:
        if (state != State::kTested)
          return false;
        state = State::kCommitted;
        return true;
      case PduType::kUndoSet:
        if (state != State::kCommitted)
          return false;
        state = State::kNone;
        return true;
      default: {
        const bool open = state != State::kNone;
        state = State::kNone;
        return open;
      }
    }
  }

  State state = State::kNone;
};

TEST_F(SetsTest, AnySequenceOfPhasesFaresAsTheRfcSays) {
  lab::Random random;
  SCOPED_TRACE(random.text());
  std::map<std::uint32_t, Model> models;
  for (int i = 0; i < 20'000; ++i) {
    const auto type = random.one_of(
        {PduType::kTestSet, PduType::kCommitSet, PduType::kUndoSet, PduType::kCleanupSet});
    const std::uint32_t transaction = random.below(4);
    const std::string refused =
        random.one_of<std::string>({"", "", "", "r1", "r2", "f1", "f2", "a1", "a2", "u1"});
    refused_.clear();
    if (!refused.empty())
      refused_.emplace(refused, SetStatus::kGenErr);
    const bool tested = refused.starts_with('r') || refused.starts_with('f');
    const bool fits = models[transaction].take(type, tested);
    const std::string answer = send(type, transaction, rows({1, 2}));
    const std::vector<std::string> seen = written();
    ASSERT_EQ(!seen.empty(), fits) << i;
    if (type == PduType::kCleanupSet)
      ASSERT_EQ(answer, "") << i;
    else
      ASSERT_EQ(answer == kMisfit, !fits) << i << answer;
    ASSERT_EQ(
        sets_.open(),
        static_cast<std::size_t>(std::ranges::count_if(
            models, [](const auto& model) { return model.second.state != Model::State::kNone; })))
        << i;
  }
}

TEST_F(SetsTest, HasALineInTheLogForEachPhaseThatSaysWhatItWaitedFor) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kDebug));
  later_ = "f1";
  test(1, {1, 2});
  later_.reset();
  sets_.retry();
  Bytes out;
  sets_.work(soon(), out);
  commit(1);
  clean_up(1);
  commit(1);
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, testing::ContainsRegex("TestSet 1.3.6.1.2.1.6.19.1.7.1 bindings=2 "
                                          "context=\"\" parked=snapshot:[0-9]+ms age=- "
                                          "outcome=noError us=[0-9]+"));
  EXPECT_THAT(log, testing::HasSubstr("CommitSet 1.3.6.1.2.1.6.19.1.7.1 bindings=2 "));
  EXPECT_THAT(log, testing::HasSubstr("CleanupSet 1.3.6.1.2.1.6.19.1.7.1 bindings=2 "));
  EXPECT_THAT(log, testing::HasSubstr("CommitSet bindings=0 "));
  EXPECT_THAT(log, testing::HasSubstr(" outcome=processingError "));
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
