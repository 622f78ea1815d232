#include "agent/agentx/reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = Read::Kind;
using Progress = PendingRead::Progress;

const Oid kConnections = lab::tcp_oid("19");
const Oid kListeners = lab::tcp_oid("20");

// Names that have a value, asked as an object is asked: only below its root.
class ReadsTest : public testing::Test, public ReadTarget {
 protected:
  ReadsTest() {
    for (snmp::SubId row = 1; row <= 3; ++row)
      values_.emplace(connection_cell(row), snmp::Integer{5});
    values_.emplace(kScalar, snmp::Counter32{7});
  }

  Answer read(const Read& read) override {
    asked_.push_back(read.transaction.id);
    arrived_.push_back(read.arrived);
    if (refused_)
      return {*refused_, {}};
    if (read.kind == Kind::kGet)
      return get(Oid(read.name));
    auto found = read.kind == Kind::kNext ? values_.upper_bound(Oid(read.name))
                                          : values_.lower_bound(Oid(read.name));
    if (found == values_.end() || !snmp::starts_with(found->first, read.object.root()))
      return {Answer::Kind::kEndOfView, {}};
    return value(*found);
  }

  Answer get(const Oid& name) const {
    const auto found = values_.find(name);
    if (found == values_.end())
      return {Answer::Kind::kNoSuchInstance, {}};
    return value(*found);
  }

  Answer value(const std::pair<const Oid, snmp::Value>& cell) const {
    return {.kind = Answer::Kind::kValue,
            .cell = snmp::Cell{cell.first, cell.second},
            .basis = {.serves_until = serves_until_}};
  }

  static Header header(PduType type, std::uint32_t packet = 1) {
    return {.type = type, .session = 3, .transaction = 8, .packet = packet};
  }

  void begin(const Header& header, ReadPdu request) {
    reads_.begin(header, std::move(request), Clock::now(), out_);
  }

  // What is answered to one that need not wait.
  std::vector<std::string> answer(PduType type, ReadPdu request) {
    out_.clear();
    begin(header(type), std::move(request));
    reads_.work(soon(), out_);
    return responses_in(out_);
  }

  std::map<Oid, snmp::Value> values_;
  std::optional<Answer::Kind> refused_;  // what every question is answered
  Time serves_until_ = Time::max();      // of every answer
  std::vector<long> asked_;
  std::vector<Time> arrived_;
  Bytes out_;
  Objects objects_{some_objects()};
  Reads reads_{objects_, *this};
};

std::string found(const Oid& name) { return ' ' + name.text() + "=value"; }
std::string none(const Oid& name) { return ' ' + name.text() + "=none"; }

TEST_F(ReadsTest, AGetIsAnsweredBindingByBinding) {
  const Oid elsewhere{1, 3, 6, 1, 2, 1, 1, 1, 0};
  EXPECT_THAT(answer(PduType::kGet, {.ranges = {{.start = connection_cell(2)},
                                                {.start = connection_cell(9)},
                                                {.start = elsewhere},
                                                {.start = kScalar}}}),
              ElementsAre("1:" + found(connection_cell(2)) + none(connection_cell(9)) +
                          none(elsewhere) + found(kScalar)));
  EXPECT_THAT(asked_, ElementsAre(8, 8, 8)) << "of the transaction";
}

TEST_F(ReadsTest, AGetOfNothingIsAnsweredWithNothing) {
  EXPECT_THAT(answer(PduType::kGet, {}), ElementsAre("1:"));
}

TEST_F(ReadsTest, AGetNextFindsWhatFollows) {
  EXPECT_THAT(
      answer(PduType::kGetNext, {.ranges = {{.start = connection_cell(1), .end = kListeners}}}),
      ElementsAre("1:" + found(connection_cell(2))));
}

TEST_F(ReadsTest, AStartThatIsIncludedMayBeFound) {
  EXPECT_THAT(
      answer(PduType::kGetNext,
             {.ranges = {{.start = connection_cell(1), .include = true, .end = kListeners}}}),
      ElementsAre("1:" + found(connection_cell(1))));
}

TEST_F(ReadsTest, TheEndOfARangeMayNotBeFound) {
  EXPECT_THAT(answer(PduType::kGetNext,
                     {.ranges = {{.start = connection_cell(1), .end = connection_cell(2)}}}),
              ElementsAre("1:" + none(connection_cell(1))));
}

TEST_F(ReadsTest, ARangeGoesOnInTheNextObject) {
  EXPECT_THAT(answer(PduType::kGetNext, {.ranges = {{.start = kScalar}}}),
              ElementsAre("1:" + found(connection_cell(1))));
  EXPECT_THAT(answer(PduType::kGetNext, {.ranges = {{.start = Oid{1, 3}}}}),
              ElementsAre("1:" + found(kScalar)));
}

TEST_F(ReadsTest, ARangeThatEndsBeforeTheNextObjectDoesNot) {
  EXPECT_THAT(answer(PduType::kGetNext, {.ranges = {{.start = kScalar, .end = kConnections}}}),
              ElementsAre("1:" + none(kScalar)));
  EXPECT_THAT(asked_, SizeIs(1));
}

TEST_F(ReadsTest, BehindOurLastObjectIsNothing) {
  EXPECT_THAT(answer(PduType::kGetNext, {.ranges = {{.start = connection_cell(3)}}}),
              ElementsAre("1:" + none(connection_cell(3))));
}

// RFC 2741, 7.2.3.3, by the example of a walk.
TEST_F(ReadsTest, AGetBulkRepeatsWhatIsToBeRepeated) {
  EXPECT_THAT(
      answer(PduType::kGetBulk,
             {.ranges = {{.start = Oid{1, 3}}, {.start = kConnections, .end = kListeners}},
              .non_repeaters = 1,
              .max_repetitions = 2}),
      ElementsAre("1:" + found(kScalar) + found(connection_cell(1)) + found(connection_cell(2))));
}

TEST_F(ReadsTest, AGetBulkEndsWithARepetitionThatFindsNothing) {
  const Oid last = connection_cell(3);
  EXPECT_THAT(
      answer(PduType::kGetBulk, {.ranges = {{.start = connection_cell(2), .end = kListeners}},
                                 .max_repetitions = 1000}),
      ElementsAre("1:" + found(last) + none(last)));
}

TEST_F(ReadsTest, AGetBulkOfNoRepetitionAnswersTheOthers) {
  EXPECT_THAT(answer(PduType::kGetBulk,
                     {.ranges = {{.start = Oid{1, 3}}, {.start = kConnections, .end = kListeners}},
                      .non_repeaters = 1}),
              ElementsAre("1:" + found(kScalar)));
  EXPECT_THAT(answer(PduType::kGetBulk, {.ranges = {{.start = kConnections}}}), ElementsAre("1:"));
}

TEST_F(ReadsTest, MoreThatAreNotRepeatedThanThereAreIsAllOfThem) {
  EXPECT_THAT(
      answer(PduType::kGetBulk,
             {.ranges = {{.start = kConnections}}, .non_repeaters = 9, .max_repetitions = 9}),
      ElementsAre("1:" + found(connection_cell(1))));
}

// ---- What is too long

TEST_F(ReadsTest, AGetBulkIsCutToWhatFits) {
  for (snmp::SubId row = 1; row <= 5000; ++row)
    values_.insert_or_assign(connection_cell(row), snmp::OctetString{std::string(100, 'x')});
  const std::vector<std::string> answers =
      answer(PduType::kGetBulk, {.ranges = {{.start = kConnections}}, .max_repetitions = 5000});
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_THAT(answers[0], testing::Not(testing::HasSubstr("error")));
  EXPECT_LE(out_.size(), std::size_t{65535});
  EXPECT_GT(out_.size(), kLongestAnswer - 200);
}

TEST_F(ReadsTest, AnythingElseThatDoesNotFitIsTooBig) {
  values_.insert_or_assign(connection_cell(1), snmp::OctetString{std::string(40'000, 'x')});
  const SearchRange range{.start = connection_cell(1)};
  EXPECT_THAT(answer(PduType::kGet, {.ranges = {range, range, range}}),
              ElementsAre("1: error 1 at 2"));
  EXPECT_THAT(answer(PduType::kGet, {.ranges = {range}}),
              ElementsAre("1:" + found(connection_cell(1))));
}

TEST_F(ReadsTest, ManyMoreBindingsThanFitAreNotLookedAt) {
  EXPECT_THAT(answer(PduType::kGet, {.ranges = std::vector<SearchRange>(kMostBindings + 1)}),
              ElementsAre("1: error 1 at 0"));
  EXPECT_THAT(asked_, IsEmpty());
}

// ---- What cannot be answered, or not yet

TEST_F(ReadsTest, AFailureIsGenErrOfItsBinding) {
  refused_ = Answer::Kind::kFailed;
  EXPECT_THAT(answer(PduType::kGet, {.ranges = {{.start = Oid{1, 3}}, {.start = kScalar}}}),
              ElementsAre("1: error 5 at 2"));
}

TEST_F(ReadsTest, WhatHasToWaitIsAnsweredWhenThereIsNews) {
  refused_ = Answer::Kind::kLater;
  EXPECT_THAT(answer(PduType::kGet, {.ranges = {{.start = kScalar}}}), IsEmpty());
  EXPECT_FALSE(reads_.is_busy());
  reads_.work(soon(), out_);
  EXPECT_THAT(asked_, SizeIs(1)) << "asked again without news";
  refused_.reset();
  reads_.retry();
  EXPECT_TRUE(reads_.is_busy());
  reads_.work(soon(), out_);
  EXPECT_THAT(responses_in(out_), ElementsAre("1:" + found(kScalar)));
  EXPECT_EQ(arrived_.front(), arrived_.back()) << "it came when it came first";
  EXPECT_EQ(reads_.under_way(), 0U);
}

TEST_F(ReadsTest, NoneWaitsForAnother) {
  refused_ = Answer::Kind::kLater;
  begin(header(PduType::kGet, 1), {.ranges = {{.start = kScalar}}});
  reads_.work(soon(), out_);
  refused_.reset();
  begin(header(PduType::kGet, 2), {.ranges = {{.start = kScalar}}});
  reads_.work(soon(), out_);
  EXPECT_THAT(responses_in(out_), ElementsAre("2:" + found(kScalar)));
}

TEST_F(ReadsTest, OneThatIsSentAgainWhileItWaitsIsAnsweredOnce) {
  refused_ = Answer::Kind::kLater;
  for (int sent = 0; sent < 3; ++sent)
    begin(header(PduType::kGet), {.ranges = {{.start = kScalar}}});
  refused_.reset();
  reads_.work(soon(), out_);
  EXPECT_THAT(responses_in(out_), SizeIs(1));
}

TEST_F(ReadsTest, MoreThanCanBeKeptAreRefusedAtOnce) {
  refused_ = Answer::Kind::kLater;
  for (std::uint32_t packet = 0; packet <= Reads::kMost; ++packet)
    begin(header(PduType::kGet, packet), {.ranges = {{.start = kScalar}}});
  EXPECT_THAT(responses_in(out_), ElementsAre(std::to_string(Reads::kMost) + ": error 5 at 0"));
  EXPECT_EQ(reads_.under_way(), Reads::kMost);
}

// With no time at all each turn answers one binding.
TEST_F(ReadsTest, ALongOneIsAnsweredInSeveralTurns) {
  begin(header(PduType::kGet), {.ranges = std::vector<SearchRange>(3, {.start = kScalar})});
  int turns = 0;
  while (reads_.is_busy() && turns < 100) {
    reads_.work(Clock::now() + std::chrono::microseconds(1), out_);
    ++turns;
  }
  EXPECT_GE(turns, 1);
  EXPECT_THAT(responses_in(out_),
              ElementsAre("1:" + found(kScalar) + found(kScalar) + found(kScalar)));
}

// ---- By a model

// The first name in the range that has a value, whatever objects there are.
std::optional<Oid> model_of(const std::map<Oid, snmp::Value>& values, const SearchRange& range) {
  const auto first =
      range.include ? values.lower_bound(range.start) : values.upper_bound(range.start);
  if (first == values.end() || (range.end.size() != 0 && first->first >= range.end))
    return std::nullopt;
  return first->first;
}

TEST_F(ReadsTest, AnyRangeFindsTheFirstNameInIt) {
  lab::Random random;
  SCOPED_TRACE(random.text());
  values_.emplace(lab::tcp_oid("20.1.4.1"), snmp::Gauge32{1});
  const std::vector<Oid> names{{1, 3},
                               {1, 3, 6, 1, 2, 1, 6},
                               kScalar,
                               lab::tcp_oid("5"),
                               kConnections,
                               connection_cell(1),
                               connection_cell(2),
                               kListeners,
                               lab::tcp_oid("20.1.4.1"),
                               lab::tcp_oid("21"),
                               {2}};
  for (int i = 0; i < 2000; ++i) {
    const SearchRange range{.start = random.one_of(names),
                            .include = random.chance(50),
                            .end = random.chance(30) ? Oid() : random.one_of(names)};
    const std::optional<Oid> want = model_of(values_, range);
    ASSERT_THAT(answer(PduType::kGetNext, {.ranges = {range}}),
                ElementsAre("1:" + (want ? found(*want) : none(range.start))))
        << range.start << " to " << range.end << (range.include ? " included" : "");
  }
}

// ---- A master whose patience is long

TEST_F(ReadsTest, WhatHasBecomeOlderThanPromisedWhileTheRestWaitedIsAskedAgain) {
  serves_until_ = Clock::now() - std::chrono::milliseconds(1);
  PendingRead read(header(PduType::kGet),
                   {.ranges = {{.start = connection_cell(1)}, {.start = kScalar}}}, Clock::now());
  ASSERT_EQ(read.work(objects_, *this, Clock::now()), Progress::kGoesOn) << "the time is up";
  ASSERT_THAT(asked_, SizeIs(1));
  refused_ = Answer::Kind::kLater;
  ASSERT_EQ(read.work(objects_, *this, soon()), Progress::kWaits);
  refused_.reset();
  serves_until_ = Time::max();
  ASSERT_EQ(read.work(objects_, *this, soon()), Progress::kDone);
  read.append_response(out_);
  EXPECT_THAT(responses_in(out_), ElementsAre("1:" + found(connection_cell(1)) + found(kScalar)));
  EXPECT_EQ(asked_.size(), 4U) << "the first binding thrice, once for nothing";
}

TEST_F(ReadsTest, ABulkThatIsAnsweredAnewBeginsAtItsFirstRepetition) {
  serves_until_ = Clock::now() - std::chrono::milliseconds(1);
  PendingRead read(header(PduType::kGetBulk),
                   {.ranges = {{.start = kConnections}}, .max_repetitions = 3}, Clock::now());
  ASSERT_EQ(read.work(objects_, *this, Clock::now()), Progress::kGoesOn);
  serves_until_ = Time::max();
  ASSERT_EQ(read.work(objects_, *this, soon()), Progress::kDone);
  read.append_response(out_);
  EXPECT_THAT(responses_in(out_),
              ElementsAre("1:" + found(connection_cell(1)) + found(connection_cell(2)) +
                          found(connection_cell(3))));
}

// ---- The log's level debug

class ReadsTraceTest : public ReadsTest {
 protected:
  template <typename Act>
  static std::string logged(Act act) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kDebug));
    act();
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(ReadsTraceTest, HasALineForEachPdu) {
  const std::string log = logged([&] {
    answer(PduType::kGet, {.ranges = {{.start = kScalar}, {.start = connection_cell(9)}}});
    answer(PduType::kGetBulk, {.ranges = {{.start = kConnections}}, .max_repetitions = 2});
  });
  EXPECT_THAT(log, HasSubstr("GET " + kScalar.text() + " bindings=2 context=\"\" parked=no"));
  EXPECT_THAT(log, HasSubstr("GETBULK " + kConnections.text() + " bindings=1 repetitions=2 "));
  EXPECT_EQ(std::ranges::count(log, '\n'), 2) << log;
}

TEST_F(ReadsTraceTest, SaysOfEveryWayWhatCameOfIt) {
  refused_ = Answer::Kind::kFailed;
  EXPECT_THAT(logged([&] { answer(PduType::kGet, {.ranges = {{.start = kScalar}}}); }),
              HasSubstr(" outcome=genErr index=1 "));
  refused_ = Answer::Kind::kLater;
  answer(PduType::kGet, {.ranges = {{.start = kScalar}}});
  EXPECT_THAT(logged([&] { begin(header(PduType::kGet), {.ranges = {{.start = kScalar}}}); }),
              HasSubstr(" outcome=repeated "));
  std::optional<Reads> lost(std::in_place, objects_, *this);
  lost->begin(header(PduType::kGet), {.ranges = {{.start = kScalar}}}, Clock::now(), out_);
  EXPECT_THAT(logged([&] { lost.reset(); }), HasSubstr(" outcome=dropped "));
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
