#include "tcp/deletion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/builders.h"

namespace tcpmibd::tcp {

inline void PrintTo(Refusal refusal, std::ostream* out) { *out << "\"" << reason(refusal) << "\""; }

namespace {

using namespace lab;
using testing::Not;

Socket plain(const SocketOptions& options = {}) {
  return established("10.0.0.1:22", "10.0.0.9:4711", options);
}

Socket subflow(const SocketOptions& options = {}) {
  Socket socket = plain(options);
  socket.mptcp = MptcpRole::kSubflow;
  return socket;
}

Socket with_role(Socket socket, MptcpRole role) {
  socket.mptcp = role;
  return socket;
}

Socket without_cookie(std::uint64_t cookie) {
  Socket socket = plain();
  socket.id.cookie = cookie;
  return socket;
}

Socket fin_wait_2(Timer timer, std::uint32_t inode = 0) {
  Socket socket = plain({.state = State::kFinWait2, .inode = inode});
  socket.timer = timer;
  return socket;
}

Ends ends(std::string_view local, std::string_view remote) {
  return ends_of(established(local, remote));
}

struct Case {
  const char* why;
  std::vector<Socket> sockets;
  Refusal want;
  DeletionRules rules = {};
  std::vector<Ends> own = {};
  std::vector<State> lasting = {};
};

void expect_judged(const Case& c) {
  EXPECT_EQ(judge(c.sockets, {.rules = c.rules, .own_connections = c.own, .lasting = c.lasting}),
            c.want)
      << c.why;
}

const DeletionRules kAll{.policy = DeletionPolicy::kAll};
const DeletionRules kNo22{.protected_ports = {80, 22}};
const DeletionRules kNo4711{.protected_remote_ports = {80, 4711}};
const DeletionRules kAllNo22{.policy = DeletionPolicy::kAll, .protected_ports = {22}};

const Case kCases[] = {
    {"nothing is there", {}, Refusal::kAbsent},
    {"nothing is there, whatever is protected", {}, Refusal::kAbsent, kNo22},
    {"a connection", {plain()}, Refusal::kNone},
    {"a listener", {listener("10.0.0.1:22")}, Refusal::kListener},
    {"a listener, where all may go", {listener("10.0.0.1:22")}, Refusal::kNone, kAll},
    {"a listener on a protected port",
     {listener("10.0.0.1:22")},
     Refusal::kProtectedPort,
     kAllNo22},
    {"a protected port", {plain()}, Refusal::kProtectedPort, kNo22},
    {"the other end's port is another matter",
     {established("10.0.0.9:4711", "10.0.0.1:22")},
     Refusal::kNone,
     kNo22},
    {"a protected remote port", {plain()}, Refusal::kProtectedRemotePort, kNo4711},
    {"our own end's port is another matter",
     {established("10.0.0.9:4711", "10.0.0.1:22")},
     Refusal::kNone,
     kNo4711},
    {"a listener has no remote port",
     {listener("10.0.0.1:22")},
     Refusal::kNone,
     {.policy = DeletionPolicy::kAll, .protected_remote_ports = {0}}},
    {"several sockets", {plain(), plain({.interface = 4})}, Refusal::kShared},
    {"several listeners",
     {listener("10.0.0.1:22"), listener("10.0.0.1:22")},
     Refusal::kShared,
     kAll},
    {"a dual-stack listener", {listener("[::]:22")}, Refusal::kDualStack, kAll},
    {"a dual-stack listener, were it but allowed", {listener("[::]:22")}, Refusal::kListener},
    {"a listener of IPv6 alone", {listener("[::]:22", {.v6only = true})}, Refusal::kNone, kAll},
    {"a listener on one address of IPv6", {listener("[::1]:22")}, Refusal::kNone, kAll},
    {"a subflow", {subflow()}, Refusal::kSubflow},
    {"what was to be MPTCP and is TCP", {with_role(plain(), MptcpRole::kFallback)}, Refusal::kNone},
    {"a listener of MPTCP",
     {with_role(listener("10.0.0.1:22"), MptcpRole::kSubflow)},
     Refusal::kMptcpListener,
     kAll},
    {"a listener of MPTCP, were it but allowed",
     {with_role(listener("10.0.0.1:22"), MptcpRole::kSubflow)},
     Refusal::kListener},
    {"without a cookie", {without_cookie(0)}, Refusal::kNameless},
    {"with the cookie that is none", {without_cookie(0xffffffffffffffff)}, Refusal::kNameless},
    {"half of it is a cookie", {without_cookie(0xffffffff)}, Refusal::kNone},
    {"the other half as well", {without_cookie(0xffffffff00000000)}, Refusal::kNone},
};

TEST(Judge, KnowsEveryRefusal) {
  for (const Case& c : kCases)
    expect_judged(c);
}

// What no other moment could change comes before what one could.
const Case kPrecedence[] = {
    {"protected before shared", {plain(), plain()}, Refusal::kProtectedPort, kNo22},
    {"protected, if only one of several", {plain(), listener("10.0.0.1:22")}, Refusal::kListener},
    {"remote-protected before shared", {plain(), plain()}, Refusal::kProtectedRemotePort, kNo4711},
    {"protected before subflow", {subflow()}, Refusal::kProtectedPort, kNo22},
    {"own before shared", {plain(), plain()}, Refusal::kOwnSession, {}, {ends_of(plain())}},
    {"own before minisock",
     {plain({.state = State::kTimeWait})},
     Refusal::kOwnSession,
     {},
     {ends_of(plain())},
     {State::kTimeWait}},
    {"listener before port",
     {listener("10.0.0.1:22")},
     Refusal::kListener,
     {.protected_ports = {22}}},
    {"local before remote",
     {plain()},
     Refusal::kProtectedPort,
     {.protected_ports = {22}, .protected_remote_ports = {4711}}},
    {"shared before subflow", {subflow(), subflow()}, Refusal::kShared},
    {"shared before dual-stack",
     {listener("[::]:22"), listener("0.0.0.0:22")},
     Refusal::kShared,
     kAll},
};

TEST(Judge, TellsWhatIsNeverAllowedBeforeWhatCannotBeJustNow) {
  for (const Case& c : kPrecedence)
    expect_judged(c);
}

struct OwnCase {
  const char* why;
  Ends own;
  Socket socket;
  bool protect;
};

const OwnCase kOwnCases[] = {
    {"our end", ends("10.0.0.1:4000", "10.0.0.2:705"), established("10.0.0.1:4000", "10.0.0.2:705"),
     true},
    {"the other end of it, on this host", ends("10.0.0.1:4000", "10.0.0.2:705"),
     established("10.0.0.2:705", "10.0.0.1:4000"), true},
    {"a mapped socket of ours", ends("[::ffff:10.0.0.1]:4000", "[::ffff:10.0.0.2]:705"),
     established("10.0.0.1:4000", "10.0.0.2:705"), true},
    {"a mapped socket at the other end", ends("10.0.0.1:4000", "10.0.0.2:705"),
     established("[::ffff:10.0.0.2]:705", "[::ffff:10.0.0.1]:4000"), true},
    {"link-local", ends("[fe80::1%2]:4000", "[fe80::2%2]:705"),
     established("[fe80::1%2]:4000", "[fe80::2%2]:705"), true},
    {"of a like link", ends("[fe80::1%2]:4000", "[fe80::2%2]:705"),
     established("[fe80::1%3]:4000", "[fe80::2%3]:705"), false},
    {"from another port", ends("10.0.0.1:4000", "10.0.0.2:705"),
     established("10.0.0.1:4001", "10.0.0.2:705"), false},
    {"to another port", ends("10.0.0.1:4000", "10.0.0.2:705"),
     established("10.0.0.1:4000", "10.0.0.2:706"), false},
    {"from another address", ends("10.0.0.1:4000", "10.0.0.2:705"),
     established("10.0.0.3:4000", "10.0.0.2:705"), false},
    {"the ports exchanged alone", ends("10.0.0.1:4000", "10.0.0.2:705"),
     established("10.0.0.1:705", "10.0.0.2:4000"), false},
};

TEST(Judge, ProtectsBothEndsOfOurOwnSessions) {
  for (const OwnCase& c : kOwnCases)
    expect_judged({c.why,
                   {c.socket},
                   c.protect ? Refusal::kOwnSession : Refusal::kNone,
                   {},
                   {ends("10.9.9.9:1", "10.9.9.9:2"), c.own}});
}

const Case kMinisockCases[] = {
    {"a TIME_WAIT, not yet refused", {plain({.state = State::kTimeWait})}, Refusal::kNone},
    {"a TIME_WAIT",
     {plain({.state = State::kTimeWait})},
     Refusal::kMinisock,
     {},
     {},
     {State::kTimeWait}},
    {"a request socket",
     {plain({.state = State::kSynReceived})},
     Refusal::kMinisock,
     {},
     {},
     {State::kSynReceived}},
    {"a request socket, where TIME_WAIT alone is refused",
     {plain({.state = State::kSynReceived})},
     Refusal::kNone,
     {},
     {},
     {State::kTimeWait}},
    {"a SYN_RECEIVED that a process holds",
     {plain({.state = State::kSynReceived, .inode = 7})},
     Refusal::kNone,
     {},
     {},
     {State::kSynReceived}},
    {"what is left of a FIN_WAIT_2",
     {fin_wait_2(Timer::kTimeWait)},
     Refusal::kMinisock,
     {},
     {},
     {State::kFinWait2}},
    {"an orphan in FIN_WAIT_2",
     {fin_wait_2(Timer::kKeepalive)},
     Refusal::kNone,
     {},
     {},
     {State::kFinWait2}},
    {"a FIN_WAIT_2 that a process holds",
     {fin_wait_2(Timer::kNone, 7)},
     Refusal::kNone,
     {},
     {},
     {State::kFinWait2}},
    {"any other state", {plain()}, Refusal::kNone, {}, {}, {State::kTimeWait, State::kEstablished}},
};

TEST(Judge, RefusesMinisocksOnlyOfAStateThatTheKernelHasRefused) {
  for (const Case& c : kMinisockCases)
    expect_judged(c);
}

TEST(Reason, OfEachRefusalIsAnother) {
  std::set<std::string_view> reasons;
  for (int i = 1; i <= static_cast<int>(Refusal::kNameless); ++i) {
    EXPECT_THAT(reason(static_cast<Refusal>(i)), Not(testing::IsEmpty())) << i;
    EXPECT_TRUE(reasons.insert(reason(static_cast<Refusal>(i))).second) << i;
  }
}

TEST(DeletionText, GivesOurOwnSessionAsTheReason) {
  EXPECT_EQ(reason(Refusal::kOwnSession), "it carries the session of this agent");
  EXPECT_EQ(reason(Refusal::kAbsent), "there is no such row");
}

TEST(DeletionText, NamesBothEndsAndOfAListenerItsOwn) {
  EXPECT_EQ(to_text(plain()), "10.0.0.1:22 10.0.0.9:4711");
  EXPECT_EQ(to_text(established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:1")),
            "10.0.0.1:22 10.0.0.9:1");
  EXPECT_EQ(to_text(established("[fe80::1%2]:22", "[fe80::2%2]:1")),
            "[fe80::1%2]:22 [fe80::2%2]:1");
  EXPECT_EQ(to_text(listener("[::1]:22")), "[::1]:22 *");
  EXPECT_EQ(to_text(listener("[::]:22")), "*:22 *");
}

}  // namespace
}  // namespace tcpmibd::tcp
