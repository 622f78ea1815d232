#include "agent/agentx/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "support/builders.h"
#include "support/random.h"

namespace tcpmibd::agent::agentx {
namespace {

using snmp::Oid;
using testing::ElementsAre;

class WireIn : public testing::TestWithParam<ByteOrder> {
 protected:
  Writer out() { return {bytes_, GetParam()}; }
  Reader in() const { return {bytes_, GetParam()}; }

  Bytes bytes_;
};

std::string order_name(const testing::TestParamInfo<ByteOrder>& info) {
  return info.param == ByteOrder::kNetwork ? "NetworkOrder" : "LittleEndianOrder";
}

INSTANTIATE_TEST_SUITE_P(, WireIn, testing::Values(ByteOrder::kLittle, ByteOrder::kNetwork),
                         order_name);

TEST_P(WireIn, NumbersAreReadAsTheyWereWritten) {
  Writer writer = out();
  writer.add8(0xfe);
  writer.add16(0xfedc);
  writer.add32(0xfedcba98);
  writer.add64(0xfedcba9876543210);
  Reader reader = in();
  EXPECT_EQ(reader.take8(), 0xfe);
  EXPECT_EQ(reader.take16(), 0xfedc);
  EXPECT_EQ(reader.take32(), 0xfedcba98);
  EXPECT_EQ(reader.take64(), 0xfedcba9876543210);
  EXPECT_TRUE(reader.at_end());
  EXPECT_FALSE(reader.failed());
}

// A value of each syntax, and the ends of their ranges.
std::vector<snmp::Value> values() {
  return {snmp::Integer{std::numeric_limits<std::int32_t>::min()},
          snmp::Counter32{0xffffffff},
          snmp::Gauge32{7},
          snmp::TimeTicks{123456},
          snmp::Counter64{0xffffffffffffffff},
          snmp::IpAddress{{127, 0, 0, 1}},
          snmp::OctetString{""},
          snmp::OctetString{"a"},
          snmp::OctetString{std::string("a\0cd", 4)},
          snmp::OctetString{"abcde"},
          Oid{0, 0},
          Oid{1, 3, 6, 1, 4, 1, 8072}};
}

TEST_P(WireIn, ABindingIsReadAsItWasWritten) {
  const Oid name = lab::tcp_oid("19.1.7");
  for (const snmp::Value& value : values()) {
    bytes_.clear();
    out().add_binding(name, value);
    EXPECT_EQ(bytes_.size() % 4, 0U);
    Reader reader = in();
    const Binding binding = reader.take_binding();
    EXPECT_FALSE(reader.failed());
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(binding.name, name);
    EXPECT_EQ(binding.value, value);
  }
}

TEST_P(WireIn, ABindingWithoutAValueOfOursHasNone) {
  for (const Exception exception :
       {Exception::kNoSuchObject, Exception::kNoSuchInstance, Exception::kEndOfMibView})
    out().add_binding(Oid{1, 3}, exception);
  Reader reader = in();
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(reader.take_binding().value, std::nullopt);
  EXPECT_FALSE(reader.failed());
}

TEST_P(WireIn, AnyNameIsReadAsItWasWritten) {
  lab::Random random;
  SCOPED_TRACE(random.text());
  for (int i = 0; i < 1000; ++i) {
    Oid name;
    if (random.chance(50))
      name = Oid{1, 3, 6, 1};
    for (std::uint32_t left = random.below(snmp::kMaxOidLength - name.size() + 1); left > 0; --left)
      name.append(random.chance(70) ? random.below(300) : random.bits());
    bytes_.clear();
    out().add_name(name);
    out().add_name(name);
    Reader reader = in();
    const SearchRange range = reader.take_range();
    ASSERT_FALSE(reader.failed()) << name;
    ASSERT_EQ(range.start, name);
    ASSERT_EQ(range.end, name);
  }
}

TEST_P(WireIn, WhatIsCutShortAnywhereFailsAndReadsAsNothing) {
  for (const snmp::Value& value : values()) {
    bytes_.clear();
    out().add_binding(Oid{1, 3, 6, 1, 2, 1}, value);
    const Bytes whole = bytes_;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      bytes_.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      Reader reader = in();
      reader.take_binding();
      EXPECT_TRUE(reader.failed()) << size;
      EXPECT_TRUE(reader.at_end());
      EXPECT_EQ(reader.take32(), 0U);
    }
  }
}

TEST_P(WireIn, ALengthBeyondTheEndFails) {
  for (const std::uint32_t length : {1U, 5U, 0x7fffffffU, 0xfffffffdU, 0xffffffffU}) {
    bytes_.clear();
    out().add32(length);
    Reader reader = in();
    EXPECT_EQ(reader.take_octets(), "");
    EXPECT_TRUE(reader.failed()) << length;
  }
}

TEST_P(WireIn, ANameThatIsTooLongFails) {
  for (const int prefix : {0, 2}) {
    bytes_ = {static_cast<std::uint8_t>(snmp::kMaxOidLength - (prefix != 0 ? 4 : -1)),
              static_cast<std::uint8_t>(prefix), 0, 0};
    bytes_.resize(bytes_.size() + 4 * 200);
    Reader reader = in();
    reader.take_range();
    EXPECT_TRUE(reader.failed());
  }
}

TEST_P(WireIn, AValueOfAnUnknownTypeFails) {
  out().add16(3);
  out().add16(0);
  out().add_name(Oid{1, 3});
  out().add32(0);
  Reader reader = in();
  reader.take_binding();
  EXPECT_TRUE(reader.failed());
}

TEST_P(WireIn, AnAddressThatIsNotFourOctetsIsNoValue) {
  out().add16(64);
  out().add16(0);
  out().add_name(Oid{1, 3});
  out().add_octets("abcde");
  Reader reader = in();
  EXPECT_EQ(reader.take_binding().value, std::nullopt);
  EXPECT_FALSE(reader.failed());
}

// RFC 2741, 5.1: sysDescr.1, below internet.2.
TEST(Wire, AnIdentifierBelowInternetLeavesThatOut) {
  Bytes bytes;
  Writer(bytes, ByteOrder::kNetwork).add_name(Oid{1, 3, 6, 1, 2, 1, 1, 1, 1});
  EXPECT_THAT(bytes, ElementsAre(4, 2, 0, 0,  //
                                 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1));
}

TEST(Wire, AnIdentifierElsewhereIsSpeltOut) {
  Bytes bytes;
  Writer(bytes, ByteOrder::kNetwork).add_name(Oid{1, 2, 3});
  EXPECT_THAT(bytes, ElementsAre(3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3));
}

TEST(Wire, TheNullIdentifierIsEmpty) {
  Bytes bytes;
  Writer(bytes, ByteOrder::kNetwork).add_name({});
  EXPECT_THAT(bytes, ElementsAre(0, 0, 0, 0));
}

// RFC 2741, 5.3.
TEST(Wire, AnOctetStringIsPaddedToFourOctets) {
  Bytes bytes;
  Writer(bytes, ByteOrder::kLittle).add_octets("ab");
  EXPECT_THAT(bytes, ElementsAre(2, 0, 0, 0, 'a', 'b', 0, 0));
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
