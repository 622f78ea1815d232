#include "agent/daemon.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "support/fake_names.h"
#include "support/fakes.h"

// The joined parts of a running agent, over a kernel made of vectors and with a role that has one
// question of its own: no netlink, no master, no SNMP library.

namespace tcpmibd::agent {
namespace {

using namespace lab;

// What came of the one question.
struct Asked {
  std::vector<std::string_view> served;
  std::vector<Answer::Kind> answers;
  std::optional<snmp::Cell> cell;
};

// Asks for the first connection until it is answered, and then has no more sense in going on.
class OneQuestion final : public Role {
 public:
  OneQuestion(Signals& signals, ReadTarget& reads, Asked& asked)
      : Role(signals), reads_(reads), asked_(asked) {}

  Start start() override { return {}; }
  bool is_serving() const override { return !asked_.cell; }
  Standing standing() const override { return {.serving = is_serving(), .text = "asking"}; }
  Time uptime_zero() const override { return {}; }
  void repeat(std::optional<Duration>, std::function<void()>) override {}
  bool notify(const tables::Notification&) override { return true; }

 private:
  void begin(const Events&) override {}
  void end() override {}

  Status settle() override {
    if (asked_.cell)
      return failure("go on, for all is answered");
    return {};
  }

  void wait(const Events& events, bool, std::optional<Duration>) override {
    const tables::Managed& table = managed("tcpConnectionTable");
    const snmp::Oid root = table.root();
    const Answer answer = reads_.read({.kind = Read::Kind::kNext,
                                       .object = table,
                                       .name = root.view(),
                                       .transaction = {.id = 1},
                                       .arrived = arrived_,
                                       .now = Clock::now()});
    asked_.answers.push_back(answer.kind);
    asked_.cell = answer.cell;
    pollfd news{.fd = events.news, .events = POLLIN, .revents = 0};
    if (answer.kind == Answer::Kind::kLater && ::poll(&news, 1, 10'000) == 1)
      events.on_news();
  }

  ReadTarget& reads_;
  Asked& asked_;
  const Time arrived_ = Clock::now();
};

class FakeKernelSide {
 public:
  KernelSide side() {
    return {.dumps = dumps_,
            .lookups = lookups_,
            .destroyer = destroyer_,
            .processes = processes_,
            .names = names_,
            .counters = counters_,
            .pressure = pressure_,
            .units = units_,
            .own_connections = [] { return std::vector<tcp::Ends>(); }};
  }

 private:
  FakeSocketSource dumps_{{established("10.0.0.1:22", "10.0.0.9:4711")}};
  FakeSocketSource lookups_;
  FakeSocketDestroyer destroyer_{{&dumps_}};
  FakeProcessLookup processes_;
  FakeProcessNames names_;
  FakeCounterSource counters_;
  FakePressureSource pressure_;
  FakeUnitLookup units_;
};

ExitStatus serve_one_question(Config config, Asked& asked) {
  FakeKernelSide kernel;
  EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
  testing::internal::CaptureStderr();  // why there is no sense in going on
  const ExitStatus status = serve(
      kernel.side(), config, [&] { return config; },
      [&](Signals& signals, const Config&, std::span<const tables::Managed* const> objects,
          ReadTarget& reads, WriteTarget&) -> MadeRole {
        for (const tables::Managed* object : objects)
          asked.served.push_back(object->name());
        return {std::make_unique<OneQuestion>(signals, reads, asked)};
      });
  testing::internal::GetCapturedStderr();
  return status;
}

TEST(DaemonTest, ServesAReadFromAKernelAndToARoleThatAreNone) {
  Asked asked;
  EXPECT_EQ(serve_one_question({}, asked), ExitStatus::kFailed) << "as the role says at last";
  EXPECT_THAT(asked.served, testing::Contains("tcpConnectionTable"));
  EXPECT_THAT(asked.answers, testing::ElementsAre(Answer::Kind::kLater, Answer::Kind::kValue));
  ASSERT_TRUE(asked.cell);
  EXPECT_EQ(asked.cell->name, tcp_oid("19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711"));
  EXPECT_EQ(asked.cell->value, snmp::Value(snmp::Integer{5}));
}

}  // namespace
}  // namespace tcpmibd::agent
