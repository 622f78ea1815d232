#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/own_tables.h"

// What the agent tells of itself.                     TCPMIBD-MIB: { tcpmibdObjects 1 }

namespace tcpmibd::tables {
namespace {

using namespace lab;
using namespace std::chrono_literals;

TEST(AgentScalars, TellWhatTheAgentKnows) {
  Host host({});
  const Time up = host.now() - 1h;
  host.agent() = {.version = "2.0.1",
                  .uptime_zero = up,
                  .started = up + 1500ms,
                  .watch_interval = 30,
                  .deletes_done = 13,
                  .deletes_refused = 14,
                  .processes_denied = 15,
                  .notifications_folded = 16,
                  .snapshots = {.taken_at = host.now() - 1234ms,
                                .rows = 6,
                                .merged = 12,
                                .took = 7ms,
                                .took_most = 8999us,
                                .taken = 9,
                                .failures = 10,
                                .unknown_states = 11}};
  EXPECT_EQ(told(host, "1.1.1.0"), "OCTET STRING 2.0.1");
  EXPECT_EQ(told(host, "1.1.2.0"), "TimeTicks 150");
  EXPECT_EQ(told(host, "1.1.4.0"), "Gauge32 30");
  EXPECT_EQ(told(host, "1.1.5.0"), "Gauge32 1234");
  EXPECT_EQ(told(host, "1.1.6.0"), "Gauge32 6");
  EXPECT_EQ(told(host, "1.1.7.0"), "Gauge32 7");
  EXPECT_EQ(told(host, "1.1.8.0"), "Gauge32 8");
  EXPECT_EQ(told(host, "1.1.9.0"), "Counter32 9");
  EXPECT_EQ(told(host, "1.1.10.0"), "Counter32 10");
  EXPECT_EQ(told(host, "1.1.11.0"), "Counter32 11");
  EXPECT_EQ(told(host, "1.1.12.0"), "Gauge32 12");
  EXPECT_EQ(told(host, "1.1.13.0"), "Counter32 13");
  EXPECT_EQ(told(host, "1.1.14.0"), "Counter32 14");
  EXPECT_EQ(told(host, "1.1.15.0"), "Gauge32 15");
  EXPECT_EQ(told(host, "1.1.16.0"), "Counter32 16");
}

struct AbilitiesCase {
  bool looks_up_processes, deletes, watches;
  unsigned char bits;
};

// The first bit is the highest of the octet.
constexpr AbilitiesCase kAbilities[] = {
    {false, false, false, 0x00}, {true, false, false, 0x80}, {false, true, false, 0x40},
    {false, false, true, 0x20},  {true, true, true, 0xe0},
};

TEST(AgentScalars, TellAbilitiesAsBits) {
  for (const AbilitiesCase& c : kAbilities) {
    Host host({});
    host.agent().looks_up_processes = c.looks_up_processes;
    host.agent().deletes = c.deletes;
    host.agent().watches = c.watches;
    EXPECT_EQ(told(host, "1.1.3.0"), "OCTET STRING " + std::string(1, static_cast<char>(c.bits)));
  }
}

TEST(AgentScalars, HaveNoAgeBeforeTheFirstSnapshot) {
  Host host({});
  host.agent().snapshots = {};
  EXPECT_EQ(told(host, "1.1.5.0"), "absent");
  EXPECT_EQ(told(host, "1.1.6.0"), "Gauge32 0");
}

TEST(AgentScalars, TellNoAgeBelowZero) {
  Host host({});
  host.agent().snapshots.taken_at = host.now() + 1s;
  EXPECT_EQ(told(host, "1.1.5.0"), "Gauge32 0");
}

struct TimeStampCase {
  const char* why;
  Duration before;  // sysUpTime was 0 then
  Duration started;
  const char* stamp;
};

constexpr TimeStampCase kTimeStamps[] = {
    {"before sysUpTime was 0: 0", 1h, -2h, "TimeTicks 0"},
    {"parts of a hundredth do not count", 1h, -59min, "TimeTicks 6000"},
    {"at the same moment", 1h, -1h, "TimeTicks 0"},
    {"beyond 32 bits it wraps, as sysUpTime does", 12000h, 0h, "TimeTicks 25032704"},
};

TEST(TimeStamps, AreSysUpTimeAtTheMoment) {
  for (const TimeStampCase& c : kTimeStamps) {
    Host host({});
    host.agent().uptime_zero = host.now() - c.before;
    host.agent().started = host.now() + c.started;
    EXPECT_EQ(told(host, "1.1.2.0"), c.stamp) << c.why;
  }
}

}  // namespace
}  // namespace tcpmibd::tables
