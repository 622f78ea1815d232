#include "agent/commands/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tcp/life_cycle.h"

namespace tcpmibd::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using tcp::Stage;
using tcp::State;

// Where the lines break does not matter to most tests.
std::string in_one_line(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;)
    line += (line.empty() ? "" : " ") + word;
  return line;
}

TEST(LifeCycle, HasEveryStateInTheOrderOfTheMib) {
  ASSERT_EQ(tcp::life_cycle().size(), tcp::kStateCount);
  for (const tcp::StateNames& names : tcp::kStates)
    EXPECT_EQ(tcp::stage_of(names.state).state, names.state);
}

TEST(LifeCycle, LeavesNothingUnsaidOfAnyState) {
  for (const Stage& stage : tcp::life_cycle()) {
    for (const std::string_view text : {stage.meaning, stage.who, stage.got_here, stage.peer,
                                        stage.waits_for, stage.normal, stage.fault, stage.cure})
      EXPECT_TRUE(text.ends_with('.')) << as_prose(stage.state) << ": " << text;
    EXPECT_FALSE(stage.commands.empty()) << as_prose(stage.state);
    EXPECT_FALSE(stage.transitions.empty()) << as_prose(stage.state);
  }
}

TEST(LifeCycle, EveryStateIsReachedFromClosed) {
  std::set<State> reached = {State::kClosed};
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const Stage& stage : tcp::life_cycle()) {
      for (const tcp::Transition& transition : stage.transitions) {
        if (transition.next && reached.contains(stage.state))
          reached.insert(*transition.next);
      }
    }
  }
  EXPECT_EQ(reached.size(), tcp::kStateCount);
}

TEST(LifeCycle, EveryConnectionCanEnd) {
  for (const Stage& stage : tcp::life_cycle()) {
    const bool ends = std::ranges::any_of(
        stage.transitions, [](const tcp::Transition& transition) { return !transition.next; });
    EXPECT_EQ(ends, stage.state != State::kClosed) << as_prose(stage.state);
  }
}

TEST(LifeCycle, ThePictureNamesEveryStateWithItsNumber) {
  for (const tcp::StateNames& names : tcp::kStates)
    EXPECT_THAT(std::string(tcp::life_cycle_diagram()),
                HasSubstr(as_prose(names.state) + " (" +
                          std::to_string(static_cast<int>(names.state)) + ")"));
}

TEST(Explain, GivesEveryNameOfTheStateAndWhatToDo) {
  for (const tcp::StateNames& names : tcp::kStates) {
    const std::string text = explain(names.state);
    for (const std::string_view name :
         {names.mib, names.rfc, names.ss, names.netstat, names.windows})
      EXPECT_THAT(text, HasSubstr(std::string(name) + " (")) << name;
    EXPECT_THAT(text, AllOf(HasSubstr("Waits for"), HasSubstr("A fault"), HasSubstr("What to do"),
                            HasSubstr("What comes next")));
  }
}

TEST(Explain, CloseWaitBlamesTheLocalProgramAndTellsItsTwoKindsApart) {
  const std::string text = in_one_line(explain(State::kCloseWait));
  EXPECT_THAT(text, AllOf(HasSubstr("the local program has not closed yet"),
                          HasSubstr("several processes that share the socket"),
                          HasSubstr("innocent"), HasSubstr("Receive queue at least 1"),
                          HasSubstr("Receive queue 0"), HasSubstr("tcpmibd show --state closeWait"),
                          HasSubstr("ss -tanp state close-wait")));
}

TEST(Explain, NamesTheTimesOfTimeWaitAndFinWait2) {
  EXPECT_THAT(in_one_line(explain(State::kTimeWait)),
              AllOf(HasSubstr("four minutes"), HasSubstr("60 seconds"), HasSubstr("time left")));
  EXPECT_THAT(in_one_line(explain(State::kFinWait2)),
              AllOf(HasSubstr("net.ipv4.tcp_fin_timeout"), HasSubstr("60 seconds")));
}

TEST(Explain, FitsATerminalOfEightyColumns) {
  std::string all = explain_all(false);
  for (const tcp::StateNames& names : tcp::kStates)
    all += explain(names.state);
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 79U) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

TEST(Explain, ColourIsAskedFor) {
  EXPECT_THAT(explain_all(false) + explain(State::kListen), Not(HasSubstr("\x1b")));
  EXPECT_THAT(explain_all(true), HasSubstr("\x1b[1m"));
  EXPECT_THAT(explain(State::kListen, true), HasSubstr("\x1b[1m"));
}

TEST(Explain, TheWholeSaysThatDeleteTcbIsNeverRead) {
  EXPECT_THAT(explain_all(false), AllOf(HasSubstr("deleteTCB(12)"), HasSubstr("never read")));
}

}  // namespace
}  // namespace tcpmibd::agent
