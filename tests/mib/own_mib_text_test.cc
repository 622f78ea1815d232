#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>

#include "mib/own_mib.h"
#include "support/nms.h"
#include "support/process.h"
#include "support/programs.h"

// What mib/TCPMIBD-MIB.txt says of itself, and what the programs that read MIBs think of it.

namespace tcpmibd::lab {
namespace {

using boost::property_tree::ptree;
using testing::AllOf;
using testing::Each;
using testing::ElementsAreArray;
using testing::Field;
using testing::IsEmpty;
using testing::StartsWith;

TEST(OwnMibText, HangsBelowTheArcOfTheCode) {
  const Numbers numbers = own_numbers(definitions_of(own_tokens()));
  EXPECT_EQ(numbers.of("tcpmibdMIB"), arc_text());
  EXPECT_THAT(own_objects(), Each(AllOf(Field(&MibObject::number, StartsWith(arc_text() + ".1.")),
                                        Field(&MibObject::name, StartsWith("tcpmibd")))));
}

// src/tables/capabilities.h gives this number to sysORTable.
TEST(OwnMibText, DefinesTheCapabilitiesThatTheAgentAnnounces) {
  const std::vector<Definition> definitions = definitions_of(own_tokens());
  std::vector<std::string> statements;
  for (const Definition& definition : definitions) {
    if (definition.macro == "AGENT-CAPABILITIES")
      statements.push_back(own_numbers(definitions).of(definition.name));
  }
  EXPECT_THAT(statements, testing::ElementsAre(arc_text() + ".2.3.1"));
}

// With the IETF's modules at hand.
class OwnMibRead : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = ietf_folder();
    if (!folder)
      GTEST_SKIP() << kNoIetfFolder;
    ietf_ = folder->string();
  }

  Output smi(std::vector<std::string> command) const {
    command.push_back(own_mib_file());
    return run(command, {.environment = {{"SMIPATH", ietf_}}});
  }

  std::string ietf_;
};

TEST_F(OwnMibRead, SmilintFindsNothingAtItsStrictest) {
  if (!is_installed("smilint"))
    GTEST_SKIP() << "no smilint (package smitools)";
  const Output found = smi({"smilint", "-l", "6", "-s", "-e"});
  EXPECT_EQ(found.status, 0);
  EXPECT_THAT(found.out + found.err, IsEmpty());
}

TEST_F(OwnMibRead, NetSnmpLoadsItWithoutAWord) {
  if (!is_installed("snmptranslate"))
    GTEST_SKIP() << "no snmptranslate (package snmp)";
  const Output found = run({"snmptranslate", "-M", ietf_ + ":" + own_mib_folder().string(), "-m",
                            "TCPMIBD-MIB", "-On", "TCPMIBD-MIB::tcpmibdPortQueuePercent.443"});
  EXPECT_EQ(found.status, 0);
  EXPECT_EQ(found.out, "." + arc_text() + ".1.4.1.8.443\n");
  EXPECT_THAT(found.err, IsEmpty());
}

// ------------------------------------------------------------- what smidump makes of the module

// The name of a type, or what it was made from; smidump has words of its own for base types.
snmp::Syntax syntax_in(const ptree& syntax, const ptree& typedefs) {
  const auto local = [&](const std::string& name) -> const ptree* {
    for (const auto& [tag, type] : typedefs) {
      if (type.get<std::string>("<xmlattr>.name", "") == name)
        return &type;
    }
    return nullptr;
  };
  std::string name = syntax.get<std::string>("type.<xmlattr>.name", "");
  const ptree* made = name.empty() ? &syntax.get_child("typedef") : local(name);
  if (made != nullptr)
    name = made->get<std::string>("parent.<xmlattr>.name",
                                  made->get<std::string>("<xmlattr>.basetype"));
  if (name == "Enumeration")
    return wire_syntax("INTEGER");
  return wire_syntax(name == "Bits" ? "BITS" : name);
}

void collect(const ptree& nodes, const ptree& typedefs, std::vector<MibObject>& objects) {
  static const std::map<std::string, snmp::Access> kAccess = {
      {"noaccess", snmp::Access::kNotAccessible},
      {"readonly", snmp::Access::kReadOnly},
      {"readwrite", snmp::Access::kReadWrite},
  };
  for (const auto& [tag, node] : nodes) {
    if (tag == "table" || tag == "row")
      collect(node, typedefs, objects);
    if (tag != "scalar" && tag != "column")
      continue;
    const auto access = kAccess.find(node.get<std::string>("access"));
    if (access == kAccess.end())
      continue;  // notifyonly
    objects.push_back({node.get<std::string>("<xmlattr>.oid"),
                       node.get<std::string>("<xmlattr>.name"),
                       syntax_in(node.get_child("syntax"), typedefs), access->second});
  }
}

TEST_F(OwnMibRead, SmidumpReadsTheObjectsThatWeRead) {
  if (!is_installed("smidump"))
    GTEST_SKIP() << "no smidump (package smitools)";
  std::istringstream dumped(smi({"smidump", "-f", "xml"}).out);
  ptree document;
  boost::property_tree::read_xml(dumped, document);
  std::vector<MibObject> objects;
  collect(document.get_child("smi.nodes"), document.get_child("smi.typedefs"), objects);
  EXPECT_THAT(objects, ElementsAreArray(own_objects()));
}

}  // namespace
}  // namespace tcpmibd::lab
