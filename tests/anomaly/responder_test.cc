#include "agent/serve/responder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "support/deadline.h"
#include "support/questioner.h"

// The Nth call of one source fails, for every N: what is answered is right or an error, never
// old, and all is well again afterwards.

namespace tcpmibd::agent {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using snmp::Oid;
using tcp::State;

const std::vector<tcp::Socket> kBefore = {
    established("10.0.0.1:22", "10.0.0.9:1", {.inode = 11}),
    established("10.0.0.1:22", "10.0.0.9:2", {.inode = 12}),
    listener("0.0.0.0:22", {.inode = 13}),
};
const std::vector<tcp::Socket> kAfter = {
    established("10.0.0.1:22", "10.0.0.9:1", {.state = State::kCloseWait, .inode = 11}),
    established("10.0.0.1:22", "10.0.0.9:3", {.state = State::kTimeWait}),
    listener("0.0.0.0:23", {.inode = 14}),
};
const std::vector<tcp::Holder> kHolders = {{11, 1100}, {12, 1200}, {13, 1300}, {14, 1400}};

// Snapshots may never be reused; process maps may, for a second must pass between two.
constexpr Ages kAges{.snapshot = 0s, .processes = 1h};

constexpr const char* kGets[] = {
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.1",
    "19.1.8.1.4.10.0.0.1.22.1.4.10.0.0.9.1",
    "19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.2",
    "13.1.1.10.0.0.1.22.10.0.0.9.3",
    "13.1.1.0.0.0.0.23.0.0.0.0.0",
    "20.1.4.1.4.0.0.0.0.22",
    "20.1.4.1.4.0.0.0.0.23",
    "5.0",
    "18.0",
};

const std::string kFailed = "failed";

// What was asked, with what was answered.
using Transcript = std::map<std::string, std::string>;

// Every table walked by a PDU of its own, until its end or a failure, then every GET.
Transcript ask_everything(Questioner& agent) {
  Transcript transcript;
  for (const char* table : {"tcpConnTable", "tcpConnectionTable", "tcpListenerTable"}) {
    const auto pdu = agent.pdu();
    Answer answer{Answer::Kind::kValue, {}};
    for (Oid name = managed(table).root(); answer.kind == Answer::Kind::kValue;) {
      answer = agent.next_settled(managed(table), name, pdu);
      transcript["next " + name.text()] = testing::PrintToString(answer);
      if (answer.cell)
        name = answer.cell->name;
    }
  }
  for (const char* name : kGets) {
    const Answer answer = agent.get_settled(tcp_oid(name), agent.pdu());
    // A counter tells only how often it was read.
    const bool counter = answer.cell && answer.cell->name.size() == 9;
    transcript[std::string("get ") + name] = counter ? "value" : testing::PrintToString(answer);
  }
  return transcript;
}

Transcript truth() {
  Questioner agent(kAfter, kAges, kHolders);
  return ask_everything(agent);
}

// An agent that has rows of before at hand, and a kernel that has others now.
struct Aged : Questioner {
  Aged() : Questioner(kBefore, kAges, kHolders) {
    const tables::Managed& table = managed("tcpConnectionTable");
    EXPECT_EQ(next_settled(table, table.root(), pdu()).kind, Answer::Kind::kValue);
    set(kAfter);
    EXPECT_TRUE(eventually([&] {
      return Clock::now() - responder->stock().snapshot()->taken_at() >
             5 * responder->stock().snapshot()->took();
    }));
  }
};

struct Source {
  const char* name;
  Faults& (*faults)(Questioner&);
  bool fails_requests;  // Without process numbers a request is still answered: 0 is "unknown".
};

constexpr Source kSources[] = {
    {"Dumps", [](Questioner& agent) -> Faults& { return agent.dumps.faults(); }, true},
    {"Lookups", [](Questioner& agent) -> Faults& { return agent.lookups.faults(); }, true},
    {"Counters", [](Questioner& agent) -> Faults& { return agent.counters.faults(); }, true},
    {"Processes", [](Questioner& agent) -> Faults& { return agent.processes.faults(); }, false},
};

void PrintTo(const Source& source, std::ostream* out) { *out << source.name; }

int calls_needed(const Source& source) {
  Aged agent;
  const int before = source.faults(agent).calls();
  ask_everything(agent);
  return source.faults(agent).calls() - before;
}

class EveryFailure : public testing::TestWithParam<Source> {
 protected:
  // Each answer is the truth or a failure; a process may be unknown where look-ups failed.
  void expect_truth_or_failure(const Transcript& transcript) {
    for (const auto& [question, answer] : transcript) {
      const bool unknown_process = !GetParam().fails_requests && answer.ends_with("= Gauge32 0");
      const auto true_answer = truth_.find(question);
      ASSERT_NE(true_answer, truth_.end()) << question << " came of an answer that is not true";
      EXPECT_TRUE(answer == kFailed || unknown_process || answer == true_answer->second)
          << question << ": " << answer << " instead of " << true_answer->second;
    }
  }

  const Transcript truth_ = truth();
};

TEST_P(EveryFailure, IsToldAndNeverCoveredWithOldRows) {
  const Source& source = GetParam();
  const int calls = calls_needed(source);
  ASSERT_GT(calls, 0);
  for (int n = 1; n <= calls; ++n) {
    SCOPED_TRACE(std::string(source.name) + " " + std::to_string(n));
    Aged agent;
    source.faults(agent).fail_nth(n);
    const Transcript transcript = ask_everything(agent);
    expect_truth_or_failure(transcript);
    const auto failed = std::ranges::count(transcript, kFailed, &Transcript::value_type::second);
    EXPECT_EQ(failed > 0, source.fails_requests);
  }
}

TEST_P(EveryFailure, IsOverWhenItsCauseIs) {
  const Source& source = GetParam();
  Aged agent;
  source.faults(agent).fail_always(true);
  expect_truth_or_failure(ask_everything(agent));
  source.faults(agent).fail_always(false);
  EXPECT_EQ(ask_everything(agent), truth_);
}

INSTANTIATE_TEST_SUITE_P(Of, EveryFailure, testing::ValuesIn(kSources),
                         [](const auto& source) { return source.param.name; });

TEST(EveryFailure, OfAllSourcesAtOnceIsSurvived) {
  Aged agent;
  for (const Source& source : kSources)
    source.faults(agent).fail_always(true);
  for (const auto& [question, answer] : ask_everything(agent))
    EXPECT_EQ(answer, kFailed) << question;
  for (const Source& source : kSources)
    source.faults(agent).fail_always(false);
  EXPECT_EQ(ask_everything(agent), truth());
}

}  // namespace
}  // namespace tcpmibd::agent
