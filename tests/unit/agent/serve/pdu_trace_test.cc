#include "agent/serve/pdu_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "support/builders.h"

// The line that says why a request was slow.

namespace tcpmibd::agent {
namespace {

using namespace std::chrono_literals;

const Time kCame{12h};
const snmp::Oid kAsked = lab::tcp_oid("19.1.7");

Answer late(Awaited awaited) { return {.kind = Answer::Kind::kLater, .awaits = awaited}; }
Answer found_of(Time read_at) {
  return {.kind = Answer::Kind::kValue, .basis = {.read_at = read_at}};
}

PduSummary a_getnext() { return {.kind = "GETNEXT", .first = kAsked.view(), .bindings = 1}; }

TEST(PduTraceTest, OfAnAnswerAtOnce) {
  PduTrace trace(kCame);
  trace.note(found_of(kCame + 10us), kCame);
  EXPECT_EQ(trace.line({.kind = "GET", .first = kAsked.view(), .bindings = 3}, {}, kCame + 41us),
            "GET 1.3.6.1.2.1.6.19.1.7 bindings=3 context=\"\" parked=no age=0ms outcome=noError "
            "us=41");
}

TEST(PduTraceTest, OfABulkSaysHowManyRepetitionsWereWanted) {
  EXPECT_THAT(
      PduTrace(kCame).line(
          {.kind = "GETBULK", .first = kAsked.view(), .bindings = 2, .repetitions = 50}, {}, kCame),
      testing::HasSubstr(" bindings=2 repetitions=50 context="));
}

TEST(PduTraceTest, SaysWhatItWasParkedForAndHowLongEach) {
  PduTrace trace(kCame);
  trace.note(late(Awaited::kSnapshot), kCame);
  trace.note(late(Awaited::kSnapshot), kCame + 100ms);
  trace.note(late(Awaited::kProcesses), kCame + 812ms);
  trace.note(found_of(kCame), kCame + 1816ms);
  EXPECT_EQ(trace.line(a_getnext(), {}, kCame + 1816ms),
            "GETNEXT 1.3.6.1.2.1.6.19.1.7 bindings=1 context=\"\" "
            "parked=snapshot:812ms,processes:1004ms age=1816ms outcome=noError us=1816000");
}

TEST(PduTraceTest, CountsTheWaitUnderWayAtItsEnd) {
  PduTrace trace(kCame);
  trace.note(late(Awaited::kOwners), kCame);
  EXPECT_THAT(trace.line(a_getnext(), {.error = "dropped"}, kCame + 6s),
              testing::HasSubstr("parked=owners:6000ms age=- outcome=dropped us=6000000"));
}

TEST(PduTraceTest, HasTheAgeOfTheOldestThatItIsMadeFrom) {
  PduTrace trace(kCame);
  for (const Duration before : {100ms, 700ms, 300ms})
    trace.note(found_of(kCame - before), kCame);
  EXPECT_THAT(trace.line(a_getnext(), {}, kCame), testing::HasSubstr(" age=700ms "));
}

TEST(PduTraceTest, OfWhatIsAnsweredAnewHasTheAgeOfThat) {
  PduTrace trace(kCame);
  trace.note(found_of(kCame - 1min), kCame);
  trace.begin_anew();
  trace.note(found_of(kCame - 1s), kCame);
  EXPECT_THAT(trace.line(a_getnext(), {}, kCame), testing::HasSubstr(" age=1000ms "));
}

TEST(PduTraceTest, OfASetThatWaitsNamesTheSnapshot) {
  PduTrace trace(kCame);
  trace.note(SetAnswer::later(kCame + 3s), kCame);
  trace.note(SetAnswer(snmp::SetStatus::kNoError), kCame + 40ms);
  EXPECT_THAT(trace.line({.kind = "TestSet", .first = kAsked.view(), .bindings = 1},
                         {.error = "noCreation", .index = 1}, kCame + 40ms),
              testing::HasSubstr("parked=snapshot:40ms age=- outcome=noCreation index=1 us=40000"));
}

TEST(PduTraceTest, OfNoBindingHasNoNameAndShowsTheContext) {
  EXPECT_EQ(PduTrace(kCame).line({.kind = "GET", .context = "vrf"}, {.error = "unsupportedContext"},
                                 kCame),
            "GET bindings=0 context=\"vrf\" parked=no age=- outcome=unsupportedContext us=0");
}

TEST(PduTraceTest, IsWrittenAtTheLevelDebugOnly) {
  const auto written_at = [](log::Level level) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(log::start(log::Target::kStderr, level));
    PduTrace(kCame).write(a_getnext(), {}, kCame);
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(written_at(log::Level::kDebug), testing::HasSubstr("debug: GETNEXT 1.3.6.1"));
  EXPECT_EQ(written_at(log::Level::kInfo), "");
}

}  // namespace
}  // namespace tcpmibd::agent
