#include "diag/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "support/builders.h"

namespace tcpmibd::diag {
namespace {

using namespace lab;
using tcp::ConnectionQuery;
using tcp::Family;
using tcp::State;

constexpr std::uint32_t bit(unsigned state) { return 1u << state; }

TEST(StatesMask, AsksForEveryStateThatMakesARow) {
  for (const tcp::StateNames& names : tcp::kStates) {
    const bool row = names.state != State::kClosed;
    EXPECT_EQ((kAllRows & bit(names.kernel)) != 0, row) << names.mib;
  }
}

TEST(StatesMask, AsksNeitherForBoundSocketsNorForUnknownStates) {
  EXPECT_EQ(kAllRows & bit(13), 0u) << "BOUND_INACTIVE costs milliseconds";
  EXPECT_EQ(kAllRows & ~0x1ffeu, 0u);
}

TEST(StatesMask, OfListenersIsTheirsAloneAndConnectionsHaveTheRest) {
  EXPECT_EQ(kListeners, bit(10));
  EXPECT_EQ(kConnections & kListeners, 0u);
  EXPECT_EQ(kConnections | kListeners, kAllRows);
}

TEST(DumpRequest, NamesFamilyProtocolAndStatesAndNothingElse) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const inet_diag_req_v2 request = dump_request(family, kAllRows);
    inet_diag_req_v2 want{};
    want.sdiag_family = family == Family::kIpv4 ? AF_INET : AF_INET6;
    want.sdiag_protocol = IPPROTO_TCP;
    want.idiag_states = kAllRows;
    EXPECT_EQ(std::memcmp(&request, &want, sizeof want), 0) << "no extension, no filter, no cookie";
  }
}

TEST(MptcpDumpRequest, NamesTheProtocolInAnAttributeAndNoneInTheOctet) {
  const MptcpDumpRequest request = mptcp_dump_request(Family::kIpv6, kConnections, kInfo);
  inet_diag_req_v2 want{};
  want.sdiag_family = AF_INET6;
  want.sdiag_protocol = 0;  // 262 would be cut to 6: an older kernel would tell of TCP
  want.idiag_ext = kInfo;
  want.idiag_states = kConnections;
  EXPECT_EQ(std::memcmp(&request.fixed, &want, sizeof want), 0);
  EXPECT_EQ(request.header.rta_len, 8);
  EXPECT_EQ(request.header.rta_type, 3) << "INET_DIAG_REQ_PROTOCOL";
  EXPECT_EQ(request.protocol, 262u);
}

TEST(StatesMask, OfSomeIsTheirsAndOfNoneNamedThatOfEveryRow) {
  EXPECT_EQ(bits_of({}), kAllRows);
  constexpr State kSome[] = {State::kCloseWait, State::kTimeWait};
  EXPECT_EQ(bits_of(kSome), bit(8) | bit(6));
  constexpr State kNoRow[] = {State::kClosed};
  EXPECT_EQ(bits_of(kNoRow), 0u);
}

// As the kernel runs it (inet_diag_bc_run()), for the four comparisons it has.
bool passes(const PortDumpRequest& request, std::uint16_t local, std::uint16_t remote) {
  constexpr int kStep = sizeof(inet_diag_bc_op);
  int left = sizeof request.program;
  for (const inet_diag_bc_op* op = request.program.data(); left > 0;) {
    const std::uint16_t port = op[1].no;
    bool yes = true;
    switch (op->code) {
      case INET_DIAG_BC_JMP:
        yes = false;
        break;
      case INET_DIAG_BC_S_GE:
        yes = local >= port;
        break;
      case INET_DIAG_BC_S_LE:
        yes = local <= port;
        break;
      case INET_DIAG_BC_D_GE:
        yes = remote >= port;
        break;
      default:
        yes = remote <= port;
    }
    const int step = yes ? op->yes : op->no;
    left -= step;
    op += step / kStep;
  }
  return left == 0;
}

TEST(PortDumpRequest, TellsOfThePortAtEitherEndAndOfNoOther) {
  const inet_diag_req_v2 dump = dump_request(Family::kIpv6, kConnections, kMemory);
  const PortDumpRequest request = port_dump_request(dump, 443);
  EXPECT_EQ(std::memcmp(&request.fixed, &dump, sizeof dump), 0);
  EXPECT_EQ(request.header.rta_type, INET_DIAG_REQ_BYTECODE);
  EXPECT_EQ(request.header.rta_len, 4u + sizeof request.program);
  for (const std::uint16_t other : std::initializer_list<std::uint16_t>{0, 1, 442, 444, 65535}) {
    EXPECT_TRUE(passes(request, 443, other)) << other;
    EXPECT_TRUE(passes(request, other, 443)) << other;
    EXPECT_FALSE(passes(request, other, other)) << other;
  }
}

// As the kernel runs it: the condition holds for a v4-mapped socket.
bool passes(const MappedDumpRequest& request, bool is_mapped) {
  constexpr int kProgram = sizeof request - sizeof request.fixed - sizeof request.header;
  int left = kProgram - (is_mapped ? request.when.yes : request.when.no);
  if (left == sizeof(inet_diag_bc_op))
    left -= request.then.code == INET_DIAG_BC_JMP ? request.then.no : request.then.yes;
  return left == 0;
}

TEST(MappedDumpRequestTest, TellsOfThoseThatSpeakIpv4OrOfTheOthers) {
  const inet_diag_req_v2 dump = dump_request(Family::kIpv6, kEstablished);
  for (const bool mapped : {false, true}) {
    const MappedDumpRequest request = mapped_dump_request(dump, mapped);
    EXPECT_EQ(std::memcmp(&request.fixed, &dump, sizeof dump), 0);
    EXPECT_EQ(request.header.rta_type, INET_DIAG_REQ_BYTECODE);
    EXPECT_EQ(request.header.rta_len, 24u);
    EXPECT_EQ(request.when.code, INET_DIAG_BC_D_COND);
    EXPECT_EQ(request.family, AF_INET);
    EXPECT_EQ(request.prefix_length, 0);
    EXPECT_EQ(request.port, -1);
    EXPECT_EQ(passes(request, true), mapped);
    EXPECT_EQ(passes(request, false), !mapped);
  }
}

ConnectionQuery query_for(const tcp::Socket& socket) {
  ConnectionQuery query;
  query.family = socket.id.family;
  query.local = socket.id.local;
  query.remote = socket.id.remote;
  return query;
}

TEST(LookupRequest, CarriesTheEndsInNetworkOrder) {
  const inet_diag_req_v2 request =
      lookup_request(query_for(established("10.0.0.1:22", "192.168.1.2:4711")), 0);
  const std::uint8_t local[16] = {10, 0, 0, 1};
  const std::uint8_t remote[16] = {192, 168, 1, 2};
  EXPECT_EQ(request.sdiag_family, AF_INET);
  EXPECT_EQ(request.sdiag_protocol, IPPROTO_TCP);
  EXPECT_EQ(std::memcmp(request.id.idiag_src, local, sizeof local), 0);
  EXPECT_EQ(std::memcmp(request.id.idiag_dst, remote, sizeof remote), 0);
  EXPECT_EQ(ntohs(request.id.idiag_sport), 22);
  EXPECT_EQ(ntohs(request.id.idiag_dport), 4711);
}

TEST(LookupRequest, NamesTheInterfaceAndNoCookie) {
  const inet_diag_req_v2 request =
      lookup_request(query_for(established("[fe80::1%2]:22", "[fe80::2%2]:9")), 2);
  EXPECT_EQ(request.sdiag_family, AF_INET6);
  EXPECT_EQ(request.id.idiag_if, 2u);
  EXPECT_EQ(request.id.idiag_cookie[0], static_cast<std::uint32_t>(INET_DIAG_NOCOOKIE));
  EXPECT_EQ(request.id.idiag_cookie[1], static_cast<std::uint32_t>(INET_DIAG_NOCOOKIE));
}

struct DestroyCase {
  const char* why;
  tcp::Socket socket;
  std::uint8_t family;
  std::uint32_t interface;
};

const DestroyCase kDestroyCases[] = {
    {"IPv4", established("10.0.0.1:22", "192.168.1.2:4711"), AF_INET, 0},
    {"bound to a device", established("10.0.0.1:22", "192.168.1.2:4711", {.interface = 7}), AF_INET,
     7},
    {"IPv6", established("[2001:db8::1]:22", "[2001:db8::2]:4711"), AF_INET6, 0},
    {"v4-mapped stays as it was found",
     established("[::ffff:10.0.0.1]:22", "[::ffff:192.168.1.2]:4711"), AF_INET6, 0},
    {"link-local", established("[fe80::1%2]:22", "[fe80::2%2]:4711"), AF_INET6, 2},
    {"a listener", listener("[::]:22", {.interface = 3}), AF_INET6, 3},
};

TEST(DestroyRequest, NamesTheSocketAsItWasFound) {
  for (const DestroyCase& c : kDestroyCases) {
    SCOPED_TRACE(c.why);
    const tcp::SocketId& id = c.socket.id;
    const inet_diag_req_v2 request = destroy_request(id);
    EXPECT_EQ(request.sdiag_family, c.family);
    EXPECT_EQ(request.sdiag_protocol, IPPROTO_TCP);
    EXPECT_EQ(request.idiag_ext, 0);
    EXPECT_EQ(std::memcmp(request.id.idiag_src, id.local.address.data(), 16), 0);
    EXPECT_EQ(std::memcmp(request.id.idiag_dst, id.remote.address.data(), 16), 0);
    EXPECT_EQ(ntohs(request.id.idiag_sport), id.local.port);
    EXPECT_EQ(ntohs(request.id.idiag_dport), id.remote.port);
    EXPECT_EQ(request.id.idiag_if, c.interface);
  }
}

TEST(DestroyRequest, CarriesTheCookieInTwoWordsTheLowOneFirst) {
  struct Cookie {
    std::uint64_t cookie;
    std::uint32_t low;
    std::uint32_t high;
  };
  constexpr Cookie kCookies[] = {
      {1, 1, 0},
      {0x1'0000'0000, 0, 1},
      {0xfedc'ba98'7654'3210, 0x7654'3210, 0xfedc'ba98},
      {0xffff'ffff, 0xffff'ffff, 0},
  };
  for (const Cookie& c : kCookies) {
    const inet_diag_req_v2 request =
        destroy_request(established("10.0.0.1:22", "10.0.0.9:1", {.cookie = c.cookie}).id);
    EXPECT_EQ(request.id.idiag_cookie[0], c.low) << c.cookie;
    EXPECT_EQ(request.id.idiag_cookie[1], c.high) << c.cookie;
  }
}

struct AnswerCase {
  const char* why;
  tcp::Socket asked;
  tcp::Socket found;
  bool answers;
};

const AnswerCase kAnswerCases[] = {
    {"itself", established("10.0.0.1:22", "10.0.0.9:1"), established("10.0.0.1:22", "10.0.0.9:1"),
     true},
    {"in any state", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.1:22", "10.0.0.9:1", {.state = State::kTimeWait}), true},
    {"on any interface", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.1:22", "10.0.0.9:1", {.interface = 4}), true},
    {"a mapped socket to a plain question", established("10.0.0.1:22", "10.0.0.9:1"),
     established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:1"), true},
    {"a plain socket to a mapped question",
     established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:1"),
     established("10.0.0.1:22", "10.0.0.9:1"), true},
    {"IPv6", established("[::1]:22", "[::1]:1"), established("[::1]:22", "[::1]:1"), true},
    {"link-local", established("[fe80::1%2]:22", "[fe80::2%2]:1"),
     established("[fe80::1%2]:22", "[fe80::2%2]:1"), true},
    {"the listener on the port", established("10.0.0.1:22", "10.0.0.9:1"), listener("0.0.0.0:22"),
     false},
    {"a listener on just that address", established("10.0.0.1:22", "0.0.0.0:0"),
     listener("10.0.0.1:22"), false},
    {"another remote port", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.1:22", "10.0.0.9:2"), false},
    {"another local port", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.1:23", "10.0.0.9:1"), false},
    {"another remote address", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.1:22", "10.0.0.8:1"), false},
    {"another local address", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.2:22", "10.0.0.9:1"), false},
    {"the ends exchanged", established("10.0.0.1:22", "10.0.0.9:1"),
     established("10.0.0.9:1", "10.0.0.1:22"), false},
};

TEST(Answers, OnlyTheConnectionThatWasAskedFor) {
  for (const AnswerCase& c : kAnswerCases)
    EXPECT_EQ(answers(c.found, query_for(c.asked)), c.answers) << c.why;
}

}  // namespace
}  // namespace tcpmibd::diag
