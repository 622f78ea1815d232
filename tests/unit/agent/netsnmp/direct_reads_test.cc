#include "agent/netsnmp/direct_reads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"
#include "support/builders.h"
#include "support/deadline.h"

#include "agent/netsnmp/net_snmp.h"

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
constexpr long kVersion = 0xc1;

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
  pdu->version = kVersion;
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

using namespace std::chrono_literals;

// A session with the library's own callback, which notes what it is given, in place of a master.
class AgentxReadsTest : public testing::Test {
 protected:
  AgentxReadsTest() {
    session_.version = kVersion;
    session_.callback = &AgentxReadsTest::library;
    session_.callback_magic = this;
    sent().clear();
    master_is_there() = true;
    reads_->attach(session_);
  }

  // What the library does with a PDU that has arrived. Whether it came to its own callback.
  bool receive(netsnmp_pdu& pdu) {
    passed_on_.clear();
    const int done = session_.callback(NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE, &session_,
                                       static_cast<int>(pdu.reqid), &pdu, session_.callback_magic);
    EXPECT_EQ(done, 1);
    return passed_on_ == std::vector<int>{NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE};
  }

  static std::vector<Pdu>& sent() {
    static std::vector<Pdu> all;
    return all;
  }

  static bool& master_is_there() {
    static bool is_there;
    return is_there;
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

  static Answer value(const Oid& name) {
    return {Answer::Kind::kValue, snmp::Cell{name, snmp::Integer{5}}};
  }

  static constexpr Duration kNeverPing = 1h;

  // As if `ping` were configured, on a session as the library has opened it.
  void begin(Duration ping) {
    reads_->detach();
    reads_ = std::make_unique<DirectReads>(
        registration_, [this](const Inquiry& inquiry) { return ask(inquiry); }, ping,
        &AgentxReadsTest::send);
    reads_->attach(session_);
  }

  struct Asked {
    Kind kind;
    Transaction transaction;
    Time arrived;
    Effort effort;
  };
  std::vector<Asked> asked_;
  std::vector<int> passed_on_;  // the operations that came to the library's callback
  // What the next inquiries are answered; the last one is for all that follow.
  std::vector<Answer> answers_{value(cell(2))};

  netsnmp_session session_{};
  Handler answering_{[this](const Inquiry& inquiry) { return ask(inquiry); },
                     [](const Writing&) { return snmp::SetStatus::kNoError; }};
  std::vector<const tables::Managed*> objects_{&lab::managed("tcpConnectionTable"),
                                               &lab::managed("tcpActiveOpens")};
  Registration registration_{objects_, std::nullopt, answering_};

  static int library(int operation, netsnmp_session*, int, netsnmp_pdu*, void* self) {
    static_cast<AgentxReadsTest*>(self)->passed_on_.push_back(operation);
    return 1;
  }

  static int send(netsnmp_session*, netsnmp_pdu* pdu) {
    if (master_is_there())
      sent().emplace_back(pdu);
    return master_is_there() ? 1 : 0;
  }

  Answer ask(const Inquiry& inquiry) {
    asked_.push_back({inquiry.kind, inquiry.transaction, inquiry.arrived, inquiry.effort});
    Answer answer = answers_.front();
    if (answers_.size() > 1)
      answers_.erase(answers_.begin());
    return answer;
  }

  std::unique_ptr<DirectReads> reads_ = std::make_unique<DirectReads>(
      registration_, [this](const Inquiry& inquiry) { return ask(inquiry); }, kNeverPing,
      &AgentxReadsTest::send);
};

TEST_F(AgentxReadsTest, AnswersAGetNextToTheSessionAndTransactionItCameFrom) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  EXPECT_FALSE(receive(*pdu));
  ASSERT_THAT(answers(), ElementsAre(named(cell(2), ASN_INTEGER)));
  const netsnmp_pdu& response = *sent()[0];
  EXPECT_EQ(response.command, kResponse);
  EXPECT_EQ(response.version, kVersion);
  EXPECT_NE(response.flags & kNetworkByteOrder, 0u);
  EXPECT_EQ(response.sessid, 7);
  EXPECT_EQ(response.transid, 8);
  EXPECT_EQ(response.reqid, 9);
  EXPECT_EQ(response.errstat, 0);
  EXPECT_EQ(response.errindex, 0);
  EXPECT_EQ(*response.variables->val.integer, 5);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].kind, Kind::kNext);
  EXPECT_EQ(asked_[0].effort, Effort::kOnlyAtHand);
}

TEST_F(AgentxReadsTest, AnswersInTheByteOrderItIsAskedIn) {
  const Pdu pdu = request(kGetNext);
  pdu->flags &= ~kNetworkByteOrder;
  add_range(*pdu, cell(1), kBehindTable);
  EXPECT_FALSE(receive(*pdu));
  ASSERT_EQ(sent().size(), 1U);
  EXPECT_EQ(sent()[0]->flags & kNetworkByteOrder, 0u);
}

// Else a PDU of which the library answers a part would be answered from two snapshots.
TEST_F(AgentxReadsTest, IsOneTransactionWithWhatTheLibraryMakesOfThePdu) {
  const Pdu pdu = request(kGet);
  add_range(*pdu, cell(1), {0, 0});
  EXPECT_FALSE(receive(*pdu));
  netsnmp_session callback{};
  netsnmp_agent_session session{};
  session.session = &callback;
  session.pdu = pdu.get();
  netsnmp_agent_request_info info{};
  info.asp = &session;
  info.mode = MODE_GETNEXT;
  netsnmp_request_info one{};
  one.requestvb = one.requestvb_start = pdu->variables;
  answers_ = {{Answer::Kind::kEndOfView, {}}};
  answering_.answer(*objects_[0], info, &one);
  ASSERT_EQ(asked_.size(), 2U);
  EXPECT_EQ(asked_[0].transaction, asked_[1].transaction);
  EXPECT_EQ(asked_[0].transaction.id, 8);
  EXPECT_EQ(asked_[1].effort, Effort::kWhatItTakes);
}

TEST_F(AgentxReadsTest, TakesTheStartOfAnInclusiveRangeForAnAnswer) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, kTable, kBehindTable, true);
  EXPECT_FALSE(receive(*pdu));
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0].kind, Kind::kNextInclusive);
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
  ASSERT_EQ(asked_.size(), 3U);
  EXPECT_EQ(asked_[0].arrived, asked_[2].arrived);
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
  for (const Asked& asked : asked_)
    EXPECT_EQ(asked.kind, Kind::kGet);
}

TEST_F(AgentxReadsTest, TakesTheNullIdentifierForNoEndOfARange) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), {0, 0});
  EXPECT_FALSE(receive(*pdu));
  EXPECT_THAT(answers(), ElementsAre(named(cell(2), ASN_INTEGER)));
}

TEST_F(AgentxReadsTest, SaysWhenTheRangeEndsBeforeTheNextInstance) {
  for (const Oid& end : {cell(2), Oid{1, 3, 6, 1, 2, 1, 6, 19, 1, 7, 1, 9}}) {
    sent().clear();
    const Pdu pdu = request(kGetNext);
    add_range(*pdu, cell(1), end);
    EXPECT_FALSE(receive(*pdu));
    EXPECT_THAT(answers(), ElementsAre(named(cell(1), SNMP_ENDOFMIBVIEW))) << end;
  }
}

TEST_F(AgentxReadsTest, SaysWhenNothingFollowsInTheObjectThatTheRangeEndsWith) {
  answers_ = {{Answer::Kind::kEndOfView, {}}};
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(9), kBehindTable);
  EXPECT_FALSE(receive(*pdu));
  EXPECT_THAT(answers(), ElementsAre(named(cell(9), SNMP_ENDOFMIBVIEW)));
}

TEST_F(AgentxReadsTest, LeavesWhatFollowsBehindTheObjectToTheLibrary) {
  answers_ = {{Answer::Kind::kEndOfView, {}}};
  for (const Oid& end : {lab::tcp_oid("20.1"), Oid{0, 0}, Oid{}}) {
    const Pdu pdu = request(kGetNext);
    add_range(*pdu, cell(9), end);
    EXPECT_TRUE(receive(*pdu)) << end;
  }
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
                         testing::Values(Answer::Kind::kLater, Answer::Kind::kFailed));

TEST_F(AgentxReadsTest, LeavesWhatIsNotOursToTheLibrary) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  add_range(*pdu, lab::tcp_oid("18.0"), kTable);
  EXPECT_TRUE(receive(*pdu));
  EXPECT_THAT(sent(), IsEmpty());
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
  // There is no PDU to what happens to the session itself.
  session_.callback(NETSNMP_CALLBACK_OP_DISCONNECT, &session_, 0, nullptr, session_.callback_magic);
  EXPECT_EQ(passed_on_.back(), NETSNMP_CALLBACK_OP_DISCONNECT);
  EXPECT_THAT(asked_, IsEmpty());
}

// It would ping a master that has just asked, and wait for the answer.
TEST_F(AgentxReadsTest, LetsTheLibraryHearOfTheMasterBetweenTwoPings) {
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  begin(0s);
  EXPECT_TRUE(receive(*pdu));
  begin(2 * 50ms);
  ASSERT_TRUE(lab::eventually([&] { return receive(*pdu); }));
  EXPECT_FALSE(receive(*pdu)) << "the library has just heard of it";
}

TEST_F(AgentxReadsTest, AnAnswerThatCannotBeSentIsNoQuestionForTheLibrary) {
  master_is_there() = false;
  const Pdu pdu = request(kGetNext);
  add_range(*pdu, cell(1), kBehindTable);
  EXPECT_FALSE(receive(*pdu));
}

TEST_F(AgentxReadsTest, LeavesASessionAsItFoundIt) {
  reads_->detach();
  EXPECT_EQ(session_.callback, &AgentxReadsTest::library);
  EXPECT_EQ(session_.callback_magic, this);
  reads_->attach(session_);
  EXPECT_NE(session_.callback_magic, this);
  reads_.reset();
  EXPECT_EQ(session_.callback, &AgentxReadsTest::library);
  EXPECT_EQ(session_.callback_magic, this);
}

TEST_F(AgentxReadsTest, DoesNotTouchASessionThatHasEnded) {
  reads_->forget();
  session_ = {};
  reads_.reset();
  EXPECT_EQ(session_.callback, nullptr);
}

}  // namespace
}  // namespace tcpmibd::agent
