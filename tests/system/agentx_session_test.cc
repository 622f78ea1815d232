#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "system/deleting.h"
#include "system/scripted.h"

// The AgentX session from Open to Close and every read on it, judged by RFC 2741 alone.

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using agentx::Range;
using agentx::Response;
using agentx::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class AgentxSession : public ScriptedTest {};
class AgentxReads : public ScriptedTest {};

const Oid kStartTime = own({1, 1, 2, 0});  // tcpmibdStartTime, a TimeStamp
const Oid kStatement = own({2, 3, 1});     // tcpmibd's AGENT-CAPABILITIES

std::vector<Pdu> those(const std::vector<Pdu>& requests, Type type) {
  std::vector<Pdu> found;
  std::ranges::copy_if(requests, std::back_inserter(found),
                       [&](const Pdu& pdu) { return pdu.type == type; });
  return found;
}

std::vector<Oid> registered_roots(const MasterSession& session) {
  std::vector<Oid> roots;
  for (const Pdu& pdu : those(session.requests(), Type::kRegister))
    roots.push_back(agentx::register_of(pdu).subtree);
  std::ranges::sort(roots);
  return roots;
}

bool lies_below(const Oid& name, const Oid& root) {
  return name.size() >= root.size() && std::equal(root.begin(), root.end(), name.begin());
}

// ---- Open, AddAgentCaps, Register, Close ----

TEST_F(AgentxSession, BeginsWithAnOpenThatTellsWhoCalls) {
  const Namespace space;
  Scripted agent(space);
  const std::optional<Pdu> first = agent.take().receive();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, Type::kOpen);
  EXPECT_EQ(first->session, 0U);
  EXPECT_THAT(agentx::open_of(*first).description, testing::HasSubstr("tcpmibd"));
}

TEST_F(AgentxSession, AnnouncesItsCapabilitiesOnce) {
  const Namespace space;
  Scripted agent(space);
  const MasterSession session = agent.attend();
  const std::vector<Pdu> announced = those(session.requests(), Type::kAddAgentCaps);
  ASSERT_THAT(announced, SizeIs(1));
  EXPECT_EQ(agentx::capabilities_of(announced.front()).id, kStatement);
  EXPECT_EQ(announced.front().session, session.manners.session);
}

TEST_F(AgentxSession, RegistersEachObjectOnceAtItsRoot) {
  const Namespace space;
  Scripted agent(space);
  const MasterSession session = agent.attend({.session = 0xdead'beef});
  for (const Pdu& pdu : those(session.requests(), Type::kRegister)) {
    const agentx::Register registered = agentx::register_of(pdu);
    SCOPED_TRACE(text(registered.subtree));
    EXPECT_EQ(pdu.session, 0xdead'beefU);
    EXPECT_FALSE(pdu.context) << "the default context is the one without a name";
    EXPECT_EQ(registered.priority, 100);
    EXPECT_EQ(registered.range_subid, 0);
    EXPECT_TRUE(lies_below(registered.subtree, kTcp) || lies_below(registered.subtree, kArc));
  }
  const std::vector<Oid> roots = registered_roots(session);
  EXPECT_EQ(std::set(roots.begin(), roots.end()).size(), roots.size());
  for (const char* table : {"13", "19", "20"})
    EXPECT_THAT(roots, Contains(oid_of(text(kTcp) + "." + table)));
}

// Asked of an agent of its own, which registers nothing anywhere.
TEST_F(AgentxSession, WhatIsServedLiesBelowExactlyOneRegisteredRoot) {
  const Namespace space;
  Service service(over_loopback(space));
  Scripted agent(space);
  const std::vector<Oid> roots = registered_roots(agent.attend());
  const Daemon standalone = Daemon::standalone(space);
  const Manager manager = Manager::v2c(space, Daemon::kAddress);
  for (const Oid& arc : {kTcp, kArc}) {
    const std::vector<Varbind> served = manager.bulk_walk(arc).varbinds;
    EXPECT_FALSE(served.empty());
    for (const Varbind& varbind : served) {
      const auto holds = [&](const Oid& root) { return lies_below(varbind.oid, root); };
      EXPECT_EQ(std::ranges::count_if(roots, holds), 1) << text(varbind.oid);
    }
  }
}

TEST_F(AgentxSession, EndsWithACloseAndWithoutAnUnregister) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  EXPECT_EQ(agent.terminate(session), 0) << agent.log();
  session.serve_until([&] { return session.has_ended(); });
  EXPECT_TRUE(session.has_ended());
  const Pdu& last = session.requests().back();
  ASSERT_EQ(last.type, Type::kClose);
  EXPECT_EQ(last.session, session.manners.session);
  EXPECT_EQ(agentx::close_reason_of(last), agentx::kReasonShutdown);
  EXPECT_THAT(those(session.requests(), Type::kUnregister), IsEmpty());
}

TEST_F(AgentxSession, IsOpenedAnewWhenTheMasterCloses) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  session.begin(agentx::close_pdu(agentx::kReasonByManager));
  EXPECT_TRUE(session.serve_until([&] { return session.has_ended(); })) << agent.log();
  EXPECT_THAT(those(session.requests(), Type::kClose), IsEmpty()) << "it is closed already";
  session = agent.attend({.session = 18});
  expect_served(agent, session);
}

// ---- Pings ----

TEST_F(AgentxSession, ASilentMasterIsPinged) {
  const Namespace space;
  Scripted agent(space, {.settings = {"agentx.ping=1s"}});
  MasterSession session = agent.attend();
  const auto pings = [&] { return those(session.requests(), Type::kPing).size(); };
  EXPECT_TRUE(session.serve_until([&] { return pings() >= 2; })) << agent.log();
  EXPECT_EQ(count_of(kAnnounced, agent.log()), 1) << agent.log();
}

TEST_F(AgentxSession, APingThatIsNotAnsweredEndsTheSessionAndTheNextOneIsServed) {
  const Namespace space;
  Scripted agent(space, {.settings = {"agentx.ping=1s"}});
  MasterSession session = agent.attend();
  session.manners.verdict = [](const Pdu&) { return std::nullopt; };
  const auto is_pinged = [&] { return !those(session.requests(), Type::kPing).empty(); };
  ASSERT_TRUE(session.serve_until(is_pinged)) << agent.log();
  EXPECT_TRUE(agent.obeys_hangup(session)) << agent.log();
  EXPECT_TRUE(session.serve_until([&] { return session.has_ended(); }, kGreatPatience))
      << agent.log();
  session = agent.attend();
  expect_served(agent, session);
}

// ---- Notify ----

// 6.2.10: sysUpTime.0 may come first; snmpTrapOID.0 follows.
TEST_F(AgentxSession, AnAlarmIsANotification) {
  const Oid trap_oid = oid_of("1.3.6.1.6.3.1.1.4.1.0");
  const Namespace space;
  Scripted agent(space, {.configuration = "[watch]\ninterval = \"1s\"\n[alarm.many]\n"
                                          "measure = \"established\"\nraise = 2\nclear = 1\n"});
  MasterSession session = agent.attend();
  const Service service(over_loopback(space), 2);
  ASSERT_TRUE(session.serve_until([&] { return !those(session.requests(), Type::kNotify).empty(); },
                                  kGreatPatience))
      << agent.log();
  const Pdu notify = those(session.requests(), Type::kNotify).front();
  EXPECT_EQ(notify.session, session.manners.session);
  std::vector<Varbind> told = agentx::notification_of(notify);
  if (told.at(0).oid == kSysUpTime)
    told.erase(told.begin());
  EXPECT_EQ(told.at(0), (Varbind{trap_oid, "OID", text(own({0, 1}))}));
  EXPECT_THAT(told, Contains(testing::Field(&Varbind::value, "many")));
}

// A master that goes without a word about a notification may not have sent it on.
TEST_F(AgentxSession, ANotificationThatIsNotAnsweredIsToldToTheNextMaster) {
  const Namespace space;
  Scripted agent(space, {.configuration = "[watch]\ninterval = \"1s\"\n[alarm.many]\n"
                                          "measure = \"established\"\nraise = 2\nclear = 1\n"});
  MasterSession session = agent.attend();
  const auto told = [&](std::uint32_t which) {
    std::size_t count = 0;
    for (const Pdu& notify : those(session.requests(), Type::kNotify)) {
      const std::vector<Varbind> bindings = agentx::notification_of(notify);
      count += std::ranges::count(bindings, text(own({0, which})), &Varbind::value) > 0 ? 1U : 0U;
    }
    return count;
  };
  std::optional<Service> service(std::in_place, over_loopback(space), 2);
  ASSERT_TRUE(session.serve_until([&] { return told(1) == 1; }, kGreatPatience)) << agent.log();
  session.manners.verdict = [](const Pdu& pdu) {
    return pdu.type == Type::kNotify ? std::nullopt : std::optional<std::uint16_t>(0);
  };
  service.reset();
  ASSERT_TRUE(session.serve_until([&] { return told(2) == 1; }, kGreatPatience)) << agent.log();
  session.close();
  session = agent.attend({.session = 18});
  ASSERT_TRUE(session.serve_until([&] { return told(2) == 1; }, kGreatPatience)) << agent.log();
  EXPECT_EQ(told(1), 0U);
  session.close();
  session = agent.attend({.session = 19});
  expect_served(agent, session);
  EXPECT_EQ(told(2), 0U) << "it has been answered";
}

// ---- sysUpTime ----

std::uint32_t timestamp(MasterSession& session) {
  const Response answer = session.ask(agentx::get(agentx::names({kStartTime})));
  EXPECT_THAT(answer.varbinds, SizeIs(1)) << answer;
  return answer.varbinds.empty()
             ? 0
             : static_cast<std::uint32_t>(std::stoul(answer.varbinds.front().value));
}

TEST_F(AgentxSession, TimesAreToldInTheMastersSysUpTime) {
  const Namespace space;
  Scripted agent(space, {.settings = {"agentx.ping=1s"}});
  MasterSession session = agent.attend({.uptime = 1'000'000});
  const std::uint32_t started = timestamp(session);
  EXPECT_LE(started, session.uptime());
  EXPECT_GE(started + 1'500, session.uptime()) << "it was started a moment ago";

  // What has happened does not move while the master's clock goes on.
  const auto pings = [&] { return those(session.requests(), Type::kPing).size(); };
  EXPECT_TRUE(session.serve_until([&] { return pings() >= 2; })) << agent.log();
  EXPECT_EQ(timestamp(session), started);
}

TEST_F(AgentxSession, TimesStayWhenOnlyTheSessionIsLost) {
  const Namespace space;
  Scripted agent(space);
  MasterSession first = agent.attend({.uptime = 1'000'000});
  const std::uint32_t started = timestamp(first);
  first.close();
  MasterSession second = agent.take();
  second.manners.uptime = first.uptime();
  ASSERT_TRUE(
      second.serve_until([&] { return count_of(kAnnounced, agent.log()) > 1; }, kGreatPatience))
      << agent.log();
  EXPECT_EQ(timestamp(second), started);
}

TEST_F(AgentxSession, WhatWasBeforeTheMastersStartHasTheTimeZero) {
  const Namespace space;
  Scripted agent(space);
  agent.attend({.uptime = 1'000'000}).close();
  MasterSession session = agent.attend({.uptime = 3});
  EXPECT_EQ(timestamp(session), 0U);
}

// ---- Contexts ----

struct Asked {
  const char* name;
  Pdu pdu;
};

std::vector<Asked> of_every_type(const std::vector<SetRequest>& set, bool network_order) {
  const std::vector<Range> names = agentx::names({kTcpRtoMin, kTcpHcInSegs});
  return {{"Get", agentx::get(names, network_order)},
          {"GetNext", agentx::get_next(names, network_order)},
          {"GetBulk", agentx::get_bulk(0, 5, names, network_order)},
          {"TestSet", agentx::test_set(5, set, network_order)}};
}

std::vector<SetRequest> harmless_set() { return {{.oid = kTcpRtoMin, .type = 'i', .value = "1"}}; }

TEST_F(AgentxSession, AContextThatWasNeverRegisteredIsUnsupported) {
  const Namespace space;
  Service service(over_loopback(space), 1);
  Scripted agent(space);
  MasterSession session = agent.attend();
  const std::vector<SetRequest> set{deletion(connection_cell(kStateColumn, service.ends()))};
  for (const bool network_order : {true, false}) {
    for (Asked& asked : of_every_type(set, network_order)) {
      SCOPED_TRACE(asked.name);
      asked.pdu.context = "ghost";
      const Response answer = session.ask(asked.pdu);
      EXPECT_EQ(answer.error, agentx::kUnsupportedContext) << answer;
      // 7.2.2: only a VarBindList that was understood may come back.
      if (asked.pdu.type != Type::kTestSet) {
        EXPECT_THAT(answer.varbinds, IsEmpty());
      }
      for (const Varbind& varbind : answer.varbinds)
        EXPECT_EQ(varbind.oid, set.front().oid);
    }
  }
  EXPECT_EQ(session.ask(agentx::phase(Type::kCommitSet, 5)).error, agentx::kProcessingError);
  service.expect_alive();
  expect_served(agent, session);
}

// With a context whose own length is `claimed`, and with the flag for it.
agentx::Bytes with_context_of_length(const Pdu& pdu, std::uint32_t claimed) {
  Pdu with = pdu;
  with.context = "ctx!";
  agentx::Bytes bytes = agentx::encode(with);
  const agentx::Bytes field = agentx::Payload(pdu.network_order).number(claimed).bytes();
  std::ranges::copy(field, bytes.begin() + agentx::kHeader);
  return bytes;
}

// The answer must be parseError (7.2.2); or the stream ends, and the daemon calls again.
void expect_no_sense(Scripted& agent, MasterSession& session, std::uint32_t packet) {
  const std::optional<Response> answer = session.answer_to(packet, seconds(3));
  if (answer) {
    EXPECT_EQ(answer->error, agentx::kParseError) << *answer;
    EXPECT_THAT(answer->varbinds, IsEmpty()) << "bytes of whose memory?";
  } else {
    ASSERT_TRUE(session.has_ended()) << "neither an answer nor an end";
    session = agent.attend();
  }
}

TEST_F(AgentxSession, AContextThatIsLongerThanItsPduIsAParseError) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  for (const std::uint32_t beyond : {1U, 4U, 0x1000U, 0x7fff'0000U, 0xffff'0000U}) {
    for (Asked& asked : of_every_type(harmless_set(), beyond % 2 == 0)) {
      SCOPED_TRACE(std::string(asked.name) + ", " + std::to_string(beyond) + " beyond");
      asked.pdu.session = session.manners.session;
      asked.pdu.packet = 50'000 + beyond % 7'000;
      const auto rest = static_cast<std::uint32_t>(asked.pdu.payload.size() + 4);
      session.send(with_context_of_length(asked.pdu, rest + beyond));
      expect_no_sense(agent, session, asked.pdu.packet);
      ASSERT_FALSE(testing::Test::HasFailure()) << agent.log();
    }
  }
  expect_served(agent, session);
}

// ---- Payloads that end too soon, or too late ----

std::vector<Asked> one_of_each(bool network_order) {
  const std::vector<Range> range{{.start = kTcpRtoMin, .end = kTcpHcInSegs, .include = true}};
  std::vector<Asked> all{{"Get", agentx::get(range, network_order)},
                         {"GetNext", agentx::get_next(range, network_order)},
                         {"GetBulk", agentx::get_bulk(1, 5, range, network_order)}};
  for (const SetRequest& set :
       {SetRequest{kTcpRtoMin, 'i', "1"}, SetRequest{kTcpRtoMin, 's', "abc"},
        SetRequest{kTcpRtoMin, 'o', "1.3.6.1.4"}})
    all.push_back({"TestSet", agentx::test_set(9, {set}, network_order)});
  return all;
}

// A list that has nothing in it is a list.
std::size_t shortest_list(const Pdu& pdu) { return pdu.type == Type::kGetBulk ? 4 : 0; }

TEST_F(AgentxSession, APayloadThatIsCutIsAParseError) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  for (const bool network_order : {true, false}) {
    for (const Asked& asked : one_of_each(network_order)) {
      for (std::size_t length = 0; length < asked.pdu.payload.size(); length += 4) {
        if (length == shortest_list(asked.pdu))
          continue;
        SCOPED_TRACE(std::string(asked.name) + " of " + std::to_string(length) + " octets");
        Pdu cut = asked.pdu;
        cut.payload.resize(length);
        expect_no_sense(agent, session, session.begin(cut));
        ASSERT_FALSE(testing::Test::HasFailure()) << agent.log();
      }
    }
  }
  expect_served(agent, session);
}

TEST_F(AgentxSession, APayloadThatGoesOnBehindItsEndIsAParseError) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  for (const Asked& asked : one_of_each(true)) {
    SCOPED_TRACE(asked.name);
    Pdu longer = asked.pdu;
    longer.payload.resize(longer.payload.size() + 4, 0x80);
    expect_no_sense(agent, session, session.begin(longer));
    ASSERT_FALSE(testing::Test::HasFailure()) << agent.log();
  }
  expect_served(agent, session);
}

// 5.1: 128 sub-identifiers at most.
TEST_F(AgentxSession, AnIdentifierThatIsTooLongIsAParseError) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  for (const std::size_t length : {129U, 200U, 255U}) {
    SCOPED_TRACE(length);
    const Oid name(length, 2);
    for (const Pdu& pdu : {agentx::get({{.start = name}}), agentx::get_next({{.start = name}}),
                           agentx::get_next({{.start = kTcp, .end = name}}),
                           agentx::test_set(9, {{.oid = name, .type = 'i', .value = "1"}})}) {
      expect_no_sense(agent, session, session.begin(pdu));
      ASSERT_FALSE(testing::Test::HasFailure()) << agent.log();
    }
  }
  expect_served(agent, session);
}

TEST_F(AgentxSession, ARequestOfAnotherSessionIsNotOpen) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  for (Asked& asked : of_every_type(harmless_set(), true)) {
    SCOPED_TRACE(asked.name);
    asked.pdu.session = session.manners.session + 1;
    EXPECT_EQ(session.ask(asked.pdu).error, agentx::kNotOpen);
  }
  expect_served(agent, session);
}

// 7.2.2: it is silently dropped.
TEST_F(AgentxSession, AResponseToNothingIsDropped) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  Pdu response = agentx::response_to(ask_for_rto_min(), 1);
  response.session = session.manners.session;
  for (response.packet = 0; response.packet < 200; ++response.packet)
    session.send(response);
  EXPECT_EQ(session.ask(ask_for_rto_min()), rto_min());
}

// ---- Reads ----

// A host with something to tell, and its subagent.
// Connections end all over the host, and rows come with them while names are compared.
constexpr const char* kUnwatchedEnds = "ends.watch=off";

struct Reading {
  explicit Reading(const Namespace& space, unsigned clients = 5)
      : service(over_loopback(space), clients),
        agent(space, {.settings = {kUnwatchedEnds}}),
        session(agent.attend()) {}

  Response next(const Range& range) { return session.ask(agentx::get_next({range})); }

  // The names of all that GetNext finds in the range.
  std::vector<Oid> walk(Range range);
  std::vector<Oid> bulk_walk(Range range, std::uint16_t repetitions);

  Service service;
  Scripted agent;
  MasterSession session;
};

bool at_end(const Varbind& varbind) { return varbind.type == "endOfMibView"; }

std::vector<Oid> Reading::walk(Range range) {
  std::vector<Oid> names;
  for (;;) {
    const Response answer = next(range);
    if (answer.error != 0 || answer.varbinds.size() != 1)
      throw Trouble("a GetNext is answered by " + testing::PrintToString(answer));
    if (at_end(answer.varbinds.front()))
      return names;
    names.push_back(answer.varbinds.front().oid);
    range.start = names.back();
    range.include = false;
  }
}

std::vector<Oid> Reading::bulk_walk(Range range, std::uint16_t repetitions) {
  std::vector<Oid> names;
  for (;;) {
    const Response answer = session.ask(agentx::get_bulk(0, repetitions, {range}));
    if (answer.error != 0 || answer.varbinds.empty())
      throw Trouble("a GetBulk is answered by " + testing::PrintToString(answer));
    for (const Varbind& varbind : answer.varbinds) {
      if (at_end(varbind))
        return names;
      names.push_back(varbind.oid);
    }
    range.start = names.back();
    range.include = false;
  }
}

Oid behind(Oid root) {
  ++root.back();
  return root;
}

// As a master does that asks each registration for its own region.
std::vector<Oid> walk_root_by_root(Reading& reading) {
  std::vector<Oid> names;
  for (const Oid& root : registered_roots(reading.session)) {
    const std::vector<Oid> below =
        reading.walk({.start = root, .end = behind(root), .include = true});
    names.insert(names.end(), below.begin(), below.end());
  }
  return names;
}

// Those of one walk that the other lacks; a whole one is too long to be read.
std::vector<Oid> difference(const std::vector<Oid>& one, const std::vector<Oid>& other) {
  std::vector<Oid> only;
  std::ranges::set_symmetric_difference(one, other, std::back_inserter(only));
  return only;
}

const Range kWhole{.start = {1, 3}};
const Oid kBeforeTcp = oid_of("1.3.6.1.2.1.5");
const Oid kBehindTcp = oid_of("1.3.6.1.2.1.7");

TEST_F(AgentxReads, ARangeAcrossAllObjectsWalksThroughThemInOrder) {
  const Namespace space;
  Reading reading(space);
  const std::vector<Oid> names = walk_root_by_root(reading);
  EXPECT_GT(names.size(), 100U);
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_THAT(difference(reading.walk(kWhole), names), testing::IsEmpty());
  std::vector<Oid> of_tcp = names;
  std::erase_if(of_tcp, [](const Oid& name) { return !lies_below(name, kTcp); });
  EXPECT_EQ(reading.walk({.start = kBeforeTcp, .end = kBehindTcp}), of_tcp);
}

TEST_F(AgentxReads, AGetBulkAcrossAllObjectsIsThatWalk) {
  const Namespace space;
  Reading reading(space);
  const std::vector<Oid> names = walk_root_by_root(reading);
  for (const std::uint16_t repetitions : std::initializer_list<std::uint16_t>{1, 7, 50, 2'000})
    EXPECT_THAT(difference(reading.bulk_walk(kWhole, repetitions), names), testing::IsEmpty())
        << repetitions;
}

// 7.2.3.2.
TEST_F(AgentxReads, ARangeThatEndsBeforeTheNextNameIsAtItsEnd) {
  const Namespace space;
  Reading reading(space);
  const Oid first = reading.next({.start = kTcpRtoMin}).varbinds.at(0).oid;
  const Range ranges[] = {
      {.start = kTcpRtoMin, .end = first},
      {.start = kBeforeTcp, .end = kTcp},
      {.start = kBehindTcp, .end = oid_of("1.3.6.1.4.1")},
      {.start = behind(kArc)},
      {.start = first, .end = first, .include = true},
      {.start = first, .end = kTcpRtoMin},
  };
  for (const Range& range : ranges) {
    for (const Pdu& pdu : {agentx::get_next({range}), agentx::get_bulk(1, 0, {range})})
      EXPECT_EQ(reading.session.ask(pdu),
                (Response{.varbinds = {{range.start, "endOfMibView", ""}}}));
  }
  EXPECT_EQ(reading.next({.start = kTcpRtoMin, .end = behind(first)}).varbinds.at(0).oid, first);
}

TEST_F(AgentxReads, IncludeTakesTheStartItself) {
  const Namespace space;
  Reading reading(space);
  const Oid cell = connection_cell(kStateColumn, reading.service.ends());
  for (const Oid& name : {kTcpRtoMin, kTcpHcInSegs, cell}) {
    EXPECT_EQ(reading.next({.start = name, .include = true}).varbinds.at(0).oid, name);
    EXPECT_GT(reading.next({.start = name}).varbinds.at(0).oid, name);
  }
  EXPECT_EQ(reading.next({.start = kTcp, .include = true}), reading.next({.start = kTcp}));
}

// 7.2.3.1.
TEST_F(AgentxReads, AGetTellsWhichExceptionHolds) {
  const Namespace space;
  Reading reading(space);
  const std::vector<Oid> oids{
      oid_of("1.3.6.1.2.1.6.2.1"), kSysDescr, kTcpRtoMin,
      connection_cell(kStateColumn, {end_of("10.9.9.9:9"), end_of("10.9.9.9:8")})};
  const Response answer = reading.session.ask(agentx::get(agentx::names(oids)));
  EXPECT_EQ(answer, (Response{.varbinds = {{oids[0], "noSuchInstance", ""},
                                           {oids[1], "noSuchObject", ""},
                                           {oids[2], "INTEGER", "200"},
                                           {oids[3], "noSuchInstance", ""}}}));
}

TEST_F(AgentxReads, ManyRangesInOnePduAreAnsweredInTheirOrder) {
  const Namespace space;
  Reading reading(space);
  std::vector<Range> ranges;
  std::vector<Varbind> expected;
  for (const Oid& start : {kConnectionState, kTcp, kArc, kTcpRtoMin, kBehindTcp, behind(kArc)}) {
    ranges.push_back({.start = start});
    expected.push_back(reading.next(ranges.back()).varbinds.at(0));
  }
  const Response answer = reading.session.ask(agentx::get_next(ranges));
  ASSERT_THAT(answer.varbinds, SizeIs(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(answer.varbinds[i].oid, expected[i].oid);
}

// 7.2.3.3: the first ones once, the others again and again, a repetition after the other.
TEST_F(AgentxReads, NonRepeatersOfAGetBulkAreAnsweredOnce) {
  const Namespace space;
  Reading reading(space);
  const Oid other = oid_of("1.3.6.1.2.1.6.19.1.8");
  std::vector<Oid> expected{reading.next({.start = kTcpRtoMin}).varbinds.at(0).oid};
  Oid first = kConnectionState, second = other;
  for (int repetition = 0; repetition < 3; ++repetition) {
    for (Oid* at : {&first, &second}) {
      *at = reading.next({.start = *at}).varbinds.at(0).oid;
      expected.push_back(*at);
    }
  }
  const Response answer = reading.session.ask(agentx::get_bulk(
      1, 3, {{.start = kTcpRtoMin}, {.start = kConnectionState}, {.start = other}}));
  std::vector<Oid> names;
  for (const Varbind& varbind : answer.varbinds)
    names.push_back(varbind.oid);
  EXPECT_EQ(names, expected);
}

TEST_F(AgentxReads, BothByteOrdersTellTheSame) {
  const Namespace space;
  Reading reading(space);
  const Ends ends = reading.service.ends();
  const std::vector<Range> names =
      agentx::names({kTcpRtoMin, oid_of("1.3.6.1.2.1.6.4.0"), connection_cell(kStateColumn, ends),
                     legacy_cell(kLegacyStateColumn, ends), legacy_cell(2, ends),
                     legacy_cell(3, ends), own({1, 1, 1, 0}), kStartTime, kBehindTcp});
  const Response big = reading.session.ask(agentx::get(names, true));
  EXPECT_EQ(big.error, 0);
  EXPECT_EQ(big.varbinds.at(2).value, "5");
  EXPECT_EQ(reading.session.ask(agentx::get(names, false)), big);
  for (const bool network_order : {true, false}) {
    const Response next = reading.session.ask(
        agentx::get_next({{.start = kConnectionState}, {.start = kTcp}}, network_order));
    EXPECT_EQ(next, reading.session.ask(
                        agentx::get_next({{.start = kConnectionState}, {.start = kTcp}})));
  }
}

TEST_F(AgentxReads, AnAnswerThatNoTransportTakesIsAnErrorAndTheSessionLives) {
  const Namespace space;
  Reading reading(space);
  for (const std::size_t count : {2'600U, 4'000U}) {
    const std::vector<Range> ranges = agentx::names(std::vector<Oid>(count, kTcpHcInSegs));
    for (const Pdu& pdu : {agentx::get(ranges), agentx::get_next(ranges)}) {
      const Response answer = reading.session.ask(pdu);
      EXPECT_NE(answer.error, 0);
      EXPECT_THAT(answer.varbinds, IsEmpty());
    }
  }
  EXPECT_EQ(reading.session.ask(ask_for_rto_min()), rto_min());
}

TEST_F(AgentxReads, AGetBulkIsCutToWhatATransportTakes) {
  const Namespace space;
  Reading reading(space, 150);
  const std::uint32_t packet =
      reading.session.begin(agentx::get_bulk(0, 0xffff, {{.start = kTcp}}));
  const std::optional<Pdu> answer = reading.session.receive(kGreatPatience);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->packet, packet);
  EXPECT_LE(answer->payload.size(), 65'536U - agentx::kHeader);
  const Response response = agentx::response_of(*answer);
  EXPECT_EQ(response.error, 0);
  EXPECT_FALSE(response.varbinds.empty());
  EXPECT_TRUE(strictly_increasing(response.varbinds));
  EXPECT_FALSE(std::ranges::any_of(response.varbinds, at_end)) << "there is more";
  const Range tcp{.start = kTcp, .end = kBehindTcp};
  EXPECT_EQ(reading.bulk_walk(tcp, 0xffff), reading.bulk_walk(tcp, 10));
}

TEST_F(AgentxReads, RequestsThatComeAtOnceAreEachAnsweredOnce) {
  const Namespace space;
  Reading reading(space);
  std::vector<std::uint32_t> simple, parked;
  for (int i = 0; i < 100; ++i) {
    simple.push_back(reading.session.begin(ask_for_rto_min()));
    parked.push_back(reading.session.begin(agentx::get_next({{.start = kConnectionState}})));
  }
  for (const std::uint32_t packet : simple)
    EXPECT_EQ(reading.session.answer_to(packet), rto_min());
  for (const std::uint32_t packet : parked) {
    const std::optional<Response> answer = reading.session.answer_to(packet);
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer->varbinds, ElementsAre(testing::Field(&Varbind::type, "INTEGER")));
  }
  reading.session.ask(ask_for_rto_min());
  for (const std::uint32_t packet : simple)
    EXPECT_THAT(reading.session.answers_to(packet), SizeIs(1));
}

}  // namespace
}  // namespace tcpmibd::lab
