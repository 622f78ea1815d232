#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "support/nms.h"
#include "system/monitoring.h"
#include "system/system_test.h"

// docs/nms against the daemon: whatever the files ask for is there.

namespace tcpmibd::lab {
namespace {

using testing::ContainsRegex;
using testing::IsEmpty;
using testing::Not;

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

// They come by themselves, and nobody can ask for them.
bool is_notification(const std::string& oid) { return oid.starts_with(arc_text() + ".0."); }

// tcpmibdReasonTable, where the kernel reports no ends.
bool is_of_ends(const std::string& oid) { return (oid + ".").starts_with(arc_text() + ".1.13.7."); }

class Nms : public SystemTest {};

TEST_F(Nms, EveryObjectThatTheFilesNameAnswers) {
  const Namespace space;
  const TroubledService service(space);
  const Daemon daemon = Daemon::standalone(space, watchful());
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  const bool has_units = answers(manager, arc_text() + ".1.6");
  const bool has_ends = answers(manager, arc_text() + ".1.13.7");
  for (const char* file : {"zabbix/tcpmibd-6.0.yaml", "zabbix/tcpmibd-7.0.yaml",
                           "nagios/commands.cfg", "nagios/icinga2.conf", "nagios/check_tcpmibd",
                           "prometheus/snmp.yml", "prometheus/snmp-0.23.yml"}) {
    const std::set<std::string> oids = own_oids_in(nms_text(file));
    EXPECT_THAT(oids, Not(IsEmpty())) << file;
    for (const std::string& oid : oids) {
      const bool elsewhere = kHostsOnly.contains(oid) || kHostsOnly.contains(oid + ".0");
      const bool absent = elsewhere || is_notification(oid) || (is_of_units(oid) && !has_units) ||
                          (is_of_ends(oid) && !has_ends);
      EXPECT_TRUE(absent || answers(manager, oid)) << oid << " in " << file;
    }
  }
}

// Every metric that a rule looks at is one that our module makes.
TEST(PrometheusRules, LookAtMetricsThereAre) {
  const std::string module = nms_text("prometheus/snmp.yml");
  const std::string rules = nms_text("prometheus/rules.yml");
  const std::regex name("tcpmibd[A-Z][A-Za-z0-9]*");
  for (std::sregex_iterator at(rules.begin(), rules.end(), name); at != std::sregex_iterator();
       ++at)
    EXPECT_THAT(module, ContainsRegex("name: " + at->str() + "\n")) << "as metric or label";
}

}  // namespace
}  // namespace tcpmibd::lab
