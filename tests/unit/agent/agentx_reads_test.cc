#include "agent/agentx_reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "agent/library_oid.h"
#include "agent/varbind.h"
#include "base/handle.h"
#include "support/builders.h"

#include "agent/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using snmp::Oid;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Inquiry::Kind;
using Pdu = UniqueHandle<netsnmp_pdu, snmp_free_pdu>;

// RFC 2741, 6.1.
enum PduType : std::uint8_t { kGet = 5, kGetNext = 6, kGetBulk = 7, kTestSet = 8, kResponse = 18 };
constexpr long kNetworkByteOrder = 0x10;

const Oid kTable = lab::tcp_oid("19");
const Oid kBehindTable = lab::tcp_oid("20");

Oid cell(snmp::SubId row) {
  Oid name = lab::tcp_oid("19.1.7");
  name.append(row);
  return name;
}

// As a session's callback gets it from the library.
Pdu request(int type, const char* context = nullptr) {
  Pdu pdu(snmp_pdu_create(type));
  pdu->flags |= kNetworkByteOrder;
  pdu->sessid = 7;
  pdu->transid = 8;
  pdu->reqid = 9;
  if (context != nullptr) {
    pdu->community = reinterpret_cast<u_char*>(::strdup(context));
    pdu->community_len = std::strlen(context);
  }
  return pdu;
}

// A search range: from `start` on, to where `end` begins.
void add_range(netsnmp_pdu& pdu, const Oid& start, const Oid& end, bool inclusive = false) {
  const LibraryOid from(start);
  const LibraryOid to(end);
  snmp_pdu_add_variable(&pdu, from.data(), from.size(),
                        inclusive ? ASN_PRIV_INCL_RANGE : ASN_PRIV_EXCL_RANGE, to.data(),
                        to.size() * sizeof(oid));
}

// A session with the library's own callback, which notes what it is given, in place of a master.
class AgentxReadsTest : public testing::Test {
 protected:
  AgentxReadsTest() {
    session_.version = 0xc0;
    session_.callback = &AgentxReadsTest::library;
    session_.callback_magic = this;
    sent().clear();
    reads_.attach(session_);
  }

  // What the library does with a PDU that has arrived. Whether it came to its own callback.
  bool receive(netsnmp_pdu& pdu, int operation = NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE) {
    passed_on_ = 0;
    session_.callback(operation, &session_, static_cast<int>(pdu.reqid), &pdu,
                      session_.callback_magic);
    return passed_on_ == 1;
  }

  static std::vector<Pdu>& sent() {
    static std::vector<Pdu> all;
    return all;
  }

  // The bindings of the only response, as "name type".
  static std::vector<std::string> answers() {
    std::vector<std::string> all;
    if (sent().size() != 1)
      return {"no single response"};
    for (const netsnmp_variable_list* binding = sent()[0]->variables; binding != nullptr;
         binding = binding->next_variable)
      all.push_back(name_of(*binding).text() + " " + std::to_string(binding->type));
    return all;
  }

  static std::string named(const Oid& name, int type) {
    return name.text() + " " + std::to_string(type);
  }

  std::vector<Kind> asked_;
  std::optional<Transaction> transaction_;
  // What the next inquiries are answered; the last one is for all that follow.
  std::vector<Answer> answers_{value(cell(2))};

  static Answer value(const Oid& name) {
    return {Answer::Kind::kValue, snmp::Cell{name, snmp::Integer{5}}};
  }

  netsnmp_session session_{};
  Answering answering_{[](const Inquiry&) { return Answer{}; },
                       [](const Writing&) { return snmp::SetStatus::kNoError; }};
  std::vector<const tables::Managed*> objects_{&lab::managed("tcpConnectionTable"),
                                               &lab::managed("tcpActiveOpens")};
  Registration registration_{objects_, std::nullopt, answering_};

 private:
  static int library(int, netsnmp_session*, int, netsnmp_pdu*, void* self) {
    ++static_cast<AgentxReadsTest*>(self)->passed_on_;
    return 1;
  }

  static int send(netsnmp_session*, netsnmp_pdu* pdu) {
    sent().emplace_back(pdu);
    return 1;
  }

  Answer ask(const Inquiry& inquiry) {
    asked_.push_back(inquiry.kind);
    transaction_ = inquiry.transaction;
    Answer answer = answers_.front();
    if (answers_.size() > 1)
      answers_.erase(answers_.begin());
    return answer;
  }

  int passed_on_ = 0;
  AgentxReads reads_{registration_, [this](const Inquiry& inquiry) { return ask(inquiry); },
                     &AgentxReadsTest::send};
};

TEST_F(AgentxReadsTest, AnswersAGetNextToTheSessionAndTransactionItCameFrom) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  EXPECT_FALSE(receive(*pdu));
  ASSERT_THAT(answers(), ElementsAre(named(cell(2), ASN_INTEGER)));
  const netsnmp_pdu& response = *sent()[0];
  EXPECT_EQ(response.command, kResponse);
  EXPECT_EQ(response.version, 0xc0);
  EXPECT_NE(response.flags & kNetworkByteOrder, 0u);
  EXPECT_EQ(response.sessid, 7);
  EXPECT_EQ(response.transid, 8);
  EXPECT_EQ(response.reqid, 9);
  EXPECT_EQ(response.errstat, 0);
  EXPECT_EQ(response.errindex, 0);
  EXPECT_EQ(*response.variables->val.integer, 5);
  EXPECT_THAT(asked_, ElementsAre(Kind::kNext));
  EXPECT_EQ(transaction_, (Transaction{.session = &session_, .id = 8}));
}

TEST_F(AgentxReadsTest, TakesTheStartOfAnInclusiveRangeForAnAnswer) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, kTable, kBehindTable, true);
  EXPECT_FALSE(receive(*pdu));
  EXPECT_THAT(asked_, ElementsAre(Kind::kNextInclusive));
}

TEST_F(AgentxReadsTest, AnswersEveryBindingInItsPlace) {
  const Oid opens = lab::tcp_oid("5.0");
  answers_ = {value(cell(2)), value(opens), value(cell(3))};
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  add_range(*pdu, lab::tcp_oid("5"), lab::tcp_oid("6"));
  add_range(*pdu, cell(2), kBehindTable);
  EXPECT_FALSE(receive(*pdu));
  EXPECT_THAT(answers(), ElementsAre(named(cell(2), ASN_INTEGER), named(opens, ASN_INTEGER),
                                     named(cell(3), ASN_INTEGER)));
}

TEST_F(AgentxReadsTest, SaysOfAGetWhatIsMissing) {
  answers_ = {
      value(cell(1)), {Answer::Kind::kNoSuchInstance, {}}, {Answer::Kind::kNoSuchObject, {}}};
  const Pdu pdu = request(kGet);
  for (const snmp::SubId row : {1, 2, 3})
    add_range(*pdu, cell(row), {0, 0});
  EXPECT_FALSE(receive(*pdu));
  EXPECT_THAT(answers(),
              ElementsAre(named(cell(1), ASN_INTEGER), named(cell(2), SNMP_NOSUCHINSTANCE),
                          named(cell(3), SNMP_NOSUCHOBJECT)));
  EXPECT_THAT(asked_, ElementsAre(Kind::kGet, Kind::kGet, Kind::kGet));
}

TEST_F(AgentxReadsTest, TakesTheNullIdentifierForNoEndOfARange) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), {0, 0});
  EXPECT_FALSE(receive(*pdu));
  EXPECT_THAT(answers(), ElementsAre(named(cell(2), ASN_INTEGER)));
}

TEST_F(AgentxReadsTest, LeavesAnAnswerAtOrBehindTheEndOfTheRangeToTheLibrary) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), cell(2));
  EXPECT_TRUE(receive(*pdu));
  EXPECT_THAT(sent(), IsEmpty());
}

// Of a PDU that cannot be answered in full nothing is answered.
class AgentxReadsUnanswered : public AgentxReadsTest,
                              public testing::WithParamInterface<Answer::Kind> {};

TEST_P(AgentxReadsUnanswered, GoesTheLibrarysWayAsItCame) {
  answers_ = {value(cell(2)), {GetParam(), {}}};
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  add_range(*pdu, cell(5), kBehindTable);
  EXPECT_TRUE(receive(*pdu));
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(pdu->command, kGetNext);
  EXPECT_EQ(name_of(*pdu->variables), cell(1));
  EXPECT_EQ(pdu->variables->type, ASN_PRIV_EXCL_RANGE);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AgentxReadsUnanswered,
                         testing::Values(Answer::Kind::kLater, Answer::Kind::kFailed,
                                         Answer::Kind::kEndOfView));

TEST_F(AgentxReadsTest, LeavesWhatIsNotOursToTheLibrary) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, lab::tcp_oid("18.0"), kBehindTable);
  EXPECT_TRUE(receive(*pdu));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(AgentxReadsTest, LeavesOtherContextsToTheLibrary) {
  const Pdu pdu = request(kGetNext, "blue");
  add_range(*pdu, cell(1), kBehindTable);
  EXPECT_TRUE(receive(*pdu));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(AgentxReadsTest, LeavesEverythingButReadingToTheLibrary) {
  for (const int type : {kGetBulk, kTestSet, kResponse}) {
    const Pdu pdu = request(type);
    add_range(*pdu, cell(1), kBehindTable);
    EXPECT_TRUE(receive(*pdu)) << type;
  }
  const Pdu pdu = request(kGetNext);
  EXPECT_TRUE(receive(*pdu, NETSNMP_CALLBACK_OP_DISCONNECT));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(AgentxReadsTest, LeavesASessionAsItFoundIt) {
  netsnmp_session other{};
  other.callback = session_.callback;
  other.callback_magic = this;
  AgentxReads reads(registration_, [](const Inquiry&) { return Answer{}; });
  reads.attach(other);
  EXPECT_EQ(other.callback_magic, &reads);
  reads.detach();
  EXPECT_EQ(other.callback_magic, this);
  EXPECT_EQ(other.callback, session_.callback);
}

}  // namespace
}  // namespace tcpmibd::agent
