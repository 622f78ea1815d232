#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

// tcpmibdAlarmTable, tcpmibdAlarmsRaised              TCPMIBD-MIB: { tcpmibdObjects 10 }, { … 11 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using namespace std::chrono_literals;
using tcp::Measure;
using tcp::State;
using testing::ElementsAre;

// Two ports with connections in CLOSE_WAIT, the greater one behind 443.
Host leaking() {
  std::vector<tcp::Socket> sockets = {listener("0.0.0.0:80", {.inode = 90}),
                                      listener("0.0.0.0:443", {.inode = 95})};
  for (std::uint32_t i = 1; i <= 5; ++i)
    sockets.push_back(established(i <= 3 ? "10.0.0.1:443" : "10.0.0.1:80",
                                  "10.0.0.9:" + std::to_string(i),
                                  {.state = State::kCloseWait, .inode = i}));
  return Host(sockets);
}

constexpr Measure kPerPort{.state = State::kCloseWait, .per = Measure::Per::kPort};

TEST(AlarmTable, TellsWhatAnAlarmMeasuresAndWhatItFound) {
  Host host = leaking();
  host.set_alarms({alarm_rule("leak", kPerPort, 2)});
  Data data = host.data();
  data.now += 90s;
  const std::string index = ".4.108.101.97.107";
  const char* const want[] = {
      "OCTET STRING closeWait per port",
      "Integer32 3",            // raised
      "Gauge32 3",              // value
      "Gauge32 2",              // raise at
      "Gauge32 1",              // clear at
      "OCTET STRING port 443",  // worst
      "Gauge32 2",              // offenders
      "Gauge32 95",             // process
      "OCTET STRING p95",       // command
      "Gauge32 90",             // seconds
      "Counter32 1",            // raises
  };
  for (std::size_t i = 0; i < std::size(want); ++i)
    EXPECT_EQ(told(data, "1.10.1." + std::to_string(i + 2) + index), want[i]) << i + 2;
  EXPECT_EQ(told(data, "1.10.1.1" + index), "absent") << "not accessible";
}

TEST(AlarmTable, TellsAnAlarmThatIsClear) {
  Host host = leaking();
  host.set_alarms({alarm_rule("leak", kPerPort, 10)});
  EXPECT_EQ(told(host, "1.10.1.3.4.108.101.97.107"), "Integer32 1");
  EXPECT_EQ(told(host, "1.10.1.8.4.108.101.97.107"), "Gauge32 0");
  EXPECT_EQ(told(host, "1.10.1.12.4.108.101.97.107"), "Counter32 0");
}

TEST(AlarmTable, TellsAnAlarmThatNobodyHasLookedAtYet) {
  const tcp::Alarms alarms({alarm_rule("leak", kPerPort, 10)});
  const Host host({});
  Data data = host.data();
  data.alarms = &alarms;
  EXPECT_EQ(told(data, "1.10.1.3.4.108.101.97.107"), "Integer32 1");
  EXPECT_EQ(told(data, "1.10.1.11.4.108.101.97.107"), "Gauge32 0") << "not the host's uptime";
}

TEST(AlarmTable, IsIndexedByLengthAndThenOctets) {
  Host host = leaking();
  host.set_alarms({alarm_rule("b", kPerPort, 1), alarm_rule("aa", kPerPort, 1),
                   alarm_rule("\xff", kPerPort, 1), alarm_rule("B", kPerPort, 1)});
  const Shape shape = shape_of(managed("tcpmibdAlarmTable"), host);
  EXPECT_THAT(shape.columns, ElementsAre("2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"));
  EXPECT_THAT(shape.rows, ElementsAre("1.66", "1.98", "1.255", "2.97.97"));
}

TEST(AlarmsRaised, CountsThoseThatAre) {
  Host host = leaking();
  EXPECT_EQ(told(host, "1.11.0"), "Gauge32 0");
  host.set_alarms({alarm_rule("one", kPerPort, 3), alarm_rule("two", kPerPort, 4),
                   alarm_rule("three", {.state = State::kCloseWait}, 5)});
  EXPECT_EQ(told(host, "1.11.0"), "Gauge32 2");
}

}  // namespace
}  // namespace tcpmibd::tables
