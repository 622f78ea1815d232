#include "agent/netsnmp/hosts_access.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include "support/temp_folder.h"

namespace tcpmibd::agent {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow{1h};

// libwrap is asked with `verdict` in its place.
class HostsAccessTest : public testing::Test {
 protected:
  bool admits(const std::string& client, Time now = kNow) {
    return access_.admits(
        client,
        [this] {
          ++asked_;
          return verdict_;
        },
        now);
  }

  lab::TempFolder folder_;
  HostsAccess access_{folder_.file("allow"), folder_.file("deny")};
  bool verdict_ = true;
  int asked_ = 0;
};

TEST_F(HostsAccessTest, AsksTwiceForAClientWhateverTheVerdict) {
  folder_.write("deny", "ALL: 10.0.0.0/255.0.0.0\n");
  EXPECT_TRUE(admits("one"));
  EXPECT_TRUE(admits("one"));
  verdict_ = false;
  EXPECT_TRUE(admits("one"));
  EXPECT_FALSE(admits("another"));
  EXPECT_FALSE(admits("another"));
  verdict_ = true;
  EXPECT_FALSE(admits("another"));
  EXPECT_EQ(asked_, 4);
}

TEST_F(HostsAccessTest, KeepsNoVerdictThatTheNextRequestDoesNotGet) {
  verdict_ = false;  // as where libwrap finds no descriptor for a moment
  EXPECT_FALSE(admits("one"));
  verdict_ = true;
  EXPECT_TRUE(admits("one"));
  verdict_ = false;
  EXPECT_FALSE(admits("one"));
  EXPECT_EQ(asked_, 3);
}

TEST_F(HostsAccessTest, AsksAgainWhenAFileComesChangesOrGoes) {
  const auto expect_asked = [&](int times) {
    for (int i = 0; i < 4; ++i)
      admits("one");
    EXPECT_EQ(asked_, times);
  };
  expect_asked(2);
  folder_.write("deny", "ALL: ALL\n");
  expect_asked(4);
  folder_.write("deny", "ALL: ALL: deny\n");
  expect_asked(6);
  folder_.write("allow", "snmpd: 10.\n");
  expect_asked(8);
  std::filesystem::remove(folder_.file("deny"));
  expect_asked(10);
}

TEST_F(HostsAccessTest, AsksAgainAfterAMinute) {
  admits("one");
  admits("one");
  admits("one", kNow + 59s);
  EXPECT_EQ(asked_, 2);
  admits("one", kNow + 60s);
  EXPECT_EQ(asked_, 3);
}

TEST_F(HostsAccessTest, KeepsNoVerdictOfRulesThatDependOnMoreThanTheFile) {
  folder_.write("deny", "ALL: ALL: spawn (echo %h)\n");
  for (int i = 0; i < 3; ++i)
    admits("one");
  EXPECT_EQ(asked_, 3);
}

TEST_F(HostsAccessTest, KeepsNoVerdictOfAFileThatCannotBeRead) {
  std::filesystem::create_directory(folder_.file("deny"));
  for (int i = 0; i < 3; ++i)
    admits("one");
  EXPECT_EQ(asked_, 3);
}

TEST_F(HostsAccessTest, KeepsAThousandVerdictsAndNoMore) {
  for (int i = 0; i < 5'000; ++i) {
    admits(std::to_string(i));
    admits(std::to_string(i));
  }
  admits("4999");
  EXPECT_EQ(asked_, 10'000);
  admits("0");
  EXPECT_EQ(asked_, 10'001);
}

TEST(HostsRules, ArePlainWhereTheyListDaemonsAndAddresses) {
  for (const std::string_view plain :
       {"", "\n\n", "# a remark with /a/file and a spawn \\\n", "ALL: ALL\n", "ALL : ALL : DENY\n",
        "snmpd, sshd: 10.0.0.0/8 192.168. : allow\n", "snmpd: [2001:db8::]/32: deny\n",
        "ALL: ALL EXCEPT 127.0.0.1"})
    EXPECT_TRUE(is_of_plain_rules(plain)) << plain;
}

TEST(HostsRules, AreNotPlainWithACommandAnOptionAFileANetgroupOrAUser) {
  for (const std::string_view other :
       {"ALL: ALL: spawn (logger %h) &\n", "ALL: ALL: aclexec /bin/true\n",
        "ALL: ALL: severity daemon.info: allow\n", "ALL: ALL: allow now\n", "ALL: /etc/friends\n",
        "ALL: 10. /etc/friends\n", "ALL: 10.,/etc/friends\n", "/etc/daemons: ALL\n",
        "snmpd: @hosts\n", "snmpd: root@10.\n", "snmpd: \\\nALL\n",
        "ALL: ALL\nALL: ALL: twist /bin/false\n", "snmpd: [::1]: spawn true\n"})
    EXPECT_FALSE(is_of_plain_rules(other)) << other;
}

}  // namespace
}  // namespace tcpmibd::agent
