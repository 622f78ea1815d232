#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/nms.h"
#include "support/process.h"
#include "support/programs.h"
#include "support/temp_folder.h"
#include "tcp/ended.h"

// The form of the Zabbix templates: what an import refuses, or takes and then does not work.

namespace tcpmibd::lab {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::MatchesRegex;
using testing::Not;
using testing::SizeIs;

std::string text(const YAML::Node& node) { return node ? node.as<std::string>() : std::string(); }

std::string first_step(const YAML::Node& source) {
  const YAML::Node steps = source["preprocessing"];
  return steps ? text(steps[0]["type"]) : std::string();
}

// All maps below `node` that have a uuid, by the list they stand in: "items", "trigger_prototypes".
using Things = std::multimap<std::string, YAML::Node>;

void collect(const YAML::Node& node, const std::string& list, Things& things) {
  if (node.IsMap() && node["uuid"])
    things.emplace(list, node);
  for (const auto& child : node) {
    if (node.IsMap())
      collect(child.second, text(child.first), things);
    else
      collect(child, list, things);
  }
}

class Zabbix : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    collect(root_, {}, things_);
    for (const YAML::Node& item : all({"items", "item_prototypes"}))
      items_.emplace(text(item["key"]), item);
  }

  std::string version() const { return GetParam(); }
  bool walks() const { return version() >= "6.4"; }

  std::vector<YAML::Node> all(const std::set<std::string>& lists) const {
    std::vector<YAML::Node> found;
    for (const auto& [list, thing] : things_) {
      if (lists.contains(list))
        found.push_back(thing);
    }
    return found;
  }

  std::vector<YAML::Node> triggers() const { return all({"triggers", "trigger_prototypes"}); }
  const YAML::Node templ() const { return root_["templates"][0]; }

  YAML::Node root_ = YAML::LoadFile(
      (nms_folder() / "zabbix" / ("tcpmibd-" + version() + ".yaml")).string())["zabbix_export"];
  Things things_;
  std::map<std::string, YAML::Node> items_;
};

INSTANTIATE_TEST_SUITE_P(Versions, Zabbix, testing::Values("6.0", "7.0"),
                         [](const auto& test) { return "V" + std::string(1, test.param[0]); });

// Every match of `pattern` in `where`, its first group.
std::vector<std::string> matches(const std::string& where, const char* pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator at(where.begin(), where.end(), expression);
       at != std::sregex_iterator(); ++at)
    found.push_back((*at)[1]);
  return found;
}

// Those that open a problem and those that close it.
std::vector<std::string> keys_in(const YAML::Node& trigger) {
  return matches(text(trigger["expression"]) + text(trigger["recovery_expression"]),
                 R"(/tcpmibd by SNMP/([^,)]+))");
}

TEST_P(Zabbix, SaysItsVersionAndGroups) {
  EXPECT_EQ(text(root_["version"]), version());
  const YAML::Node groups = root_[version() >= "6.2" ? "template_groups" : "groups"];
  ASSERT_TRUE(groups.IsSequence());
  EXPECT_EQ(text(groups[0]["name"]), text(templ()["groups"][0]["name"]));
  EXPECT_EQ(text(templ()["template"]), "tcpmibd by SNMP");
}

TEST_P(Zabbix, EverythingHasARandomUuidOfItsOwn) {
  std::vector<std::string> uuids;
  for (const auto& [list, thing] : things_)
    uuids.push_back(text(thing["uuid"]));
  EXPECT_THAT(uuids, Each(MatchesRegex("[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}")));
  EXPECT_THAT(std::set(uuids.begin(), uuids.end()), SizeIs(uuids.size()));
}

TEST_P(Zabbix, EveryItemHasItsSource) {
  EXPECT_THAT(items_, SizeIs(all({"items", "item_prototypes"}).size())) << "a key occurs twice";
  for (const auto& [key, item] : items_) {
    SCOPED_TRACE(key);
    EXPECT_FALSE(text(item["name"]).empty());
    if (text(item["type"]) == "DEPENDENT") {
      EXPECT_THAT(items_, Contains(testing::Key(text(item["master_item"]["key"]))));
      EXPECT_EQ(first_step(item), "SNMP_WALK_VALUE");
      EXPECT_EQ(text(item["delay"]), "0");
    } else if (text(item["type"]) == "SNMP_TRAP") {
      EXPECT_THAT(key, testing::StartsWith("snmptrap[\""));
      EXPECT_EQ(text(item["value_type"]), "LOG");
    } else {
      EXPECT_EQ(text(item["type"]), "SNMP_AGENT");
      EXPECT_THAT(text(item["snmp_oid"]), SizeIs(testing::AllOf(testing::Gt(0), testing::Le(512))));
    }
  }
}

TEST_P(Zabbix, TextHasNoTrends) {
  for (const auto& [key, item] : items_) {
    const std::string type = text(item["value_type"]);
    EXPECT_EQ(text(item["trends"]) == "0", type == "CHAR" || type == "TEXT" || type == "LOG")
        << key;
  }
}

// An item with a macro in its key is made once for each row, one without it once.
TEST_P(Zabbix, PrototypesAndNothingElseNameARow) {
  for (const YAML::Node& item : all({"items"}))
    EXPECT_EQ(text(item["key"]).find("{#"), std::string::npos) << text(item["key"]);
  for (const YAML::Node& item : all({"item_prototypes"}))
    EXPECT_NE(text(item["key"]).find("{#"), std::string::npos) << text(item["key"]);
}

TEST_P(Zabbix, PortsAndUnitsAreDiscovered) {
  std::vector<std::string> keys;
  for (const YAML::Node& rule : all({"discovery_rules"})) {
    keys.push_back(text(rule["key"]));
    EXPECT_EQ(text(rule["type"]), walks() ? "DEPENDENT" : "SNMP_AGENT");
    EXPECT_EQ(first_step(rule) == "SNMP_WALK_TO_JSON", walks());
    EXPECT_EQ(text(rule["snmp_oid"]).starts_with("discovery[{#"), !walks());
  }
  EXPECT_THAT(keys, ElementsAre("tcpmibd.port.discovery", "tcpmibd.unit.discovery"));
}

// What a first preprocessing step makes of a value that is not there.
std::string without_value(const YAML::Node& item) {
  const YAML::Node step = item["preprocessing"][0];
  return text(step["error_handler"]) + text(step["error_handler_params"]);
}

// Else its items are unsupported and its problem stays until they are deleted.
TEST_P(Zabbix, APortOrUnitThatIsGoneCountsNothing) {
  for (const YAML::Node& item : all({"item_prototypes"})) {
    EXPECT_EQ(without_value(item), "CUSTOM_VALUE0") << text(item["key"]);
    EXPECT_EQ(first_step(item), walks() ? "SNMP_WALK_VALUE" : "CHECK_NOT_SUPPORTED");
  }
}

// When the last one is gone the walk is empty or, by the version of Zabbix, an error, with which
// all items that depend on it would be unsupported: then a walk stands there that has none of their
// objects. And the rule that finds nothing has found that all are gone.
TEST_P(Zabbix, ATableWithoutRowsIsNoError) {
  if (!walks())
    GTEST_SKIP() << "each object is asked for by itself";
  for (const char* table : {"tcpmibd.walk.ports", "tcpmibd.walk.units"}) {
    EXPECT_EQ(first_step(items_.at(table)), "CHECK_NOT_SUPPORTED") << table;
    EXPECT_EQ(without_value(items_.at(table)), "CUSTOM_VALUE.0.0 = INTEGER: 0") << table;
  }
  for (const YAML::Node& rule : all({"discovery_rules"}))
    EXPECT_EQ(without_value(rule), "CUSTOM_VALUE[]") << text(rule["key"]);
}

// What a port has lost goes on while its listening sockets change. One that changes them all the
// time may lose connections as well.
TEST_P(Zabbix, LostConnectionsAreTrustedWhateverItsSocketsDo) {
  const std::string prefix = "min(/tcpmibd by SNMP/tcpmibd.port.drops[{#SNMPINDEX}],3m)>";
  std::vector<std::string> expressions;
  for (const YAML::Node& trigger : all({"trigger_prototypes"}))
    expressions.push_back(text(trigger["expression"]));
  EXPECT_THAT(expressions, Contains(prefix + "{$TCPMIBD.DROPS.WARN:\"{#SNMPINDEX}\"}"));
  EXPECT_THAT(expressions, Contains(prefix + "{$TCPMIBD.DROPS.CRIT:\"{#SNMPINDEX}\"}"));
}

// And it is asked for until it is deleted: from 7.0 on Zabbix would stop at once, and the problem
// stay.
TEST_P(Zabbix, APortOrUnitThatIsGoneIsForgottenSoon) {
  for (const YAML::Node& rule : all({"discovery_rules"})) {
    EXPECT_EQ(text(rule["lifetime"]), "1d") << text(rule["key"]);
    EXPECT_EQ(text(rule["enabled_lifetime_type"]), walks() ? "DISABLE_NEVER" : "");
  }
}

TEST_P(Zabbix, WhatTheKernelDoesNotHaveIsNoError) {
  for (const YAML::Node& item : all({"items"})) {
    const bool is_pressure = text(item["tags"][0]["value"]) == "pressure";
    EXPECT_TRUE(!is_pressure || without_value(item) == "DISCARD_VALUE") << text(item["key"]);
  }
}

// A port that is gone counts nothing, and so it is with one of an agent that is away, where each
// object is asked for by itself: until the version is missed, which is polled at another moment,
// two polls may pass. So a problem is closed when there was nothing for three minutes, and the
// version all the time.
TEST_P(Zabbix, ProblemsOfPortsAndUnitsStayWhileTcpmibdIsAway) {
  for (const YAML::Node& trigger : all({"trigger_prototypes"})) {
    const std::string closes = text(trigger["recovery_expression"]);
    EXPECT_EQ(text(trigger["recovery_mode"]), "RECOVERY_EXPRESSION");
    if (closes == "last(/tcpmibd by SNMP/tcpmibd.port.sockets[{#SNMPINDEX}])>0")
      continue;
    EXPECT_TRUE(closes.ends_with(" and count(/tcpmibd by SNMP/tcpmibd.version,5m)>3")) << closes;
    EXPECT_THAT(closes, testing::HasSubstr(",3m)<="));
  }
}

TEST_P(Zabbix, AServiceThatStopsListeningIsAProblem) {
  std::vector<std::string> expressions;
  for (const YAML::Node& trigger : all({"trigger_prototypes"}))
    expressions.push_back(text(trigger["expression"]));
  EXPECT_THAT(expressions,
              Contains("max(/tcpmibd by SNMP/tcpmibd.port.sockets[{#SNMPINDEX}],3m)=0 and "
                       "{#SNMPINDEX}<{$TCPMIBD.LISTEN.BELOW:\"{#SNMPINDEX}\"} and "
                       "count(/tcpmibd by SNMP/tcpmibd.version,5m)>3"));
}

// How the name of a problem begins, and what it tells besides.
std::pair<std::string, std::string> telling(const std::string& trigger) {
  const std::string amount = "{ITEM.LASTVALUE1}";
  if (trigger.ends_with("nobody listens any more"))
    return {"Port {#SNMPINDEX} {#COMMAND} {#UNIT}: ", ""};
  if (trigger.starts_with("Port"))
    return {"Port {#SNMPINDEX} {#COMMAND} {#UNIT}: ", amount};
  if (trigger.starts_with("Unit"))
    return {"Unit {#UNIT}: ", amount};
  if (trigger.starts_with("TCP"))
    return {"TCP: ", amount};
  return {};
}

// It is all that a message of it shows.
TEST_P(Zabbix, ProblemsAreNamedByWhoAndHowMuch) {
  for (const YAML::Node& trigger : triggers()) {
    const auto [who, how_much] = telling(text(trigger["name"]));
    EXPECT_THAT(text(trigger["event_name"]),
                AllOf(testing::StartsWith(who), testing::HasSubstr(how_much)));
  }
}

TEST_P(Zabbix, EveryTriggerLooksAtItemsThereAre) {
  for (const YAML::Node& trigger : triggers()) {
    SCOPED_TRACE(text(trigger["name"]));
    EXPECT_THAT(keys_in(trigger), testing::Not(IsEmpty()));
    for (const std::string& key : keys_in(trigger))
      EXPECT_THAT(items_, Contains(testing::Key(key)));
  }
}

// Zabbix writes a trigger below its item only if it looks at no other.
TEST_P(Zabbix, ATriggerOfSeveralItemsStandsBelowNone) {
  for (const auto& [key, item] : items_) {
    for (const char* list : {"triggers", "trigger_prototypes"}) {
      for (const auto& trigger : item[list])
        EXPECT_THAT(keys_in(trigger), Each(key));
    }
  }
}

TEST_P(Zabbix, AllTriggersRestWhileTcpmibdIsAway) {
  const auto identity = [](const YAML::Node& trigger) {
    return text(trigger["expression"]) + " until " + text(trigger["recovery_expression"]);
  };
  std::map<std::string, std::string> identities;
  for (const YAML::Node& trigger : triggers())
    identities[text(trigger["name"])] = identity(trigger);
  for (const YAML::Node& trigger : triggers()) {
    std::vector<std::string> names;
    for (const auto& dependency : trigger["dependencies"]) {
      names.push_back(text(dependency["name"]));
      EXPECT_EQ(identities[names.back()], identity(dependency)) << names.back();
    }
    if (text(trigger["name"]) == "tcpmibd does not answer")
      continue;
    EXPECT_THAT(names, Contains("tcpmibd does not answer")) << text(trigger["name"]);
  }
}

TEST_P(Zabbix, EveryMacroHasAValueAndAUse) {
  std::set<std::string> defined;
  for (const auto& macro : templ()["macros"]) {
    defined.insert(matches(text(macro["macro"]), R"(\{\$([A-Z._]+)\})").at(0));
    EXPECT_FALSE(text(macro["value"]).empty());
  }
  std::set<std::string> used;
  const auto use = [&](const std::string& where) {
    for (const std::string& name : matches(where, R"(\{\$([A-Z._]+)[:}])"))
      used.insert(name);
  };
  for (const YAML::Node& trigger : triggers())
    use(text(trigger["expression"]));
  for (const YAML::Node& rule : all({"discovery_rules"})) {
    for (const auto& condition : rule["filter"]["conditions"])
      use(text(condition["value"]));
  }
  EXPECT_EQ(used, defined);
}

TEST_P(Zabbix, IsTheSameTemplateInEveryVersion) {
  const YAML::Node other = YAML::LoadFile((nms_folder() / "zabbix" / "tcpmibd-6.0.yaml").string());
  Things things;
  collect(other, {}, things);
  const auto identities = [](const Things& of, bool masters) {
    std::set<std::string> all;
    for (const auto& [list, thing] : of) {
      if (masters || text(thing["key"]).find(".walk.") == std::string::npos)
        all.insert(text(thing["uuid"]) + text(thing["name"]) + text(thing["key"]) +
                   text(thing["expression"]) + text(thing["units"]));
    }
    return all;
  };
  EXPECT_EQ(identities(things_, false), identities(things, true));
}

// An import refuses a graph of an item, and a dashboard with a graph, that are not there.
TEST_P(Zabbix, GraphsAndDashboardsShowWhatThereIs) {
  std::set<std::string> names;
  for (const YAML::Node& graph : all({"graphs", "graph_prototypes"})) {
    names.insert(text(graph["name"]));
    EXPECT_THAT(graph["graph_items"], SizeIs(testing::Gt(0)));
    for (const auto& line : graph["graph_items"])
      EXPECT_THAT(items_, Contains(testing::Key(text(line["item"]["key"])))) << text(graph["name"]);
  }
  std::set<std::string> shown;
  for (const auto& page : templ()["dashboards"][0]["pages"]) {
    for (const auto& widget : page["widgets"]) {
      for (const auto& field : widget["fields"]) {
        if (field["value"].IsMap())
          shown.insert(text(field["value"]["name"]));
      }
    }
  }
  EXPECT_THAT(shown, Not(IsEmpty()));
  EXPECT_THAT(shown, IsSubsetOf(names));
}

// An item of a reason asks for that reason's row: all but those of normal ends.
TEST_P(Zabbix, EndsAreOfTheReasonThatTheirKeyNames) {
  for (const tcp::EndReasonName& reason : tcp::kEndReasonNames) {
    const std::string key = "tcpmibd.ends[" + std::string(reason.mib) + "]";
    ASSERT_EQ(items_.contains(key), reason.reason != tcp::EndReason::kNormal) << key;
    if (!items_.contains(key))
      continue;
    const YAML::Node& item = items_.at(key);
    const std::string source =
        walks() ? text(item["preprocessing"][0]["parameters"][0]) : text(item["snmp_oid"]);
    EXPECT_TRUE(source.ends_with(".1.13.7.1.3." + std::to_string(static_cast<int>(reason.reason))))
        << source;
  }
}

// "Unit *: closeWait" or a whole name.
bool names_item(const std::string& pattern, const std::map<std::string, YAML::Node>& items) {
  const std::size_t star = pattern.find('*');
  const std::string head = pattern.substr(0, star);
  const std::string tail = star == pattern.npos ? "" : pattern.substr(star + 1);
  return std::ranges::any_of(items, [&](const auto& item) {
    const std::string name = text(item.second["name"]);
    return star == pattern.npos ? name == pattern : name.starts_with(head) && name.ends_with(tail);
  });
}

// The API takes any name, and shows nothing of one that is not there.
TEST_P(Zabbix, TheFleetShowsItemsThatThereAre) {
  const YAML::Node board =
      YAML::LoadFile((nms_folder() / "zabbix" / ("fleet-" + version() + ".json")).string());
  const std::regex of_item("ds[.](items[.]0|0[.]items)[.]0|columns[.](item[.][0-9]|[0-9][.]item)");
  std::set<std::string> shown;
  for (const auto& widget : board["pages"][0]["widgets"]) {
    for (const auto& field : widget["fields"]) {
      if (std::regex_match(text(field["name"]), of_item))
        shown.insert(text(field["value"]));
    }
  }
  EXPECT_THAT(shown, SizeIs(4));
  for (const std::string& pattern : shown)
    EXPECT_TRUE(names_item(pattern, items_)) << pattern;
}

// The hosts to import take what differs between them from macros, and each macro has a value.
TEST(ZabbixHosts, AskByVersions2And3AtAnyPort) {
  const YAML::Node hosts =
      YAML::LoadFile((nms_folder() / "zabbix" / "hosts.yaml").string())["zabbix_export"]["hosts"];
  std::vector<std::string> versions;
  for (const auto& host : hosts) {
    EXPECT_EQ(text(host["templates"][0]["name"]), "tcpmibd by SNMP");
    std::set<std::string> defined;
    for (const auto& macro : host["macros"]) {
      EXPECT_FALSE(text(macro["value"]).empty());
      defined.insert(text(macro["macro"]));
    }
    const YAML::Node interface = host["interfaces"][0];
    versions.push_back(text(interface["details"]["version"]));
    std::set<std::string> used{text(interface["port"])};
    for (const auto& detail : interface["details"]) {
      if (text(detail.second).starts_with("{$"))
        used.insert(text(detail.second));
    }
    EXPECT_EQ(used, defined) << text(host["host"]);
  }
  EXPECT_THAT(versions, ElementsAre("", "SNMPV3"));
}

// The length of `name`, then its octets: as the index of a row in which a text is.
std::string index_of(const std::string& name) {
  std::string index = std::to_string(name.size());
  for (const char octet : name)
    index += "." + std::to_string(static_cast<unsigned char>(octet));
  return index;
}

// What `script` of a template returns for `value`, by the interpreter that Zabbix itself has
// inside.
std::string returned_by(const std::string& script, const std::string& value) {
  const TempFolder folder;
  return run({"duk", folder.write("step.js", "print((function (value) {\n" + script + "})('" +
                                                 value + "'));")})
      .out;
}

TEST_P(Zabbix, TheNameOfAUnitIsReadFromItsIndex) {
  if (!is_installed("duk"))
    GTEST_SKIP() << "no duk (package duktape)";
  std::string script;
  for (const YAML::Node& rule : all({"discovery_rules"})) {
    for (const auto& step : rule["preprocessing"]) {
      if (text(step["type"]) == "JAVASCRIPT")
        script = text(step["parameters"][0]);
    }
  }
  for (const std::string name : {"ssh.service", "café-同步.service", "job@50%41+.service"}) {
    const std::string row = "{\"{#SNMPINDEX}\":\"" + index_of(name) + "\"";
    EXPECT_EQ(returned_by(script, "[" + row + "}]"),
              "[" + row + ",\"{#UNIT}\":\"" + name + "\"}]\n");
  }
  EXPECT_EQ(returned_by(script, "[]"), "[]\n") << "there is none";
}

}  // namespace
}  // namespace tcpmibd::lab
