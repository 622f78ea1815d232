#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/scenes.h"
#include "support/ss.h"
#include "system/attached.h"

// One connection over a cable, led through every state at both ends, and at every step both hosts
// are asked by SNMP what they see. Segments that are held back keep it where it is.

namespace tcpmibd::lab {
namespace {

using testing::IsSubsetOf;

constexpr unsigned kLegacyState = 1;

// By the number of TCP-MIB.
constexpr std::array<const char*, 12> kStates{"0",           "closed",      "listen",   "synSent",
                                              "synReceived", "established", "finWait1", "finWait2",
                                              "closeWait",   "lastAck",     "closing",  "timeWait"};

std::string state_in(const Varbind& varbind) {
  if (varbind.type != "INTEGER")
    return varbind.type;
  const std::size_t number = std::stoul(varbind.value);
  return number < kStates.size() ? kStates[number] : varbind.value;
}

bool is_ipv4(const End& end) { return unmapped(end).octets.size() == 4; }

// One state for all cells, or what each one says.
std::string state_of(const Attached& agent, const std::vector<Oid>& cells) {
  const Answer answer = agent.manager().get(cells);
  if (!answer.ok())
    return answer.error;
  std::vector<std::string> states;
  for (const Varbind& varbind : answer.varbinds)
    states.push_back(state_in(varbind));
  const bool agreed = std::set(states.begin(), states.end()).size() == 1;
  return agreed ? states.front() : testing::PrintToString(states);
}

// One host, its agent and its end of the connection.
struct Side {
  const Namespace& space;
  Attached agent{space};
  TcpSocket socket{};
  Ends ends{};
  std::string segments{};  // those it sends, as the filter names them

  // tcpConnectionState and, where IPv4 is spoken, tcpConnState.
  std::string state() const {
    std::vector<Oid> cells{connection_cell(kStateColumn, ends)};
    if (is_ipv4(ends.local))
      cells.push_back(legacy_cell(kLegacyState, ends));
    return state_of(agent, cells);
  }

  std::string process() const {
    return told(agent.manager(), connection_cell(kProcessColumn, ends));
  }
};

// The client's host and the server's.
struct Journey {
  explicit Journey(Family family) : stage(on_cable(hosts, family)) {
    listener = listen_on(stage.b, stage.address_b + ":0");
    client.segments = "tcp dport " + std::to_string(listener.port());
    server.segments = "tcp sport " + std::to_string(listener.port());
  }

  void start_connecting() {
    const std::string to = stage.address_b + ":" + std::to_string(listener.port());
    client.socket = lab::start_connecting(stage.a, to);
    client.ends = {client.socket.local(), end_of(to)};
    server.ends = {client.ends.remote, client.ends.local};
  }

  void accept() { server.socket = accept_from(listener); }

  void establish() {
    start_connecting();
    accept();
    expect(client, "established", server, "established");
  }

  static void expect(const Side& one, const std::string& state, const Side& other,
                     const std::string& other_state) {
    EXPECT_EQ(settled([&] { return one.state(); }, state, kGreatPatience), state) << one.ends;
    EXPECT_EQ(settled([&] { return other.state(); }, other_state, kGreatPatience), other_state)
        << other.ends;
  }

  void expect_listening() const {
    const End end = listener.local();
    EXPECT_EQ(told(server.agent.manager(), listener_cell(end)), std::to_string(::getpid()));
    expect_in_legacy_table(end, "listen");
  }

  void expect_not_listening(const End& end) const {
    EXPECT_EQ(told(server.agent.manager(), listener_cell(end)), kGone);
    expect_in_legacy_table(end, kGone);
  }

  // From established until both rows are gone.
  void close_one_after_the_other(Side& first, Side& second) const;

  // From established to both ends waiting for a word of the other.
  void close_at_once(Side& first, Side& second) const;

  // From established to timeWait by a FIN that is the acknowledgement, too.
  void close_with_fin_and_ack_in_one(Side& first, Side& second) const;

  const TwoHosts hosts;
  Stage stage;
  Side client{stage.a};
  Side server{stage.b};
  TcpSocket listener;

 private:
  // tcpConnTable has listeners too, with an empty remote end.
  void expect_in_legacy_table(const End& end, const std::string& state) const {
    if (!is_ipv4(end))
      return;
    const Ends row{end, {.octets = {0, 0, 0, 0}, .zone = 0, .port = 0}};
    EXPECT_EQ(state_of(server.agent, {legacy_cell(kLegacyState, row)}), state);
  }
};

void hold_back(const Side& from, const Side& to, const std::string& which = {}) {
  to.space.drop_input(from.segments + which);
}

// Retransmissions carry the connection on.
void let_through(const Side& to) { to.space.clear(); }

// Ends what timeWait is left of a connection a minute early, as an administrator would.
bool cut_short(const Side& side) {
  run({"ss", "--kill", "-tn", "state", "time-wait"}, {.in = &side.space});
  return state_by_ss(side.space, side.ends) == "gone";
}

void Journey::close_one_after_the_other(Side& first, Side& second) const {
  hold_back(first, second);
  first.socket.shutdown_write();
  expect(first, "finWait1", second, "established");

  let_through(second);
  expect(first, "finWait2", second, "closeWait");
  second.socket.send("I have more to say");
  EXPECT_EQ(first.socket.receive(), "I have more to say");
  expect(first, "finWait2", second, "closeWait");
  expect_listening();

  hold_back(second, first);
  second.socket.close();
  expect(first, "finWait2", second, "lastAck");

  let_through(first);
  expect(first, "timeWait", second, kGone);
  if (!cut_short(first))
    GTEST_SKIP() << "all but the last step: this kernel cannot end a socket in timeWait";
  expect(first, kGone, second, kGone);
}

void Journey::close_at_once(Side& first, Side& second) const {
  hold_back(first, second, " tcp flags & fin == fin");
  first.socket.shutdown_write();
  expect(first, "finWait1", second, "established");
  second.socket.shutdown_write();
  expect(first, "closing", second, "finWait2");
  let_through(second);
  expect(first, "timeWait", second, "timeWait");
}

// Nothing but a FIN comes through to the one that closes first. What acknowledged its own FIN was
// therefore the other's FIN, and the kernel took both steps in one: finWait2 was never to be seen.
void Journey::close_with_fin_and_ack_in_one(Side& first, Side& second) const {
  hold_back(second, first, " tcp flags & fin != fin");
  first.socket.shutdown_write();
  expect(first, "finWait1", second, "closeWait");
  second.socket.close();

  std::set<std::string> seen;
  const bool arrived = eventually(
      [&] {
        seen.insert(first.state());
        return seen.contains("timeWait");
      },
      kGreatPatience);
  EXPECT_TRUE(arrived);
  EXPECT_THAT(seen, IsSubsetOf({"finWait1", "timeWait"}));
  expect(first, "timeWait", second, kGone);
}

class LifeCycle : public testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    if (const auto reason = system_skip_reason())
      GTEST_SKIP() << *reason;
    if (const auto& reason = Namespace::filter_skip_reason())
      GTEST_SKIP() << *reason;
  }
};

TEST_P(LifeCycle, IsOpenedStepByStep) {
  Journey journey(GetParam());
  journey.expect_listening();

  hold_back(journey.client, journey.server);
  journey.start_connecting();
  Journey::expect(journey.client, "synSent", journey.server, kGone);

  hold_back(journey.server, journey.client);
  let_through(journey.server);
  Journey::expect(journey.client, "synSent", journey.server, "synReceived");

  let_through(journey.client);
  Journey::expect(journey.client, "established", journey.server, "established");
  journey.accept();
  Journey::expect(journey.client, "established", journey.server, "established");
  journey.expect_listening();
}

TEST_P(LifeCycle, IsClosedByTheClientFirst) {
  Journey journey(GetParam());
  journey.establish();
  journey.close_one_after_the_other(journey.client, journey.server);
}

TEST_P(LifeCycle, IsClosedByTheServerFirst) {
  Journey journey(GetParam());
  journey.establish();
  journey.close_one_after_the_other(journey.server, journey.client);
}

TEST_P(LifeCycle, IsClosedByBothAtOnce) {
  Journey journey(GetParam());
  journey.establish();
  journey.close_at_once(journey.client, journey.server);
  journey.establish();
  journey.close_at_once(journey.server, journey.client);
}

TEST_P(LifeCycle, GoesFromFinWait1StraightToTimeWaitByAFinThatAcknowledges) {
  Journey journey(GetParam());
  journey.establish();
  journey.close_with_fin_and_ack_in_one(journey.client, journey.server);
  let_through(journey.client);
  journey.establish();
  journey.close_with_fin_and_ack_in_one(journey.server, journey.client);
}

TEST_P(LifeCycle, FinWait2OutlivesItsSocketWithoutAProcess) {
  Journey journey(GetParam());
  journey.establish();
  journey.client.socket.shutdown_write();
  Journey::expect(journey.client, "finWait2", journey.server, "closeWait");
  EXPECT_EQ(journey.client.process(), std::to_string(::getpid()));

  journey.client.socket.close();
  Journey::expect(journey.client, "finWait2", journey.server, "closeWait");
  EXPECT_EQ(journey.client.process(), "0");
  journey.server.socket.close();
  Journey::expect(journey.client, "timeWait", journey.server, kGone);
}

TEST_P(LifeCycle, EndsAtBothEndsAtOnceByAReset) {
  Journey journey(GetParam());
  journey.establish();
  journey.server.socket.reset();
  Journey::expect(journey.client, kGone, journey.server, kGone);
}

TEST_P(LifeCycle, LeavesTheListenerWhereItIs) {
  Journey journey(GetParam());
  const End end = journey.listener.local();
  for (int connection = 0; connection < 3; ++connection) {
    journey.establish();
    journey.expect_listening();
    journey.client.socket.reset();
    Journey::expect(journey.client, kGone, journey.server, kGone);
    journey.expect_listening();
  }
  journey.listener.close();
  journey.expect_not_listening(end);
}

std::string family_name(const testing::TestParamInfo<Family>& info) {
  switch (info.param) {
    case Family::kV4:
      return "OverIpv4";
    case Family::kV6:
      return "OverIpv6";
    case Family::kMapped:
      break;
  }
  return "OverMappedIpv4";
}

INSTANTIATE_TEST_SUITE_P(Families, LifeCycle,
                         testing::Values(Family::kV4, Family::kV6, Family::kMapped), family_name);

}  // namespace
}  // namespace tcpmibd::lab
