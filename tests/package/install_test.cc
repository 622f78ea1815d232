#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "package/package_test.h"
#include "package/peers.h"

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

// The commands of README's section "Install": from the line of `apt` on, for what stands before
// builds the package.
std::string install_section() {
  const std::string readme = read_file(kTree + "/README.md");
  const std::size_t section = readme.find("\n## Install\n");
  const std::size_t begin = readme.find("sudo apt install", section);
  const std::size_t end = readme.find("```", begin);
  if (section == readme.npos || begin == readme.npos || end == readme.npos)
    throw Trouble("README.md has no section \"Install\" with commands");
  return readme.substr(begin, end - begin);
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
  machine().must("apt-get install ./tcpmibd_*.deb");
  EXPECT_TRUE(machine().eventually(
      "systemctl show --property=StatusText tcpmibd | grep 'Permission denied'"))
      << tcpmibd_status(machine());
  EXPECT_THAT(machine().must(after_installation()),
              HasSubstr(".6.20.1.4.1.4.127.0.0.1.8080 = Gauge32: " + peers.server_pid()));
}

TEST_F(PackageTest, NobodyMayReadOrWriteMoreThanBefore) {
  machine().must("apt-get install ./tcpmibd_*.deb snmpd snmp && systemctl start tcpmibd");
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
