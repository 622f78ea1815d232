#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "package/package_test.h"
#include "package/peers.h"
#include "support/markdown.h"

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kRestart =
    "restart snmpd: it was started before /etc/snmp/snmpd.conf.d/tcpmibd.conf was written";

// What README's section "Install" says to type on the host that is watched.
std::string install_section() {
  const std::string readme = read_file(kTree + "/README.md");
  std::string script;
  for (const PageCommand& command : commands_in(readme.substr(readme.find("\n## Install\n")))) {
    if (command.script.starts_with("sudo apt install ") || !script.empty())
      script += command.script;
    if (script.find("\nsnmpbulkwalk ") != script.npos)
      return script;
  }
  throw Trouble("README.md has no section \"Install\" with a walk at its end");
}

// The same without the first command.
std::string after_installation() {
  const std::string section = install_section();
  return section.substr(section.find('\n') + 1);
}

std::string tcpmibd_status(const Machine& machine) {
  return machine.must("systemctl status tcpmibd || true");
}

TEST_F(PackageTest, ReadmesInstallationShowsOurTablesWithProcesses) {
  const Peers peers(machine());
  const std::string walk = machine().must(install_section());
  EXPECT_THAT(walk, HasSubstr(".6.17.0 = Counter64: "));
  EXPECT_THAT(walk, HasSubstr(".6.20.1.4.1.4.127.0.0.1.8080 = Gauge32: " + peers.server_pid()));
  EXPECT_EQ(machine().must("stat -c %U /proc/$(systemctl show --property=MainPID --value tcpmibd)"),
            "tcpmibd");
}

TEST_F(PackageTest, SnmpdMayBeInstalledLater) {
  const Peers peers(machine());
  machine().must("apt-get install --no-install-recommends ./tcpmibd_*.deb");
  EXPECT_TRUE(
      machine().eventually("systemctl show --property=StatusText tcpmibd | grep 'waiting for'"))
      << tcpmibd_status(machine());
  machine().must("apt-get install snmpd snmp");
  EXPECT_THAT(machine().must(after_installation()),
              HasSubstr(".6.20.1.4.1.4.127.0.0.1.8080 = Gauge32: " + peers.server_pid()));
}

TEST_F(PackageTest, SnmpdMayBeThereBefore) {
  const Peers peers(machine());
  machine().must("apt-get install snmpd snmp");
  EXPECT_THAT(machine().must("apt-get install ./tcpmibd_*.deb 2>&1"),
              HasSubstr("systemctl restart snmpd"));
  EXPECT_TRUE(machine().eventually(
      "systemctl show --property=StatusText tcpmibd | grep 'Permission denied (" + kRestart + "'"))
      << tcpmibd_status(machine());
  EXPECT_THAT(machine().must(after_installation()),
              HasSubstr(".6.20.1.4.1.4.127.0.0.1.8080 = Gauge32: " + peers.server_pid()));
}

TEST_F(PackageTest, AnSnmpdThatHasNotReadItsFileIsToBeRestartedAndNoMore) {
  machine().must("apt-get install snmpd snmp && apt-get install ./tcpmibd_*.deb");
  EXPECT_THAT(machine().run("tcpmibd doctor").out,
              HasSubstr("\nAgentX socket: " + kRestart + "\n"));
  machine().must("systemctl restart snmpd");
  EXPECT_TRUE(machine().eventually("systemctl is-active tcpmibd")) << tcpmibd_status(machine());
  EXPECT_TRUE(machine().holds("tcpmibd doctor")) << machine().run("tcpmibd doctor").out;
  EXPECT_THAT(machine().must("dpkg-reconfigure tcpmibd 2>&1"), Not(HasSubstr("restart snmpd")));
}

// A capability for other things lets the daemon pass a closed folder: here it has none.
TEST_F(PackageTest, TheFolderOfTheSocketIsPassableWhoeverMadeIt) {
  machine().must("apt-get install snmpd snmp");
  EXPECT_EQ(machine().must("stat --format=%a /var/agentx"), "700");
  machine().must("apt-get install ./tcpmibd_*.deb");
  EXPECT_EQ(machine().must("stat --format=%a /var/agentx"), "755");
  machine().must("systemctl restart snmpd");
  choose_tier("counts-only");
}

// What install.md says of a reload, and of the folder.
TEST_F(PackageTest, AReloadOfSnmpdOpensNoSocketAndARestartNoFolder) {
  machine().must("apt-get install snmpd snmp && apt-get install ./tcpmibd_*.deb");
  machine().write("/etc/snmp/snmpd.conf.d/view.conf", "view systemonly included .1.3.6.1.2.1.6\n");
  machine().must(
      "chmod 700 /var/agentx && kill -HUP $(systemctl show --property=MainPID --value snmpd)");
  ASSERT_TRUE(
      machine().eventually("snmpget -v2c -c public 127.0.0.1 1.3.6.1.2.1.6.1.0 | "
                           "grep INTEGER"));
  EXPECT_EQ(machine().must("stat --format=%G /var/agentx/master"), "root");
  machine().must("systemctl restart snmpd");
  EXPECT_EQ(machine().must("stat --format=%G /var/agentx/master"), "tcpmibd");
  EXPECT_EQ(machine().must("stat --format=%a /var/agentx"), "700");
}

TEST_F(PackageTest, NobodyMayReadOrWriteMoreThanBefore) {
  machine().must("apt-get install ./tcpmibd_*.deb snmpd snmp && systemctl restart snmpd tcpmibd");
  EXPECT_THAT(machine().run("snmpget -v2c -c public -r 0 127.0.0.1 " + kTcpHcInSegs).out,
              HasSubstr("No Such Object"));
  EXPECT_FALSE(machine().holds("snmpget -v2c -c private -r 0 -t 1 127.0.0.1 " + kTcpHcInSegs));
}

TEST_F(PackageTest, WhatTheAdministratorSaysIsNotSaidTwice) {
  machine().write("/etc/snmp/snmpd.conf.d/local.conf",
                  "agentXPerms 0660 0755 Debian-snmp daemon\n  agentxtimeout 3\n");
  const std::string said = machine().run("apt-get install ./tcpmibd_*.deb snmpd snmp 2>&1").out;
  EXPECT_THAT(said, HasSubstr("agentXPerms is set in /etc/snmp/snmpd.conf.d/local.conf"));
  const std::string ours = machine().must("cat /etc/snmp/snmpd.conf.d/tcpmibd.conf");
  EXPECT_THAT(ours, HasSubstr("\n#agentXPerms "));
  EXPECT_THAT(ours, HasSubstr("\n#agentXTimeout "));
  EXPECT_THAT(ours, HasSubstr("\nagentXRetries 0"));
  EXPECT_THAT(ours, HasSubstr("\nmaster agentx"));
}

// Of the daemon's starts, as the journal tells them.
std::string starts(const Machine& machine) {
  return machine.must("journalctl --unit=tcpmibd --output=cat | grep -c '^Starting '");
}

TEST_F(InstalledTest, AnUpgradeKeepsTheConfigurationAndRestartsOnce) {
  machine().must(R"(echo '[log]' > /etc/tcpmibd/conf.d/mine.toml
      echo 'level = "notice"' >> /etc/tcpmibd/conf.d/mine.toml
      echo '# mine' >> /etc/tcpmibd/tcpmibd.toml
      echo '# mine' >> /etc/snmp/snmpd.conf.d/tcpmibd.conf)");
  choose_tier("deletion");
  const std::string before = starts(machine());
  const std::string files =
      "find /etc/tcpmibd /etc/snmp /etc/systemd/system/tcpmibd.service.d "
      "-type f -exec md5sum {} + | sort -k 2";
  const std::string contents = machine().must(files);
  machine().bring(packages().second);
  machine().must("apt-get install ./tcpmibd_*-2_*.deb && systemctl start tcpmibd");
  EXPECT_EQ(machine().must(files), contents);
  EXPECT_EQ(std::stoi(starts(machine())), std::stoi(before) + 1);
  EXPECT_EQ(property("NRestarts"), "0");
  EXPECT_THAT(ask("snmpget", kTcpHcInSegs), Not(HasSubstr("No Such")));
}

TEST_F(InstalledTest, AnUpgradeLeavesAStoppedDaemonStopped) {
  machine().must("systemctl stop tcpmibd");
  machine().bring(packages().second);
  machine().must("apt-get install ./tcpmibd_*-2_*.deb");
  EXPECT_EQ(property("ActiveState"), "inactive");
}

TEST_F(InstalledTest, RemovingLeavesNothingThatRuns) {
  machine().must("apt-get remove tcpmibd");
  EXPECT_FALSE(machine().holds("pgrep --uid tcpmibd"));
  EXPECT_EQ(property("LoadState"), "not-found");
  EXPECT_EQ(machine().must("ls /etc/tcpmibd/tcpmibd.toml /etc/snmp/snmpd.conf.d/tcpmibd.conf"),
            "/etc/snmp/snmpd.conf.d/tcpmibd.conf\n/etc/tcpmibd/tcpmibd.toml");
  EXPECT_TRUE(machine().holds("systemctl restart snmpd"));
}

TEST_F(InstalledTest, PurgingLeavesTheUserAndNothingElse) {
  choose_tier("deletion");
  machine().must("apt-get purge tcpmibd && systemctl restart snmpd");
  EXPECT_EQ(machine().must("find / -xdev -path /proc -prune -o -name '*tcpmibd*' "
                           "! -path '/root/*' ! -path '/var/cache/*' -print"),
            "");
  EXPECT_EQ(machine().must("find / -xdev -user tcpmibd -o -xdev -group tcpmibd"), "");
  EXPECT_EQ(machine().must("grep -rl --exclude='passwd*' --exclude='*group*' --exclude='*shadow*' "
                           "tcpmibd /etc || true"),
            "");
}

}  // namespace
}  // namespace tcpmibd::lab
