#include "agent/commands/show/metrics.h"

#include <gmock/gmock.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "agent/commands/show/metric_groups.h"
#include "tables/registry.h"
#include "unit/agent/commands/show/showing.h"

namespace tcpmibd::agent {
namespace {

using lab::established;
using lab::listener;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::vector<std::string> kWords{"",          "states", "ages",      "ports",
                                      "listeners", "units",  "processes", "remotes",
                                      "pressure",  "alarms", "scalars"};

// A service whose names hold what ends a label, or a line.
class ShowMetrics : public Showing {
 protected:
  ShowMetrics() {
    sockets_.set({
        listener("[::]:443", {.inode = 1, .cgroup = 5, .queue = 9, .backlog = 10, .discards = 3}),
        listener("10.0.0.1:8080", {.inode = 2, .cgroup = 6, .backlog = 50}),
        established("10.0.0.1:8080", "10.0.0.9:5001",
                    {.state = tcp::State::kCloseWait, .inode = 4, .cgroup = 6}),
    });
    processes_.set({{1, 10}, {2, 20}, {4, 20}});
    units_.set(5, "a\"b\\c\nd\xff.service");
    units_.set(6, "leaker.service");
    tcp::Pressure pressure;
    pressure.memory_used = 3;
    pressure.listen_drops = 5'000'000'000;
    pressure_.set(pressure);
    config_.alarms = {lab::alarm_rule(
        "leak", {.state = tcp::State::kCloseWait, .per = tcp::Measure::Per::kPort}, 1)};
  }

  std::string open(const std::string& what = "") {
    return shown({.what = what, .openmetrics = true});
  }
  std::string plain(const std::string& what = "") {
    return shown({.what = what, .prometheus = true});
  }
};

TEST_F(ShowMetrics, TellFiguresByTheirLabels) {
  const std::string text = open();
  for (const char* line :
       {"\ntcpmibd_state_sockets{state=\"closeWait\"} 1\n",
        "\ntcpmibd_port_state_connections{port=\"8080\",state=\"closeWait\"} 1\n",
        "\ntcpmibd_port_info{port=\"8080\",command=\"leaker\",unit=\"leaker.service\"} 1\n",
        "\ntcpmibd_unit_state_connections{unit=\"leaker.service\",state=\"closeWait\"} 1\n",
        "\ntcpmibd_ports_left_out 0\n", "\ntcpmibd_snapshot_rows 3\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(open("listeners"),
              HasSubstr("\ntcpmibd_listener_queue_connections{address=\"*\",port=\"443\"} 9\n"));
  EXPECT_THAT(open("remotes"), HasSubstr("\ntcpmibd_remote_connections{address=\"10.0.0.9\"} 1\n"));
  EXPECT_THAT(open("processes"),
              HasSubstr("\ntcpmibd_process_state_connections{pid=\"20\",state=\"closeWait\"} 1\n"));
  EXPECT_THAT(open("ages"), HasSubstr("{state=\"closeWait\",older_than_seconds=\"3600\"} 0\n"));
}

TEST_F(ShowMetrics, TellWhichAlarmsWouldBeRaised) {
  EXPECT_THAT(
      open("alarms"),
      AllOf(HasSubstr("\ntcpmibd_alarm_raised{alarm=\"leak\",measure=\"closeWait per port\"} "
                      "1\n"),
            HasSubstr("measure=\"closeWait per port\",threshold=\"raise\"} 1\n")));
}

TEST_F(ShowMetrics, AreInBaseUnits) {
  EXPECT_THAT(open(), AllOf(HasSubstr("\ntcpmibd_port_queue_fullness_ratio{port=\"443\"} 0.9\n"),
                            HasSubstr("\n# UNIT tcpmibd_memory_used_bytes bytes\n"),
                            HasSubstr("\ntcpmibd_memory_used_bytes 3072\n")));
  EXPECT_THAT(open("scalars"), HasSubstr("\ntcpmibd_tcp_rto_min_seconds 0.2\n"));
}

TEST_F(ShowMetrics, WithoutAFigureHaveNoSample) {
  EXPECT_THAT(open(), Not(HasSubstr("tcpmibd_orphans")));
}

TEST_F(ShowMetrics, EscapeWhatWouldEndALabel) {
  EXPECT_THAT(open("units"), HasSubstr(R"({unit="a\"b\\c\\x0ad\\xff.service"})"));
}

TEST_F(ShowMetrics, OpenMetricsNamesFamiliesAndEnds) {
  EXPECT_THAT(open(), AllOf(StartsWith("# HELP tcpmibd_build The version of tcpmibd.\n"
                                       "# TYPE tcpmibd_build info\n"),
                            HasSubstr("\n# TYPE tcpmibd_port_discards counter\n"),
                            HasSubstr("\ntcpmibd_port_discards_total{port=\"443\"} 3\n"),
                            EndsWith("\n# EOF\n")));
}

TEST_F(ShowMetrics, TheOlderFormatNamesSamples) {
  EXPECT_THAT(plain(), AllOf(HasSubstr("\n# TYPE tcpmibd_build_info gauge\n"),
                             HasSubstr("\n# TYPE tcpmibd_port_discards_total counter\n"),
                             Not(HasSubstr("# UNIT")), Not(HasSubstr("# EOF"))));
}

TEST_F(ShowMetrics, ThereIsAnEndToThem) {
  std::vector<tcp::Socket> sockets;
  for (int port = 1; port <= 200; ++port)
    sockets.push_back(listener("10.0.0.1:" + std::to_string(port)));
  sockets_.set(std::move(sockets));
  const std::string text = open("ports");
  std::size_t rows = 0;
  for (std::size_t at = text.find("tcpmibd_port_sockets{"); at != text.npos;
       at = text.find("tcpmibd_port_sockets{", at + 1))
    ++rows;
  EXPECT_EQ(rows, kMostLabelled);
  EXPECT_THAT(text, HasSubstr("\ntcpmibd_ports_left_out 72\n"));
}

// Each name with its labels once, each family once, its samples below it.
TEST_F(ShowMetrics, NoSampleIsThereTwiceAndFamiliesAreTogether) {
  for (const std::string& what : kWords) {
    std::set<std::string> seen;
    std::istringstream lines(open(what));
    std::string family;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# HELP ")) {
        family = line.substr(7, line.find(' ', 7) - 7);
        EXPECT_TRUE(seen.insert("# " + family).second) << line;
      }
      if (line.starts_with('#'))
        continue;
      EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
      EXPECT_THAT(line, StartsWith(family));
    }
    EXPECT_GT(seen.size(), 1) << what;
  }
}

TEST(Metrics, AreOfObjectsThatAreServed) {
  std::set<std::string> served;
  for (const tables::Entry& entry : tables::registry()) {
    for (const snmp::ObjectInfo& object : entry.object->objects())
      served.emplace(object.name);
  }
  for (const MetricGroup& group : metric_groups()) {
    const auto is_served = [&](std::string_view name) {
      return served.contains(object_of(group, name));
    };
    bool any = false;
    for (const MetricFamily& family : group.families) {
      for (const MetricSample& sample : family.samples)
        any = is_served(sample.object) || any;
    }
    EXPECT_TRUE(any) << group.word;
    for (const MetricLabel& label : group.labels)
      EXPECT_TRUE(is_served(label.object)) << label.object;
    for (const MetricLabel& label : group.details)
      EXPECT_TRUE(is_served(label.object)) << label.object;
  }
}

TEST(Metrics, AreFoundByTheirObjects) {
  EXPECT_EQ(metric_of("tcpmibdPortCloseWait"),
            "tcpmibd_port_state_connections{state=\"closeWait\"}");
  EXPECT_EQ(metric_of("tcpmibdListenDrops"), "tcpmibd_listen_drops_total");
  EXPECT_EQ(metric_of("tcpmibdUnitName"), "label unit");
  EXPECT_THAT(metric_of("tcpConnectionState"), IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::agent
