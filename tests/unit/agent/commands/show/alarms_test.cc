#include "agent/commands/show/alarms.h"

#include <gmock/gmock.h>

#include <chrono>

#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using lab::alarm_rule;
using lab::established;
using lab::listener;
using tcp::Measure;
using tcp::State;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr Measure kLeaks{.state = State::kCloseWait, .per = Measure::Per::kPort};
constexpr Measure kLeakers{.state = State::kCloseWait, .per = Measure::Per::kProcess};
constexpr Measure kDrops{.kind = Measure::Kind::kDrops, .per = Measure::Per::kPort};
constexpr Measure kMemory{.kind = Measure::Kind::kMemoryPercent};

class ShowAlarms : public Showing {
 protected:
  ShowAlarms() {
    sockets_.set({listener("10.0.0.1:80", {.inode = 1, .discards = 9}), leaked("10.0.0.9:1", 2),
                  leaked("10.0.0.9:2", 3)});
    processes_.set({{1, 10}, {2, 20}, {3, 20}});
  }

  static tcp::Socket leaked(const char* remote, std::uint32_t inode) {
    return established("10.0.0.1:80", remote, {.state = State::kCloseWait, .inode = inode});
  }
};

TEST_F(ShowAlarms, ThatThereAreNoneIsSaid) {
  EXPECT_EQ(shown({.what = "alarms"}), "no alarms are configured; see tcpmibd.toml(5)\n");
  EXPECT_THAT(remarks({.what = "alarms"}), IsEmpty());
  EXPECT_EQ(shown_json({.what = "alarms"}), Json::array());
}

TEST_F(ShowAlarms, AreJudgedFromThisMomentWithoutTheirDelay) {
  config_.alarms = {alarm_rule("a", kLeaks, 10), alarm_rule("leak", kLeaks, 2)};
  config_.alarms[1].hold = std::chrono::minutes(5);
  EXPECT_EQ(
      shown({.what = "alarms"}),
      "STATE   NAME  MEASURE             VALUE  RAISE  CLEAR  OFFENDERS  WORST    PROCESS\n"
      "raised  leak  closeWait per port      2      2      1          1  port 80  10 nginx\n"
      "clear   a     closeWait per port      2     10      8          0  port 80  10 nginx\n");
  EXPECT_THAT(remarks({.what = "alarms"}), HasSubstr("without their 'for'"));
  EXPECT_THAT(shown({.what = "alarms"}, true),
              AllOf(HasSubstr("\033[31mraised\033[0m"), Not(HasSubstr("\033[31mclear"))));
  EXPECT_THAT(shown({.what = "alarms", .numeric = true}), Not(HasSubstr("nginx")));
}

TEST_F(ShowAlarms, SpeakJson) {
  config_.alarms = {alarm_rule("leak", kLeaks, 2)};
  EXPECT_EQ(shown_json({.what = "alarms"}).dump(),
            R"([{"clear_at":1,"command":"nginx","measure":"closeWait per port","name":"leak",)"
            R"("offenders":1,"process":10,"raise_at":2,"state":"raised","value":2,)"
            R"("worst":"port 80"}])");
}

TEST_F(ShowAlarms, DropsCannotBeKnownFromOneLook) {
  config_.alarms = {alarm_rule("drops", kDrops, 1)};
  EXPECT_EQ(shown({.what = "alarms"}),
            "STATE  NAME   MEASURE         VALUE  RAISE  CLEAR  OFFENDERS  WORST  PROCESS\n"
            "-      drops  drops per port      -      1      0          -  -      -\n");
  EXPECT_THAT(remarks({.what = "alarms"}), HasSubstr("drops between two looks"));
  EXPECT_TRUE(shown_json({.what = "alarms"}).at(0).at("value").is_null());
}

TEST_F(ShowAlarms, AFigureThatTheKernelDoesNotTellIsNotZero) {
  config_.alarms = {alarm_rule("memory", kMemory, 50)};
  EXPECT_EQ(shown_json({.what = "alarms"}).at(0).at("value"), 62);
  pressure_.set({});
  EXPECT_TRUE(shown_json({.what = "alarms"}).at(0).at("value").is_null());
}

TEST_F(ShowAlarms, ProcessesAreLookedUpOnlyWhereAnAlarmNeedsThem) {
  config_.alarms = {alarm_rule("few", kLeakers, 3)};
  EXPECT_EQ(shown_json({.what = "alarms"}).at(0).at("state"), "clear");
  EXPECT_EQ(processes_.faults().calls(), 0);
  config_.alarms = {alarm_rule("enough", kLeakers, 2)};
  EXPECT_THAT(shown({.what = "alarms"}), HasSubstr("process 20  20 leaker\n"));
  EXPECT_EQ(processes_.faults().calls(), 1);
}

TEST_F(ShowAlarms, WhatDependsOnProcessesThatMayNotBeLookedUpIsNotKnown) {
  config_.process.lookup = false;
  config_.alarms = {alarm_rule("enough", kLeakers, 2)};
  EXPECT_TRUE(shown_json({.what = "alarms"}).at(0).at("state").is_null());
  EXPECT_THAT(remarks({.what = "alarms"}), HasSubstr("processes that are not looked up"));
}

}  // namespace
}  // namespace tcpmibd::agent
