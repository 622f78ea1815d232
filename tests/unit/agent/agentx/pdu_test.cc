#include "agent/agentx/pdu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tcpmibd::agent::agentx {
namespace {

using testing::ElementsAreArray;

// Of a session, as we send it.
constexpr Header kMine{.session = 7, .transaction = 8, .packet = 9};

Bytes bytes(std::initializer_list<int> numbers) { return {numbers.begin(), numbers.end()}; }

// A header in network byte order with what follows it.
Bytes pdu(int type, std::initializer_list<int> payload) {
  Bytes whole = bytes({1, type, 0x10, 0, 0, 0, 0, 7, 0, 0,
                       0, 8,    0,    0, 0, 9, 0, 0, 0, static_cast<int>(payload.size())});
  const Bytes rest = bytes(payload);
  whole.insert(whole.end(), rest.begin(), rest.end());
  return whole;
}

TEST(Pdu, AnOpenHasTheMastersTimeoutAndADescription) {
  Bytes out;
  append_open(out, kMine, "abc");
  EXPECT_THAT(out,
              ElementsAreArray(pdu(1, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 'a', 'b', 'c', 0})));
}

TEST(Pdu, ACloseHasItsReason) {
  Bytes out;
  append_close(out, kMine, CloseReason::kShutdown);
  EXPECT_THAT(out, ElementsAreArray(pdu(2, {5, 0, 0, 0})));
}

TEST(Pdu, ARegisterNamesOneSubtreeAndThePriority) {
  Bytes out;
  append_register(out, kMine, snmp::Oid{1, 3, 6, 1, 2, 1}, 100);
  EXPECT_THAT(out, ElementsAreArray(pdu(3, {0, 100, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1})));
}

TEST(Pdu, APingIsItsHeader) {
  Bytes out;
  append_ping(out, kMine);
  EXPECT_THAT(out, ElementsAreArray(pdu(13, {})));
}

TEST(Pdu, AResponseAnswersInTheOrderThatItWasAskedIn) {
  Header asked{.type = PduType::kGet, .flags = 0, .session = 7, .transaction = 8, .packet = 9};
  Bytes out;
  append_response(out, asked, {.error = ErrorCode::kParseError, .index = 3});
  EXPECT_THAT(out, ElementsAreArray(bytes({1, 18, 0, 0, 7, 0, 0, 0, 8, 0, 0,  0, 9, 0,
                                           0, 0,  8, 0, 0, 0, 0, 0, 0, 0, 10, 1, 3, 0})));
  const Header header = Header::parse(out);
  EXPECT_EQ(header.type, PduType::kResponse);
  EXPECT_EQ(header.session, 7U);
  EXPECT_EQ(header.transaction, 8U);
  EXPECT_EQ(header.packet, 9U);
  EXPECT_EQ(header.length, 8U);
}

TEST(Pdu, AResponseToAContextHasNone) {
  Header asked{.type = PduType::kGet, .flags = Header::kHasContext | Header::kNetworkByteOrder};
  Bytes out;
  append_response(out, asked, {});
  EXPECT_FALSE(Header::parse(out).has_context());
}

TEST(Pdu, SeveralFollowOneAnother) {
  Bytes out;
  append_ping(out, kMine);
  append_close(out, kMine, CloseReason::kOther);
  EXPECT_EQ(Header::parse(out).length, 0U);
  EXPECT_EQ(Header::parse(std::span(out).subspan(Header::kSize)).length, 4U);
}

TEST(Pdu, ErrorsHaveTheNamesOfTheRfc) {
  EXPECT_EQ(to_text(ErrorCode::kRequestDenied), "requestDenied");
  EXPECT_EQ(to_text(ErrorCode::kDuplicateRegistration), "duplicateRegistration");
  EXPECT_EQ(to_text(static_cast<ErrorCode>(300)), "error 300");
}

}  // namespace
}  // namespace tcpmibd::agent::agentx
