#include "agent/serve/alarm_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/questioner.h"

namespace tcpmibd::agent {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using tcp::Measure;
using tcp::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Measure kCloseWaits{.state = State::kCloseWait};
constexpr Measure kPerUnit{.state = State::kCloseWait, .per = Measure::Per::kUnit};

class WatchTest : public testing::Test {
 protected:
  // The host has so many connections in CLOSE_WAIT.
  void leak(std::uint32_t count) {
    std::vector<tcp::Socket> sockets;
    for (std::uint32_t i = 1; i <= count; ++i)
      sockets.push_back(established("10.0.0.1:" + std::to_string(i), "10.0.0.9:1",
                                    {.state = State::kCloseWait, .inode = i, .cgroup = 7}));
    agent_.set(sockets);
  }

  // One interval, to its end.
  void watch(bool look_up_processes = true) {
    watch_.begin(look_up_processes);
    while (watch_.is_under_way() && !HasFatalFailure()) {
      agent_.await_news();
      watch_.on_news();
    }
    while (notifier_.is_busy())
      notifier_.on_turn();
  }

  // "1 leak", "2 leak": raised or cleared, and which.
  std::vector<std::string> take_sent() { return std::exchange(sent_, {}); }

  bool send(const tables::Notification& notification) {
    const auto& name = std::get<snmp::OctetString>(*notification.objects.front().value);
    sent_.push_back(std::to_string(notification.name.view().back()) + " " + name.octets);
    return true;
  }

  // The master goes, and comes back.
  void restart() {
    open_ = false;
    notifier_.on_turn();
    open_ = true;
    unconfirmed_ = 0;
    watch_.on_open();
    notifier_.on_turn();
  }

  std::vector<std::string> sent_;
  std::size_t unconfirmed_ = 0;
  bool open_ = true;
  Questioner agent_{{}, {.snapshot = 0s}, {{.inode = 1, .pid = 4711}}};
  NotificationQueue notifier_{
      {.is_open = [this] { return open_; },
       .send = [this](const auto& notification) { return send(notification); },
       .unconfirmed = [this] { return unconfirmed_; }}};
  AlarmWatch watch_{{*agent_.responder, *agent_.worker, agent_.pressure, agent_.names, notifier_},
                    agent_.alarms};
};

TEST_F(WatchTest, TellsAnAlarmOnceWhenItIsRaisedAndOnceWhenItIsCleared) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  for (const auto& [count, want] : std::vector<std::pair<std::uint32_t, std::vector<std::string>>>{
           {4, {}}, {5, {"1 leak"}}, {6, {}}, {5, {}}, {4, {"2 leak"}}, {0, {}}, {9, {"1 leak"}}}) {
    leak(count);
    watch();
    EXPECT_EQ(take_sent(), want) << count;
  }
}

TEST_F(WatchTest, LooksNoProcessesUpThatNoAlarmNeeds) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  for (const std::uint32_t count : {4u, 5u, 0u}) {
    leak(count);
    watch();
  }
  EXPECT_EQ(agent_.processes.faults().calls(), 0);
}

TEST_F(WatchTest, LooksProcessesUpToNameWhoIsBehindAnAlarm) {
  agent_.alarms.configure({alarm_rule("leak", kCloseWaits, 5)});
  leak(4);
  watch();
  EXPECT_EQ(agent_.processes.faults().calls(), 0) << "nobody is behind what is not raised";
  leak(5);
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
  EXPECT_EQ(agent_.alarms.all()[0].pid, 4711u);
  watch();
  EXPECT_EQ(agent_.processes.faults().calls(), 1) << "it is known by now";
}

TEST_F(WatchTest, LooksNoProcessesUpWhereItMayNot) {
  agent_.alarms.configure({alarm_rule("leak", kCloseWaits, 5)});
  leak(5);
  watch(false);
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
  EXPECT_EQ(agent_.alarms.all()[0].pid, 0u);
  EXPECT_EQ(agent_.processes.faults().calls(), 0);
}

TEST_F(WatchTest, JudgesWithoutNamesWhereTheLookUpFails) {
  agent_.alarms.configure({alarm_rule("leak", kCloseWaits, 5)});
  agent_.processes.faults().fail_always(true);
  leak(5);
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
  EXPECT_EQ(agent_.alarms.all()[0].pid, 0u);
}

TEST_F(WatchTest, JudgesNothingOfABadSnapshotAndGoesOnAtTheNextInterval) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(5);
  agent_.dumps.faults().fail_nth(1);
  watch_.begin(true);
  agent_.await_news();
  watch_.on_news();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), IsEmpty());
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
}

TEST_F(WatchTest, JudgesOnceAnInterval) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(0);
  watch();
  leak(5);
  agent_.responder->ask_for_survey(Clock::now());
  agent_.await_news();
  watch_.on_news();
  EXPECT_EQ(agent_.alarms.all()[0].value, 0u) << "somebody else's survey";
}

TEST_F(WatchTest, TellsAgainWhatIsRaisedWhenSomebodyListensAgain) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5), alarm_rule("more", kPerUnit, 50)});
  leak(5);
  open_ = false;
  watch();
  open_ = true;
  watch_.on_open();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
}

TEST_F(WatchTest, TellsAtLastWhatWasClearedWhileNobodyListened) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(5);
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
  open_ = false;
  leak(0);
  watch();
  open_ = true;
  watch_.on_open();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), ElementsAre("2 leak"));
  watch_.on_open();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), IsEmpty()) << "once";
}

TEST_F(WatchTest, ForgetsThatAnAlarmWasClearedThatIsRaisedAgain) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(5);
  watch();
  take_sent();
  open_ = false;
  for (const std::uint32_t count : {0u, 5u}) {
    leak(count);
    watch();
  }
  open_ = true;
  watch_.on_open();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
}

TEST_F(WatchTest, SaysNothingOfAnAlarmThatCameAndWentWhileNobodyListened) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  open_ = false;
  for (const std::uint32_t count : {5u, 0u}) {
    leak(count);
    watch();
  }
  open_ = true;
  watch_.on_open();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), IsEmpty());
}

TEST_F(WatchTest, TellsTheEndOfAnAlarmThatCameAndWentAgainWhileNobodyListened) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(5);
  watch();
  take_sent();
  open_ = false;
  for (const std::uint32_t count : {0u, 5u, 0u}) {
    leak(count);
    watch();
  }
  open_ = true;
  watch_.on_open();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), ElementsAre("2 leak"));
}

TEST_F(WatchTest, TellsAgainWhatTheMasterTookAndDidNotConfirm) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(5);
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
  leak(0);
  unconfirmed_ = 1;
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("2 leak"));
  restart();
  EXPECT_THAT(take_sent(), ElementsAre("2 leak"));
  notifier_.on_turn();
  restart();
  EXPECT_THAT(take_sent(), IsEmpty()) << "it has been confirmed";
}

TEST_F(WatchTest, TellsTheEndOfAnAlarmThatMayHaveBeenHeardOf) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  leak(5);
  unconfirmed_ = 1;
  watch();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
  open_ = false;
  notifier_.on_turn();
  leak(0);
  watch();
  restart();
  EXPECT_THAT(take_sent(), ElementsAre("2 leak"));
}

TEST_F(WatchTest, CountsTheOwnersOfItsOwnMoment) {
  agent_.alarms.configure({alarm_rule("leak", kCloseWaits, 5)});
  leak(5);
  agent_.processes.faults().hold();
  agent_.worker->want_owners();  // by somebody else, before
  ASSERT_TRUE(agent_.processes.faults().await_calls(1));
  watch_.begin(true);
  agent_.processes.faults().release();
  while (watch_.is_under_way()) {
    agent_.await_news();
    watch_.on_news();
  }
  EXPECT_EQ(agent_.alarms.all()[0].pid, 4711u);
}

TEST_F(WatchTest, WaitsForALookUpThatTakesLongerThanAnInterval) {
  agent_.alarms.configure({alarm_rule("leak", kCloseWaits, 5)});
  leak(5);
  agent_.processes.faults().hold();
  watch_.begin(true);
  agent_.await_news();
  watch_.on_news();
  ASSERT_TRUE(agent_.processes.faults().await_calls(1));
  watch_.begin(true);
  agent_.processes.faults().release();
  agent_.await_news();
  watch_.on_news();
  notifier_.on_turn();
  EXPECT_THAT(take_sent(), ElementsAre("1 leak"));
}

TEST_F(WatchTest, LogsEachAlarmWithItsCulprit) {
  agent_.alarms.configure({alarm_rule("leak", kPerUnit, 5)});
  testing::internal::CaptureStderr();
  ASSERT_TRUE(log::start(log::Target::kStderr, log::Level::kNotice));
  for (const std::uint32_t count : {6u, 0u}) {
    leak(count);
    watch();
  }
  log::set_level(log::Level::kError);
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, HasSubstr("warning: alarm leak raised: closeWait per unit is 6 (unit "
                               "u7.service), the alarm is raised at 5\n"));
  EXPECT_THAT(lines, HasSubstr("notice: alarm leak cleared after 0 s: closeWait per unit is 0\n"));
}

}  // namespace
}  // namespace tcpmibd::agent
