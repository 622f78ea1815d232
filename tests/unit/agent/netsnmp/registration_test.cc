#include "agent/netsnmp/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "agent/netsnmp/handler.h"
#include "agent/netsnmp/varbind.h"

#include "agent/netsnmp/net_snmp.h"

// Exported by the library, declared by no installed header.
extern "C" int netsnmp_remove_from_delegated(netsnmp_agent_session* session);

namespace tcpmibd::agent {
namespace {

using snmp::Oid;
using testing::ElementsAre;
using Kind = Read::Kind;

const Oid kRoot{1, 3, 6, 1, 2, 1, 6, 19};

Oid cell(std::initializer_list<snmp::SubId> ids) {
  Oid name = kRoot;
  name.append(ids);
  return name;
}

// Objects that are nothing but a root and a name; their values are the answerer's.
class Stub final : public tables::Managed {
 public:
  explicit Stub(const Oid& root) : root_(root) {}
  std::string_view name() const override { return "stub"; }
  bool has_writable() const override { return false; }
  bool is_writable(snmp::OidView) const override { return false; }
  snmp::SetStatus check(snmp::OidView, const snmp::Value&) const override {
    return snmp::SetStatus::kNotWritable;
  }
  Oid root() const override { return root_; }
  std::optional<snmp::Cell> get(const tables::Data&, snmp::OidView) const override { return {}; }
  snmp::Absence absence(snmp::OidView) const override { return snmp::Absence::kNoSuchObject; }
  std::optional<snmp::Cell> next(const tables::Data&, snmp::OidView, bool) const override {
    return {};
  }
  tables::Data::Question question(snmp::OidView) const override { return {}; }
  tables::Data::Needs needs() const override { return {}; }
  bool is_table() const override { return true; }
  std::span<const snmp::ObjectInfo> objects() const override { return {}; }

 private:
  Oid root_;
};

// One PDU as the library presents it to a handler; there is no master and no agent around it.
class ReceivedPdu {
 public:
  ReceivedPdu(int mode, std::vector<Oid> names, int repetitions = 1) {
    pdu_.transid = 4711;
    pdu_.command = mode;
    session_.session = &transport_;
    session_.pdu = &pdu_;
    session_.mode = mode;
    session_.reqinfo = &info_;
    info_.mode = mode;
    info_.asp = &session_;
    requests_.resize(names.size());
    for (std::size_t i = 0; i < names.size(); ++i)
      add(i, names[i], repetitions);
    tree_.requests_begin = requests_.data();
    session_.treecache = &tree_;
  }
  ~ReceivedPdu() {
    for (netsnmp_variable_list* bindings : bindings_)
      snmp_free_varbind(bindings);
    forget();
  }
  ReceivedPdu(const ReceivedPdu&) = delete;
  ReceivedPdu& operator=(const ReceivedPdu&) = delete;

  netsnmp_agent_request_info& info() { return info_; }
  netsnmp_pdu& pdu() { return pdu_; }
  netsnmp_request_info& request(std::size_t i = 0) { return requests_[i]; }
  netsnmp_variable_list& binding(std::size_t i = 0) { return *bindings_[i]; }

  // The names of all bindings with a value, those of repetitions included.
  std::vector<std::string> found(std::size_t i = 0) const {
    std::vector<std::string> names;
    for (const netsnmp_variable_list* b = bindings_[i]; b != nullptr; b = b->next_variable) {
      if (b->type == ASN_INTEGER)
        names.push_back(name_of(*b).text().substr(kRoot.text().size()));
    }
    return names;
  }

 private:
  void add(std::size_t i, const Oid& name, int repetitions) {
    netsnmp_variable_list* first = nullptr;
    for (int n = 0; n < repetitions; ++n) {
      netsnmp_variable_list* binding =
          snmp_varlist_add_variable(&first, nullptr, 0, ASN_NULL, nullptr, 0);
      if (n == 0)
        set_name(*binding, name);
    }
    bindings_.push_back(first);
    netsnmp_request_info& request = requests_[i];
    request.requestvb = request.requestvb_start = first;
    request.agent_req_info = &info_;
    request.repeat = request.orig_repeat = repetitions - 1;
    request.range_end = end_;
    request.range_end_len = OID_LENGTH(end_);
    if (i > 0)
      requests_[i - 1].next = &request;
  }

  // What the library does with a PDU that is answered.
  void forget() {
    for (netsnmp_request_info& request : requests_)
      request.delegated = 0;
    netsnmp_remove_from_delegated(&session_);
  }

  oid end_[8] = {1, 3, 6, 1, 2, 1, 6, 20};
  netsnmp_session transport_{};
  netsnmp_pdu pdu_{};
  netsnmp_agent_session session_{};
  netsnmp_agent_request_info info_{};
  netsnmp_tree_cache tree_{};
  std::vector<netsnmp_request_info> requests_;
  std::vector<netsnmp_variable_list*> bindings_;
};

// Answers from a few cells, or says `instead` where that is set.
class Source final : public ReadTarget {
 public:
  std::map<Oid, int> cells = {{cell({1, 7, 1}), 1}, {cell({1, 7, 2}), 2}, {cell({1, 8, 1}), 3}};
  std::optional<Answer::Kind> instead;
  std::function<bool(const Read&)> waits{};
  std::vector<Read> asked;

  Answer read(const Read& read) override {
    const bool is_late = waits && waits(read);
    asked.push_back(read);
    if (is_late)
      return {Answer::Kind::kLater};
    if (instead)
      return {*instead};
    const Oid name(read.name);
    auto found = read.kind == Kind::kNext ? cells.upper_bound(name) : cells.lower_bound(name);
    if (read.kind == Kind::kGet && (found == cells.end() || found->first != name))
      return {Answer::Kind::kNoSuchInstance, {}};
    if (found == cells.end())
      return {Answer::Kind::kEndOfView, {}};
    return {Answer::Kind::kValue, snmp::Cell{found->first, snmp::Integer{found->second}}};
  }
};

// Nothing of these tests is written.
class NoWrites final : public WriteTarget {
 public:
  SetAnswer write(const Write&) override { return snmp::SetStatus::kNotWritable; }
};

class HandlerTest : public testing::Test {
 protected:
  void handle(ReceivedPdu& pdu) {
    handler_.answer(object_, pdu.info(), &pdu.request());
    handler_.hold_parked();
  }

  Stub object_{kRoot};
  Source source_;
  NoWrites writes_;
  PduLog pdus_;
  Handler handler_{source_, writes_, pdus_};
};

TEST_F(HandlerTest, GetPutsTheValueUnderItsName) {
  ReceivedPdu pdu(MODE_GET, {cell({1, 7, 2})});
  handle(pdu);
  EXPECT_EQ(pdu.binding().type, ASN_INTEGER);
  EXPECT_EQ(*pdu.binding().val.integer, 2);
  EXPECT_THAT(pdu.found(), ElementsAre(".1.7.2"));
}

TEST_F(HandlerTest, GetOfNothingSaysWhatIsMissing) {
  for (const auto& [kind, type] : {std::pair{Answer::Kind::kNoSuchObject, SNMP_NOSUCHOBJECT},
                                   std::pair{Answer::Kind::kNoSuchInstance, SNMP_NOSUCHINSTANCE}}) {
    source_.instead = kind;
    ReceivedPdu pdu(MODE_GET, {cell({1, 7, 9})});
    handle(pdu);
    EXPECT_EQ(pdu.binding().type, type);
  }
}

TEST_F(HandlerTest, AFailureIsAnErrorOfItsBinding) {
  source_.instead = Answer::Kind::kFailed;
  ReceivedPdu pdu(MODE_GETNEXT, {kRoot});
  handle(pdu);
  EXPECT_EQ(pdu.request().status, SNMP_ERR_GENERR);
}

TEST_F(HandlerTest, NextFindsTheFollowingCell) {
  ReceivedPdu pdu(MODE_GETNEXT, {kRoot, cell({1, 7, 1}), cell({1, 7, 2})});
  handle(pdu);
  EXPECT_THAT(pdu.found(0), ElementsAre(".1.7.1"));
  EXPECT_THAT(pdu.found(1), ElementsAre(".1.7.2"));
  EXPECT_THAT(pdu.found(2), ElementsAre(".1.8.1"));
}

TEST_F(HandlerTest, NextFromAnInclusiveStartMayFindTheStartItself) {
  ReceivedPdu pdu(MODE_GETNEXT, {cell({1, 7, 1})});
  pdu.request().inclusive = 1;
  handle(pdu);
  EXPECT_THAT(pdu.found(), ElementsAre(".1.7.1"));
}

TEST_F(HandlerTest, NextAtTheEndLeavesTheBindingAlone) {
  ReceivedPdu pdu(MODE_GETNEXT, {cell({1, 8, 1})});
  handle(pdu);
  EXPECT_EQ(pdu.binding().type, ASN_NULL);
  EXPECT_EQ(name_of(pdu.binding()), cell({1, 8, 1}));
  EXPECT_EQ(pdu.request().status, SNMP_ERR_NOERROR);
}

TEST_F(HandlerTest, NextNeverLeavesTheRoot) {
  source_.cells = {{Oid{1, 3, 6, 1, 2, 1, 6, 20, 1}, 1}};
  ReceivedPdu pdu(MODE_GETNEXT, {cell({1, 8, 1})});
  handle(pdu);
  EXPECT_EQ(pdu.binding().type, ASN_NULL);
}

TEST_F(HandlerTest, ProcessedRequestsAreSkipped) {
  ReceivedPdu pdu(MODE_GETNEXT, {kRoot, kRoot});
  pdu.request(0).processed = 1;
  handle(pdu);
  EXPECT_EQ(source_.asked.size(), 1U);
}

// RFC 2741, 7.2.3.2: the library tries a GET before the GETNEXT of an inclusive range.
TEST_F(HandlerTest, TheGetBeforeAnInclusiveNextIsNotAnswered) {
  ReceivedPdu pdu(MODE_GET, {kRoot});
  pdu.pdu().command = SNMP_MSG_GETNEXT;
  handle(pdu);
  EXPECT_TRUE(source_.asked.empty());
  EXPECT_EQ(pdu.binding().type, ASN_NULL);
  EXPECT_EQ(pdu.request().processed, 0);
}

TEST_F(HandlerTest, BulkFillsEveryRepetition) {
  ReceivedPdu pdu(MODE_GETBULK, {kRoot, cell({1, 7, 1})}, 3);
  pdu.request(1).repeat = 1;
  handle(pdu);
  EXPECT_THAT(pdu.found(0), ElementsAre(".1.7.1", ".1.7.2", ".1.8.1"));
  EXPECT_THAT(pdu.found(1), ElementsAre(".1.7.2", ".1.8.1"));
  EXPECT_EQ(pdu.request(0).repeat, 0);
}

TEST_F(HandlerTest, BulkThatComesToTheEndGoesOnBehindTheRoot) {
  ReceivedPdu pdu(MODE_GETBULK, {cell({1, 7, 1})}, 5);
  handle(pdu);
  EXPECT_THAT(pdu.found(), ElementsAre(".1.7.2", ".1.8.1"));
  EXPECT_EQ(pdu.request().requestvb->type, ASN_NULL);
  EXPECT_EQ(name_of(*pdu.request().requestvb), cell({1, 8, 1}));
  EXPECT_EQ(pdu.request().repeat, 2);
}

TEST_F(HandlerTest, BulkStopsWhereAnotherRegistrationBegins) {
  ReceivedPdu pdu(MODE_GETBULK, {kRoot}, 3);
  oid end[] = {1, 3, 6, 1, 2, 1, 6, 19, 1, 7, 2};
  pdu.request().range_end = end;
  pdu.request().range_end_len = OID_LENGTH(end);
  handle(pdu);
  EXPECT_THAT(pdu.found(), ElementsAre(".1.7.1", ".1.7.2"));  // the library drops the second
}

TEST_F(HandlerTest, AllBindingsOfAPduAreOneTransaction) {
  ReceivedPdu pdu(MODE_GETBULK, {kRoot, kRoot}, 2);
  handle(pdu);
  ASSERT_EQ(source_.asked.size(), 4U);
  for (const Read& read : source_.asked) {
    EXPECT_EQ(read.transaction, source_.asked[0].transaction);
    EXPECT_EQ(read.transaction.id, 4711);
  }
}

TEST_F(HandlerTest, WhatIsNotReadyIsParkedAndAnsweredLater) {
  source_.instead = Answer::Kind::kLater;
  ReceivedPdu pdu(MODE_GETNEXT, {kRoot});
  handle(pdu);
  EXPECT_EQ(handler_.parked(), 1U);
  EXPECT_EQ(pdu.request().delegated, 1);

  handler_.retry();
  EXPECT_EQ(handler_.parked(), 1U);

  source_.instead.reset();
  handler_.retry();
  EXPECT_EQ(handler_.parked(), 0U);
  EXPECT_EQ(pdu.request().delegated, 0);
  EXPECT_THAT(pdu.found(), ElementsAre(".1.7.1"));
}

TEST_F(HandlerTest, AParkedRequestKeepsTheTimeItCameAt) {
  source_.instead = Answer::Kind::kLater;
  ReceivedPdu pdu(MODE_GETNEXT, {kRoot});
  handle(pdu);
  handler_.retry();
  ASSERT_EQ(source_.asked.size(), 2U);
  EXPECT_EQ(source_.asked[0].arrived, source_.asked[1].arrived);
}

TEST_F(HandlerTest, OnlyTheRequestsThatWaitAreAskedAgain) {
  ReceivedPdu pdu(MODE_GETNEXT, {kRoot, cell({1, 7, 2})});
  source_.waits = [&](const Read& read) {
    return source_.asked.empty() && read.name.size() > kRoot.size();
  };
  pdu.request(0).processed = 1;
  handle(pdu);
  EXPECT_EQ(handler_.parked(), 1U);
  handler_.retry();
  EXPECT_EQ(handler_.parked(), 0U);
  EXPECT_THAT(pdu.found(1), ElementsAre(".1.8.1"));
  EXPECT_EQ(source_.asked.size(), 2U);
}

TEST_F(HandlerTest, AParkedBulkIsFilledToItsEnd) {
  source_.instead = Answer::Kind::kLater;
  ReceivedPdu pdu(MODE_GETBULK, {kRoot}, 3);
  handle(pdu);
  source_.instead.reset();
  handler_.retry();
  EXPECT_THAT(pdu.found(), ElementsAre(".1.7.1", ".1.7.2", ".1.8.1"));
}

// The requests of such a PDU lie in memory that the library has freed.
TEST_F(HandlerTest, APduThatTheLibraryGaveUpIsForgotten) {
  source_.instead = Answer::Kind::kLater;
  {
    ReceivedPdu pdu(MODE_GETNEXT, {kRoot});
    handle(pdu);
  }
  handler_.retry();
  EXPECT_EQ(handler_.parked(), 0U);
  EXPECT_EQ(source_.asked.size(), 1U);
}

struct Encoding {
  snmp::Value value;
  int type;
  std::string octets;
};

class Varbind : public testing::TestWithParam<Encoding> {};

template <typename Number>
std::string octets_of(std::initializer_list<Number> numbers) {
  return {reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(Number)};
}

TEST_P(Varbind, HoldsTheValueAsTheLibraryWantsIt) {
  netsnmp_variable_list* binding = nullptr;
  snmp_varlist_add_variable(&binding, nullptr, 0, ASN_NULL, nullptr, 0);
  set_value(*binding, GetParam().value);
  EXPECT_EQ(binding->type, GetParam().type);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(binding->val.string), binding->val_len),
            GetParam().octets);
  snmp_free_varbind(binding);
}

INSTANTIATE_TEST_SUITE_P(
    OfEverySyntax, Varbind,
    testing::Values(
        Encoding{snmp::Integer{-5}, ASN_INTEGER, octets_of<long>({-5})},
        Encoding{snmp::Counter32{4000000000U}, ASN_COUNTER, octets_of<long>({4000000000L})},
        Encoding{snmp::Gauge32{4294967295U}, ASN_GAUGE, octets_of<long>({4294967295L})},
        Encoding{snmp::TimeTicks{7}, ASN_TIMETICKS, octets_of<long>({7})},
        Encoding{snmp::Counter64{0x100000002}, ASN_COUNTER64, octets_of<unsigned long>({1, 2})},
        Encoding{snmp::IpAddress{{10, 1, 2, 3}}, ASN_IPADDRESS, "\x0a\x01\x02\x03"},
        Encoding{snmp::OctetString{""}, ASN_OCTET_STR, ""},
        Encoding{snmp::OctetString{"abc"}, ASN_OCTET_STR, "abc"},
        Encoding{Oid({1, 3, 4294967295U}), ASN_OBJECT_ID,
                 octets_of<unsigned long>({1, 3, 4294967295UL})}));

}  // namespace
}  // namespace tcpmibd::agent
