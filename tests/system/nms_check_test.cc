#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/programs.h"
#include "support/trap_receiver.h"
#include "system/monitoring.h"
#include "system/odd_names.h"
#include "system/system_test.h"

// docs/nms/nagios/check_tcpmibd as a monitoring system runs it: by a user without an environment.
// And docs/nms/snmptt, which is told of the same by notifications.

namespace tcpmibd::lab {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kCheckUser = "nagios";

using Arguments = std::vector<std::string>;

// A copy of the plugin where its user may read it, with a folder for its counters.
class Plugin {
 public:
  explicit Plugin(const Namespace& space) : space_(space) {
    program_ = user_.folder().write("check_tcpmibd", nms_text("nagios/check_tcpmibd"));
    std::filesystem::permissions(program_, std::filesystem::perms{0755});
  }

  Output run_with(const Arguments& arguments) const {
    Arguments all{program_};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run(user_.command(all), {.in = &space_});
  }

  // Of the agent that this laboratory has.
  Output check(const Arguments& more = {}, const std::string& port = "2161") const {
    Arguments all{"-H", "127.0.0.1", "-p", port, "--state", user_.folder().path().string()};
    all.insert(all.end(), more.begin(), more.end());
    return run_with(all);
  }

  std::string write(const std::string& name, const std::string& text) const {
    return user_.folder().write(name, text);
  }

 private:
  const Namespace& space_;
  DaemonUser user_{kCheckUser};
  std::string program_;
};

class CheckTcpmibd : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (const auto reason = DaemonUser::skip_reason(kCheckUser, {}))
      GTEST_SKIP() << *reason << " (package nagios4-core)";
  }
};

std::string first_line(const Output& output) { return output.out.substr(0, output.out.find('\n')); }

// What every way to ask is to tell of the service in trouble.
void expect_to_tell_of_trouble(const Output& told) {
  EXPECT_EQ(told.status, kCritical) << told.out << told.err;
  EXPECT_THAT(
      first_line(told),
      AllOf(StartsWith("TCP CRITICAL - port 443 ("), HasSubstr("): 100 % of the accept queue"),
            HasSubstr(" | 'alarms'=0;;0;0 "), HasSubstr(" 'close-wait'=25;100;400;0 "),
            HasSubstr(" '443 leak'=25;20;100;0 "), HasSubstr(" '443 queue'=100%;75;90;0;100")));
  EXPECT_EQ(told.err, "");
}

TEST_F(CheckTcpmibd, FindsThePortInTroubleByEveryVersion) {
  const Namespace space;
  const TroubledService service(space);
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  const Plugin plugin(space);
  expect_to_tell_of_trouble(plugin.check({"-P", "1"}));
  expect_to_tell_of_trouble(plugin.check({"-P", "2c"}));
  expect_to_tell_of_trouble(plugin.check(
      {"-P", "3", "-U", "monitor", "-A", "authentication phrase", "-X", "privacy phrase"}));
}

TEST_F(CheckTcpmibd, TakesSecretsFromAFile) {
  const Namespace space;
  const TroubledService service(space);
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  const Plugin plugin(space);
  const std::string secrets = plugin.write("secrets",
                                           "# of one\nsecname = monitor\nauthpasswd=authentication "
                                           "phrase\nprivpasswd = privacy phrase\n");
  expect_to_tell_of_trouble(plugin.check({"-P", "3", "--secrets", secrets}));
}

TEST_F(CheckTcpmibd, IsOkOfAServiceThatIsWell) {
  const Namespace space;
  const TcpSocket service = quiet_service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Output told = Plugin(space).check({"--listens", "443"});
  EXPECT_EQ(told.status, kOk) << told.out << told.err;
  EXPECT_THAT(told.out,
              AllOf(StartsWith("TCP OK - nothing wrong in "), HasSubstr(" '443 queue'=0%"),
                    HasSubstr(" '443 listens'=1;;1:;0"), EndsWith("\n")));
}

// A leak is one only when it is old enough, or large.
TEST_F(CheckTcpmibd, TellsALeakByItsAge) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Plugin plugin(space);
  EXPECT_EQ(plugin.check({"--only", "leak"}).status, kOk);
  EXPECT_EQ(plugin.check({"--only", "leak", "-c", "leak=24"}).status, kCritical);
  const auto told = [&] { return plugin.check({"--only", "leak", "--leak-age", "0"}); };
  EXPECT_TRUE(eventually([&] { return told().status == kWarning; }, kMonitorsPatience));
  EXPECT_THAT(told().out,
              ContainsRegex("port 443 [(].*[)]: 25 in CLOSE_WAIT, the oldest for [0-9]+ s"));
}

// Ranges are those of the plugin guidelines: the queue of the service is at 100.
TEST_F(CheckTcpmibd, JudgesByRanges) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Plugin plugin(space);
  const auto status = [&](const std::string& range) {
    return plugin.check({"--only", "queue", "-w", "queue=" + range, "-c", "queue="}).status;
  };
  for (const char* alarming : {"99", "~:99.5", "101:", "0:50", "101:200", "@100:100", "@~:100"})
    EXPECT_EQ(status(alarming), kWarning) << alarming;
  for (const char* fine : {"100", "~:100", "100:", "0:100", "@101:200", "@0:99", ""})
    EXPECT_EQ(status(fine), kOk) << fine;
  for (const char* senseless : {"a", "20:10", "10:20:30", ":", "~", "@", "1e3"})
    EXPECT_EQ(status(senseless), kUnknown) << senseless;
}

TEST_F(CheckTcpmibd, JudgesOnePortByLimitsOfItsOwn) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Plugin plugin(space);
  const auto status = [&](const Arguments& arguments) {
    Arguments all{"--only", "queue"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return plugin.check(all).status;
  };
  EXPECT_EQ(status({"-w", "queue:443=,queue:444=1", "-c", "queue:443="}), kOk);
  EXPECT_EQ(status({"-c", "queue=", "-c", "queue:443=99"}), kCritical);
  EXPECT_EQ(status({"--ports", "44|4433"}), kOk) << "443 is neither";
  EXPECT_EQ(status({"--ports", "44."}), kCritical);
}

TEST_F(CheckTcpmibd, MissesAPortThatShouldListen) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const Output told = Plugin(space).check({"--listens", "443"});
  EXPECT_EQ(told.status, kCritical);
  EXPECT_THAT(told.out, StartsWith("TCP CRITICAL - port 443: 0 sockets listen | "));
}

TEST_F(CheckTcpmibd, NamesTheAlarmThatIsRaised) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space, watchful());
  const Plugin plugin(space);
  Output told;
  EXPECT_TRUE(eventually(
      [&] {
        told = plugin.check({"--only", "alarms"});
        return told.status == kCritical;
      },
      kMonitorsPatience));
  EXPECT_THAT(told.out, StartsWith("TCP CRITICAL - 1 alarms of tcpmibd are raised: leak | "));
}

// By the minute, from the second check on, and of each service that checks by itself.
TEST_F(CheckTcpmibd, TellsDropsByTheMinute) {
  const Namespace space;
  TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Plugin plugin(space);
  for (const char* metric : {"drops", "overflows"}) {
    EXPECT_THAT(plugin.check({"--only", metric}).out, StartsWith("TCP OK - nothing wrong in 0 "));
    Output told;
    const auto is_critical = [&] {
      service.overflow();
      told = plugin.check({"--only", metric});
      return told.status == kCritical;
    };
    EXPECT_TRUE(eventually(is_critical, kMonitorsPatience)) << told.out << told.err;
    EXPECT_THAT(told.out, ContainsRegex("a minute [|] '(443 drops|overflows)'=[0-9.]+;1;5;0"));
  }
}

TEST_F(CheckTcpmibd, BeginsAnewWithADaemonThatWasRestarted) {
  const Namespace space;
  TroubledService service(space);
  const Plugin plugin(space);
  for (int start = 0; start < 2; ++start) {
    const Daemon daemon = Daemon::standalone(space);
    service.overflow();
    const auto told = [&] { return plugin.check({"--only", "drops"}).out; };
    EXPECT_THAT(told(), StartsWith("TCP OK - nothing wrong in 0 ")) << "there was another daemon";
    EXPECT_TRUE(eventually([&] { return told().find("443 drops") != std::string::npos; },
                           kMonitorsPatience));
  }
}

TEST_F(CheckTcpmibd, IsCriticalWhileTcpmibdIsAway) {
  const Namespace space;
  const Plugin plugin(space);
  const Output nobody = plugin.check({"-t", "2"}, "9161");
  EXPECT_EQ(nobody.status, kCritical);
  EXPECT_THAT(nobody.out, StartsWith("TCP CRITICAL - no answer from 127.0.0.1 port 9161"));
  const Snmpd master(space);
  const std::string address = Snmpd::kAddress;
  const Output away = plugin.check({}, address.substr(address.rfind(':') + 1));
  EXPECT_EQ(away.status, kCritical);
  EXPECT_THAT(away.out, StartsWith("TCP CRITICAL - tcpmibd does not answer on 127.0.0.1"));
}

TEST_F(CheckTcpmibd, DoesNotKnowWhenItMayNotAsk) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  const Plugin plugin(space);
  const Output told =
      plugin.check({"-P", "3", "-U", "monitor", "-A", "another phrase", "-X", "privacy phrase"});
  EXPECT_EQ(told.status, kUnknown);
  EXPECT_THAT(told.out, HasSubstr("Authentication failure"));
}

TEST_F(CheckTcpmibd, SaysWhatIsWrongWithItsOptions) {
  const Namespace space;
  const Plugin plugin(space);
  const std::vector<std::pair<Arguments, std::string>> wrong{
      {{}, "no host: -H HOST"},
      {{"-H", "-oProxy"}, "'-oProxy' is no host"},
      {{"-H", "a", "-P", "4"}, "'4' is no version of SNMP: 1, 2c or 3"},
      {{"-H", "a", "-P", "3"}, "version 3 needs a user: -U USER"},
      {{"-H", "a", "-p", "65536"}, "port 65536 is not 1 to 65535"},
      {{"-H", "a", "-t", "0"}, "a timeout of 0 s is not 1 to 600"},
      {{"-H", "a", "--bogus"}, "Unknown option: bogus"},
      {{"-H", "a", "more"}, "'more' is no option"},
      {{"-H", "a", "--ports", "("}, "--ports is no regular expression"},
      {{"-H", "a", "--only", "x"}, "--only: 'x' is no metric"},
      {{"-H", "a", "--listens", "http"}, "--listens: 'http' is no port"},
      {{"-H", "a", "-w", "queue"}, "--warning: 'queue' is not METRIC=RANGE"},
      {{"-H", "a", "-c", "x=1"}, "--critical: 'x' is no metric"},
      {{"-H", "a", "--secrets", "/no-secrets"}, "/no-secrets: No such file or directory"},
  };
  for (const auto& [arguments, reason] : wrong) {
    const Output told = plugin.run_with(arguments);
    EXPECT_EQ(told.status, kUnknown) << reason;
    EXPECT_THAT(told.out, StartsWith("TCP UNKNOWN - " + reason));
  }
}

TEST_F(CheckTcpmibd, HasHelpAndAVersion) {
  const Namespace space;
  const Plugin plugin(space);
  const Output help = plugin.run_with({"-h"});
  EXPECT_EQ(help.status, kUnknown) << "as those of monitoring-plugins";
  EXPECT_THAT(help.out, AllOf(HasSubstr("queue             75        90  of the accept queue"),
                              HasSubstr("--listens PORT")));
  EXPECT_THAT(plugin.run_with({"-V"}).out, ContainsRegex("^check_tcpmibd [0-9]+[.][0-9]+"));
}

// Whoever can start a program chooses its name: nothing that a shell, a page or a line takes for
// its own gets through.
TEST_F(CheckTcpmibd, NamesDoNoHarm) {
  const Namespace space;
  const auto processes = oddly_named(space);
  const OddlyNamed shell(space, {"`id`|$(x)<b>'", ""}, 7290);
  const Daemon daemon = Daemon::standalone(space);
  const Output told = Plugin(space).check({"-v", "-w", "queue=@0", "-c", "queue="});
  EXPECT_EQ(told.status, kWarning) << told.out << told.err;
  EXPECT_THAT(told.out, HasSubstr("port 7290 (\?id\?\?\?(x)\?b\?\?"));
  EXPECT_THAT(told.out, HasSubstr("(job-同步任"));
  const std::string details = told.out.substr(first_line(told).size());
  EXPECT_THAT(details, Not(ContainsRegex("[`$<>'\"&\\;|]")));
  EXPECT_EQ(count_of("|", told.out), 1);
}

// Nagios cuts off what is longer, in the middle of a figure.
TEST_F(CheckTcpmibd, LeavesOutPerformanceDataThatIsTooLong) {
  const Namespace space;
  std::vector<TcpSocket> services;
  for (int port = 20000; port < 20200; ++port)
    services.push_back(listen_on(space, "127.0.0.1:" + std::to_string(port)));
  const Daemon daemon = Daemon::standalone(space);
  const Output told = Plugin(space).check();
  EXPECT_EQ(told.status, kOk) << told.out << told.err;
  EXPECT_LT(told.out.size(), 4500U);
  EXPECT_THAT(told.out, ContainsRegex("\nPerformance data of [0-9]+ figures is left out"));
}

// ------------------------------------------------------------------------------------------ snmptt

// As in docs/nms/README.md, with a log in `folder`.
std::string settings_of_snmptt(const TempFolder& folder) {
  return folder.write("snmptt.ini",
                      "[General]\nmode = standalone\nnet_snmp_perl_enable = 0\n"
                      "[Logging]\nlog_enable = 1\nsyslog_enable = 0\nsyslog_system_enable = 0\n"
                      "log_file = " +
                          folder.file("log") + "\n[TrapFiles]\nsnmptt_conf_files = <<END\n" +
                          folder.write("snmptt.conf", nms_text("snmptt/snmptt.conf")) + "\nEND\n");
}

// A snmptrapd that hands everything on to snmptt.
Child handler_of_traps(const Namespace& space, const TempFolder& folder) {
  const std::string handler = *find_program("snmptt") + " --ini=" + settings_of_snmptt(folder);
  const std::string configuration = folder.write(
      "snmptrapd.conf", "disableAuthorization yes\ntraphandle default " + handler + "\n");
  return Child({"snmptrapd", "-f", "-Lo", "-n", "-C", "-c", configuration, "-On", "-m", "",
                "udp:127.0.0.1:1162"},
               {.in = &space, .environment = isolated_snmp_environment(folder.path().string())});
}

TEST_F(SystemTest, SnmpttLogsOurNotifications) {
  if (const auto reason = trap_receiver_skip_reason())
    GTEST_SKIP() << *reason;
  if (!is_installed("snmptt"))
    GTEST_SKIP() << "no snmptt (package of that name)";
  const Namespace space;
  const TempFolder folder;
  const Child handler = handler_of_traps(space, folder);
  ASSERT_TRUE(handler.says("NET-SNMP version", kMonitorsPatience)) << handler.err();
  const std::string access =
      folder.write("access", "rocommunity public 127.0.0.1\ntrap2sink 127.0.0.1:1162 public\n");
  std::optional<TroubledService> service(space);
  const Daemon daemon = Daemon::standalone(space, watchful(), access);
  const auto logged = [&] { return read_file(folder.file("log")); };
  const auto logs = [&](const std::string& line) {
    return eventually([&] { return logged().find(line) != std::string::npos; }, kMonitorsPatience);
  };
  EXPECT_TRUE(
      logs(" WARNING \"tcpmibd\" 127.0.0.1 - Alarm leak raised: closeWait per port 25, "
           "limit 20; worst of 1: port 443, process: "))
      << logged() << handler.err();
  service.reset();
  EXPECT_TRUE(logs(" NORMAL \"tcpmibd\" 127.0.0.1 - Alarm leak cleared after ")) << logged();
}

}  // namespace
}  // namespace tcpmibd::lab
