#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/scenes.h"
#include "system/system_test.h"

// Why a request took as long as it did, as the log says it at debug.

namespace tcpmibd::lab {
namespace {

using testing::ContainsRegex;
using testing::Not;

class DebugLines : public SystemTest {
 protected:
  static DaemonOptions at(const std::string& level) { return {.settings = {"log.level=" + level}}; }
};

// A GET that needs nothing that is fetched, and then a GETNEXT that needs a snapshot and processes.
void ask_both(const Manager& manager) {
  EXPECT_EQ(manager.get({kTcpHcInSegs}).error, "");
  EXPECT_EQ(manager.next({kConnectionProcess}).error, "");
}

// The line of a GETNEXT of tcpConnectionProcess, and of a GET of a scalar.
void expect_both(const Daemon& daemon) {
  const std::string parked = " parked=snapshot:[0-9]+ms,processes:[0-9]+ms age=[0-9]+ms";
  const std::string end = " outcome=noError us=[0-9]+";
  ASSERT_TRUE(daemon.says("GETNEXT 1.3.6.1.2.1.6.19.1.8 ")) << daemon.log();
  EXPECT_THAT(daemon.log(), ContainsRegex("debug: GETNEXT 1.3.6.1.2.1.6.19.1.8 bindings=1 "
                                          "context=\"\"" +
                                          parked + end));
  EXPECT_THAT(daemon.log(), ContainsRegex("debug: GET 1.3.6.1.2.1.6.17.0 bindings=1 context=\"\" "
                                          "parked=no age=[0-9]+ms" +
                                          end));
}

TEST_F(DebugLines, ASubagentWritesWhatAPduOfItsMasterWaitedFor) {
  const Namespace space;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Snmpd master(space, {.built_in_tables = false});
  const Daemon daemon = Daemon::under(master, at("debug"));
  ask_both(master.manager().patient(kGreatPatience));
  expect_both(daemon);
}

TEST_F(DebugLines, AnAgentOfItsOwnWritesWhatAPduOfAManagerWaitedFor) {
  const Namespace space;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Daemon daemon = Daemon::standalone(space, at("debug"));
  ask_both(Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience));
  expect_both(daemon);
}

TEST_F(DebugLines, OtherwiseNoPduIsWritten) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, at("info"));
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  EXPECT_EQ(manager.get({kTcpHcInSegs}).error, "");
  EXPECT_EQ(manager.get({kTcpRtoMin}).error, "");
  EXPECT_THAT(daemon.log(), Not(ContainsRegex("outcome=")));
}

}  // namespace
}  // namespace tcpmibd::lab
