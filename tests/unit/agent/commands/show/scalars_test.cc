#include "agent/commands/show/scalars.h"

#include <gmock/gmock.h>

#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using lab::established;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ShowPressure : public Showing {
 protected:
  ShowPressure() {
    sockets_.set({established("10.0.0.1:40000", "10.0.0.9:5432"),
                  established("10.0.0.1:40001", "10.0.0.9:5432")});
    tcp::Pressure pressure;
    pressure.orphans = 4;
    pressure.orphans_limit = 5;
    pressure.time_waits = 3;
    pressure.time_waits_limit = 100;
    pressure.memory_used = 2048;
    pressure.memory_pressure = 4096;
    pressure.memory_limit = 8192;
    pressure.ephemeral = tcp::EphemeralRange::parse("40000 40009", "").value();
    pressure.listen_overflows = 12;
    pressure.timeouts = 7;
    pressure_.set(pressure);
  }
};

TEST_F(ShowPressure, EveryFigureStandsBesideItsLimit) {
  EXPECT_THAT(shown({.what = "pressure"}),
              StartsWith("RESOURCE             USED     LIMIT  FULL  WHERE\n"
                         "orphans                 4         5  80 %\n"
                         "time-wait               3       100   3 %\n"
                         "memory           2048 KiB  8192 KiB  25 %  short from 4096 KiB\n"
                         "ephemeral ports         2        10  20 %  10.0.0.1 to 10.0.0.9:5432\n"
                         "ephemeral bound         2        10  20 %  10.0.0.1 to anywhere\n"
                         "\n"
                         "COUNTER            EVENTS  MEANING\n"
                         "ListenOverflows        12  a connection found its accept queue full\n"
                         "ListenDrops             -  "));
}

TEST_F(ShowPressure, WhatIsNearItsLimitAndWhatIsLostIsRed) {
  EXPECT_THAT(shown({.what = "pressure"}, true),
              AllOf(HasSubstr("\033[31m80 %\033[0m"), HasSubstr("\033[31m12\033[0m"),
                    Not(HasSubstr("\033[31m7\033[0m")), Not(HasSubstr("\033[31m25"))));
}

TEST_F(ShowPressure, JsonHasTheObjectsAndThePercentages) {
  const Json figures = shown_json({.what = "pressure"});
  EXPECT_EQ(figures.at("orphans_percent"), 80);
  EXPECT_EQ(figures.at("memory_pressure"), 4096);
  EXPECT_EQ(figures.at("memory_percent"), 25);
  EXPECT_EQ(figures.at("ephemeral_used"), 2);
  EXPECT_EQ(figures.at("ephemeral_percent"), 20);
  EXPECT_EQ(figures.at("ephemeral_remote"), "10.0.0.9:5432");
  EXPECT_EQ(figures.at("ephemeral_bound"), 2);
  EXPECT_EQ(figures.at("ephemeral_bound_local"), "10.0.0.1");
  EXPECT_EQ(figures.at("listen_overflows"), 12);
  EXPECT_TRUE(figures.at("listen_drops").is_null());
  EXPECT_FALSE(figures.contains("units_left_out"));
}

TEST_F(ShowPressure, WhatTheKernelDoesNotTellIsADashAndARemark) {
  EXPECT_THAT(remarks({.what = "pressure"}), IsEmpty());
  tcp::Pressure pressure;
  pressure.orphans = 4;
  pressure.time_waits = 3;
  pressure.time_waits_limit = 100;
  pressure_.set(pressure);
  EXPECT_THAT(shown({.what = "pressure"}),
              AllOf(HasSubstr("\norphans             4      -     -\n"),
                    HasSubstr("\nmemory              -      -     -\n"),
                    HasSubstr("\nephemeral ports     -      -     -\n"),
                    HasSubstr("\nephemeral bound     -      -     -\n")));
  EXPECT_THAT(remarks({.what = "pressure"}), HasSubstr("initial network namespace only"));
  EXPECT_TRUE(shown_json({.what = "pressure"}).at("orphans_percent").is_null());
}

TEST_F(ShowPressure, FailsWhereNothingCanBeRead) {
  pressure_.faults().fail_always(true);
  EXPECT_FALSE(show_all({.what = "pressure"}));
}

}  // namespace
}  // namespace tcpmibd::agent
