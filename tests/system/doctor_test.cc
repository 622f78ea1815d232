#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/temp_folder.h"
#include "system/system_test.h"

// `tcpmibd doctor` beside a real snmpd.

namespace tcpmibd::lab {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;

class Doctor : public PlainUserTest {
 protected:
  // What it finds, by point; the exit status agrees with it.
  json findings(const Namespace& space, const std::string& master,
                std::vector<std::string> more = {}, ProcessOptions options = {}) const {
    std::vector<std::string> words{"doctor",       "--json",
                                   "-x",           master,
                                   "--config",     folder_.write("tcpmibd.toml", ""),
                                   "--snmpd-conf", folder_.file("snmpd.conf")};
    words.insert(words.end(), more.begin(), more.end());
    const Output output = run_tcpmibd(space, words, std::move(options));
    EXPECT_THAT(output.err, IsEmpty());
    const json all = json::parse(output.out);
    EXPECT_EQ(output.status, all.at("ok") ? 0 : 1);
    json by_point;
    for (const json& each : all.at("points"))
      by_point[each.at("point").get<std::string>()] = each;
    return by_point;
  }

  json as_public(const Namespace& space, const Snmpd& master, const std::string& name) const {
    return findings(space, master.agentx(), {"--query", Snmpd::kAddress, "--community", name});
  }

  const TempFolder folder_;
};

// A master with communities that see less than "public" does.
SnmpdOptions with_views() {
  return {.lines = {"view narrow included .1.3.6.1.2.1.1", "rocommunity narrow default -V narrow",
                    "view tcponly included .1.3.6.1.2.1.6",
                    "rocommunity tcponly default -V tcponly"}};
}

TEST_F(Doctor, FindsNothingWrongWhereEverythingIsServed) {
  const Namespace space;
  const Attached agent(space);
  const json found = as_public(space, agent.master, "public");
  EXPECT_EQ(found.at("AgentX master").at("state"), "ok");
  EXPECT_EQ(found.at("tcpmibd").at("state"), "ok");
  EXPECT_EQ(found.at("sysORTable").at("state"), "ok");
  EXPECT_EQ(found.at("TCP-MIB").at("finding"), "is answered by tcpmibd");
  EXPECT_THAT(found.at("process columns").at("finding").get<std::string>(),
              HasSubstr("(pid " + std::to_string(agent.daemon.process().pid()) + ")"));
}

TEST_F(Doctor, LeavesTheMastersTablesAlone) {
  const Namespace space;
  const Attached agent(space);
  findings(space, agent.master.agentx());
  EXPECT_TRUE(is_served_by_us(agent.manager(), std::chrono::milliseconds(0)));
  EXPECT_TRUE(agent.daemon.process().running());
}

TEST_F(Doctor, TellsAViewThatHidesTheMib) {
  const Namespace space;
  const Attached agent(space, with_views());
  const json found = as_public(space, agent.master, "narrow");
  EXPECT_EQ(found.at("TCP-MIB").at("state"), "wrong");
  EXPECT_THAT(found.at("TCP-MIB").at("cure").get<std::string>(),
              HasSubstr("view NAME included .1.3.6.1.2.1.6"));
  EXPECT_EQ(as_public(space, agent.master, "tcponly").at("TCP-MIB").at("state"), "ok");
}

TEST_F(Doctor, TellsRowsOfTheMasterFromOurs) {
  const Namespace space;
  const Snmpd master(space);
  const json found = as_public(space, master, "public");
  EXPECT_EQ(found.at("tcpmibd").at("state"), "note");
  EXPECT_THAT(found.at("TCP-MIB").at("finding").get<std::string>(),
              HasSubstr("by the agent itself"));
}

TEST_F(Doctor, AWrongCommunityIsNoAnswer) {
  const Namespace space;
  const Attached agent(space);
  EXPECT_EQ(as_public(space, agent.master, "nobody").at("query").at("state"), "wrong");
}

TEST_F(Doctor, WithoutACommunityItIsTheUserOfSnmpConf) {
  const Namespace space;
  const Attached agent(space);
  const User user;
  folder_.write("snmp.conf", "defVersion 3\ndefSecurityLevel authPriv\ndefSecurityName " +
                                 user.name + "\ndefAuthType SHA\ndefAuthPassphrase " +
                                 user.authentication + "\ndefPrivType AES\ndefPrivPassphrase " +
                                 user.privacy + "\n");
  const json found =
      findings(space, agent.master.agentx(), {"--query", Snmpd::kAddress},
               {.environment = {{"SNMPCONFPATH", folder_.path()},
                                {"SNMP_PERSISTENT_DIR", folder_.file("persistent")}}});
  EXPECT_EQ(found.at("TCP-MIB").at("state"), "ok") << found;
}

TEST_F(Doctor, TellsAPlainUserWhatIsClosedToIt) {
  const Namespace space;
  const Snmpd master(space);
  const json found = findings(space, master.agentx(), {}, {.user = kPlainUser});
  EXPECT_THAT(found.at("AgentX socket").at("finding").get<std::string>(),
              AllOf(HasSubstr(master.agentx()), HasSubstr("is closed to this user")));
  EXPECT_THAT(found.at("AgentX socket").at("cure").get<std::string>(), HasSubstr("agentXPerms"));
  EXPECT_THAT(found.at("AgentX master").at("finding").get<std::string>(),
              HasSubstr("Permission denied"));
  EXPECT_EQ(found.at("deleteTCB").at("state"), "note");
}

TEST_F(Doctor, TellsALineThatSnmpdHasNotRead) {
  const Namespace space;
  const Snmpd master(space);
  folder_.write("snmpd.conf", "master agentx\nagentXPerms 0777 0755\n");
  const json found = findings(space, master.agentx(), {}, {.user = kPlainUser});
  EXPECT_EQ(found.at("AgentX socket").at("cure"),
            "restart snmpd: it was started before " + folder_.file("snmpd.conf") + " was written");
}

TEST_F(Doctor, ASocketThatIsOpenedIsOpen) {
  const Namespace space;
  const Snmpd master(space, {.lines = {"agentXPerms 0777 0755"}});
  const json found = findings(space, master.agentx(), {}, {.user = kPlainUser});
  EXPECT_EQ(found.at("AgentX socket").at("state"), "ok");
  EXPECT_EQ(found.at("AgentX master").at("state"), "ok");
}

TEST_F(Doctor, JudgesTheRightsOfTheDaemonThatRuns) {
  const Namespace space;
  const Attached agent(space, {.lines = {"agentXPerms 0777 0755"}},
                       {.process = {.user = kPlainUser, .capabilities = 0}});
  const json found = findings(space, agent.master.agentx());
  const std::string daemon =
      "tcpmibd (pid " + std::to_string(agent.daemon.process().pid()) + ") lacks CAP_NET_ADMIN";
  EXPECT_THAT(found.at("deleteTCB").at("finding").get<std::string>(), HasSubstr(daemon));
}

TEST_F(Doctor, AMasterThatIsStuckDoesNotHoldItUpForLong) {
  const Namespace space;
  Snmpd master(space);
  master.process().signal(SIGSTOP);
  const json found = findings(space, master.agentx());
  EXPECT_THAT(found.at("AgentX master").at("finding").get<std::string>(), HasSubstr("timed out"));
  master.process().signal(SIGCONT);
}

TEST_F(Doctor, SaysWhichLinesOfSnmpdContradictEachOther) {
  const Namespace space;
  const Snmpd master(space);
  folder_.write("snmpd.conf", "master agentx\nagentXTimeout 1\n");
  std::filesystem::create_directory(folder_.file("snmpd.conf.d"));
  folder_.write("snmpd.conf.d/tcpmibd.conf", "agentXTimeout 5\nagentXRetries 0\n");
  const json found = findings(space, master.agentx());
  EXPECT_EQ(found.at("agentXTimeout").at("state"), "wrong");
  EXPECT_THAT(found.at("agentXTimeout").at("finding").get<std::string>(),
              ContainsRegex("snmpd.conf:2 \"1\".*tcpmibd.conf:1 \"5\""));
}

TEST_F(Doctor, AWrongConfigurationIsToldAndTheRestLookedAt) {
  const Namespace space;
  const Snmpd master(space);
  const json found = findings(space, master.agentx(), {"--set", "nonsense=1"});
  EXPECT_EQ(found.at("configuration").at("state"), "wrong");
  EXPECT_EQ(found.at("sock_diag").at("state"), "ok");
}

TEST_F(Doctor, CountsTheFilesOfConfDThatAreRead) {
  const Namespace space;
  const Snmpd master(space);
  folder_.write("tcpmibd.toml", "");
  std::filesystem::create_directory(folder_.file("conf.d"));
  for (const char* name : {"a.toml", ".b.toml", "c.toml~", "README"})
    folder_.write("conf.d/" + std::string(name), name == std::string("a.toml") ? "" : "nonsense");
  const json found = findings(space, master.agentx(), {"-c", folder_.file("tcpmibd.toml")});
  EXPECT_EQ(found.at("configuration").at("finding"),
            "valid: " + folder_.file("tcpmibd.toml") + " and 1 of conf.d");
}

TEST_F(Doctor, ThePeoplesTableHasTheSamePoints) {
  const Namespace space;
  const Output output = run_tcpmibd(
      space, {"doctor", "-x", folder_.file("agentx"), "--snmpd-conf", folder_.file("snmpd.conf")});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.out, AllOf(ContainsRegex("^POINT +STATE +FINDING\n"),
                                ContainsRegex("\nAgentX socket +wrong +.* does not exist\n"),
                                HasSubstr("\nWhat to do:\n")));
}

}  // namespace
}  // namespace tcpmibd::lab
