#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "system/deleting.h"
#include "system/scripted.h"

// Masters that vanish, say nothing, are slow, do not read, refuse or send what is no AgentX. None
// of that hinders the daemon, and the next master is served.

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using agentx::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class HostileMaster : public ScriptedTest {};

std::optional<std::uint16_t> never(const Pdu&) { return std::nullopt; }

bool is_register_of(const Pdu& request, const Oid& subtree) {
  return request.type == Type::kRegister && agentx::register_of(request).subtree == subtree;
}

bool has(const std::vector<Pdu>& requests, Type type) {
  return std::ranges::any_of(requests, [&](const Pdu& pdu) { return pdu.type == type; });
}

// ---- Vanishing ----

enum class Leave : std::uint8_t { kUnanswered, kAnswered, kWithinTheAnswer, kReset };
constexpr std::array kLeaves{Leave::kUnanswered, Leave::kAnswered, Leave::kWithinTheAnswer,
                             Leave::kReset};

// The master answers what the daemon asks up to the request with this number, of which 1 is Open.
struct Vanishing {
  std::size_t request;
  Leave leave;
};

std::ostream& operator<<(std::ostream& stream, const Vanishing& vanishing) {
  constexpr std::array kNames{"before it is answered", "when it is answered", "within the answer",
                              "by a reset"};
  return stream << "at request " << vanishing.request << ' '
                << kNames.at(static_cast<std::size_t>(vanishing.leave));
}

// Only TCP knows of resets.
Transport transport_of(const Vanishing& vanishing) {
  return vanishing.leave == Leave::kReset ? Transport::kOverTcp : Transport::kOverUnix;
}

void send_half_an_answer(const MasterSession& session, const Pdu& request) {
  agentx::Bytes bytes = agentx::encode(agentx::response_to(request, session.uptime()));
  bytes.resize(bytes.size() / 2);
  session.send(bytes);
}

void leave(MasterSession session, const Vanishing& vanishing) {
  for (std::size_t number = 1; number <= vanishing.request; ++number) {
    const std::optional<Pdu> request = session.receive(kGreatPatience);
    ASSERT_TRUE(request) << "no request " << number << "; master leaves " << vanishing;
    if (number < vanishing.request || vanishing.leave == Leave::kAnswered)
      session.answer(*request);
    else if (vanishing.leave == Leave::kWithinTheAnswer)
      send_half_an_answer(session, *request);
  }
  vanishing.leave == Leave::kReset ? session.reset() : session.close();
}

// How many requests it takes from Open to the last Register.
std::size_t count_requests(const Namespace& space) {
  Scripted agent(space);
  return agent.attend().requests().size();
}

void expect_next_master_served(Scripted& agent) {
  try {
    MasterSession session = agent.attend();
    expect_served(agent, session);
  } catch (const std::exception& exception) {
    ADD_FAILURE() << exception.what();
  }
}

std::vector<Vanishing> at_every_kind_of_step(std::size_t all) {
  std::vector<Vanishing> vanishings;
  for (const std::size_t request : {std::size_t{1}, std::size_t{2}, all / 2, all}) {
    for (const Leave how : kLeaves)
      vanishings.push_back({request, how});
  }
  return vanishings;
}

// When the daemon has just started, and when it has been served before. The agents here work side
// by side, for each waits a second before it calls again.
TEST_F(HostileMaster, ThatVanishesAtAnyStepIsServedWhenItIsBack) {
  const Namespace space;
  const std::vector<Vanishing> vanishings = at_every_kind_of_step(count_requests(space));
  std::deque<Scripted> agents;
  for (const Vanishing& vanishing : vanishings)
    agents.emplace_back(space, DaemonOptions{}, transport_of(vanishing));
  for (int start = 1; start <= 2; ++start) {
    for (std::size_t i = 0; i < agents.size(); ++i)
      leave(agents[i].take(), vanishings[i]);
    for (std::size_t i = 0; i < agents.size(); ++i) {
      SCOPED_TRACE("start " + std::to_string(start) + ": " + testing::PrintToString(vanishings[i]));
      expect_next_master_served(agents[i]);
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST_F(HostileMaster, ThatVanishesFiftyTimesIsServedAtLast) {
  const Namespace space;
  const std::size_t all = count_requests(space);
  constexpr std::size_t kAgents = 5, kLosses = 10;
  std::deque<Scripted> agents;
  for (std::size_t i = 0; i < kAgents; ++i)
    agents.emplace_back(space, DaemonOptions{}, Transport::kOverTcp);
  for (std::size_t loss = 0; loss < kLosses; ++loss) {
    for (std::size_t i = 0; i < kAgents; ++i)
      leave(agents[i].take(), {1 + (loss * 7 + i * 13) % all, kLeaves.at((loss + i) % 4)});
  }
  for (Scripted& agent : agents)
    expect_next_master_served(agent);
}

struct LastWord {
  const char* name;
  std::function<void(const Namespace&, MasterSession&)> say;
};

agentx::Bytes half_of(agentx::Bytes bytes) {
  bytes.resize(bytes.size() / 2);
  return bytes;
}

Pdu everything() { return agentx::get_bulk(0, 500, {{.start = oid_of("1.3")}}); }

const LastWord kLastWords[] = {
    {"none", [](const Namespace&, MasterSession&) {}},
    {"half a request",
     [](const Namespace&, MasterSession& session) {
       session.send(half_of(agentx::encode(ask_for_rto_min())));
     }},
    {"a request that waits for a snapshot",
     [](const Namespace&, MasterSession& session) {
       session.begin(agentx::get_next({{.start = kConnectionState}}));
     }},
    {"many requests with long answers",
     [](const Namespace&, MasterSession& session) {
       for (int i = 0; i < 20; ++i)
         session.begin(everything());
     }},
    {"a TestSet",
     [](const Namespace& space, MasterSession& session) {
       Service service(over_loopback(space), 1);
       session.begin(
           agentx::test_set(1, {deletion(connection_cell(kStateColumn, service.ends()))}));
     }},
};

TEST_F(HostileMaster, ThatVanishesWhileItIsServedIsServedWhenItIsBack) {
  const Namespace space;
  std::deque<Scripted> agents;
  for (std::size_t i = 0; i < std::size(kLastWords) * 2; ++i) {
    agents.emplace_back(space, DaemonOptions{},
                        i % 2 == 0 ? Transport::kOverUnix : Transport::kOverTcp);
    MasterSession session = agents.back().attend();
    kLastWords[i / 2].say(space, session);
    i % 2 == 0 ? session.close() : session.reset();
  }
  for (std::size_t i = 0; i < agents.size(); ++i) {
    SCOPED_TRACE(std::string("the last word: ") + kLastWords[i / 2].name);
    expect_next_master_served(agents[i]);
  }
}

// ---- Silence and slowness ----

struct Slowness {
  const char* name;
  Manners manners;
  std::size_t requests;  // that have come when the daemon is tried
};

std::ostream& operator<<(std::ostream& stream, const Slowness& slowness) {
  return stream << slowness.name;
}

class SlowMaster : public ScriptedTest, public testing::WithParamInterface<Slowness> {};

TEST_P(SlowMaster, DoesNotKeepTheDaemonFromItsSignals) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.take(GetParam().manners);
  ASSERT_TRUE(session.serve_until([&] { return session.requests().size() >= GetParam().requests; },
                                  kGreatPatience));
  EXPECT_TRUE(agent.obeys_hangup(session)) << agent.log();
  EXPECT_EQ(agent.terminate(session), 0) << agent.log();
}

const Slowness kSlownesses[] = {
    {"ThatSaysNothing", {.verdict = never}, 1},
    {"ThatAnswersNothingButOpen",
     {.verdict = [](const Pdu& request) -> std::optional<std::uint16_t> {
       return request.type == Type::kOpen ? std::optional(agentx::kNoError) : std::nullopt;
     }},
     2},
    {"ThatIsLate", {.late = milliseconds(300)}, 2},
    {"ThatIsLateOctetByOctet", {.late = milliseconds(300), .in_pieces = true}, 2},
};

INSTANTIATE_TEST_SUITE_P(Each, SlowMaster, testing::ValuesIn(kSlownesses),
                         [](const auto& of) { return of.param.name; });

TEST_F(HostileMaster, ThatSaysNothingIsNamedAndServedWhenItSpeaks) {
  const Namespace space;
  Scripted agent(space);
  {
    MasterSession silent = agent.take({.verdict = never});
    EXPECT_TRUE(silent.serve_until(
        [&] {
          return agent.log().find("accepts connections but does not answer") != std::string::npos;
        },
        kGreatPatience))
        << agent.log();
  }
  expect_next_master_served(agent);
}

TEST_F(HostileMaster, ThatAnswersOctetByOctetIsServed) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend({.in_pieces = true});
  Pdu request = ask_for_rto_min();
  request.session = session.manners.session;
  request.packet = 77;
  session.send_in_pieces(agentx::encode(request));
  EXPECT_EQ(session.answer_to(77), rto_min()) << agent.log();
}

TEST_F(HostileMaster, ThatIsLateIsServed) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend({.late = milliseconds(30)});
  expect_served(agent, session);
  EXPECT_EQ(count_of(kAnnounced, agent.log()), 1) << agent.log();
}

// ---- A master that does not read ----

// Puts one question after the other as fast as they are taken.
class Flood {
 public:
  explicit Flood(MasterSession& session) : session_(session) {}

  // Whether anything was taken; none when the daemon has closed the connection.
  std::optional<bool> pour() {
    if (rest_.empty())
      rest_ = next();
    const std::optional<std::size_t> taken = session_.send_what_fits(rest_);
    if (!taken)
      return std::nullopt;
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(*taken));
    return *taken > 0;
  }

 private:
  agentx::Bytes next() {
    Pdu request = agentx::get_bulk(0, 200, {{.start = kTcp}});
    request.session = session_.manners.session;
    request.packet = ++packet_;
    return agentx::encode(request);
  }

  MasterSession& session_;
  agentx::Bytes rest_;
  std::uint32_t packet_ = 100'000;
};

constexpr long kBounded = 24L * 1'024;  // KiB more than before, whatever a peer does

// Until the daemon has taken nothing for a while, or has closed the connection. The most memory it
// had meanwhile, in KiB.
long pour_until_stemmed(const Scripted& agent, Flood& flood) {
  constexpr int kWhile = 50;
  long most = 0;
  for (int stemmed = 0; stemmed < kWhile;) {
    const std::optional<bool> taken = flood.pour();
    most = std::max(most, agent.memory());
    if (!taken)
      return most;
    stemmed = *taken ? 0 : stemmed + 1;
    if (stemmed > 0)
      pause_briefly();
  }
  return most;
}

TEST_F(HostileMaster, ThatAsksAndDoesNotReadIsDroppedAndHindersNobody) {
  const Namespace space;
  const Service service(over_loopback(space), 100);
  Scripted agent(space, {.settings = {"agentx.ping=1s"}});
  MasterSession session = agent.attend();
  session.ask(everything());
  const long before = agent.memory();
  Flood flood(session);
  EXPECT_LT(pour_until_stemmed(agent, flood), before + kBounded);
  EXPECT_TRUE(agent.obeys_hangup()) << agent.log();
  EXPECT_TRUE(eventually([&] { return !flood.pour(); }, kGreatPatience)) << agent.log();
  EXPECT_LT(agent.memory(), before + kBounded);
  expect_next_master_served(agent);
}

TEST_F(HostileMaster, ThatDoesNotReadNotificationsHindersNobody) {
  constexpr int kAlarms = 1'000;
  std::string configuration = "[watch]\ninterval = \"1s\"\n";
  for (int number = 0; number < kAlarms; ++number)
    configuration += "[alarm.a" + std::to_string(number) +
                     "]\nmeasure = \"established\"\nraise = 2\nclear = 1\n";
  const Namespace space;
  Scripted agent(space, {.configuration = configuration});
  MasterSession session = agent.attend();
  const long before = agent.memory();
  const Service service(over_loopback(space), 2);
  EXPECT_TRUE(agent.daemon().says("alarm a999 raised", kGreatPatience));
  quiet_for(seconds(1), [] { return false; });  // It is sent as much as is taken.
  EXPECT_TRUE(agent.obeys_hangup());
  EXPECT_LT(agent.memory(), before + kBounded);
  // Those that waited, or a new session: either is well.
  EXPECT_TRUE(session.serve_until(
      [&] { return has(session.requests(), Type::kNotify) || session.has_ended(); }));
  expect_served(agent, session);
}

// ---- Refusals ----

TEST_F(HostileMaster, ThatHasTheObjectAlreadyEndsTheDaemonWithTheCure) {
  const Namespace space;
  Scripted agent(space);
  const Oid taken = oid_of("1.3.6.1.2.1.6.19");
  MasterSession session = agent.take({.verdict = [&](const Pdu& request) {
    return std::optional(is_register_of(request, taken) ? agentx::kDuplicateRegistration
                                                        : agentx::kNoError);
  }});
  session.serve_until([&] { return !agent.runs(); }, kGreatPatience);
  session.serve_until([&] { return session.has_ended(); });
  EXPECT_EQ(agent.daemon().process().wait(milliseconds(0)), 1);
  EXPECT_THAT(agent.log(), HasSubstr("cannot register tcpConnectionTable"));
  EXPECT_THAT(agent.log(), HasSubstr("another subagent has registered it at that priority"));
  EXPECT_THAT(agent.log(), HasSubstr("agentx.priority")) << "the cure is missing";
  ASSERT_FALSE(session.requests().empty());
  EXPECT_EQ(session.requests().back().type, Type::kClose);
  EXPECT_FALSE(has(session.requests(), Type::kUnregister)) << "it would hit the other subagent's";
}

TEST_F(HostileMaster, ThatDeniesOneObjectIsServedTheOthers) {
  const Namespace space;
  Scripted agent(space);
  const Oid denied = oid_of("1.3.6.1.2.1.6.13");
  MasterSession session = agent.attend({.verdict = [&](const Pdu& request) {
    return std::optional(is_register_of(request, denied) ? agentx::kRequestDenied
                                                         : agentx::kNoError);
  }});
  EXPECT_THAT(agent.log(), HasSubstr("cannot register tcpConnTable"));
  expect_served(agent, session);
}

TEST_F(HostileMaster, ThatRefusesTheSessionIsAskedAgain) {
  const Namespace space;
  Scripted agent(space);
  MasterSession refusing =
      agent.take({.verdict = [](const Pdu&) { return std::optional(agentx::kOpenFailed); }});
  EXPECT_TRUE(refusing.serve_until([&] { return refusing.has_ended(); })) << agent.log();
  EXPECT_THAT(refusing.requests(), testing::SizeIs(1)) << "there is no session to speak of";
  expect_next_master_served(agent);
}

// ---- What is no AgentX ----

struct Garbage {
  const char* name;
  std::function<void(agentx::Bytes&)> spoil;
};

void set_length(agentx::Bytes& bytes, std::uint32_t length) {
  const agentx::Bytes field = agentx::Payload().number(length).bytes();
  std::ranges::copy(field, bytes.begin() + agentx::kPayloadLengthAt);
}

const Garbage kGarbage[] = {
    {"version 0", [](agentx::Bytes& bytes) { bytes[agentx::kVersionAt] = 0; }},
    {"version 2", [](agentx::Bytes& bytes) { bytes[agentx::kVersionAt] = 2; }},
    {"the greatest length", [](agentx::Bytes& bytes) { set_length(bytes, 0xffff'fffc); }},
    {"a gigabyte", [](agentx::Bytes& bytes) { set_length(bytes, 1U << 30U); }},
    {"a length that is negative to some",
     [](agentx::Bytes& bytes) { set_length(bytes, 1U << 31U); }},
    {"a length that is no multiple of four",
     [](agentx::Bytes& bytes) {
       set_length(bytes, static_cast<std::uint32_t>(bytes.size() - agentx::kHeader + 1));
       bytes.push_back(0);
     }},
    {"a length that ends within a word",
     [](agentx::Bytes& bytes) {
       set_length(bytes, static_cast<std::uint32_t>(bytes.size() - agentx::kHeader - 2));
       bytes.resize(bytes.size() - 2);
     }},
    {"words of another protocol",
     [](agentx::Bytes& bytes) {
       const std::string_view words = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
       bytes.assign(words.begin(), words.end());
     }},
};

TEST_F(HostileMaster, ThatSpeaksNoAgentxIsLeftAndCalledAgain) {
  const Namespace space;
  std::deque<Scripted> agents;
  std::vector<MasterSession> sessions;
  for (std::size_t i = 0; i < std::size(kGarbage); ++i) {
    agents.emplace_back(space);
    sessions.push_back(agents.back().attend());
  }
  for (std::size_t i = 0; i < agents.size(); ++i) {
    SCOPED_TRACE(kGarbage[i].name);
    const long before = agents[i].memory();
    agentx::Bytes bytes = agentx::encode(ask_for_rto_min());
    kGarbage[i].spoil(bytes);
    sessions[i].send(bytes);
    EXPECT_TRUE(sessions[i].ends()) << "it goes on with a stream that makes no sense";
    EXPECT_TRUE(agents[i].runs()) << agents[i].log();
    if (agents[i].runs()) {
      EXPECT_LT(agents[i].memory(), before + kBounded);
    }
    sessions[i].close();
  }
  for (std::size_t i = 0; i < agents.size(); ++i) {
    SCOPED_TRACE(kGarbage[i].name);
    expect_next_master_served(agents[i]);
  }
}

// Types that RFC 2741 does not know, and those that only subagents send.
TEST_F(HostileMaster, ThatSendsWhatNoMasterSendsIsServedOn) {
  const Namespace space;
  Scripted agent(space);
  MasterSession session = agent.attend();
  for (const int type : {0, 19, 128, 255, 1, 3, 4, 12, 13, 14, 15, 16, 17, 18}) {
    SCOPED_TRACE("type " + std::to_string(type));
    Pdu request = ask_for_rto_min();
    request.type = static_cast<Type>(type);
    session.begin(request);
    expect_served(agent, session);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace tcpmibd::lab
