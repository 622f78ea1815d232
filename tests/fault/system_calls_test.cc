#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fault/faulty_agent.h"
#include "fault/holdings.h"
#include "support/crowd.h"
#include "support/effort.h"
#include "system/system_test.h"

// Each system call that a daemon makes fails, one at a time: the first of its kind, the second, and
// so on to the last that the scene makes (docs/decisions/0037). Either the daemon serves on, says
// that it cannot where it cannot, and serves as before afterwards; or it does not start, and says
// why.

namespace tcpmibd::lab {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// ---- What is right ----

// The names that are to be shown, with what.
using Rows = std::map<Oid, std::string>;

// An agent, connections that it is asked about, and what it takes when nothing has failed.
class Scene {
 public:
  Scene(Role role, const FaultInjector& injector)
      : role_(role),
        injector_(injector),
        crowd_(space_, role == Role::kSubagent ? kCrowd : 0),
        service_(over_loopback(space_), 3) {
    for (const Pair& pair : service_.pairs()) {
      established_[connection_cell(kStateColumn, pair.server.ends())] = kEstablished;
      established_[connection_cell(kStateColumn, pair.client.ends())] = kEstablished;
      owners_[connection_cell(kProcessColumn, pair.server.ends())] = std::to_string(::getpid());
    }
  }

  // A fresh agent, and whether it serves. The one before has ended when it is there.
  bool start() {
    agent_.reset();
    agent_ = start_agent(role_, space_, injector_);
    return agent_->attend();
  }

  FaultyAgent& agent() { return *agent_; }
  Daemon& daemon() { return agent_->daemon(); }
  bool runs() { return daemon().process().running(); }
  Service& service() { return service_; }

  // Of what is done now: whether a call of that kind has failed, or any.
  bool has_failed(std::string_view call) const {
    return injector_.failed() != nullptr && injector_.failed()->name == call;
  }
  bool has_failed() const { return injector_.failed() != nullptr; }

  // That it shows what is there now, by itself and before long, and holds no more than `most`.
  void expect_right(const Holdings& most) {
    EXPECT_TRUE(eventually([&] { return shows(kConnectionState, established_); }))
        << daemon().log();
    EXPECT_TRUE(eventually([&] { return shows(kConnectionProcess, owners_); }, kGreatPatience))
        << daemon().log();
    EXPECT_TRUE(eventually([&] { return !lacks(agent_->walk(kTcp), {{kTcpRtoMin, "200"}}); }));
    EXPECT_TRUE(eventually([&] { return held_by(daemon().process()).are_within(most); }))
        << held_by(daemon().process()) << ", before " << most;
  }

  // Never a part of the rows for all of them: either right or refused.
  void expect_right_or_refused() {
    const Answer answer = agent_->walk(kConnectionState);
    EXPECT_FALSE(answer.ok() && lacks(answer, established_)) << "rows are missing, and no error";
    EXPECT_TRUE(answer.ok() || has_failed()) << answer.error;
  }

 private:
  static bool lacks(const Answer& answer, const Rows& wanted) {
    if (!answer.ok())
      return true;
    return std::ranges::any_of(wanted, [&](const auto& row) {
      return std::ranges::none_of(answer.varbinds, [&](const Varbind& shown) {
        return shown.oid == row.first && shown.value == row.second;
      });
    });
  }

  bool shows(const Oid& column, const Rows& wanted) { return !lacks(agent_->walk(column), wanted); }

  Role role_;
  const FaultInjector& injector_;
  // So many that the kernel tells of them in several blocks, of which any may be lost, and so few
  // that one answer of a subagent holds their states. Over SNMP so many take too long to walk.
  static constexpr unsigned kCrowd = 400;

  Namespace space_;
  Crowd crowd_;
  Service service_;
  Rows established_, owners_;
  std::unique_ptr<FaultyAgent> agent_;
};

// ---- Acts ----

void read_everything(Scene& scene) {
  scene.expect_right_or_refused();
  for (const Oid& root : {kTcp, kArc, kConnectionProcess})
    scene.agent().walk(root);
}

// Two connections in one Set: both or neither, unless the answer tells that it broke off.
void end_two(Scene& scene) {
  const std::array pairs{scene.service().join(), scene.service().join()};
  std::vector<SetRequest> both;
  for (const Pair& pair : pairs)
    both.push_back(deletion(connection_cell(kStateColumn, pair.server.ends())));
  const SetOutcome outcome = scene.agent().set(both);
  const auto alive = std::ranges::count_if(pairs, talks);
  EXPECT_TRUE(outcome == SetOutcome::kDone || scene.has_failed());
  EXPECT_FALSE(outcome == SetOutcome::kDone && alive != 0) << "it is said to be done";
  EXPECT_FALSE(outcome == SetOutcome::kRefused && alive != 2) << "it is said to be refused";
}

// The word of it may be what could not be written.
void reload_configuration(Scene& scene) {
  const auto answers = [&] {
    return count_of("the configuration has been read again", scene.daemon().log()) +
           count_of("the old configuration stays in force", scene.daemon().log());
  };
  const long before = answers();
  scene.daemon().process().signal(SIGHUP);
  EXPECT_TRUE(eventually([&] {
    return answers() > before || !scene.runs() || scene.has_failed("write");
  })) << "no word of it";
}

void lose_the_master(Scene& scene) { scene.agent().reconnect(); }

struct Act {
  const char* name;
  Role role;
  void (*play)(Scene&);  // null: it is started
  std::size_t few;       // that many faults where not all are tried
};

std::ostream& operator<<(std::ostream& stream, const Act& act) { return stream << act.name; }

constexpr std::size_t kAll = 1'000'000;

const Act kActs[] = {
    {"AtTheStartOfASubagent", Role::kSubagent, nullptr, 45},
    {"AtTheStartOfAnAgentOfItsOwn", Role::kStandalone, nullptr, 45},
    {"WhileASubagentIsRead", Role::kSubagent, read_everything, 30},
    {"WhileAnAgentOfItsOwnIsRead", Role::kStandalone, read_everything, 20},
    {"InASetOfASubagent", Role::kSubagent, end_two, kAll},
    {"InASetOfAnAgentOfItsOwn", Role::kStandalone, end_two, 10},
    {"WhenASubagentReadsItsConfigurationAgain", Role::kSubagent, reload_configuration, 10},
    {"WhenAnAgentOfItsOwnReadsItsConfigurationAgain", Role::kStandalone, reload_configuration, 10},
    {"WhenTheMasterGoesAndComesBack", Role::kSubagent, lose_the_master, 10},
};

// ---- Faults ----

// Each of them, or each of the kind that was chosen.
std::vector<Fault> faults_of(const std::map<const FaultyCall*, unsigned>& counts) {
  std::vector<Fault> all;
  for (const FaultyCall& call : kFaultyCalls) {
    if (!chosen_call().empty() && chosen_call() != call.name)
      continue;
    const auto found = counts.find(&call);
    for (unsigned nth = 1; found != counts.end() && nth <= found->second; ++nth)
      all.push_back({&call, nth});
  }
  return all;
}

// All, or `few` that lie evenly among them.
std::vector<Fault> to_be_tried(const std::vector<Fault>& all, std::size_t few) {
  if (is_long() || !chosen_call().empty() || all.size() <= few)
    return all;
  std::vector<Fault> some;
  for (std::size_t i = 0; i < few; ++i)
    some.push_back(all[i * all.size() / few]);
  return some;
}

// The lines of the log that are errors.
std::vector<std::string> errors_in(const std::string& log) {
  std::vector<std::string> errors = lines_with("cannot ", log);
  std::erase_if(errors, [](const std::string& line) {
    return !line.starts_with("error: ") && !line.starts_with("tcpmibd: ");
  });
  return errors;
}

constexpr const char* kNoMemory = "error: cannot go on: there is no memory left\n";

class SystemCallThatFails : public testing::TestWithParam<Act> {
 protected:
  void SetUp() override {
    if (const std::optional<std::string>& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
    if (const std::optional<std::string> reason = FaultInjector::skip_reason())
      GTEST_SKIP() << *reason;
  }

  // What all of them are tried in; the agent serves.
  void start() {
    ASSERT_TRUE(scene().start()) << scene().daemon().log();
    for (int i = 0; i < 2; ++i)
      play();
    most_ = held_by(scene().daemon().process());
    scene().expect_right(most_);
  }

  void play() {
    if (GetParam().play != nullptr)
      GetParam().play(scene());
  }

  std::map<const FaultyCall*, unsigned> count() {
    injector_.begin(std::nullopt);
    if (GetParam().play != nullptr)
      play();
    else
      EXPECT_TRUE(scene().start());
    return injector_.counts();
  }

  // Only memory is a reason to end; a service manager starts the daemon anew.
  void expect_an_end_without_memory(const Fault& fault) {
    EXPECT_EQ(fault.call->name, "mmap") << "it has ended: " << scene().daemon().log();
    EXPECT_EQ(scene().daemon().process().wait(), 1);
    EXPECT_THAT(scene().daemon().log(), HasSubstr(kNoMemory));
  }

  void expect_survived(const Fault& fault) {
    injector_.begin(fault);
    play();
    injector_.begin(std::nullopt);
    if (scene().runs()) {
      scene().expect_right(most_);
      play();
    } else {
      expect_an_end_without_memory(fault);
    }
    if (HasFailure() || !scene().runs()) {
      ASSERT_TRUE(scene().start()) << "even when nothing fails: " << scene().daemon().log();
    }
  }

  void expect_start_or_cause(const Fault& fault) {
    injector_.begin(fault);
    const bool serves = scene().start();
    injector_.begin(std::nullopt);
    if (serves) {
      scene().expect_right(most_);
      EXPECT_EQ(scene().agent().terminate(), 0) << scene().daemon().log();
    } else {
      EXPECT_EQ(scene().daemon().process().wait(), 1) << scene().daemon().log();
      EXPECT_THAT(errors_in(scene().daemon().log()), testing::SizeIs(1)) << scene().daemon().log();
    }
  }

  Scene& scene() { return scene_; }

 private:
  FaultInjector injector_;
  Scene scene_{GetParam().role, injector_};
  Holdings most_;
};

TEST_P(SystemCallThatFails, IsSurvivedOrEndsTheStart) {
  start();
  const std::vector<Fault> all = faults_of(count());
  const std::vector<Fault> tried = to_be_tried(all, GetParam().few);
  std::cout << GetParam() << ": " << tried.size() << " faults of " << all.size() << std::endl;
  for (const Fault& fault : tried) {
    SCOPED_TRACE(testing::PrintToString(fault));
    if (GetParam().play != nullptr)
      expect_survived(fault);
    else
      expect_start_or_cause(fault);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, SystemCallThatFails, testing::ValuesIn(kActs),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace tcpmibd::lab
