#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/programs.h"
#include "system/monitoring.h"
#include "system/system_test.h"

// docs/nms/nagios as Nagios runs it: each command line to the letter, by the user nagios, who has
// no environment, and the daemon itself.

namespace tcpmibd::lab {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// What follows each `word` in a file of Nagios.
std::vector<std::string> values_of(const std::string& text, const std::string& word) {
  const std::regex line("\n *" + word + " +([^\n]+)");
  std::vector<std::string> values;
  for (std::sregex_iterator at(text.begin(), text.end(), line); at != std::sregex_iterator(); ++at)
    values.push_back((*at)[1]);
  return values;
}

// The macros that the variables of a host template make: "_SNMPPORT 161" is $_HOSTSNMPPORT$.
std::map<std::string, std::string> macros_of(const std::string& host_template) {
  const std::string text = nms_text("nagios/services.cfg");
  const std::regex block("define host [{]\n *name +" + host_template + "\n[^}]*[}]");
  std::smatch found;
  if (!std::regex_search(text, found, block))
    throw Trouble("no host template " + host_template);
  const std::string body = found.str();
  const std::regex variable("\n *_([A-Z]+) +([^\n]+)");
  std::map<std::string, std::string> macros;
  for (std::sregex_iterator at(body.begin(), body.end(), variable); at != std::sregex_iterator();
       ++at)
    macros["$_HOST" + (*at)[1].str() + "$"] = (*at)[2];
  return macros;
}

std::string plugin_folder() {
  return std::filesystem::path(*find_program("check_snmp")).parent_path().string();
}

constexpr const char* kNagiosUser = "nagios";
constexpr const char* kNagiosFolder = "/var/lib/nagios";

// The services as Nagios runs them on a host of `host_template`, at another port than 161.
class Checks {
 public:
  Checks(const Namespace& space, const std::string& address,
         const std::string& host_template = "tcpmibd-host")
      : space_(space), macros_(macros_of(host_template)) {
    macros_["$_HOSTSNMPPORT$"] = address.substr(address.rfind(':') + 1);
    macros_["$HOSTADDRESS$"] = "127.0.0.1";
    macros_["$USER1$"] = plugin_folder();
    const std::string commands = nms_text("nagios/commands.cfg");
    const std::vector<std::string> names = values_of(commands, "command_name");
    const std::vector<std::string> lines = values_of(commands, "command_line");
    for (std::size_t i = 0; i < names.size(); ++i)
      lines_[names[i]] = lines.at(i);
  }

  static std::vector<std::string> services() {
    return values_of(nms_text("nagios/services.cfg"), "check_command");
  }

  // "check_tcpmibd_port_queue!443!75!90"
  Output run_check(const std::string& check) const {
    return run(nagios_.command({"/bin/sh", "-c", line_of(check)}), {.in = &space_});
  }

 private:
  std::string line_of(const std::string& check) const {
    std::istringstream words(check);
    std::string word;
    std::getline(words, word, '!');
    std::string line = lines_.at(word);
    for (int number = 1; std::getline(words, word, '!'); ++number)
      replace_all(line, "$ARG" + std::to_string(number) + "$", word);
    for (const auto& [macro, value] : macros_)
      replace_all(line, macro, value);
    return line;
  }

  const Namespace& space_;
  std::map<std::string, std::string> macros_;
  std::map<std::string, std::string> lines_;
  DaemonUser nagios_{kNagiosUser, kNagiosFolder};
};

class Nagios : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (!is_installed("check_snmp"))
      GTEST_SKIP() << "no check_snmp (package monitoring-plugins-standard)";
    if (const auto reason = DaemonUser::skip_reason(kNagiosUser, kNagiosFolder))
      GTEST_SKIP() << *reason << " (package nagios4-core)";
  }
};

// What the services tell of a host with the service in trouble, when they are asked first.
using Outcomes = std::map<std::string, std::pair<int, std::string>>;

const Outcomes& in_trouble() {
  static const Outcomes wanted{
      {"check_tcpmibd", {kOk, "SNMP OK - tcpmibd \"[0-9]"}},
      {"check_tcpmibd_alarms", {kOk, "SNMP OK - alarms 0 "}},
      {"check_tcpmibd_close_wait!100!400", {kOk, "SNMP OK - closeWait 25 "}},
      {"check_tcpmibd_leak!20!100", {kOk, "SNMP OK - closeWaitOver5m 0 "}},
      {"check_tcpmibd_syn_sent!100!1000", {kOk, "SNMP OK - synSent 0 "}},
      {"check_tcpmibd_overflows!1!5", {kOk, "No previous data"}},
      {"check_tcpmibd_ephemeral!40!60", {kOk, "SNMP OK - ephemeral 0 %"}},
      {"check_tcpmibd_port_listens!443", {kOk, "SNMP OK - sockets 1 "}},
      {"check_tcpmibd_port_queue!443!75!90", {kCritical, "SNMP CRITICAL - queue [*]100[*] %"}},
      {"check_tcpmibd_port_drops!443!1!5", {kOk, "No previous data"}},
      {"check_tcpmibd_port_close_wait!443!20!100", {kWarning, "SNMP WARNING - closeWait [*]25[*]"}},
  };
  return wanted;
}

void expect_to_tell_of_trouble(const Checks& checks) {
  EXPECT_EQ(Checks::services().size(), in_trouble().size());
  for (const std::string& name : Checks::services()) {
    const Output told = checks.run_check(name);
    EXPECT_EQ(told.status, in_trouble().at(name).first) << name << ": " << told.out << told.err;
    EXPECT_THAT(told.out, ContainsRegex(in_trouble().at(name).second)) << name;
  }
}

TEST_F(Nagios, EveryServiceTellsHowTheHostIs) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space);
  expect_to_tell_of_trouble(Checks(space, Daemon::kAddress));
}

TEST_F(Nagios, EveryServiceTellsItByVersion3) {
  const Namespace space;
  const TroubledService service(space);
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  expect_to_tell_of_trouble(Checks(space, Daemon::kAddress, "tcpmibd-host-v3"));
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

// Those that look for an answer are critical without one, the others do not know.
TEST_F(Nagios, NothingIsWellWhileTcpmibdIsAway) {
  const Namespace space;
  const TroubledService service(space);
  const Snmpd master(space);
  const Checks checks(space, Snmpd::kAddress);
  for (const std::string& name : Checks::services()) {
    const bool looks = name == "check_tcpmibd" || name.starts_with("check_tcpmibd_port_listens");
    const Output told = checks.run_check(name);
    EXPECT_EQ(told.status, looks ? kCritical : kUnknown) << name << ": " << told.out << told.err;
  }
}

TEST_F(Nagios, APortWithoutAListenerIsCriticalAndItsFiguresAreUnknown) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const Checks checks(space, Daemon::kAddress);
  EXPECT_EQ(checks.run_check("check_tcpmibd_port_listens!443").status, kCritical);
  EXPECT_EQ(checks.run_check("check_tcpmibd_port_queue!443!75!90").status, kUnknown);
}

// ------------------------------------------------------------------------------ and by the daemon

// What an installation of Nagios has in templates.cfg and its own files, and no more.
constexpr const char* kNagiosObjects = R"(
define timeperiod {
  timeperiod_name  24x7
  alias            always
  sunday           00:00-24:00
  monday           00:00-24:00
  tuesday          00:00-24:00
  wednesday        00:00-24:00
  thursday         00:00-24:00
  friday           00:00-24:00
  saturday         00:00-24:00
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
  name                    generic-service
  contacts                somebody
  check_period            24x7
  notification_period     24x7
  notification_interval   0
  active_checks_enabled   1
  passive_checks_enabled  0
  register                0
}
define host {
  host_name              one
  use                    tcpmibd-host
  address                127.0.0.1
  _SNMPPORT              2161
  max_check_attempts     3
  check_period           24x7
  notification_period    24x7
  contacts               somebody
}
)";

// The program's own settings; what it counts as a minute takes two seconds.
constexpr const char* kNagiosSettings = R"(
interval_length=2
status_update_interval=1
service_inter_check_delay_method=n
max_service_check_spread=1
execute_service_checks=1
enable_notifications=0
check_external_commands=0
retain_state_information=0
check_for_updates=0
use_syslog=0
illegal_macro_output_chars=`~$&|'"<>
nagios_user=nagios
nagios_group=nagios
)";

// The files as an administrator would copy them; the name of the main one.
std::string nagios_configuration(const TempFolder& folder) {
  std::ostringstream main;
  for (const char* file : {"commands.cfg", "services.cfg", "check_tcpmibd.cfg"})
    main << "cfg_file=" << folder.write(file, nms_text(std::filesystem::path("nagios") / file))
         << "\n";
  main << "cfg_file=" << folder.write("objects.cfg", kNagiosObjects) << "\n"
       << "resource_file=" << folder.write("resource.cfg", "$USER1$=" + plugin_folder() + "\n");
  for (const auto& [key, name] :
       std::map<std::string, std::string>{{"log_file", "log"},
                                          {"log_archive_path", ""},
                                          {"object_cache_file", "objects.cache"},
                                          {"precached_object_file", "objects.precache"},
                                          {"status_file", "status"},
                                          {"state_retention_file", "retention"},
                                          {"check_result_path", ""},
                                          {"temp_path", ""},
                                          {"temp_file", "temp"},
                                          {"lock_file", "lock"},
                                          {"command_file", "commands"},
                                          {"query_socket", "query"}})
    main << "\n" << key << "=" << folder.file(name);
  main << kNagiosSettings;
  return folder.write("nagios.cfg", main.str());
}

TEST_F(Nagios, AcceptsTheFiles) {
  const std::optional<std::string> nagios = find_program("nagios4");
  if (!nagios)
    GTEST_SKIP() << "no nagios4 (package nagios4-core)";
  const DaemonUser user(kNagiosUser);
  const Output told = run(user.command({*nagios, "-v", nagios_configuration(user.folder())}));
  EXPECT_EQ(told.status, 0) << told.out;
  EXPECT_THAT(told.out,
              HasSubstr("Checked " + std::to_string(Checks::services().size() + 1) + " services."));
}

// What a field of a service says in the status file.
std::string field_of(const std::string& status, const std::string& service,
                     const std::string& field) {
  const std::size_t at = status.find("service_description=" + service + "\n");
  if (at == status.npos)
    return {};
  const std::string block = status.substr(at, status.find("\n\t}", at) - at);
  const std::size_t value = block.find("\n\t" + field + "=");
  if (value == block.npos)
    return {};
  const std::size_t start = value + field.size() + 3;
  return block.substr(start, block.find('\n', start) - start);
}

// A Nagios with our files.
class NagiosDaemon {
 public:
  NagiosDaemon(const Namespace& space, const std::string& program)
      : child_(user_.command({program, nagios_configuration(user_.folder())}), {.in = &space}) {}

  // The state of a service of which Nagios is sure, as an exit status; -1 while it is not.
  int state_of(const std::string& service) const {
    const std::string status = read_file(user_.folder().file("status"));
    const bool is_sure = field_of(status, service, "has_been_checked") == "1" &&
                         field_of(status, service, "state_type") == "1";
    return is_sure ? std::stoi(field_of(status, service, "current_state")) : -1;
  }

  void expect(const std::string& service, int wanted) const {
    const auto state = [&] { return state_of(service); };
    EXPECT_EQ(settled(state, wanted, kMonitorsPatience), wanted)
        << service << ": "
        << field_of(read_file(user_.folder().file("status")), service, "plugin_output")
        << child_.out() << child_.err();
  }

 private:
  DaemonUser user_{kNagiosUser, kNagiosFolder};
  Child child_;
};

TEST_F(Nagios, SeesTroubleComeAndGo) {
  const std::optional<std::string> program = find_program("nagios4");
  if (!program)
    GTEST_SKIP() << "no nagios4 (package nagios4-core)";
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  std::optional<TroubledService> service(space);
  const NagiosDaemon nagios(space, *program);
  nagios.expect("TCP port 443 listens", kOk);
  nagios.expect("TCP port 443 queue", kCritical);
  nagios.expect("TCP port 443 CLOSE_WAIT", kWarning);
  service.reset();
  nagios.expect("TCP port 443 listens", kCritical);
  const TcpSocket again = quiet_service(space);
  for (const char* name : {"TCP port 443 listens", "TCP port 443 queue", "TCP port 443 CLOSE_WAIT"})
    nagios.expect(name, kOk);
  nagios.expect("TCP overflows", kOk);
  nagios.expect("TCP port 443 drops", kOk);
}

}  // namespace
}  // namespace tcpmibd::lab
