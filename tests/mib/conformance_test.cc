#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "support/builders.h"
#include "support/mib_text.h"

// What we serve against what the TCP-MIB (RFC 4022) says: first against our own list of it, then,
// where the module's text is at hand, that list against the text.

namespace tcpmibd::tables {
namespace {

using namespace lab;
using snmp::Oid;
using testing::ElementsAreArray;

// clang-format off
const std::vector<MibObject> kObjects = {
    {"1",    "tcpRtoAlgorithm",               Syntax::kInteger,     Access::kReadOnly},
    {"2",    "tcpRtoMin",                     Syntax::kInteger,     Access::kReadOnly},
    {"3",    "tcpRtoMax",                     Syntax::kInteger,     Access::kReadOnly},
    {"4",    "tcpMaxConn",                    Syntax::kInteger,     Access::kReadOnly},
    {"5",    "tcpActiveOpens",                Syntax::kCounter32,   Access::kReadOnly},
    {"6",    "tcpPassiveOpens",               Syntax::kCounter32,   Access::kReadOnly},
    {"7",    "tcpAttemptFails",               Syntax::kCounter32,   Access::kReadOnly},
    {"8",    "tcpEstabResets",                Syntax::kCounter32,   Access::kReadOnly},
    {"9",    "tcpCurrEstab",                  Syntax::kGauge32,     Access::kReadOnly},
    {"10",   "tcpInSegs",                     Syntax::kCounter32,   Access::kReadOnly},
    {"11",   "tcpOutSegs",                    Syntax::kCounter32,   Access::kReadOnly},
    {"12",   "tcpRetransSegs",                Syntax::kCounter32,   Access::kReadOnly},
    {"13.1.1", "tcpConnState",                Syntax::kInteger,     Access::kReadWrite},
    {"13.1.2", "tcpConnLocalAddress",         Syntax::kIpAddress,   Access::kReadOnly},
    {"13.1.3", "tcpConnLocalPort",            Syntax::kInteger,     Access::kReadOnly},
    {"13.1.4", "tcpConnRemAddress",           Syntax::kIpAddress,   Access::kReadOnly},
    {"13.1.5", "tcpConnRemPort",              Syntax::kInteger,     Access::kReadOnly},
    {"14",   "tcpInErrs",                     Syntax::kCounter32,   Access::kReadOnly},
    {"15",   "tcpOutRsts",                    Syntax::kCounter32,   Access::kReadOnly},
    {"17",   "tcpHCInSegs",                   Syntax::kCounter64,   Access::kReadOnly},
    {"18",   "tcpHCOutSegs",                  Syntax::kCounter64,   Access::kReadOnly},
    {"19.1.1", "tcpConnectionLocalAddressType", Syntax::kInteger,   Access::kNotAccessible},
    {"19.1.2", "tcpConnectionLocalAddress",   Syntax::kOctetString, Access::kNotAccessible},
    {"19.1.3", "tcpConnectionLocalPort",      Syntax::kGauge32,     Access::kNotAccessible},
    {"19.1.4", "tcpConnectionRemAddressType", Syntax::kInteger,     Access::kNotAccessible},
    {"19.1.5", "tcpConnectionRemAddress",     Syntax::kOctetString, Access::kNotAccessible},
    {"19.1.6", "tcpConnectionRemPort",        Syntax::kGauge32,     Access::kNotAccessible},
    {"19.1.7", "tcpConnectionState",          Syntax::kInteger,     Access::kReadWrite},
    {"19.1.8", "tcpConnectionProcess",        Syntax::kGauge32,     Access::kReadOnly},
    {"20.1.1", "tcpListenerLocalAddressType", Syntax::kInteger,     Access::kNotAccessible},
    {"20.1.2", "tcpListenerLocalAddress",     Syntax::kOctetString, Access::kNotAccessible},
    {"20.1.3", "tcpListenerLocalPort",        Syntax::kGauge32,     Access::kNotAccessible},
    {"20.1.4", "tcpListenerProcess",          Syntax::kGauge32,     Access::kReadOnly},
};
// clang-format on

// INDEX of each entry.
const std::map<std::string, std::vector<std::string>> kIndexes = {
    {"tcpConnEntry",
     {"tcpConnLocalAddress", "tcpConnLocalPort", "tcpConnRemAddress", "tcpConnRemPort"}},
    {"tcpConnectionEntry",
     {"tcpConnectionLocalAddressType", "tcpConnectionLocalAddress", "tcpConnectionLocalPort",
      "tcpConnectionRemAddressType", "tcpConnectionRemAddress", "tcpConnectionRemPort"}},
    {"tcpListenerEntry",
     {"tcpListenerLocalAddressType", "tcpListenerLocalAddress", "tcpListenerLocalPort"}},
};

// Every object of every table and scalar we serve below `tcp`, in the order of their numbers.
std::vector<snmp::ObjectInfo> served() {
  std::vector<snmp::ObjectInfo> objects;
  for (const Entry& entry : registry()) {
    for (const snmp::ObjectInfo& object : entry.object->objects()) {
      if (snmp::starts_with(object.oid.view(), "1.3.6.1.2.1.6"_oid.view()))
        objects.push_back(object);
    }
  }
  return objects;
}

TEST(TcpMib, IsServedWholeWithItsNumbersNamesAndSyntaxes) {
  const std::vector<snmp::ObjectInfo> objects = served();
  ASSERT_EQ(objects.size(), kObjects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(objects[i].oid, tcp_oid(kObjects[i].number)) << kObjects[i];
    EXPECT_EQ(objects[i].name, kObjects[i].name);
    EXPECT_EQ(objects[i].syntax, kObjects[i].syntax) << kObjects[i];
  }
}

// The compliance statement lets the two states be read-only (MIN-ACCESS), so less access than the
// MIB's most is right; more never is, and an index column must stay out of reach.
TEST(TcpMib, IsServedWithNoMoreAccessThanItGrants) {
  const std::vector<snmp::ObjectInfo> objects = served();
  ASSERT_EQ(objects.size(), kObjects.size());
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_LE(objects[i].access, kObjects[i].access) << kObjects[i];
    EXPECT_EQ(objects[i].access == Access::kNotAccessible,
              kObjects[i].access == Access::kNotAccessible)
        << kObjects[i];
  }
}

// One part of an index, of the socket 10.0.0.1:22 with its peer 10.0.0.9:4711.
const std::map<std::string, const char*> kParts = {
    {"tcpConnLocalAddress", "10.0.0.1"},
    {"tcpConnLocalPort", "22"},
    {"tcpConnRemAddress", "10.0.0.9"},
    {"tcpConnRemPort", "4711"},
    {"tcpConnectionLocalAddressType", "1"},
    {"tcpConnectionLocalAddress", "4.10.0.0.1"},
    {"tcpConnectionLocalPort", "22"},
    {"tcpConnectionRemAddressType", "1"},
    {"tcpConnectionRemAddress", "4.10.0.0.9"},
    {"tcpConnectionRemPort", "4711"},
    {"tcpListenerLocalAddressType", "1"},
    {"tcpListenerLocalAddress", "4.10.0.0.1"},
    {"tcpListenerLocalPort", "22"},
};

TEST(TcpMib, RowsAreNamedByTheirIndexInItsOrder) {
  const Host connection({established("10.0.0.1:22", "10.0.0.9:4711")});
  const Host listening({listener("10.0.0.1:22")});
  for (const auto& [entry, parts] : kIndexes) {
    const std::string table = entry.substr(0, entry.size() - 5) + "Table";
    const Host& host = table == "tcpListenerTable" ? listening : connection;
    std::string index;
    for (const std::string& part : parts)
      index += (index.empty() ? "" : ".") + std::string(kParts.at(part));
    const std::vector<snmp::Cell> cells = walk(managed(table), host.data());
    ASSERT_FALSE(cells.empty()) << table;
    EXPECT_EQ(snmp::to_text(cells.front().name.view().subspan(10)), index) << table;
  }
}

// ---------------------------------------------------------------- the module's text, where it is

class TcpMibText : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = ietf_folder();
    if (!folder)
      GTEST_SKIP() << kNoIetfFolder;
    definitions_ = definitions_of(tokens_of(text_of(*folder / "TCP-MIB.txt")));
  }

  std::vector<Definition> definitions_;
};

TEST_F(TcpMibText, DefinesTheObjectsWeHoldAgainstOurs) {
  const Numbers numbers(definitions_, "tcp", "");
  std::vector<MibObject> objects;
  for (const Definition& definition : definitions_) {
    if (definition.is_object() && !definition.is_table_or_entry())
      objects.push_back({numbers.of(definition.name), definition.name,
                         wire_syntax(definition.syntax), access_of(definition.access)});
  }
  std::ranges::sort(objects, {}, [](const MibObject& object) { return tcp_oid(object.number); });
  EXPECT_THAT(objects, ElementsAreArray(kObjects));
}

TEST_F(TcpMibText, DefinesTheIndexesWeHoldAgainstOurs) {
  std::map<std::string, std::vector<std::string>> indexes;
  for (const Definition& definition : definitions_) {
    if (!definition.index.empty())
      indexes[definition.name] = definition.index;
  }
  EXPECT_EQ(indexes, kIndexes);
}

}  // namespace
}  // namespace tcpmibd::tables
