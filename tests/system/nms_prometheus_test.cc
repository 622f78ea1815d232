#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/programs.h"
#include "system/apache.h"
#include "system/deleting.h"
#include "system/monitoring.h"
#include "system/odd_names.h"
#include "system/system_test.h"

// docs/nms/prometheus by the programs that it is for: the exporter, Prometheus and Alertmanager.

namespace tcpmibd::lab {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

constexpr const char* kPrometheusUser = "prometheus";
constexpr const char* kExporterAt = "127.0.0.1:9116";
constexpr const char* kPrometheusAt = "127.0.0.1:9090";
constexpr const char* kAlertmanagerAt = "127.0.0.1:9093";

const Oid kAlarmsRaised = oid_of(arc_text() + ".1.11.0");

std::string answer_of(const Namespace& space, const std::string& url) {
  const Output output =
      run({"curl", "-sS", "-g", "--max-time", "50", "http://" + url}, {.in = &space});
  EXPECT_EQ(output.status, 0) << output.err;
  return output.out;
}

// Whether anybody is there yet.
bool responds(const Namespace& space, const std::string& url) {
  return run({"curl", "-sf", "--max-time", "5", "http://" + url}, {.in = &space}).status == 0;
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

class Prometheus : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (!is_installed("prometheus-snmp-exporter"))
      GTEST_SKIP() << "no prometheus-snmp-exporter (package of that name)";
    if (!is_installed("curl"))
      GTEST_SKIP() << "no curl";
    if (const auto reason = DaemonUser::skip_reason(kPrometheusUser, {}))
      GTEST_SKIP() << *reason << " (package prometheus)";
  }
};

// An exporter of `file` of docs/nms/prometheus, as the user that Debian runs it as.
Child exporter_with(const Namespace& space, const DaemonUser& user, const std::string& file) {
  const std::string copy = user.folder().write("snmp.yml", nms_text("prometheus/" + file));
  return Child(user.command({*find_program("prometheus-snmp-exporter"), "--config.file=" + copy,
                             std::string("--web.listen-address=") + kExporterAt}),
               {.in = &space});
}

// The version that is installed takes one of the two files, the other one is for others.
std::string file_for_this_exporter() {
  const Output told = run({*find_program("prometheus-snmp-exporter"), "--version"});
  std::smatch version;
  const std::string text = told.out + told.err;
  if (!std::regex_search(text, version, std::regex("version ([0-9]+)[.]([0-9]+)")))
    throw Trouble("an exporter without a version: " + text);
  const bool is_old = version[1] == "0" && std::stoi(version[2]) < 23;
  return is_old ? "snmp.yml" : "snmp-0.23.yml";
}

void expect_to_tell_of_trouble_in(const std::string& scraped) {
  const std::set<std::string> metrics = metrics_in(scraped);
  for (const char* wanted :
       {"tcpmibdStateTotal{tcpmibdStateName=\"closeWait\"} 25",
        "tcpmibdStateTotal{tcpmibdStateName=\"closed\"} 0",
        "tcpmibdAgeOver5m{tcpmibdStateName=\"closeWait\"} 0", "tcpmibdEphemeralPercent 0",
        "tcpmibdAlarmsRaised 1", "tcpmibdAlarmState{tcpmibdAlarmName=\"leak\"} 3"})
    EXPECT_THAT(metrics, Contains(wanted)) << scraped;
  EXPECT_THAT(metrics, Contains(ContainsRegex("^tcpmibdVersion[{].*=\"[0-9].*\"[}] 1$")));
  for (const char* wanted :
       {"CloseWait[{].*tcpmibdPortNumber=\"443\".* 25$",
        "QueuePercent[{].*tcpmibdPortNumber=\"443\".* 100$", "Drops[{].*tcpmibdPortNumber=\"443\"",
        "Sockets[{].*tcpmibdPortNumber=\"443\".* 1$"})
    EXPECT_THAT(metrics, Contains(ContainsRegex(std::string("^tcpmibdPort") + wanted)));
}

TEST_F(Prometheus, TheExporterReadsThroughOurModules) {
  const Namespace space;
  const TroubledService service(space);
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, watchful(), monitors_access(folder));
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  ASSERT_EQ(settled([&] { return told(manager, kAlarmsRaised); }, "1", kGreatPatience), "1");
  const DaemonUser user(kPrometheusUser);
  const Child exporter = exporter_with(space, user, file_for_this_exporter());
  ASSERT_TRUE(exporter.says("Listening on", kGreatPatience)) << exporter.err();
  for (const char* asked : {"module=tcpmibd&auth=tcpmibd_v2", "module=tcpmibd_v3&auth=tcpmibd_v3"})
    expect_to_tell_of_trouble_in(
        answer_of(space, std::string(kExporterAt) + "/snmp?target=127.0.0.1:2161&" + asked));
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
  const Namespace space;
  const auto processes = oddly_named(space);
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  const DaemonUser user(kPrometheusUser);
  const Child exporter = exporter_with(space, user, file_for_this_exporter());
  ASSERT_TRUE(exporter.says("Listening on", kGreatPatience)) << exporter.err();
  const std::set<std::string> metrics = metrics_in(answer_of(
      space,
      std::string(kExporterAt) + "/snmp?target=127.0.0.1:2161&module=tcpmibd&auth=tcpmibd_v2"));
  for (const auto& process : processes) {
    const std::string port = "tcpmibdPortNumber=\"" + std::to_string(process->port()) + '"';
    const std::string command = "tcpmibdPortCommand=" + label_value(process->shown());
    // An empty label is left out.
    const std::string told = process->shown().empty() ? std::string() : command;
    EXPECT_THAT(metrics, Contains(AllOf(HasSubstr(port), HasSubstr(told)))) << process->shown();
    EXPECT_THAT(metrics, Not(Contains(AllOf(HasSubstr(port), HasSubstr("tcpmibdPortCommand="),
                                            Not(HasSubstr(command))))));
  }
}

TEST_F(Prometheus, ReadsTheFiles) {
  if (!is_installed("promtool"))
    GTEST_SKIP() << "no promtool (package prometheus)";
  const std::filesystem::path folder = nms_folder() / "prometheus";
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"check", "config", "--syntax-only", (folder / "prometheus.yml").string()},
           {"check", "rules", (folder / "rules.yml").string()},
           {"test", "rules", (folder / "rules_test.yml").string()}}) {
    std::vector<std::string> all{"promtool"};
    all.insert(all.end(), command.begin(), command.end());
    const Output told = run(all);
    EXPECT_EQ(told.status, 0) << told.out << told.err;
  }
}

TEST_F(Prometheus, AlertmanagerReadsItsFile) {
  if (!is_installed("amtool"))
    GTEST_SKIP() << "no amtool (package prometheus-alertmanager)";
  const Output told =
      run({"amtool", "check-config", (nms_folder() / "prometheus/alertmanager.yml").string()});
  EXPECT_EQ(told.status, 0) << told.out << told.err;
}

// --------------------------------------------------------------------------------- all together

// What a minute of the rules takes here, which is also how often is asked: a busy machine needs its
// time for an answer.
constexpr int kSecondsForAMinute = 2;

// The files as they are, but for what they say of one host: there is one agent here, and it is
// asked by SNMPv2c and, under another name, by SNMPv3.
std::string in_seconds(std::string rules) {
  const std::regex minutes("(for: |\\[)([0-9]+)m");
  std::smatch at;
  while (std::regex_search(rules, at, minutes)) {
    const std::string shorter = std::to_string(kSecondsForAMinute * std::stoi(at[2])) + "s";
    rules = at.prefix().str() + at[1].str() + shorter + at.suffix().str();
  }
  replace_all(rules, "> 300\n", "> " + std::to_string(kSecondsForAMinute * 5) + "\n");
  return rules;
}

std::string prometheus_configuration(const TempFolder& folder) {
  std::string text = nms_text("prometheus/prometheus.yml");
  const std::string rules = folder.write("rules.yml", in_seconds(nms_text("prometheus/rules.yml")));
  replace_all(text, "/etc/prometheus/tcpmibd-rules.yml", rules);
  replace_all(text, "'192.0.2.10', '192.0.2.11:1161'", "'127.0.0.1:2161'");
  replace_all(text, "'192.0.2.12'", "'localhost:2161'");
  const std::string each = std::to_string(kSecondsForAMinute) + "s";
  return folder.write("prometheus.yml", "global: {scrape_interval: " + each +
                                            ", evaluation_interval: " + each + "}\n" + text);
}

// The figures that `query` has now.
std::vector<double> values_of(const Namespace& space, const std::string& query) {
  const Output output = run({"curl", "-sS", "--max-time", "50", "-G", "--data-urlencode",
                             "query=" + query, std::string(kPrometheusAt) + "/api/v1/query"},
                            {.in = &space});
  const nlohmann::json answer = nlohmann::json::parse(output.out);
  EXPECT_EQ(answer["status"], "success") << query << ": " << output.out;
  std::vector<double> values;
  for (const auto& series : answer["data"]["result"])
    values.push_back(std::stod(series["value"][1].get<std::string>()));
  return values;
}

class MonitoringByPrometheus {
 public:
  explicit MonitoringByPrometheus(const Namespace& space)
      : space_(space),
        exporter_(exporter_with(space, user_, file_for_this_exporter())),
        alertmanager_(
            user_.command(
                {*find_program("prometheus-alertmanager"),
                 "--config.file=" + user_.folder().write("alertmanager.yml",
                                                         nms_text("prometheus/alertmanager.yml")),
                 "--storage.path=" + user_.folder().file("alertmanager"),
                 std::string("--web.listen-address=") + kAlertmanagerAt,
                 "--cluster.listen-address="}),
            {.in = &space}),
        prometheus_(user_.command({*find_program("prometheus"),
                                   "--config.file=" + prometheus_configuration(user_.folder()),
                                   "--storage.tsdb.path=" + user_.folder().file("prometheus"),
                                   std::string("--web.listen-address=") + kPrometheusAt}),
                    {.in = &space}) {}

  bool is_ready() const {
    return eventually(
        [&] {
          return responds(space_, std::string(kAlertmanagerAt) + "/-/ready") &&
                 responds(space_, std::string(kPrometheusAt) + "/-/ready");
        },
        kMonitorsPatience);
  }

  // "TcpPortLeak 127.0.0.1:2161": what is told, or (`inhibited`) is not, for another alert says it.
  // Those of units are left out: not every host that runs the test has any.
  std::set<std::string> alerts(bool inhibited = false) const {
    const std::string chosen = inhibited ? "active=false&inhibited=true" : "inhibited=false";
    const std::string text =
        answer_of(space_, std::string(kAlertmanagerAt) + "/api/v2/alerts?" + chosen);
    const std::regex labels(R"re("labels":\{"alertname":"([^"]+)"[^}]*"instance":"([^"]+)")re");
    std::set<std::string> names;
    for (std::sregex_iterator at(text.begin(), text.end(), labels); at != std::sregex_iterator();
         ++at)
      names.insert((*at)[1].str() + " " + (*at)[2].str());
    std::erase_if(names, [](const std::string& name) { return name.starts_with("TcpUnitLeak "); });
    return names;
  }

  std::vector<double> values_of(const std::string& query) const {
    return lab::values_of(space_, query);
  }

  void expect_alerts(const std::set<std::string>& wanted) const {
    EXPECT_EQ(settled([&] { return alerts(); }, wanted, kMonitorsPatience), wanted)
        << exporter_.err() << prometheus_.err() << alertmanager_.err();
  }

 private:
  const Namespace& space_;
  DaemonUser user_{kPrometheusUser};
  Child exporter_;
  Child alertmanager_;
  Child prometheus_;
};

std::set<std::string> of_both(const std::set<std::string>& names) {
  std::set<std::string> all;
  for (const std::string& name : names) {
    all.insert(name + " 127.0.0.1:2161");
    all.insert(name + " localhost:2161");
  }
  return all;
}

TEST_F(Prometheus, TellsOfTroubleThatComesAndGoes) {
  for (const char* program : {"prometheus", "prometheus-alertmanager"}) {
    if (!is_installed(program))
      GTEST_SKIP() << "no " << program << " (package of that name)";
  }
  const Namespace space;
  const TempFolder folder;
  Daemon daemon = Daemon::standalone(space, {}, monitors_access(folder));
  std::optional<TroubledService> service(space);
  const MonitoringByPrometheus monitoring(space);
  ASSERT_TRUE(monitoring.is_ready());
  monitoring.expect_alerts(of_both({"TcpPortLeak", "TcpAcceptQueueFull"}));
  EXPECT_THAT(monitoring.alerts(true), IsSupersetOf(of_both({"TcpAcceptQueueFull"})));
  service.reset();
  monitoring.expect_alerts(of_both({"TcpServiceStopped"}));
  const TcpSocket again = quiet_service(space);
  monitoring.expect_alerts({});
  daemon.process().kill();
  monitoring.expect_alerts(of_both({"TcpmibdAway"}));
}

// ------------------------------------------------------------------------------------- dashboards

// What a panel asks Prometheus, and from which value on it is neither green nor grey.
struct Question {
  std::string panel;
  std::string query;
  std::optional<double> limit;
};

// The host that is chosen, as Prometheus knows it.
struct Chosen {
  std::string job = "tcpmibd";
  std::string instance = "127.0.0.1:2161";
};

// As Grafana fills in its variables, where one host is chosen and all units and ports.
std::string filled_in(std::string query, const Chosen& chosen) {
  for (const auto& [variable, value] :
       std::vector<std::pair<std::string, std::string>>{{"$__rate_interval", "10s"},
                                                        {"$instance", chosen.instance},
                                                        {"$job", chosen.job},
                                                        {"$unit", ".*"},
                                                        {"$port", ".*"}})
    replace_all(query, variable, value);
  EXPECT_EQ(query.find('$'), query.npos) << query;
  return query;
}

std::optional<double> lowest_limit(const nlohmann::json& thresholds) {
  const nlohmann::json& steps = thresholds.at("steps");
  EXPECT_EQ(steps.at(0).at("color"), "green");
  return steps.size() > 1 ? std::optional(steps.at(1).at("value").get<double>()) : std::nullopt;
}

// A graph's figures are all judged alike, a table's columns each by themselves, in their order.
std::optional<double> limit_of(const nlohmann::json& panel, std::size_t number) {
  const nlohmann::json& config = panel.at("fieldConfig");
  if (panel.at("type") != "table")
    return lowest_limit(config.at("defaults").at("thresholds"));
  for (const auto& property : config.at("overrides").at(number).at("properties")) {
    if (property.at("id") == "thresholds")
      return lowest_limit(property.at("value"));
  }
  return std::nullopt;
}

nlohmann::json dashboard(const std::string& file) {
  return nlohmann::json::parse(nms_text("grafana/" + file));
}

std::vector<Question> questions_of(const nlohmann::json& board, const Chosen& chosen = {}) {
  std::vector<Question> questions;
  for (const auto& panel : board.at("panels")) {
    for (std::size_t i = 0; i < panel.at("targets").size(); ++i)
      questions.push_back(
          {panel.at("title").get<std::string>(),
           filled_in(panel.at("targets").at(i).at("expr").get<std::string>(), chosen),
           limit_of(panel, i)});
  }
  // "label_values(SERIES, LABEL)"
  for (const auto& variable : board.at("templating").at("list")) {
    const std::string query =
        variable.at("query").is_object() ? variable["query"]["query"].get<std::string>() : "";
    if (!query.empty())
      questions.push_back({"variable " + variable.at("name").get<std::string>(),
                           filled_in(query.substr(13, query.rfind(',') - 13), chosen),
                           std::nullopt});
  }
  return questions;
}

class Dashboards : public Prometheus {
 protected:
  void SetUp() override {
    Prometheus::SetUp();
    for (const char* program : {"prometheus", "prometheus-alertmanager"}) {
      if (!IsSkipped() && !is_installed(program))
        GTEST_SKIP() << "no " << program << " (package of that name)";
    }
  }

  // Where the kernel tells no cgroup there is no unit, and nothing to ask about one.
  static bool is_answerable(const MonitoringByPrometheus& monitoring, const Question& question) {
    return question.query.find("tcpmibdUnit") == question.query.npos ||
           question.query.find("tcpmibdPort") != question.query.npos ||
           !monitoring.values_of("tcpmibdUnitTotal").empty();
  }
};

TEST_F(Dashboards, EveryPanelHasAnAnswer) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, watchful(), monitors_access(folder));
  const TroubledService service(space);
  const MonitoringByPrometheus monitoring(space);
  ASSERT_TRUE(monitoring.is_ready());
  bool has_seen_trouble = false;
  for (const char* file : {"host.json", "fleet.json"}) {
    for (const Question& question : questions_of(dashboard(file))) {
      std::vector<double> values;
      const auto has_answer = [&] {
        return !(values = monitoring.values_of(question.query)).empty();
      };
      EXPECT_TRUE(eventually(has_answer, kMonitorsPatience) || !is_answerable(monitoring, question))
          << file << ", " << question.panel << ": " << question.query;
      has_seen_trouble =
          has_seen_trouble || (question.panel == "Accept queues" && !values.empty() &&
                               std::ranges::max(values) >= *question.limit);
    }
  }
  EXPECT_TRUE(has_seen_trouble);
}

TEST_F(Dashboards, AreGreenOfABusyServerThatIsWell) {
  if (!is_installed("apache2"))
    GTEST_SKIP() << "no apache2 (package apache2-bin)";
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, watchful(), monitors_access(folder));
  const Apache apache(space);
  const MonitoringByPrometheus monitoring(space);
  ASSERT_TRUE(monitoring.is_ready());
  const std::string lost = "sum(rate(tcpmibdPortDrops[10s]))";
  const auto is_watched = [&] {
    for (int i = 0; i < 100; ++i)
      apache.answer();
    return !monitoring.values_of(lost).empty();
  };
  ASSERT_TRUE(eventually(is_watched, kMonitorsPatience));
  for (const char* file : {"host.json", "fleet.json"}) {
    for (const Question& question : questions_of(dashboard(file))) {
      for (const double value : monitoring.values_of(question.query))
        EXPECT_LT(value, question.limit.value_or(HUGE_VAL)) << file << ", " << question.panel;
    }
  }
  EXPECT_EQ(monitoring.alerts(), std::set<std::string>{});
}

// An alert that leads nowhere is read by nobody twice.
TEST(PrometheusLinks, LeadToDashboardsAndPagesThereAre) {
  const std::string rules = nms_text("prometheus/rules.yml");
  const std::regex link("https://(grafana|git)[.]example[.]org/([^?'\"\n]*)");
  const auto lead = [](const std::string& to) {
    for (const char* file : {"host.json", "fleet.json", "host-textfile.json"}) {
      if (to == "d/" + dashboard(file).at("uid").get<std::string>())
        return true;
    }
    return to.starts_with("tcpmibd/docs/") &&
           std::filesystem::exists(nms_folder() / ".." / to.substr(13, to.find('#') - 13));
  };
  long links = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), link); at != std::sregex_iterator();
       ++at) {
    if ((*at)[2].str().find(',') != std::string::npos)
      continue;  // what the head of the file says of sed
    EXPECT_TRUE(lead((*at)[2])) << at->str();
    ++links;
  }
  EXPECT_GT(links, 10);
}

// ------------------------------------------------------------------- by a file, and without SNMP

constexpr const char* kNodeExporterAt = "127.0.0.1:9100";
constexpr const char* kTextfileFolder = "/var/lib/prometheus/node-exporter";

// What `show` has metrics of; empty: of what is told where nothing is named.
const std::vector<std::string> kMetricWords{"",          "states", "ages",      "ports",
                                            "listeners", "units",  "processes", "remotes",
                                            "pressure",  "alarms", "scalars"};

std::string shown_metrics(const Namespace& space, const std::string& what,
                          const std::string& format) {
  std::vector<std::string> command{tcpmibd_binary(), "show", format};
  if (!what.empty())
    command.insert(command.begin() + 2, what);
  const Output output = run(command, {.in = &space});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(output.err, "");
  return output.out;
}

TEST(Metrics, PromtoolHasNothingToSayOfAHostFullOfOddNames) {
  if (const auto reason = Namespace::skip_reason())
    GTEST_SKIP() << *reason;
  if (!is_installed("promtool"))
    GTEST_SKIP() << "no promtool (package prometheus)";
  const Namespace space;
  const TempFolder folder;
  const auto processes = oddly_named(space);
  for (const std::string& what : kMetricWords) {
    const std::string file = folder.write("metrics", shown_metrics(space, what, "--prometheus"));
    const Output output = run({"sh", "-c", "promtool check metrics <\"$1\"", "sh", file});
    EXPECT_EQ(output.status, 0) << what;
    EXPECT_EQ(output.out + output.err, "") << what;
  }
}

// The names that its parser found, a line each.
constexpr const char* kParse = R"(
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1], encoding='utf-8', newline='\n').read()):
    for sample in family.samples:
        print(sample.name, *sorted(sample.labels.values()))
)";

TEST(Metrics, PythonsParserReadsAHostFullOfOddNames) {
  if (const auto reason = Namespace::skip_reason())
    GTEST_SKIP() << *reason;
  const std::string python = "/usr/bin/python3";
  if (run({"sh", "-c", python + " -c 'import prometheus_client'"}).status != 0)
    GTEST_SKIP() << "no parser of OpenMetrics (package python3-prometheus-client)";
  const Namespace space;
  const TempFolder folder;
  const auto processes = oddly_named(space);
  for (const std::string& what : kMetricWords) {
    const std::string file = folder.write("metrics", shown_metrics(space, what, "--openmetrics"));
    const Output output = run({"env", "PYTHONIOENCODING=utf-8", python, "-c", kParse, file});
    EXPECT_EQ(output.status, 0) << what << output.err;
    if (what == "ports") {
      for (const auto& process : processes)
        EXPECT_THAT(output.out, HasSubstr(process->shown())) << output.out;
    }
  }
}

// What the unit that comes with us has systemd run, but for the places.
std::string command_of_textfile_service() {
  const std::string unit = nms_text("prometheus/textfile/tcpmibd-textfile.service");
  std::smatch command;
  if (!std::regex_search(unit, command, std::regex("\nExecStart=/bin/sh -c '([^']*)'\n")) ||
      unit.find(std::string("\nWorkingDirectory=") + kTextfileFolder + "\n") == unit.npos)
    throw Trouble("a service of another form: " + unit);
  std::string text = command[1];
  replace_all(text, "/usr/sbin/tcpmibd", tcpmibd_binary());
  return text;
}

void write_textfile(const Namespace& space, const TempFolder& folder) {
  const Output output = run({"sh", "-c", "cd \"$1\" && eval \"$2\"", "sh", folder.path().string(),
                             command_of_textfile_service()},
                            {.in = &space});
  EXPECT_EQ(output.status, 0) << output.err;
}

// node_exporter with our file, and Prometheus.
class MonitoringByTextfile {
 public:
  explicit MonitoringByTextfile(const Namespace& space)
      : space_(space),
        exporter_(user_.command({*find_program("prometheus-node-exporter"),
                                 "--collector.disable-defaults", "--collector.textfile",
                                 "--collector.textfile.directory=" + user_.folder().path().string(),
                                 std::string("--web.listen-address=") + kNodeExporterAt}),
                  {.in = &space}),
        prometheus_(user_.command({*find_program("prometheus"), "--config.file=" + configuration(),
                                   "--storage.tsdb.path=" + user_.folder().file("prometheus"),
                                   std::string("--web.listen-address=") + kPrometheusAt}),
                    {.in = &space}) {
    write();
  }

  // As the timer has it done.
  void write() const { write_textfile(space_, user_.folder()); }

  bool is_ready() const {
    return eventually([&] { return responds(space_, std::string(kPrometheusAt) + "/-/ready"); },
                      kMonitorsPatience);
  }

  std::string log() const { return exporter_.err() + prometheus_.err(); }

 private:
  std::string configuration() const {
    return user_.folder().write(
        "prometheus.yml", std::string("global: {scrape_interval: 1s}\nscrape_configs: [{job_name: "
                                      "node, static_configs: [{targets: ['") +
                              kNodeExporterAt + "']}]}]\n");
  }

  const Namespace& space_;
  DaemonUser user_{kPrometheusUser};
  Child exporter_;
  Child prometheus_;
};

class Textfile : public Prometheus {
 protected:
  void SetUp() override {
    Prometheus::SetUp();
    for (const char* program : {"prometheus", "prometheus-node-exporter"}) {
      if (!IsSkipped() && !is_installed(program))
        GTEST_SKIP() << "no " << program << " (package of that name)";
    }
  }

  static std::vector<Question> questions() {
    return questions_of(dashboard("host-textfile.json"),
                        {.job = "node", .instance = kNodeExporterAt});
  }

  // As of the exporter's dashboards: no cgroup, no unit.
  static bool is_answerable(const Namespace& space, const Question& question) {
    return question.query.find("tcpmibd_unit_") == question.query.npos ||
           !values_of(space, "tcpmibd_unit_connections").empty();
  }
};

TEST_F(Textfile, IsScrapedByPrometheus) {
  const Namespace space;
  const TroubledService service(space);
  const MonitoringByTextfile monitoring(space);
  ASSERT_TRUE(monitoring.is_ready());
  const auto leak = [&] {
    return values_of(space, "tcpmibd_port_state_connections{port=\"443\",state=\"closeWait\"}");
  };
  const std::vector<double> wanted{kLeaked};
  EXPECT_EQ(settled(leak, wanted, kMonitorsPatience), wanted) << monitoring.log();
  EXPECT_THAT(answer_of(space, std::string(kNodeExporterAt) + "/metrics"),
              AllOf(HasSubstr("node_textfile_scrape_error 0"), HasSubstr("tcpmibd_build_info{")));
}

TEST_F(Textfile, EveryPanelOfItsDashboardHasAnAnswer) {
  const Namespace space;
  const TroubledService service(space);
  const MonitoringByTextfile monitoring(space);
  ASSERT_TRUE(monitoring.is_ready());
  std::set<std::string> alarming;
  for (const Question& question : questions()) {
    std::vector<double> values;
    const auto has_answer = [&] {
      monitoring.write();
      return !(values = values_of(space, question.query)).empty();
    };
    EXPECT_TRUE(!is_answerable(space, question) || eventually(has_answer, kMonitorsPatience))
        << question.panel << ": " << question.query << monitoring.log();
    if (!values.empty() && std::ranges::max(values) >= question.limit.value_or(HUGE_VAL))
      alarming.insert(question.panel);
  }
  EXPECT_THAT(alarming,
              IsSupersetOf({"Fullest accept queue", "Accept queues", "Who leaks? Ports"}));
}

TEST_F(Textfile, ItsDashboardIsGreenOfABusyServerThatIsWell) {
  if (!is_installed("apache2"))
    GTEST_SKIP() << "no apache2 (package apache2-bin)";
  const Namespace space;
  const Apache apache(space);
  const MonitoringByTextfile monitoring(space);
  ASSERT_TRUE(monitoring.is_ready());
  const std::string lost = "rate(tcpmibd_listen_overflows_total[10s])";
  const auto is_watched = [&] {
    for (int i = 0; i < 100; ++i)
      apache.answer();
    monitoring.write();
    return !values_of(space, lost).empty();
  };
  ASSERT_TRUE(eventually(is_watched, kMonitorsPatience)) << monitoring.log();
  for (const Question& question : questions()) {
    for (const double value : values_of(space, question.query))
      EXPECT_LT(value, question.limit.value_or(HUGE_VAL)) << question.panel;
  }
}

}  // namespace
}  // namespace tcpmibd::lab
