#include "agent/netsnmp/pdu_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/log.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

// A PDU as the library has parsed it.
class ParsedPdu {
 public:
  ParsedPdu(int command, long number) : pdu_(snmp_pdu_create(command)) {
    pdu_->transid = number;
    pdu_->errstat = SNMP_ERR_NOERROR;
    const oid name[] = {1, 3, 6, 1, 2, 1, 6, 9, 0};
    snmp_add_null_var(pdu_, name, OID_LENGTH(name));
  }
  ~ParsedPdu() { snmp_free_pdu(pdu_); }
  ParsedPdu(const ParsedPdu&) = delete;
  ParsedPdu& operator=(const ParsedPdu&) = delete;

  netsnmp_pdu& operator*() { return *pdu_; }
  netsnmp_pdu* operator->() { return pdu_; }

 private:
  netsnmp_pdu* pdu_;
};

class PduLogTest : public testing::Test {
 protected:
  // What `act` writes.
  static std::string logged(log::Level level, const std::function<void()>& act) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(log::start(log::Target::kStderr, level));
    act();
    EXPECT_TRUE(log::start(log::Target::kStderr, log::Level::kError));
    return testing::internal::GetCapturedStderr();
  }

  const Time now_ = Clock::now();
  PduLog pdus_;
};

TEST_F(PduLogTest, FollowsAPduFromItsArrivalToItsResponse) {
  ParsedPdu pdu(SNMP_MSG_GETBULK, 7);
  pdu->errindex = 50;  // max-repetitions
  const std::string log = logged(log::Level::kDebug, [&] {
    pdus_.begin(*pdu, now_);
    pdus_.note(7, Answer{.kind = Answer::Kind::kLater, .awaits = Awaited::kSnapshot}, now_);
    const Time later = now_ + std::chrono::milliseconds(812);
    pdus_.note(7, Answer{.kind = Answer::Kind::kValue, .basis = {.read_at = now_}}, later);
    pdu->errindex = 0;
    pdus_.end(*pdu, later);
  });
  EXPECT_THAT(log, HasSubstr("GETBULK 1.3.6.1.2.1.6.9.0 bindings=1 repetitions=50 context=\"\" "
                             "parked=snapshot:812ms age=812ms outcome=noError us=812000"));
  EXPECT_TRUE(pdus_.is_empty());
}

TEST_F(PduLogTest, NamesTheErrorAndItsBinding) {
  ParsedPdu pdu(SNMP_MSG_SET, 7);
  EXPECT_THAT(logged(log::Level::kDebug,
                     [&] {
                       pdus_.begin(*pdu, now_);
                       pdu->errstat = SNMP_ERR_NOCREATION;
                       pdu->errindex = 1;
                       pdus_.end(*pdu, now_);
                     }),
              ContainsRegex("SET 1.* outcome=noCreation index=1 us=0"));
}

TEST_F(PduLogTest, SaysOfThoseThatNobodyWaitsForThatTheyWereDropped) {
  ParsedPdu gone(SNMP_MSG_GET, 7);
  ParsedPdu waiting(SNMP_MSG_GET, 8);
  const std::string log = logged(log::Level::kDebug, [&] {
    pdus_.begin(*gone, now_);
    pdus_.begin(*waiting, now_);
    pdus_.end_unanswered([](long number) { return number == 8; }, now_);
  });
  EXPECT_THAT(log, ContainsRegex("GET 1.* outcome=dropped us=0"));
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_FALSE(pdus_.is_empty());
}

TEST_F(PduLogTest, RemembersNothingWhereNoLineIsWritten) {
  ParsedPdu pdu(SNMP_MSG_GET, 7);
  EXPECT_EQ(logged(log::Level::kInfo,
                   [&] {
                     pdus_.begin(*pdu, now_);
                     EXPECT_TRUE(pdus_.is_empty());
                     pdus_.end(*pdu, now_);
                   }),
            "");
}

}  // namespace
}  // namespace tcpmibd::agent
