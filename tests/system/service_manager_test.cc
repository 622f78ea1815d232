#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <string>

#include "base/message_ids.h"
#include "support/datagrams.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/deleting.h"
#include "system/system_test.h"

// What systemd and the journal are told, by sockets in their places.

namespace tcpmibd::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

class ServiceManagerTest : public SystemTest {
 protected:
  DaemonOptions told(std::map<std::string, std::string> environment = {}) {
    environment["NOTIFY_SOCKET"] = systemd_.path();
    return {.process = {.environment = std::move(environment)}};
  }

  const TempFolder folder_;
  Datagrams systemd_{folder_.file("notify")};
};

TEST_F(ServiceManagerTest, ItIsReadyOnlyWhenTheMasterHasItsTables) {
  const Namespace space;
  DaemonOptions options = told();
  options.arguments = {"--agentx", folder_.file("agentx")};
  const Daemon daemon(space, options);
  ASSERT_TRUE(systemd_.gets("EXTEND_TIMEOUT_USEC=", 2)) << daemon.log();
  EXPECT_EQ(systemd_.count("READY=1"), 0);
  EXPECT_THAT(systemd_.last("STATUS="),
              AllOf(StartsWith("waiting for the AgentX master at " + folder_.file("agentx")),
                    HasSubstr("No such file or directory")));

  const Snmpd master(space, {.agentx = folder_.file("agentx")});
  ASSERT_TRUE(systemd_.gets("READY=1")) << daemon.log();
  EXPECT_TRUE(is_served_by_us(master.manager(), milliseconds(0)));
  EXPECT_THAT(systemd_.last("STATUS="),
              StartsWith("registered with the AgentX master at " + folder_.file("agentx")));
}

TEST_F(ServiceManagerTest, TheStatusFollowsTheMasterAndTheRows) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  Snmpd master(space);
  const Daemon daemon = Daemon::under(master, told());
  EXPECT_THAT(systemd_.last("STATUS="), HasSubstr("; no rows read yet"));
  ASSERT_TRUE(master.manager().walk(kTcp).ok());
  EXPECT_TRUE(eventually([&] {
    return systemd_.last("STATUS=").find(" rows read at 20") != std::string::npos;
  })) << systemd_.last("STATUS=");
  master.stop();
  EXPECT_TRUE(eventually([&] { return systemd_.last("STATUS=").starts_with("waiting for the "); }));
  master.start();
  EXPECT_TRUE(eventually([&] { return systemd_.last("STATUS=").starts_with("registered with"); }));
  EXPECT_EQ(systemd_.count("READY=1"), 1);
}

TEST_F(ServiceManagerTest, AnAgentAtRestSaysNothing) {
  const Namespace space;
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master, told());
  ASSERT_TRUE(master.manager().walk(kTcp).ok());
  const auto said = [&] { return systemd_.all().size(); };
  eventually([&] { return systemd_.last("STATUS=").find("read at") != std::string::npos; });
  const std::size_t before = said();
  EXPECT_TRUE(quiet_for(seconds(3), [&] { return said() > before + 1; }));
}

TEST_F(ServiceManagerTest, StandingAloneItIsReadyWhenItListens) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, told());
  EXPECT_TRUE(systemd_.gets("READY=1"));
  EXPECT_THAT(systemd_.last("STATUS="),
              StartsWith(std::string("serving SNMP on ") + Daemon::kAddress));
  EXPECT_EQ(systemd_.count("EXTEND_TIMEOUT_USEC="), 0);
}

TEST_F(ServiceManagerTest, TheHeartBeatsWhileTheLoopTurnsAndOnlyThen) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, told({{"WATCHDOG_USEC", "400000"}}));
  ASSERT_TRUE(systemd_.gets("WATCHDOG=1", 3));
  daemon.process().signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] {
    return read_file("/proc/" + std::to_string(daemon.process().pid()) + "/stat").find(") T ") !=
           std::string::npos;
  }));
  const long before = systemd_.count("WATCHDOG=1");
  EXPECT_TRUE(quiet_for(seconds(2), [&] { return systemd_.count("WATCHDOG=1") > before; }));
  daemon.process().signal(SIGCONT);
  EXPECT_TRUE(systemd_.gets("WATCHDOG=1", before + 2));
}

TEST_F(ServiceManagerTest, WithoutAWatchdogThereIsNoHeartbeat) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, told());
  EXPECT_TRUE(quiet_for(seconds(2), [&] { return systemd_.count("WATCHDOG=1") > 0; }));
}

TEST_F(ServiceManagerTest, AReloadIsFramedWhetherItIsTakenOrRefused) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, told());
  ASSERT_TRUE(systemd_.gets("READY=1"));
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(systemd_.gets("READY=1", 2)) << daemon.log();
  EXPECT_EQ(systemd_.count("RELOADING=1"), 1);
  EXPECT_EQ(systemd_.count("MONOTONIC_USEC="), 1);
  daemon.configure("[nonsense]\n");
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(systemd_.gets("READY=1", 3)) << daemon.log();
  EXPECT_EQ(systemd_.count("RELOADING=1"), 2);
}

TEST_F(ServiceManagerTest, ItsLastWordIsThatItStops) {
  const Namespace space;
  Daemon daemon = Daemon::standalone(space, told());
  EXPECT_EQ(daemon.terminate(), 0);
  EXPECT_EQ(systemd_.all().back(), "STOPPING=1");
}

// ---- The journal ----

// The daemon with `folder` in the place of /run/systemd/journal, in a mount namespace of its own.
class Journal : public SystemTest {
 protected:
  Child daemon(const Namespace& space, std::vector<std::string> words) const {
    std::vector<std::string> command{"unshare",
                                     "--mount",
                                     "sh",
                                     "-c",
                                     "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && "
                                     "mount --bind \"$0\" /run/systemd/journal && exec \"$@\"",
                                     folder_.path(),
                                     tcpmibd_binary(),
                                     "--set",
                                     "log.target=journal",
                                     "--set",
                                     "standalone.state=" + folder_.file("state"),
                                     "--config",
                                     folder_.write("tcpmibd.toml", "")};
    command.insert(command.end(), words.begin(), words.end());
    return Child(command, {.in = &space});
  }

  std::string entry_with(const std::string& text) {
    std::string found;
    eventually([&] {
      for (const std::string& each : journal_.all()) {
        if (each.find(text) != std::string::npos)
          found = each;
      }
      return !found.empty();
    });
    return found;
  }

  const TempFolder folder_;
  Datagrams journal_{folder_.file("socket")};
};

TEST_F(Journal, AMessageHasItsLevelAndItsName) {
  const Namespace space;
  const Child agent = daemon(space, {"--standalone", Daemon::kAddress});
  EXPECT_THAT(entry_with("serving SNMP on"),
              AllOf(HasSubstr("MESSAGE=serving SNMP on udp:127.0.0.1:2161\n"),
                    HasSubstr("PRIORITY=5\n"), HasSubstr("SYSLOG_IDENTIFIER=tcpmibd\n")))
      << agent.err();
  EXPECT_EQ(agent.err(), "");
}

std::string id_field(const tcpmibd::log::MessageId& message) {
  return "\nMESSAGE_ID=" + std::string(message.id) + '\n';
}

TEST_F(Journal, AMasterThatComesAndGoesIsToldByAnId) {
  const Namespace space;
  Snmpd master(space, {.agentx = folder_.file("agentx")});
  const Child agent = daemon(space, {"--agentx", master.agentx()});
  EXPECT_THAT(entry_with("registered with the AgentX master"),
              HasSubstr(id_field(tcpmibd::log::kRegistered)))
      << agent.err();
  master.stop();
  EXPECT_THAT(entry_with("lost the AgentX master"), HasSubstr(id_field(tcpmibd::log::kMasterLost)));
}

TEST_F(Journal, ADeletionIsToldByAnIdDoneOrRefused) {
  const Namespace space;
  const Snmpd master(space, {.agentx = folder_.file("agentx")});
  Service refusing(over_loopback(space), 1);
  Service service(over_loopback(space), 1);
  const Child agent =
      daemon(space, {"--agentx", master.agentx(), "--set",
                     "delete-tcb.protect-ports=" + std::to_string(refusing.listener().port())});
  ASSERT_TRUE(is_served_by_us(master.manager())) << agent.err();
  const Manager writer = master.writer().patient(kDeletingPatience);
  writer.set({deletion(connection_cell(kStateColumn, refusing.ends()))});
  EXPECT_THAT(entry_with("refused, notWritable"),
              HasSubstr(id_field(tcpmibd::log::kDeletionRefused)));
  writer.set({deletion(connection_cell(kStateColumn, service.ends()))});
  EXPECT_THAT(entry_with("): ended"), HasSubstr(id_field(tcpmibd::log::kConnectionEnded)));
}

TEST_F(Journal, AnAlarmIsToldByAnIdRaisedOrCleared) {
  const Namespace space;
  const Child agent =
      daemon(space, {"--standalone", Daemon::kAddress, "--set", "watch.interval=1s", "--set",
                     "alarm.busy.measure=established", "--set", "alarm.busy.raise=2"});
  {
    const Service service(over_loopback(space), 1);
    EXPECT_THAT(entry_with("alarm busy raised"), HasSubstr(id_field(tcpmibd::log::kAlarmRaised)))
        << agent.err();
  }
  EXPECT_THAT(entry_with("alarm busy cleared"), HasSubstr(id_field(tcpmibd::log::kAlarmCleared)));
}

// As the package's trigger makes it.
TEST_F(Journal, EveryIdHasItsEntryInTheCatalog) {
  const std::string place = "/usr/lib/systemd/catalog/";
  std::filesystem::create_directories(folder_.path().string() + place);
  std::filesystem::create_directories(folder_.file("var/lib/systemd/catalog"));
  std::filesystem::copy(TCPMIBD_SOURCE_DIR "/systemd/tcpmibd.catalog",
                        folder_.path().string() + place + "tcpmibd.catalog");
  const std::string root = "--root=" + folder_.path().string();
  const Output made = run({"journalctl", root, "--update-catalog"});
  ASSERT_EQ(made.status, 0) << made.err;
  for (const tcpmibd::log::MessageId* each : tcpmibd::log::kMessageIds) {
    const std::string id(each->id);
    EXPECT_THAT(run({"journalctl", root, "--list-catalog", id}).out, StartsWith(id + " tcpmibd: "));
  }
}

TEST_F(Journal, WhatIsWrongIsAnErrorAndWhatIsMissingAWarning) {
  const Namespace space;
  Child refused = daemon(space, {"--standalone", "udp:192.0.2.1:1161"});
  EXPECT_EQ(refused.process().wait(), 1);
  EXPECT_THAT(entry_with("cannot listen on"), HasSubstr("PRIORITY=3\n"));
  const Child waiting = daemon(space, {"--agentx", folder_.file("agentx")});
  EXPECT_THAT(entry_with("cannot reach the AgentX master"), HasSubstr("PRIORITY=4\n"));
}

}  // namespace
}  // namespace tcpmibd::lab
