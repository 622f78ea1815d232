#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/nms.h"
#include "support/programs.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/deleting.h"
#include "system/odd_names.h"
#include "system/system_test.h"

// docs/nms against the daemon, by the programs that the files are for.

namespace tcpmibd::lab {
namespace {

using testing::AnyOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr unsigned kLeaked = 25;

// A service on the port that the files take for their examples: it has not closed what its
// clients have, and its accept queue is full.
class TroubledService {
 public:
  explicit TroubledService(const Namespace& space)
      : space_(space), listener_(listen_on(space, "127.0.0.1:443", {.backlog = 2})) {
    while (leaked_.size() < kLeaked) {
      connect_to(space, "127.0.0.1:443").close();
      leaked_.push_back(accept_from(listener_));
      leaked_.back().await_fin();
    }
    while (waiting_.size() < 3)
      waiting_.push_back(connect_to(space, "127.0.0.1:443"));
  }

  // A call more than the queue can take.
  void overflow() { waiting_.push_back(start_connecting(space_, "127.0.0.1:443")); }

 private:
  const Namespace& space_;
  TcpSocket listener_;
  std::vector<TcpSocket> leaked_{};
  std::vector<TcpSocket> waiting_{};
};

std::string text_of(const std::filesystem::path& below_nms) {
  return read_file((nms_folder() / below_nms).string());
}

// ------------------------------------------------------------------------------------ every file

// The kernel shows these in the host's first namespace only.
const std::set<std::string> kHostsOnly = {arc_text() + ".1.9.2.0",   // tcpmibdOrphansLimit
                                          arc_text() + ".1.9.6.0",   // tcpmibdMemoryLow
                                          arc_text() + ".1.9.7.0",   // tcpmibdMemoryPressure
                                          arc_text() + ".1.9.8.0"};  // tcpmibdMemoryLimit

// As a value, or as something to walk: any row will do.
bool answers(const Manager& manager, const std::string& oid) {
  const Oid name = oid_of(oid.substr(0, oid.find(".{")));
  const Answer answer = manager.get({name});
  const bool is_value = answer.ok() && !answer.only().type.starts_with("noSuch");
  return is_value || !manager.walk(name).varbinds.empty();
}

// tcpmibdUnitTable and tcpmibdUnitsLeftOut, where the kernel tells no cgroup.
bool is_of_units(const std::string& oid) {
  return (oid + ".").starts_with(arc_text() + ".1.6.") || oid.starts_with(arc_text() + ".1.9.24");
}

// With an alarm that the troubled service raises.
DaemonOptions watchful() {
  return {.configuration =
              "[watch]\ninterval = \"1s\"\n"
              "[alarm.leak]\nmeasure = \"closeWait\"\nper = \"port\"\nraise = 20\n"};
}

const Oid kAlarmsRaised = oid_of(arc_text() + ".1.11.0");

class Nms : public SystemTest {};

TEST_F(Nms, EveryObjectThatTheFilesNameAnswers) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space, watchful());
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  const bool has_units = answers(manager, arc_text() + ".1.6");
  for (const char* file : {"zabbix/tcpmibd-6.0.yaml", "zabbix/tcpmibd-7.0.yaml",
                           "nagios/commands.cfg", "nagios/icinga2.conf", "prometheus/snmp.yml"}) {
    const std::set<std::string> oids = own_oids_in(text_of(file));
    EXPECT_THAT(oids, Not(IsEmpty())) << file;
    for (const std::string& oid : oids) {
      const bool elsewhere = kHostsOnly.contains(oid) || kHostsOnly.contains(oid + ".0");
      const bool absent = elsewhere || (is_of_units(oid) && !has_units);
      EXPECT_TRUE(absent || answers(manager, oid)) << oid << " in " << file;
    }
  }
}

// -------------------------------------------------------------------------- Nagios and its heirs

// What follows each `word` in a file of Nagios.
std::vector<std::string> values_of(const std::string& text, const std::string& word) {
  const std::regex line("\n *" + word + " +([^\n]+)");
  std::vector<std::string> values;
  for (std::sregex_iterator at(text.begin(), text.end(), line); at != std::sregex_iterator(); ++at)
    values.push_back((*at)[1]);
  return values;
}

void replace_all(std::string& text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

// The services as Nagios would run them, on another port than 161.
class Checks {
 public:
  Checks(const Namespace& space, const std::string& address)
      : space_(space), port_(address.substr(address.rfind(':') + 1)) {
    const std::string commands = text_of("nagios/commands.cfg");
    const std::vector<std::string> names = values_of(commands, "command_name");
    const std::vector<std::string> lines = values_of(commands, "command_line");
    for (std::size_t i = 0; i < names.size(); ++i)
      lines_[names[i]] = lines.at(i);
  }

  static std::vector<std::string> services() {
    return values_of(text_of("nagios/services.cfg"), "check_command");
  }

  // "check_tcpmibd_port_queue!443!75!90"
  Output run_check(const std::string& check) const {
    return run({"sh", "-c", line_of(check) + " -t 5 -e 1 -p " + port_},
               {.in = &space_, .environment = environment()});
  }

 private:
  std::string line_of(const std::string& check) const {
    std::istringstream words(check);
    std::string word;
    std::getline(words, word, '!');
    std::string line = lines_.at(word);
    for (int number = 1; std::getline(words, word, '!'); ++number)
      replace_all(line, "$ARG" + std::to_string(number) + "$", word);
    const std::string plugin = *find_program("check_snmp");
    replace_all(line, "$USER1$", std::filesystem::path(plugin).parent_path().string());
    replace_all(line, "$HOSTADDRESS$", "127.0.0.1");
    replace_all(line, "$_HOSTSNMPCOMMUNITY$", "public");
    return line;
  }

  std::map<std::string, std::string> environment() const {
    std::map<std::string, std::string> environment =
        isolated_snmp_environment(folder_.path().string());
    environment["NAGIOS_PLUGIN_STATE_DIRECTORY"] = folder_.file("plugins");
    return environment;
  }

  const Namespace& space_;
  std::string port_;
  TempFolder folder_;
  std::map<std::string, std::string> lines_;
};

class Nagios : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped() && !is_installed("check_snmp"))
      GTEST_SKIP() << "no check_snmp (package monitoring-plugins-standard)";
  }
};

constexpr int kOk = 0;
constexpr int kWarning = 1;
constexpr int kCritical = 2;
constexpr int kUnknown = 3;

TEST_F(Nagios, EveryServiceTellsHowTheHostIs) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Checks checks(space, Daemon::kAddress);
  const std::map<std::string, std::pair<int, std::string>> wanted{
      {"check_tcpmibd", {kOk, "SNMP OK - tcpmibd \"[0-9]"}},
      {"check_tcpmibd_alarms", {kOk, "SNMP OK - alarms 0 "}},
      {"check_tcpmibd_close_wait!100!400", {kOk, "SNMP OK - closeWait 25 "}},
      {"check_tcpmibd_leak!20!100", {kOk, "SNMP OK - closeWaitOver5m 0 "}},
      {"check_tcpmibd_syn_sent!100!1000", {kOk, "SNMP OK - synSent 0 "}},
      {"check_tcpmibd_overflows!1!5", {kOk, "No previous data"}},
      {"check_tcpmibd_ephemeral!40!60", {kOk, "SNMP OK - ephemeral 0 %"}},
      {"check_tcpmibd_port_queue!443!75!90", {kCritical, "SNMP CRITICAL - queue [*]100[*] %"}},
      {"check_tcpmibd_port_drops!443!1!5", {kOk, "No previous data"}},
      {"check_tcpmibd_port_close_wait!443!20!100", {kWarning, "SNMP WARNING - closeWait [*]25[*]"}},
  };
  EXPECT_EQ(Checks::services().size(), wanted.size());
  for (const std::string& name : Checks::services()) {
    const Output told = checks.run_check(name);
    EXPECT_EQ(told.status, wanted.at(name).first) << name << ": " << told.out << told.err;
    EXPECT_THAT(told.out, ContainsRegex(wanted.at(name).second)) << name;
  }
}

// The plugin refuses to tell a rate over less than a second.
TEST_F(Nagios, DropsAreToldByTheMinute) {
  const Namespace space;
  TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  const Checks checks(space, Daemon::kAddress);
  for (const char* name : {"check_tcpmibd_overflows!1!5", "check_tcpmibd_port_drops!443!1!5"}) {
    EXPECT_EQ(checks.run_check(name).status, kOk) << name;
    Output told;
    const auto is_critical = [&] {
      service.overflow();
      told = checks.run_check(name);
      return told.status == kCritical;
    };
    EXPECT_TRUE(eventually(is_critical, kGreatPatience)) << name << ": " << told.out << told.err;
  }
}

TEST_F(Nagios, AnAlarmThatIsRaisedIsCritical) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space, watchful());
  const Checks checks(space, Daemon::kAddress);
  const auto status = [&] { return checks.run_check("check_tcpmibd_alarms").status; };
  EXPECT_EQ(settled(status, kCritical, kGreatPatience), kCritical);
}

TEST_F(Nagios, NothingIsWellWhileTcpmibdIsAway) {
  const Namespace space;
  const TroubledService service(space);
  const Snmpd master(space);
  const Checks checks(space, Snmpd::kAddress);
  for (const std::string& name : Checks::services()) {
    const int wanted = name == "check_tcpmibd" ? kCritical : kUnknown;
    const Output told = checks.run_check(name);
    EXPECT_EQ(told.status, wanted) << name << ": " << told.out << told.err;
  }
}

TEST_F(Nagios, APortWithoutAListenerIsUnknown) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const Checks checks(space, Daemon::kAddress);
  EXPECT_EQ(checks.run_check("check_tcpmibd_port_queue!443!75!90").status, kUnknown);
}

// What an installation of Nagios has in templates.cfg and its own files, and no more.
constexpr const char* kNagiosObjects = R"(
define timeperiod {
  timeperiod_name  24x7
  alias            always
  monday           00:00-24:00
}
define command {
  command_name  nothing
  command_line  /bin/true
}
define contact {
  contact_name                   somebody
  host_notification_period       24x7
  service_notification_period    24x7
  host_notification_options      n
  service_notification_options   n
  host_notification_commands     nothing
  service_notification_commands  nothing
}
define service {
  name                   generic-service
  contacts               somebody
  check_period           24x7
  notification_period    24x7
  notification_interval  0
  register               0
}
define host {
  host_name            one
  use                  tcpmibd-host
  address              127.0.0.1
  max_check_attempts   3
  check_period         24x7
  notification_period  24x7
  contacts             somebody
}
)";

TEST_F(Nagios, AcceptsTheFiles) {
  const std::optional<std::string> nagios = find_program("nagios4");
  if (!nagios)
    GTEST_SKIP() << "no nagios4 (package nagios4-core)";
  const TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
  std::ostringstream main;
  for (const char* file : {"commands.cfg", "services.cfg"})
    main << "cfg_file=" << folder.write(file, text_of(std::filesystem::path("nagios") / file))
         << "\n";
  main << "cfg_file=" << folder.write("objects.cfg", kNagiosObjects) << "\n"
       << "log_file=" << folder.file("log") << "\ncheck_result_path=" << folder.path().string()
       << "\ntemp_path=" << folder.path().string() << "\nlock_file=" << folder.file("lock") << "\n";
  const Output told = run({*nagios, "-v", folder.write("nagios.cfg", main.str())});
  EXPECT_EQ(told.status, 0) << told.out;
  EXPECT_THAT(told.out,
              HasSubstr("Checked " + std::to_string(Checks::services().size()) + " services."));
}

// ------------------------------------------------------------------------------------ Prometheus

// What the exporter makes of the agent at `target`.
std::string scrape(const Namespace& space, const std::string& exporter, const char* target) {
  const Output output = run({"curl", "-sS", "--max-time", "50",
                             "http://" + exporter + "/snmp?module=tcpmibd&target=" + target},
                            {.in = &space});
  EXPECT_EQ(output.status, 0) << output.err;
  return output.out;
}

// Without type and help.
std::set<std::string> metrics_in(const std::string& scraped) {
  std::istringstream lines(scraped);
  std::set<std::string> metrics;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#"))
      metrics.insert(line);
  }
  return metrics;
}

class Prometheus : public SystemTest {};

TEST_F(Prometheus, TheExporterReadsThroughOurModule) {
  const std::optional<std::string> program = find_program("prometheus-snmp-exporter");
  if (!program)
    GTEST_SKIP() << "no prometheus-snmp-exporter (package of that name)";
  if (!is_installed("curl"))
    GTEST_SKIP() << "no curl";
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space, watchful());
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  ASSERT_EQ(settled([&] { return told(manager, kAlarmsRaised); }, "1", kGreatPatience), "1");
  constexpr const char* kAt = "127.0.0.1:9116";
  const Child exporter({*program, "--config.file", (nms_folder() / "prometheus/snmp.yml").string(),
                        std::string("--web.listen-address=") + kAt},
                       {.in = &space});
  ASSERT_TRUE(exporter.says("Listening on", kGreatPatience)) << exporter.err();
  const std::string scraped = scrape(space, kAt, "127.0.0.1:2161");
  const std::set<std::string> metrics = metrics_in(scraped);
  for (const char* wanted :
       {"tcpmibdStateTotal{tcpmibdStateName=\"closeWait\"} 25",
        "tcpmibdStateTotal{tcpmibdStateName=\"closed\"} 0",
        "tcpmibdAgeOver5m{tcpmibdStateName=\"closeWait\"} 0", "tcpmibdEphemeralPercent 0",
        "tcpmibdAlarmsRaised 1", "tcpmibdAlarmState{tcpmibdAlarmName=\"leak\"} 3"})
    EXPECT_THAT(metrics, testing::Contains(wanted)) << scraped;
  EXPECT_THAT(metrics, testing::Contains(ContainsRegex("^tcpmibdVersion[{].*=\"[0-9].*\"[}] 1$")));
  for (const char* wanted :
       {"CloseWait[{].*tcpmibdPortNumber=\"443\".* 25$",
        "QueuePercent[{].*tcpmibdPortNumber=\"443\".* 100$", "Drops[{].*tcpmibdPortNumber=\"443\""})
    EXPECT_THAT(metrics, testing::Contains(ContainsRegex(std::string("^tcpmibdPort") + wanted)));
}

// As Prometheus writes the value of a label.
std::string label_value(const std::string& text) {
  std::string escaped;
  for (const char octet : text)
    escaped += octet == '\\' || octet == '"' ? std::string("\\") + octet : std::string(1, octet);
  return '"' + escaped + '"';
}

// One name that is no UTF-8 would make it refuse the whole answer.
TEST_F(Prometheus, TheExporterReadsAHostFullOfOddNames) {
  const std::optional<std::string> program = find_program("prometheus-snmp-exporter");
  if (!program)
    GTEST_SKIP() << "no prometheus-snmp-exporter (package of that name)";
  if (!is_installed("curl"))
    GTEST_SKIP() << "no curl";
  const Namespace space;
  const auto processes = oddly_named(space);
  const Daemon daemon = Daemon::standalone(space);
  constexpr const char* kAt = "127.0.0.1:9116";
  const Child exporter({*program, "--config.file", (nms_folder() / "prometheus/snmp.yml").string(),
                        std::string("--web.listen-address=") + kAt},
                       {.in = &space});
  ASSERT_TRUE(exporter.says("Listening on", kGreatPatience)) << exporter.err();
  const std::string scraped = scrape(space, kAt, "127.0.0.1:2161");
  for (const auto& process : processes) {
    const std::vector<std::string> lines =
        lines_with("tcpmibdPortNumber=\"" + std::to_string(process->port()) + '"', scraped);
    EXPECT_THAT(lines, Not(IsEmpty())) << scraped;
    for (const std::string& line : lines)
      EXPECT_THAT(line, AnyOf(Not(HasSubstr("tcpmibdPortCommand=")),
                              HasSubstr("tcpmibdPortCommand=" + label_value(process->shown()))));
  }
}

TEST_F(Prometheus, TheRulesFireWhenTheyShould) {
  if (!is_installed("promtool"))
    GTEST_SKIP() << "no promtool (package prometheus)";
  const std::filesystem::path folder = nms_folder() / "prometheus";
  const Output checked = run({"promtool", "check", "rules", (folder / "rules.yml").string()});
  EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
  const Output tested = run({"promtool", "test", "rules", (folder / "rules_test.yml").string()});
  EXPECT_EQ(tested.status, 0) << tested.out << tested.err;
}

// Every metric that a rule looks at is one that our module makes.
TEST(PrometheusRules, LookAtMetricsThereAre) {
  const std::string module = text_of("prometheus/snmp.yml");
  const std::string rules = text_of("prometheus/rules.yml");
  const std::regex name("tcpmibd[A-Z][A-Za-z0-9]*");
  for (std::sregex_iterator at(rules.begin(), rules.end(), name); at != std::sregex_iterator();
       ++at)
    EXPECT_THAT(module, ContainsRegex("name: " + at->str() + "\n")) << "as metric or label";
}

}  // namespace
}  // namespace tcpmibd::lab
