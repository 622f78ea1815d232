#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "mib/own_mib.h"
#include "support/builders.h"

// What we serve below our arc against what mib/TCPMIBD-MIB.txt promises.

namespace tcpmibd::tables {
namespace {

using namespace lab;

std::vector<MibObject> served_objects() {
  std::vector<MibObject> objects;
  for (const Entry& entry : registry()) {
    for (const snmp::ObjectInfo& object : entry.object->objects()) {
      if (snmp::starts_with(object.oid.view(), kArc))
        objects.push_back(
            {object.oid.text(), std::string(object.name), object.syntax, object.access});
    }
  }
  return objects;
}

std::vector<std::string> object_names(const std::vector<MibObject>& objects) {
  std::vector<std::string> names;
  for (const MibObject& object : objects)
    names.push_back(object.name);
  return names;
}

// Told apart from the next test so that a missing table is named, and not a hundred differences.
TEST(OwnMib, ServesEveryObjectOfItsTextAndNoOther) {
  EXPECT_THAT(object_names(served_objects()),
              testing::UnorderedElementsAreArray(object_names(own_objects())));
}

TEST(OwnMib, ServesItsObjectsWithTheirNumbersSyntaxesAndAccess) {
  EXPECT_THAT(served_objects(), testing::ElementsAreArray(own_objects()));
}

// The root that the agent registers is a scalar's own number, or its table's.
TEST(OwnMib, RegistersItsTablesUnderTheirNumbers) {
  const std::vector<Definition> definitions = definitions_of(own_tokens());
  std::vector<std::string> promised;
  for (const Definition& definition : definitions) {
    if (definition.is_object() && definition.name.ends_with("Table"))
      promised.push_back(own_numbers(definitions).of(definition.name) + " " + definition.name);
  }
  std::vector<std::string> registered;
  for (const Entry& entry : registry()) {
    if (entry.object->is_table() && snmp::starts_with(entry.object->root().view(), kArc))
      registered.push_back(entry.object->root().text() + " " + std::string(entry.object->name()));
  }
  EXPECT_THAT(registered, testing::UnorderedElementsAreArray(promised));
}

}  // namespace
}  // namespace tcpmibd::tables
