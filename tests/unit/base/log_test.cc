#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "support/deadline.h"
#include "support/standard_error.h"

namespace tcpmibd::log {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::StartsWith;

// What `act` writes to standard error while that is the target.
template <typename Act>
std::string logged(Level least, Act act) {
  testing::internal::CaptureStderr();
  EXPECT_TRUE(start(Target::kStderr, least));
  act();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, StderrLinesAreLevelColonMessage) {
  const std::string text = logged(Level::kDebug, [] {
    debug("a");
    info("b");
    notice("c");
    warning("d");
    error("e");
  });
  EXPECT_EQ(text, "debug: a\ninfo: b\nnotice: c\nwarning: d\nerror: e\n");
}

TEST(Log, NothingBelowTheLeastLevelIsWritten) {
  EXPECT_EQ(logged(Level::kWarning, [] { notice("unseen"); }), "");
}

TEST(Log, SetLevelTakesEffectAtOnce) {
  const std::string text = logged(Level::kError, [] {
    info("unseen");
    set_level(Level::kInfo);
    info("seen");
  });
  EXPECT_EQ(text, "info: seen\n");
}

TEST(Log, TrailingNewlinesAreStripped) {
  EXPECT_EQ(logged(Level::kInfo, [] { info("from Net-SNMP\r\n\n"); }), "info: from Net-SNMP\n");
  EXPECT_EQ(logged(Level::kInfo, [] { info("\n"); }), "info: \n");
}

TEST(Log, OneMessageIsOneLineWithoutControlCharacters) {
  EXPECT_EQ(logged(Level::kInfo, [] { info("name\nerror: forged\x1b[2J"); }),
            "info: name error: forged [2J\n");
}

TEST(Log, FieldsDoNotShowOnStderr) {
  EXPECT_EQ(logged(Level::kInfo,
                   [] {
                     write(Level::kInfo, "deleted", {{"TCP_STATE", "closeWait"}});
                   }),
            "info: deleted\n");
}

TEST(Log, LinesOfSeveralThreadsStayWhole) {
  const std::string text = logged(Level::kInfo, [] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int line = 0; line < 200; ++line)
          info("0123456789");
      });
    for (std::thread& thread : threads)
      thread.join();
  });
  std::string expected;
  for (int line = 0; line < 800; ++line)
    expected += "info: 0123456789\n";
  EXPECT_EQ(text, expected);
}

TEST(Log, AutoIsStderrWhenTheJournalsStreamIsAnother) {
  ::setenv("JOURNAL_STREAM", "1:2", 1);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(start(Target::kAuto, Level::kInfo));
  info("here");
  ::unsetenv("JOURNAL_STREAM");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "info: here\n");
}

TEST(Log, AJournalThatDoesNotListenIsAnErrorWithItsCure) {
  if (::access("/run/systemd/journal/socket", F_OK) == 0)
    GTEST_SKIP() << "this host has a journal";
  const Status status = start(Target::kJournal, Level::kInfo);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().text(), StartsWith("cannot log to the journal at /run/systemd/"));
  EXPECT_THAT(status.error().text(), HasSubstr("log.target"));
}

TEST(Log, AFailedStartKeepsTheTargetThatWas) {
  if (::access("/run/systemd/journal/socket", F_OK) == 0)
    GTEST_SKIP() << "this host has a journal";
  EXPECT_EQ(logged(Level::kInfo,
                   [] {
                     EXPECT_FALSE(start(Target::kJournal, Level::kError));
                     info("still here");
                   }),
            "info: still here\n");
}

TEST(Log, SyslogStarts) {
  EXPECT_TRUE(start(Target::kSyslog, Level::kInfo));
  EXPECT_TRUE(start(Target::kStderr, Level::kInfo));
}

TEST(Limited, WritesTheFirstAtOnce) {
  Limited limited(seconds(30));
  EXPECT_EQ(logged(Level::kInfo, [&] { limited.write(Level::kWarning, "lost", Time{}); }),
            "warning: lost\n");
}

TEST(Limited, WritesOneAPeriodAndSaysHowManyWereLeftOut) {
  Limited limited(seconds(30));
  const std::string text = logged(Level::kInfo, [&] {
    for (const int second : {0, 1, 29, 30, 31, 60, 90})
      limited.write(Level::kWarning, "lost", Time(seconds(1000 + second)));
  });
  EXPECT_EQ(text,
            "warning: lost\n"
            "warning: lost (2 more since the last such line)\n"
            "warning: lost (1 more since the last such line)\n"
            "warning: lost\n");
}

TEST(Limited, ABurstIsWrittenBeforeAnythingIsLeftOut) {
  Limited limited(seconds(60), 3);
  const std::string text = logged(Level::kInfo, [&] {
    for (const int second : {0, 1, 2, 3, 59, 60, 61})
      limited.write(Level::kNotice, "lost", Time(seconds(1000 + second)));
  });
  EXPECT_EQ(text,
            "notice: lost\nnotice: lost\nnotice: lost\n"
            "notice: lost (2 more since the last such line)\nnotice: lost\n");
}

TEST(LimitedKinds, LinesThatAlternateAreLimitedEach) {
  LimitedKinds limited;
  const std::string text = logged(Level::kInfo, [&] {
    for (int second = 0; second < 10; ++second) {
      limited.write(Level::kWarning, "port " + std::to_string(40000 + second) + " refused",
                    Time(seconds(1000 + second)));
      limited.write(Level::kError, "no such user", Time(seconds(1000 + second)));
    }
  });
  EXPECT_EQ(text, "warning: port 40000 refused\nerror: no such user\n");
}

TEST(LimitedKinds, WhoMakesUpKindsDoesNotFillTheLogEither) {
  LimitedKinds limited;
  std::string name;
  const auto complain = [&](Time now) {
    name += 'x';
    limited.write(Level::kWarning, "unknown user " + name, now);
  };
  const auto lines_in = [&](Time now) {
    const std::string text = logged(Level::kInfo, [&] {
      for (int line = 0; line < 200; ++line)
        complain(now);
    });
    return std::ranges::count(text, '\n');
  };
  const Time now(seconds(1000));
  EXPECT_EQ(lines_in(now), static_cast<long>(LimitedKinds::kMost) + 1);
  EXPECT_EQ(lines_in(now), 0);
  EXPECT_GT(lines_in(now + seconds(30)), 1) << "those that rest make room";
}

TEST(Log, APipeThatNobodyReadsHoldsNobodyUpAndTheHoleIsTold) {
  constexpr int kLines = 20'000;
  lab::Pipe pipe;
  const lab::StandardErrorIs it(pipe.writer.get());
  ASSERT_TRUE(start(Target::kStderr, Level::kNotice));
  for (int line = 0; line < kLines; ++line)
    notice("line " + std::to_string(line));
  EXPECT_TRUE(catch_up()) << "somebody is to look again";
  ASSERT_TRUE(lab::eventually([&] {
    pipe.read();
    return !catch_up();
  }));
  notice("afterwards");
  const std::string& text = pipe.read();
  const auto lines = std::ranges::count(text, '\n');
  EXPECT_GT(lines, 1000);
  EXPECT_THAT(text, HasSubstr("\nwarning: here " + std::to_string(kLines - lines + 2) +
                              " lines are missing from the log: nobody took them in time\n"
                              "notice: afterwards\n"));
}

TEST(Log, ItEndsSoonThoughNobodyReads) {
  lab::Pipe pipe;
  const lab::StandardErrorIs it(pipe.writer.get());
  ASSERT_TRUE(start(Target::kStderr, Level::kNotice));
  for (int line = 0; line < 1000; ++line)
    notice("line " + std::to_string(line));
  finish(std::chrono::milliseconds(50));
  EXPECT_TRUE(catch_up());
  std::thread reader([&] {
    lab::eventually([&] { return pipe.read().find("line 999\n") != std::string::npos; });
  });
  finish(lab::kPatience);
  reader.join();
  EXPECT_FALSE(catch_up());
  EXPECT_EQ(std::ranges::count(pipe.read(), '\n'), 1000);
}

TEST(Log, AMessageWithoutEndIsCut) {
  const std::string text = logged(Level::kInfo, [] { info(std::string(100'000, 'x')); });
  EXPECT_EQ(text, "info: " + std::string(8192, 'x') + '\n');
}

// A process of its own, for the state before start() does not come back.
TEST(LogDeathTest, BeforeStartNoticesGoToStderrAndInfoNowhere) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        info("unseen");
        notice("seen");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "^notice: seen\n$");
}

}  // namespace
}  // namespace tcpmibd::log
