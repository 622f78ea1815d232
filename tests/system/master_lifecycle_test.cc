#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// The master comes, goes, dies and stands still; so does the subagent, and its twin.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

using std::chrono::seconds;

class MasterLifeCycle : public SystemTest {};
class Twin : public SystemTest {};
class Ending : public SystemTest {};
class Reload : public SystemTest {};
class Idle : public SystemTest {};

// A subagent whose master may be there or not.
Daemon subagent_of(const Namespace& space, const std::string& agentx) {
  return Daemon(space,
                {.settings = {"agentx.ping=1s"}, .arguments = {"--agentx", agentx}, .process = {}});
}

bool serves_again(const Snmpd& master) { return is_served_by_us(master.manager(), kGreatPatience); }

// ---- The master ----

TEST_F(MasterLifeCycle, AMasterThatStartsAfterTheSubagentIsServed) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = subagent_of(space, folder.file("agentx"));
  ASSERT_TRUE(daemon.says("cannot reach the AgentX master at " + folder.file("agentx")));
  const Snmpd master(space, {.agentx = folder.file("agentx")});
  EXPECT_TRUE(serves_again(master)) << daemon.log();
}

TEST_F(MasterLifeCycle, ALongAbsenceIsOneLineInTheLog) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = subagent_of(space, folder.file("agentx"));
  const std::string line = "cannot reach the AgentX master";
  ASSERT_TRUE(daemon.says(line));
  EXPECT_THAT(daemon.log(), HasSubstr("is snmpd running")) << "the cure is missing";
  EXPECT_TRUE(quiet_for(seconds(4), [&] { return count_of(line, daemon.log()) > 1; }))
      << daemon.log();
}

TEST_F(MasterLifeCycle, AMasterThatIsStoppedAndStartedIsServedAgain) {
  const Namespace space;
  Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  for (const long losses : {1, 2}) {
    master.stop();
    const auto counted = [&] { return count_of("lost the AgentX master", daemon.log()); };
    EXPECT_EQ(settled(counted, losses), losses) << daemon.log();
    master.start();
    ASSERT_TRUE(serves_again(master)) << daemon.log();
    // What has not been registered whole cannot be lost.
    const auto whole = [&] { return count_of("registered with the AgentX master", daemon.log()); };
    EXPECT_EQ(settled(whole, losses + 1), losses + 1) << daemon.log();
  }
}

TEST_F(MasterLifeCycle, AMasterThatWasKilledIsServedAgain) {
  const Namespace space;
  Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  master.kill();
  EXPECT_TRUE(daemon.says("lost the AgentX master"));
  master.start();
  EXPECT_TRUE(serves_again(master)) << daemon.log();
}

TEST_F(MasterLifeCycle, ARowIsFoundAfterTheMasterHasRestarted) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  master.restart();
  ASSERT_TRUE(serves_again(master)) << daemon.log();
  EXPECT_EQ(told(master.manager(), listener_cell(listener.local())), std::to_string(::getpid()));
}

TEST_F(MasterLifeCycle, AMasterThatStoodStillForTenSecondsIsServedAgain) {
  const Namespace space;
  Snmpd master(space);
  const Daemon daemon = Daemon::under(master, {.settings = {"agentx.ping=1s"}});
  master.process().signal(SIGSTOP);
  EXPECT_TRUE(quiet_for(seconds(10), [&] { return !daemon.process().running(); })) << daemon.log();
  master.process().signal(SIGCONT);
  EXPECT_TRUE(serves_again(master)) << daemon.log();
}

TEST_F(MasterLifeCycle, AMasterThatWasGivenUpIsServedWhenItGoesOn) {
  const Namespace space;
  Snmpd master(space);
  const Daemon daemon = Daemon::under(master, {.settings = {"agentx.ping=1s"}});
  master.process().signal(SIGSTOP);
  ASSERT_TRUE(daemon.says("lost the AgentX master", seconds(60))) << daemon.log();
  master.process().signal(SIGCONT);
  EXPECT_TRUE(serves_again(master)) << daemon.log();
}

TEST_F(MasterLifeCycle, AMasterGoesOnAnsweringWhenTheSubagentIsKilled) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  const Snmpd master(space);
  Daemon daemon = Daemon::under(master);
  daemon.process().kill();
  const auto built_in = [&] { return told(master.manager(), kTcpHcInSegs); };
  EXPECT_EQ(settled(built_in, "noSuchObject"), "noSuchObject");
  EXPECT_EQ(told(master.manager(), kTcpRtoMin), "200");
  EXPECT_EQ(told(master.manager(), listener_cell(listener.local())), std::to_string(::getpid()));

  const Daemon next = Daemon::under(master);
  EXPECT_EQ(told(master.manager(), listener_cell(listener.local())), std::to_string(::getpid()));
}

// ---- A second one ----

TEST_F(Twin, ASecondInstanceIsRefusedAndTheFirstOneServesOn) {
  const Namespace space;
  const Snmpd master(space);
  const Daemon first = Daemon::under(master);
  Daemon second = subagent_of(space, master.agentx());
  EXPECT_EQ(second.process().wait(kGreatPatience), 1);
  EXPECT_THAT(second.log(), HasSubstr("another tcpmibd already serves this master"));
  EXPECT_TRUE(quiet_for(seconds(1), [&] { return !serves_again(master); })) << first.log();
}

TEST_F(Twin, ASecondInstanceServesWhenTheFirstHasLeft) {
  const Namespace space;
  const Snmpd master(space);
  Daemon first = Daemon::under(master);
  first.process().kill();
  const Daemon second = Daemon::under(master);
  EXPECT_THAT(second.log(), Not(HasSubstr("error")));
}

// Names that only one process can have end at the border of a network namespace; the path of the
// master's socket does not.
TEST_F(Twin, OneThatAnotherSubagentHoldsIsRefusedWithTheNameOfTheObject) {
  const Namespace space, elsewhere;
  const Snmpd master(space);
  const Daemon first = Daemon::under(master);
  Daemon second = subagent_of(elsewhere, master.agentx());
  EXPECT_EQ(second.process().wait(kGreatPatience), 1) << second.log();
  EXPECT_THAT(second.log(), HasSubstr("cannot register tcp"));
  EXPECT_THAT(second.log(), HasSubstr("at priority 100"));
  EXPECT_THAT(second.log(), HasSubstr("agentx.priority")) << "the cure is missing";
  EXPECT_TRUE(quiet_for(seconds(1), [&] { return !serves_again(master); })) << first.log();
}

TEST_F(Twin, AnotherPriorityIsAllowed) {
  const Namespace space, elsewhere;
  const Snmpd master(space);
  const Daemon first = Daemon::under(master);
  Daemon second(elsewhere,
                {.settings = {"agentx.priority=90"}, .arguments = {"--agentx", master.agentx()}});
  EXPECT_TRUE(second.says("registered with the AgentX master")) << second.log();
}

// ---- Ending ----

TEST_F(Ending, AWishToEndIsGrantedWithinASecond) {
  const Namespace space;
  const Snmpd master(space);
  Daemon daemon = Daemon::under(master);
  EXPECT_EQ(daemon.terminate(), 0) << daemon.log();
  EXPECT_EQ(told(master.manager(), kTcpHcInSegs), "noSuchObject");
}

TEST_F(Ending, AnInterruptIsAsGood) {
  const Namespace space;
  const Snmpd master(space);
  Daemon daemon = Daemon::under(master);
  daemon.process().signal(SIGINT);
  EXPECT_EQ(daemon.process().wait(seconds(1)), 0) << daemon.log();
}

TEST_F(Ending, AMasterThatStandsStillDoesNotHinderIt) {
  const Namespace space;
  Snmpd master(space);
  Daemon daemon = Daemon::under(master);
  master.process().signal(SIGSTOP);
  EXPECT_EQ(daemon.terminate(), 0) << daemon.log();
}

TEST_F(Ending, APingThatIsNotAnsweredDoesNotHinderIt) {
  const Namespace space;
  Snmpd master(space);
  Daemon daemon = Daemon::under(master, {.settings = {"agentx.ping=1s"}});
  master.process().signal(SIGSTOP);
  EXPECT_TRUE(quiet_for(seconds(3), [&] { return !daemon.process().running(); })) << daemon.log();
  EXPECT_EQ(daemon.terminate(), 0) << daemon.log();
}

TEST_F(Ending, AnAbsentMasterDoesNotHinderIt) {
  const Namespace space;
  const TempFolder folder;
  Daemon daemon = subagent_of(space, folder.file("agentx"));
  ASSERT_TRUE(daemon.says("cannot reach the AgentX master"));
  EXPECT_EQ(daemon.terminate(), 0) << daemon.log();
}

TEST_F(Ending, AnAgentOfItsOwnEndsAsSoon) {
  const Namespace space;
  Daemon daemon = Daemon::standalone(space);
  EXPECT_EQ(daemon.terminate(), 0) << daemon.log();
}

// ---- SIGHUP ----

constexpr const char* kNoLookup = "[process]\nlookup = false\n";

// A listener's process, by a daemon that was told to look for processes as often as it may.
struct Watched {
  explicit Watched(const Namespace& space)
      : listener(listen_on(space, "127.0.0.1:0")),
        agent(space, {}, {.configuration = "[log]\nlevel = \"info\"\n"}) {}

  void reload(std::string_view configuration) {
    agent.daemon.configure(configuration);
    agent.daemon.process().signal(SIGHUP);
  }

  std::string process() const { return told(agent.manager(), listener_cell(listener.local())); }

  TcpSocket listener;
  Attached agent;
};

const std::string& pid_of_this_test() {
  static const std::string pid = std::to_string(::getpid());
  return pid;
}

TEST_F(Reload, ALiveKeyTakesEffect) {
  const Namespace space;
  Watched watched(space);
  EXPECT_EQ(watched.process(), pid_of_this_test());
  watched.reload(kNoLookup);
  ASSERT_TRUE(watched.agent.daemon.says("the configuration has been read again"));
  EXPECT_EQ(watched.process(), "0");
  watched.reload("");
  EXPECT_EQ(settled([&] { return watched.process(); }, pid_of_this_test()), pid_of_this_test());
}

TEST_F(Reload, AKeyThatNeedsARestartIsNamedAndNothingTakesEffect) {
  const Namespace space;
  Watched watched(space);
  watched.reload(std::string(kNoLookup) + "[agentx]\npriority = 90\n[mib]\ntables = [\"scalars\"]");
  ASSERT_TRUE(watched.agent.daemon.says("refused whole"));
  EXPECT_THAT(watched.agent.daemon.log(), HasSubstr("agentx.priority, mib.tables"));
  EXPECT_EQ(watched.process(), pid_of_this_test());
}

TEST_F(Reload, ABadFileIsRefusedAndTheOldOneStaysInForce) {
  const Namespace space;
  Watched watched(space);
  watched.reload(std::string(kNoLookup) + "colour = true\n");
  ASSERT_TRUE(watched.agent.daemon.says("the old configuration stays in force"));
  EXPECT_THAT(watched.agent.daemon.log(),
              HasSubstr(watched.agent.daemon.configuration_file() + ":3: unknown key 'colour'"));
  EXPECT_EQ(watched.process(), pid_of_this_test());
}

TEST_F(Reload, AnAgentOfItsOwnObeysToo) {
  const Namespace space;
  Daemon daemon = Daemon::standalone(space);
  daemon.configure("[standalone]\naddress = \"udp:127.0.0.1:9\"\n[log]\nlevel = \"debug\"\n");
  daemon.process().signal(SIGHUP);
  ASSERT_TRUE(daemon.says("the configuration has been read again")) << daemon.log();
  daemon.configure("[mib]\nlink-local = \"ipv6\"\n");
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.says("only a restart can change mib.link-local")) << daemon.log();
}

// ---- Idleness ----

// Nothing wakes it any more, once what it was asked last is over and the memory for it is freed:
// the reminder of that comes ten seconds later. The ends of connections would, those of the whole
// host: they are not watched here.
constexpr const char* kNoEnds = "ends.watch=off";

void expect_idleness(const Daemon& daemon) {
  const auto rests = [&] {
    const long before = daemon.process().wakeups();
    return quiet_for(seconds(12), [&] { return daemon.process().wakeups() != before; });
  };
  EXPECT_TRUE(eventually(rests, seconds(60))) << daemon.log();
}

TEST_F(Idle, ASubagentThatNobodyAsksSleeps) {
  const Namespace space;
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master, {.settings = {"agentx.ping=10m", kNoEnds}});
  ASSERT_TRUE(master.manager().walk(kTcp).ok());
  expect_idleness(daemon);
}

TEST_F(Idle, AnAgentOfItsOwnThatNobodyAsksSleeps) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, {.settings = {kNoEnds}});
  ASSERT_TRUE(Manager::v2c(space, Daemon::kAddress).walk(kTcp).ok());
  expect_idleness(daemon);
}

TEST_F(Idle, PingsAreAllThatWakesASubagent) {
  const Namespace space;
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master, {.settings = {"agentx.ping=2s", kNoEnds}});
  const long before = daemon.process().wakeups();
  quiet_for(seconds(6), [] { return false; });
  // Three or four pings; of each the daemon waits for the time and perhaps for the answer.
  EXPECT_LE(daemon.process().wakeups() - before, 4 * 2 + 2);
}

}  // namespace
}  // namespace tcpmibd::lab
