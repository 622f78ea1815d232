#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "fault/holdings.h"
#include "support/effort.h"
#include "system/deleting.h"
#include "system/scripted.h"

// A master misbehaves at one step of a session: it is slow, silent, does things in another order,
// or vanishes. The daemon serves it or the next one, ends nothing that it was not told to, and
// holds no more than before.

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using agentx::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;

// ---- Steps ----

// What the session has come to when the master misbehaves.
enum class Step : std::uint8_t {
  kOpen,
  kCapabilities,
  kFirstRegister,
  kMiddleRegister,
  kLastRegister,
  kGet,
  kGetNext,
  kGetBulk,
  kTestSet,
  kCommitSet,
  kUndoSet,
  kCleanupSet,
};

constexpr std::array<const char*, 12> kStepNames{
    "Open",    "AddAgentCaps", "FirstRegister", "MiddleRegister", "LastRegister", "Get",
    "GetNext", "GetBulk",      "TestSet",       "CommitSet",      "UndoSet",      "CleanupSet"};

bool is_of_opening(Step step) { return step <= Step::kLastRegister; }

enum class Manner : std::uint8_t { kSlow, kSilent, kReordering, kVanishing, kVanishingByReset };
constexpr std::array<const char*, 5> kMannerNames{"Slow", "Silent", "Reordering", "Vanishing",
                                                  "VanishingByReset"};

struct Case {
  Step step;
  Manner manner;
};

std::string name_of(const Case& which) {
  return std::string(kMannerNames.at(static_cast<std::size_t>(which.manner))) + "At" +
         kStepNames.at(static_cast<std::size_t>(which.step));
}

std::ostream& operator<<(std::ostream& stream, const Case& which) {
  return stream << name_of(which);
}

// ---- The scene ----

// A daemon, and a master that misbehaves once.
class Encounter {
 public:
  Encounter(const Namespace& space, const Case& which)
      : case_(which),
        service_(over_loopback(space), 4),
        agent_(
            space, {.settings = {"agentx.ping=1s", "snapshot.max-age=10ms"}},
            which.manner == Manner::kVanishingByReset ? Transport::kOverTcp : Transport::kOverUnix),
        session_(agent_.attend()),
        requests_(session_.requests().size()) {
    session_.ask(everything());
    before_ = held_by(agent_.daemon().process());
  }

  void misbehave() {
    is_of_opening(case_.step) ? misbehave_while_opening() : misbehave_while_serving();
  }

  // That the daemon has not waited for it, and serves it or the next one as if nothing had been.
  void expect_served_and_nothing_left();

 private:
  static Pdu everything() { return agentx::get_bulk(0, 500, {{.start = oid_of("1.3")}}); }

  Pdu set() const {
    std::vector<SetRequest> both;
    for (const std::size_t number : {0U, 1U})
      both.push_back(
          deletion(connection_cell(kStateColumn, service_.pairs()[number].server.ends())));
    return agentx::test_set(kTransaction, both);
  }

  // What is sent at `step`.
  Pdu request_at(Step step) const {
    const std::vector<agentx::Range> range{{.start = kConnectionState}};
    switch (step) {
      case Step::kGet:
        return ask_for_rto_min();
      case Step::kGetNext:
        return agentx::get_next(range);
      case Step::kTestSet:
        return set();
      case Step::kCommitSet:
        return agentx::phase(Type::kCommitSet, kTransaction);
      case Step::kUndoSet:
        return agentx::phase(Type::kUndoSet, kTransaction);
      case Step::kCleanupSet:
        return agentx::phase(Type::kCleanupSet, kTransaction);
      default:
        return everything();
    }
  }

  // The phases of a Set that come before `step`.
  void lead_to(Step step) {
    if (step > Step::kTestSet) {
      EXPECT_EQ(session_.ask(set()).error, agentx::kNoError);
    }
    if (step > Step::kCommitSet) {
      EXPECT_EQ(session_.ask(request_at(Step::kCommitSet)).error, agentx::kNoError);
    }
  }

  // The number of the daemon's request at which the master misbehaves, from 1.
  std::size_t number_of(Step step) const {
    switch (step) {
      case Step::kOpen:
        return 1;
      case Step::kCapabilities:
        return 2;
      case Step::kFirstRegister:
        return 3;
      case Step::kMiddleRegister:
        return requests_ / 2;
      default:
        return requests_;
    }
  }

  void leave() { case_.manner == Manner::kVanishingByReset ? session_.reset() : session_.close(); }

  void misbehave_while_opening();
  void misbehave_while_serving();
  void expect_an_end();
  void expect_nothing_leaked();
  void expect_ends_as_told() const;

  static constexpr std::uint32_t kTransaction = 4711;
  static constexpr milliseconds kSlow{200};

  Case case_;
  Service service_;
  Scripted agent_;
  MasterSession session_;
  std::size_t requests_;  // from Open to the last Register
  Holdings before_;
};

// The master goes, and misbehaves when it is called again.
void Encounter::misbehave_while_opening() {
  session_.close();
  session_ = agent_.take();
  for (std::size_t number = 1; number < number_of(case_.step); ++number)
    ASSERT_TRUE(session_.serve_one(kGreatPatience)) << "no request " << number;
  const std::optional<Pdu> request = session_.receive(kGreatPatience);
  ASSERT_TRUE(request) << agent_.log();
  switch (case_.manner) {
    case Manner::kSlow:
      quiet_for(kSlow, [] { return false; });
      session_.answer(*request);
      break;
    case Manner::kSilent:
      session_.manners.verdict = [](const Pdu&) { return std::nullopt; };
      break;
    case Manner::kReordering: {
      // A question first, then the answer to what was never asked, then the right one twice.
      session_.begin(ask_for_rto_min());
      Pdu stray = *request;
      stray.packet += 1'000;
      session_.answer(stray);
      session_.answer(*request);
      session_.answer(*request);
      break;
    }
    default:
      leave();
  }
}

void Encounter::misbehave_while_serving() {
  const Step step = case_.step;
  lead_to(step);
  const agentx::Bytes bytes = agentx::encode([&] {
    Pdu request = request_at(step);
    request.session = session_.manners.session;
    request.packet = 900'000;
    return request;
  }());
  switch (case_.manner) {
    case Manner::kSlow:
      session_.send_in_pieces(bytes);
      break;
    case Manner::kSilent:
      // The request comes by half, and nothing after it: our ping is not answered.
      session_.send(agentx::Bytes(bytes.begin(), bytes.begin() + 12));
      session_.manners.verdict = [](const Pdu&) { return std::nullopt; };
      break;
    case Manner::kReordering:
      // Every phase once more, from the last to the first, then the request twice.
      for (const Type type : {Type::kCleanupSet, Type::kUndoSet, Type::kCommitSet})
        session_.begin(agentx::phase(type, kTransaction + 1));
      session_.send(bytes);
      session_.send(bytes);
      break;
    default:
      session_.send(bytes);
      leave();
  }
}

// What comes with a session goes with it, and so do the transactions that it had open.
void Encounter::expect_nothing_leaked() {
  Holdings now{};
  const auto is_back = [&] {
    now = held_by(agent_.daemon().process());
    return now.are_within(before_);
  };
  EXPECT_TRUE(session_.serve_until(is_back)) << now << ", before " << before_;
  if (case_.manner == Manner::kVanishing || case_.manner == Manner::kVanishingByReset ||
      case_.manner == Manner::kSilent) {
    EXPECT_EQ(session_.ask(agentx::phase(Type::kCommitSet, kTransaction)).error,
              agentx::kProcessingError)
        << "a transaction outlives its session";
  }
}

// Both connections of a Set or none, and both only where it was committed.
void Encounter::expect_ends_as_told() const {
  const auto& pairs = service_.pairs();
  const bool first = talks(pairs[0]), second = talks(pairs[1]);
  EXPECT_EQ(first, second) << "half a Set";
  const bool may_be_committed = case_.step >= Step::kCommitSet;
  EXPECT_TRUE(first || may_be_committed) << "it was never told to end them";
  service_.expect_alive({&pairs[0], &pairs[1]});
}

// Of a master that says nothing: the daemon must give it up.
void Encounter::expect_an_end() {
  EXPECT_TRUE(session_.serve_until([&] { return session_.has_ended(); }, kGreatPatience))
      << "it waits for ever";
}

void Encounter::expect_served_and_nothing_left() {
  if (case_.manner == Manner::kSilent)
    expect_an_end();
  EXPECT_TRUE(agent_.obeys_hangup(session_)) << agent_.log();
  if (session_.has_ended())
    session_ = agent_.attend();
  expect_served(agent_, session_);
  expect_nothing_leaked();
  expect_ends_as_told();
  EXPECT_EQ(agent_.terminate(session_), 0) << agent_.log();
}

// ---- The tests ----

class MasterStep : public ScriptedTest, public testing::WithParamInterface<Case> {};

TEST_P(MasterStep, TheMasterIsServedAndNothingIsLeft) {
  const Namespace space;
  Encounter encounter(space, GetParam());
  encounter.misbehave();
  encounter.expect_served_and_nothing_left();
}

std::vector<Case> cases_of(const std::vector<Manner>& manners) {
  std::vector<Case> all;
  for (std::size_t step = 0; step < kStepNames.size(); ++step) {
    for (const Manner manner : manners)
      all.push_back({static_cast<Step>(step), manner});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Each, MasterStep,
                         testing::ValuesIn(cases_of({Manner::kSlow, Manner::kReordering,
                                                     Manner::kVanishing,
                                                     Manner::kVanishingByReset})),
                         [](const auto& of) { return name_of(of.param); });

class SilentMaster : public ScriptedTest {};

// Side by side, for a daemon has patience for seconds.
TEST_F(SilentMaster, IsLeftAtEveryStepAndNothingIsLeft) {
  const Namespace space;
  const std::vector<Case> cases = cases_of({Manner::kSilent});
  std::deque<Encounter> encounters;
  for (const Case& which : cases)
    encounters.emplace_back(space, which);
  for (Encounter& encounter : encounters)
    encounter.misbehave();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(name_of(cases[i]));
    encounters[i].expect_served_and_nothing_left();
  }
}

// ---- Restarts ----

// Daemons side by side, for each waits a second before it calls again.
class MasterRestarts : public ScriptedTest {
 protected:
  struct Attended {
    Attended(const Namespace& space, Transport transport)
        : agent(space, {}, transport), session(agent.attend()) {}

    void expect_served_anew() {
      session = agent.attend();
      expect_served(agent, session);
    }

    void note() {
      held = held_by(agent.daemon().process());
      memory = agent.memory();
    }

    void expect_no_more() {
      constexpr long kNoise = 2L * 1'024;  // KiB
      EXPECT_TRUE(eventually([&] { return held_by(agent.daemon().process()).are_within(held); }))
          << held_by(agent.daemon().process()) << ", before " << held;
      EXPECT_LE(agent.memory(), memory + kNoise);
    }

    Scripted agent;
    MasterSession session;
    Holdings held{};
    long memory = 0;
  };

  // In the middle of a read, and of a thousand sessions with and without a reset.
  static void leave(Attended& attended, std::size_t restart) {
    attended.session.begin(agentx::get_next({{.start = kConnectionState}}));
    restart % 2 == 0 ? attended.session.close() : attended.session.reset();
  }
};

TEST_F(MasterRestarts, LeaveNothingBehindHoweverManyThereAre) {
  const std::size_t agents_count = is_long() ? 20 : 6;
  const std::size_t restarts = is_long() ? 50 : 6;  // a thousand, or some dozens
  constexpr std::size_t kWarm = 2;
  const Namespace space;
  std::deque<Attended> all;
  for (std::size_t i = 0; i < agents_count; ++i)
    all.emplace_back(space, i % 2 == 0 ? Transport::kOverUnix : Transport::kOverTcp);
  for (std::size_t restart = 0; restart < restarts && !HasFailure(); ++restart) {
    SCOPED_TRACE("restart " + std::to_string(restart));
    for (std::size_t i = 0; i < agents_count; ++i)
      leave(all[i], restart + i);
    for (Attended& attended : all)
      attended.expect_served_anew();
    if (restart == kWarm)
      std::ranges::for_each(all, &Attended::note);
  }
  std::ranges::for_each(all, &Attended::expect_no_more);
}

}  // namespace
}  // namespace tcpmibd::lab
