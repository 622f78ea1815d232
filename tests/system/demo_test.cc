#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "support/deadline.h"
#include "support/netns.h"
#include "support/process.h"
#include "support/programs.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// tools/demo as a newcomer runs it, on a host of the test's and with what is built already.

namespace tcpmibd::lab {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kDemo = TCPMIBD_SOURCE_DIR "/tools/demo";
constexpr std::chrono::seconds kDemoPatience{90};  // longer than the demo's own
constexpr std::chrono::seconds kDashboardsPatience{240};

class Demo : public PlainUserTest {
 protected:
  void SetUp() override {
    PlainUserTest::SetUp();
    // Whom the demo leaves behind becomes our child.
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    std::filesystem::permissions(temporary_.path(), std::filesystem::perms::all);
  }

  ProcessOptions options(std::map<std::string, std::string> environment = {}) const {
    environment.emplace("TMPDIR", temporary_.path().string());
    return {.in = &host_, .environment = environment};
  }

  Output once(const ProcessOptions& options, const std::string& binary = tcpmibd_binary()) const {
    return run({kDemo, "--once", "--binary", binary}, options, kDemoPatience);
  }

  void expect_nothing_left() const {
    EXPECT_TRUE(std::filesystem::is_empty(temporary_.path()));
    EXPECT_TRUE(eventually([] { return ::waitpid(-1, nullptr, WNOHANG) == -1; }));
  }

  const Namespace host_;
  const TempFolder temporary_;
  const TempFolder tricks_;
};

// What each question is answered by; the demo's own checks are not asked.
void expect_whole_scene(const std::string& out) {
  EXPECT_THAT(out, ContainsRegex("ipv4.\"192.0.2.10\".8080.ipv4.\"192.0.2.77\".[0-9]+ +closeWait"));
  EXPECT_THAT(out,
              ContainsRegex("CloseWait FinWait LastAck Total OldestCloseWait\n *[0-9]+ +orders"));
  EXPECT_THAT(out, ContainsRegex("QueuePercent Drops .*\n +443 +[0-9]+ +shop .* 2 +1 +100 "));
  EXPECT_THAT(out, ContainsRegex("\\$ snmpset -c private unix:scene [^ ]+ = deleteTCB\n"
                                 "[^\n]+ deleteTCB\n\\$ snmpget [^\n]+\n[^\n]+ No Such Instance"));
  EXPECT_THAT(out, HasSubstr("What next?"));
}

// Ports and numbers of processes are others every time.
std::string without_numbers(const std::string& text) {
  return std::regex_replace(text, std::regex("[0-9]+"), "N");
}

// The commands that README.md's section "Try it" shows as the demo's.
std::vector<std::string> commands_in_readme() {
  const std::string readme = read_file(TCPMIBD_SOURCE_DIR "/README.md");
  std::vector<std::string> commands;
  std::istringstream sample(readme.substr(readme.find("$ sudo tools/demo --once\n")));
  for (std::string line; std::getline(sample, line) && line != "```";) {
    if (line.starts_with("$ snmp"))
      commands.push_back(without_numbers(line) + '\n');
  }
  return commands;
}

TEST_F(Demo, ShowsThisHostAndASceneWithALeakAFullQueueAndADeletionAsReadmeDoes) {
  const TcpSocket listener = listen_on(host_, "127.0.0.1:5432");
  const TcpSocket client = connect_to(host_, "127.0.0.1:5432");
  const Output demo = once(options());
  EXPECT_EQ(demo.status, 0) << demo.err;
  EXPECT_THAT(demo.out, HasSubstr("tcpmibdStateTotal.listen 1\ntcpmibdStateTotal.established 2\n"));
  EXPECT_THAT(demo.out, HasSubstr("tcpmibdPortCommand.5432 system_tests\n"));
  EXPECT_THAT(demo.out,
              HasSubstr("tcpConnectionState.ipv4.\"127.0.0.1\".5432.ipv4.\"127.0.0.1\"."));
  expect_whole_scene(demo.out);
  expect_nothing_left();
  ASSERT_THAT(commands_in_readme(), SizeIs(9));
  for (const std::string& command : commands_in_readme())
    EXPECT_THAT(without_numbers(demo.out), HasSubstr(command));
}

TEST_F(Demo, ShowsAPlainUserTheSceneAsWell) {
  ProcessOptions plain = options({{"HOME", "/nonexistent"}});
  plain.user = kPlainUser;
  if (run({"unshare", "--user", "--map-root-user", "--net", "true"}, plain).status != 0)
    GTEST_SKIP() << "a plain user can make no namespaces here";
  const Output demo = once(plain);
  EXPECT_EQ(demo.status, 0) << demo.err;
  EXPECT_THAT(demo.out, HasSubstr("tcpmibdStateTotal | grep -v ' 0$'\n(none)\n"));
  expect_whole_scene(demo.out);
  expect_nothing_left();
}

TEST_F(Demo, SaysWhatItCannotShowWhereNoNamespaceCanBeMade) {
  std::filesystem::permissions(tricks_.write("unshare", "#!/bin/sh\necho refused >&2\nexit 1\n"),
                               std::filesystem::perms::all);
  const Output demo =
      once(options({{"PATH", tricks_.path().string() + ":/usr/sbin:/usr/bin:/sbin:/bin"}}));
  EXPECT_EQ(demo.status, 1);
  EXPECT_THAT(demo.out, AllOf(HasSubstr("no network namespace can be made here (refused)"),
                              HasSubstr("What next?"), Not(HasSubstr("snmpset"))));
  expect_nothing_left();
}

TEST_F(Demo, FailsWhereWhatItPromisesIsNotShown) {
  const std::string binary = tricks_.write(
      "tcpmibd", "#!/bin/sh\nexec " + tcpmibd_binary() + " \"$@\" --set delete-tcb.policy=off\n");
  std::filesystem::permissions(binary, std::filesystem::perms::all);
  const Output demo = once(options(), binary);
  EXPECT_EQ(demo.status, 1);
  EXPECT_THAT(demo.err, HasSubstr("that should have shown \" deleteTCB$\""));
  expect_nothing_left();
}

TEST_F(Demo, StaysUntilCtrlC) {
  Child demo({kDemo, "--binary", tcpmibd_binary()}, options());
  ASSERT_TRUE(demo.says("Both agents stay until Ctrl-C.", kDemoPatience)) << demo.err();
  demo.process().signal(SIGINT);
  EXPECT_EQ(demo.process().wait(), 0);
  EXPECT_THAT(demo.err(), IsEmpty());
  expect_nothing_left();
}

TEST_F(Demo, ShowsAHostInPrometheusForABrowserHere) {
  for (const char* program : {"prometheus", "promtool", "prometheus-snmp-exporter", "curl"}) {
    if (!is_installed(program))
      GTEST_SKIP() << "no " << program;
  }
  const TcpSocket in_the_way = listen_on(host_, "127.0.0.1:9090");
  Child demo({kDemo, "--dashboards", "--binary", tcpmibd_binary()}, options());
  ASSERT_TRUE(demo.says("Where to look, until Ctrl-C:", kDashboardsPatience))
      << demo.out() << demo.err();
  EXPECT_THAT(demo.out(), ContainsRegex("tcpmibdPortCloseWait[{].*\"orders\".* => [2-9][0-9]"));
  EXPECT_THAT(demo.out(), ContainsRegex("tcpmibdPortQueuePercent[{].*\"shop\".* => 100"));
  std::smatch page;
  const std::string out = demo.out();
  ASSERT_TRUE(std::regex_search(out, page, std::regex("http://127.0.0.1:9091/[a-z/]*alerts\n")));
  const std::string address = page.str().substr(0, page.str().size() - 1);
  const Output seen = run({"curl", "-sS", "--fail", "--max-time", "30", address}, {.in = &host_});
  EXPECT_THAT(seen.out, HasSubstr("<title>Prometheus")) << seen.err;
  demo.process().signal(SIGINT);
  EXPECT_EQ(demo.process().wait(), 0);
  EXPECT_THAT(demo.err(), IsEmpty());
  expect_nothing_left();
}

TEST_F(Demo, MakesNoDashboardsForAPlainUser) {
  ProcessOptions plain = options({{"HOME", "/nonexistent"}});
  plain.user = kPlainUser;
  const Output demo = run({kDemo, "--dashboards", "--binary", tcpmibd_binary()}, plain);
  EXPECT_EQ(demo.status, 1);
  EXPECT_THAT(demo.err, HasSubstr("--dashboards needs root"));
  expect_nothing_left();
}

}  // namespace
}  // namespace tcpmibd::lab
