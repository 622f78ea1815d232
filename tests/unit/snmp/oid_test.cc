#include "snmp/oid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "snmp/value.h"
#include "support/builders.h"

namespace tcpmibd::snmp {
namespace {

using namespace lab::literals;

struct ParseCase {
  const char* text;
  std::optional<Oid> want;
};

const ParseCase kParseCases[] = {
    {"1", Oid{1}},
    {"1.3.6.1", Oid{1, 3, 6, 1}},
    {".1.3.6.1", Oid{1, 3, 6, 1}},
    {"0.0", Oid{0, 0}},
    {"1.4294967295", Oid{1, 4294967295}},
    {"1.4294967296", std::nullopt},
    {"", std::nullopt},
    {".", std::nullopt},
    {"1.", std::nullopt},
    {"1..3", std::nullopt},
    {"..1", std::nullopt},
    {"1.-3", std::nullopt},
    {"1.+3", std::nullopt},
    {"1. 3", std::nullopt},
    {"1.3 ", std::nullopt},
    {"1.0x3", std::nullopt},
    {"tcp", std::nullopt},
};

TEST(Oid, IsParsedFromDottedNumbersAndNothingElse) {
  for (const ParseCase& c : kParseCases)
    EXPECT_EQ(Oid::parse(c.text), c.want) << '"' << c.text << '"';
}

std::string ones(std::size_t count) {
  std::string text = "1";
  for (std::size_t i = 1; i < count; ++i)
    text += ".1";
  return text;
}

TEST(Oid, IsParsedUpToTheLongestThatSnmpKnows) {
  ASSERT_TRUE(Oid::parse(ones(kMaxOidLength)));
  EXPECT_EQ(Oid::parse(ones(kMaxOidLength))->size(), kMaxOidLength);
  EXPECT_FALSE(Oid::parse(ones(kMaxOidLength + 1)));
}

TEST(Oid, IsCutWhereItWouldGrowTooLong) {
  Oid oid = *Oid::parse(ones(kMaxOidLength - 1));
  oid.append({2, 3, 4});
  EXPECT_EQ(oid.size(), kMaxOidLength);
  EXPECT_EQ(oid.view().back(), 2u);
}

TEST(Oid, PrintsWhatItWasParsedFrom) {
  for (const char* text : {"1", "1.3.6.1.2.1.6.20.1.4.0.0.22", "0.4294967295"}) {
    const Oid oid = *Oid::parse(text);
    EXPECT_EQ(oid.text(), text);
    std::ostringstream stream;
    stream << oid;
    EXPECT_EQ(stream.str(), text);
  }
  EXPECT_EQ(Oid().text(), "");
}

TEST(Oid, ComparesLexicographicallyUnsignedAPrefixFirst) {
  const Oid ascending[] = {Oid(),
                           "0"_oid,
                           "0.0"_oid,
                           "1"_oid,
                           "1.0"_oid,
                           "1.0.4294967295"_oid,
                           "1.2"_oid,
                           "1.10"_oid,
                           "1.2147483647"_oid,
                           "1.2147483648"_oid,
                           "1.4294967295"_oid,
                           "2"_oid};
  for (const Oid& a : ascending) {
    for (const Oid& b : ascending) {
      EXPECT_EQ(a <=> b, &a <=> &b) << a << " and " << b;
      EXPECT_EQ(a == b, &a == &b) << a << " and " << b;
    }
  }
}

TEST(Oid, StartsWithItselfAndItsPrefixesOnly) {
  const Oid name = "1.3.6"_oid;
  EXPECT_TRUE(starts_with(name.view(), {}));
  EXPECT_TRUE(starts_with(name.view(), "1.3"_oid.view()));
  EXPECT_TRUE(starts_with(name.view(), name.view()));
  EXPECT_FALSE(starts_with(name.view(), "1.3.6.1"_oid.view()));
  EXPECT_FALSE(starts_with(name.view(), "1.4"_oid.view()));
  EXPECT_FALSE(starts_with({}, "1"_oid.view()));
}

TEST(Oid, CopiesAreOfTheirOwn) {
  Oid a = "1.3"_oid;
  Oid b = a;
  b.append(6);
  EXPECT_EQ(a, "1.3"_oid);
  a = b;
  EXPECT_EQ(a, "1.3.6"_oid);
  Oid& self = a;
  a = self;
  EXPECT_EQ(a, "1.3.6"_oid);
  a.clear();
  EXPECT_EQ(a, Oid());
}

TEST(Value, HasTheSyntaxOfItsAlternative) {
  struct Case {
    Value value;
    Syntax syntax;
    const char* name;
  };
  for (const Case& c : {
           Case{Integer{1}, Syntax::kInteger, "Integer32"},
           Case{Counter32{1}, Syntax::kCounter32, "Counter32"},
           Case{Gauge32{1}, Syntax::kGauge32, "Gauge32"},
           Case{TimeTicks{1}, Syntax::kTimeTicks, "TimeTicks"},
           Case{Counter64{1}, Syntax::kCounter64, "Counter64"},
           Case{IpAddress{}, Syntax::kIpAddress, "IpAddress"},
           Case{OctetString{}, Syntax::kOctetString, "OCTET STRING"},
           Case{Oid{1}, Syntax::kObjectId, "OBJECT IDENTIFIER"},
       }) {
    EXPECT_EQ(syntax_of(c.value), c.syntax);
    EXPECT_EQ(name_of(c.syntax), c.name);
  }
}

TEST(Access, HasTheNamesOfSmiv2AndGrows) {
  EXPECT_EQ(name_of(Access::kNotAccessible), "not-accessible");
  EXPECT_EQ(name_of(Access::kReadOnly), "read-only");
  EXPECT_EQ(name_of(Access::kReadWrite), "read-write");
  EXPECT_LT(Access::kNotAccessible, Access::kReadOnly);
  EXPECT_LT(Access::kReadOnly, Access::kReadWrite);
}

}  // namespace
}  // namespace tcpmibd::snmp
