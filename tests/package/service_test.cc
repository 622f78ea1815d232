#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "package/package_test.h"
#include "package/peers.h"

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(InstalledTest, TheDaemonHasTwoCapabilitiesAndNoMore) {
  const std::string status = machine().must(
      "cat /proc/$(systemctl show --property=MainPID "
      "--value tcpmibd)/status");
  for (const char* set : {"CapPrm", "CapEff", "CapBnd"})  // bits 2 and 19
    EXPECT_THAT(status, HasSubstr(std::string(set) + ":\t0000000000080004"));
  EXPECT_THAT(status, HasSubstr("CapAmb:\t0000000000000000"))
      << "a program it runs would have them";
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
}

TEST_F(InstalledTest, TheDoctorFindsNothingWrong) {
  const Output found = machine().run("tcpmibd doctor --query 127.0.0.1 --community secret");
  EXPECT_EQ(found.status, 0) << found.out << found.err;
}

TEST_F(InstalledTest, NothingIsWritableAsInstalled) {
  const Peers peers(machine());
  EXPECT_THAT(ask("snmpset", peers.connection_state() + " i 12"), HasSubstr("notWritable"));
  EXPECT_TRUE(peers.connection_lives());
}

TEST_F(InstalledTest, TheDropInLetsAManagerEndConnections) {
  const Peers peers(machine());
  choose_tier("deletion");
  EXPECT_EQ(ask("snmpset", peers.connection_state() + " i 12"), "12");
  EXPECT_FALSE(peers.connection_lives());
}

TEST_F(InstalledTest, ThePackagedConfigurationProtectsPort22) {
  const Peers peers(machine(), 22);
  choose_tier("deletion");
  EXPECT_THAT(ask("snmpset", peers.connection_state_of_server() + " i 12"),
              HasSubstr("notWritable"));
  EXPECT_TRUE(peers.connection_lives());
}

TEST_F(InstalledTest, CountsOnlyShowsRowsWithoutProcesses) {
  const Peers peers(machine());
  EXPECT_EQ(ask("snmpget", peers.listener_process()), peers.server_pid());
  choose_tier("counts-only");
  EXPECT_EQ(ask("snmpget", peers.listener_process()), "0");
  EXPECT_EQ(ask("snmpget", peers.connection_state()), "5");
}

TEST_F(InstalledTest, ProcessesAreLookedUpByBpfWithItsDropIn) {
  if (!machine().holds("test -r /sys/kernel/btf/vmlinux"))
    GTEST_SKIP() << "this kernel does not show its types";
  const Peers peers(machine());
  EXPECT_EQ(ask("snmpget", peers.listener_process()), peers.server_pid());
  EXPECT_THAT(machine().must("journalctl --unit=tcpmibd"), HasSubstr("looked up in /proc: cannot"));
  choose_tier("bpf");
  EXPECT_EQ(ask("snmpget", peers.listener_process()), peers.server_pid());
  EXPECT_THAT(machine().must("journalctl --unit=tcpmibd"), HasSubstr("by a BPF iterator"));
  EXPECT_THAT(machine().must("tcpmibd doctor || true"), HasSubstr("by a BPF iterator"));
}

TEST_F(InstalledTest, TheStandaloneRoleTakesTheNetworkDropIn) {
  machine().write("/etc/tcpmibd/access.conf",
                  "createUser operator SHA-256 \"authentication phrase\" AES \"privacy phrase\"\n"
                  "rouser operator priv\n");
  machine().write("/etc/tcpmibd/conf.d/standalone.toml",
                  "[standalone]\naddress = \"udp:127.0.0.1:1161\"\n"
                  "access = \"/etc/tcpmibd/access.conf\"\n");
  machine().must(
      "chown root:tcpmibd /etc/tcpmibd/access.conf && "
      "chmod 640 /etc/tcpmibd/access.conf");
  choose_tier("network");
  EXPECT_THAT(machine()
                  .run("snmpget -v3 -u operator -l authPriv -a SHA-256 "
                       "-A 'authentication phrase' -x AES -X 'privacy phrase' "
                       "127.0.0.1:1161 " +
                       kTcpHcInSegs)
                  .out,
              HasSubstr("Counter64"));
  EXPECT_TRUE(machine().holds("test -s /var/lib/tcpmibd/engine"));
}

TEST_F(InstalledTest, EitherSideMayBeRestarted) {
  const std::string asked =
      "snmpget -v2c -c secret -r 0 127.0.0.1 " + kTcpHcInSegs + " | grep Counter64";
  machine().must("systemctl restart tcpmibd");
  EXPECT_TRUE(machine().holds(asked));
  machine().must("systemctl restart snmpd");
  EXPECT_TRUE(machine().eventually(asked));
  machine().must("systemctl kill --signal=KILL snmpd && systemctl start snmpd");
  EXPECT_TRUE(machine().eventually(asked));
  EXPECT_EQ(property("NRestarts"), "0");
  machine().must("systemctl kill --signal=KILL tcpmibd");
  EXPECT_TRUE(
      machine().eventually("[[ $(systemctl show --property=NRestarts --value tcpmibd) == 1 ]]"));
  EXPECT_TRUE(machine().eventually(asked));
}

// The override that install.md shows for snmpd's unit.
std::string snmpd_override() {
  const std::string page = read_file(kTree + "/docs/install.md");
  const std::size_t begin = page.find("[Service]\nExecStart=\n");
  if (begin == page.npos)
    throw Trouble("install.md shows no override for snmpd");
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST_F(InstalledTest, TheDocumentedOverrideSwitchesSnmpdsOwnTablesOff) {
  machine().write("/etc/systemd/system/snmpd.service.d/override.conf", snmpd_override());
  machine().must("systemctl daemon-reload && systemctl restart snmpd tcpmibd");
  EXPECT_THAT(ask("snmpget", kTcpHcInSegs), Not(HasSubstr("No Such")));
  machine().must("systemctl stop tcpmibd");
  EXPECT_THAT(ask("snmpwalk", "1.3.6.1.2.1.6"), HasSubstr("No Such Object"));
}

TEST_F(InstalledTest, ABootDoesNotWaitForAMaster) {
  machine().must("systemctl stop snmpd tcpmibd && systemctl start --no-block tcpmibd");
  EXPECT_TRUE(
      machine().eventually("systemctl show --property=ActiveState tcpmibd | grep activating"));
  machine().must("systemctl restart multi-user.target");
  EXPECT_EQ(property("ActiveState", "multi-user.target"), "active");
}

TEST_F(InstalledTest, AConfigurationThatCannotBeUsedEndsTheServiceForGood) {
  machine().write("/etc/tcpmibd/conf.d/mine.toml", "[log]\nlevle = 1\n");
  EXPECT_FALSE(machine().holds("systemctl restart tcpmibd"));
  EXPECT_EQ(property("ActiveState"), "failed");
  EXPECT_EQ(property("ExecMainStatus"), "2");
}

TEST_F(InstalledTest, TheJournalExplainsALineThatIsWaitedFor) {
  EXPECT_THAT(machine().must("journalctl --unit=tcpmibd --catalog "
                             "MESSAGE_ID=e530cbff8e5a4202a443b701bde5e329"),
              HasSubstr("\n\u2591\u2591 Subject: tcpmibd has registered with its master\n"));
}

TEST_F(InstalledTest, AReloadWithAMistakeFailsAndChangesNothing) {
  const std::string pid = property("MainPID");
  machine().write("/etc/tcpmibd/conf.d/mine.toml", "[log]\nlevle = 1\n");
  EXPECT_FALSE(machine().holds("systemctl reload tcpmibd"));
  EXPECT_THAT(machine().must("journalctl --unit=tcpmibd"), HasSubstr("mine.toml:2"));
  machine().write("/etc/tcpmibd/conf.d/mine.toml", "[log]\nlevel = \"notice\"\n");
  machine().must("systemctl reload tcpmibd");
  EXPECT_EQ(property("MainPID"), pid);
  EXPECT_EQ(property("ActiveState"), "active");
}

TEST_F(InstalledTest, TheUnitIsSoundInEveryTier) {
  machine().must("systemctl disable tcpmibd && systemctl enable tcpmibd");
  EXPECT_EQ(machine().must("systemd-analyze verify --man=no tcpmibd.service 2>&1"), "");
  struct Tier {
    const char* drop_in;
    int tenths;  // the greatest exposure that is allowed
  };
  for (const auto& [drop_in, tenths] :
       {Tier{"bpf", 20}, Tier{"counts-only", 20}, Tier{"deletion", 20}, Tier{"network", 24},
        Tier{"none", 20}}) {
    machine().must("rm -rf /etc/systemd/system/tcpmibd.service.d");
    if (std::string(drop_in) != "none")
      choose_tier(drop_in);
    else
      machine().must("systemctl daemon-reload");
    const Output analysed = machine().run("systemd-analyze security --offline=true --threshold=" +
                                          std::to_string(tenths) + " tcpmibd.service");
    EXPECT_EQ(analysed.status, 0) << drop_in << "\n" << analysed.out << analysed.err;
  }
}

}  // namespace
}  // namespace tcpmibd::lab
