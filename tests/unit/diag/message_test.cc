#include "diag/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "support/builders.h"
#include "support/golden.h"

namespace tcpmibd::diag {
namespace {

using namespace lab;

// One whole attribute, padded as the kernel pads it.
std::vector<std::byte> attribute(int type, const std::vector<std::byte>& value) {
  const rtattr header{.rta_len = static_cast<std::uint16_t>(sizeof(rtattr) + value.size()),
                      .rta_type = static_cast<std::uint16_t>(type)};
  std::vector<std::byte> bytes(RTA_ALIGN(header.rta_len));
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(value, bytes.begin() + sizeof header);
  return bytes;
}

std::vector<std::byte> octets(std::string_view text) {
  std::vector<std::byte> bytes;
  for (const char c : text)
    bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

std::vector<std::byte> joined(std::vector<std::byte> a, const std::vector<std::byte>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<std::byte> word_of(std::uint32_t value) {
  std::vector<std::byte> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// Of <linux/mptcp.h>, as numbers.
constexpr int kUlpInfoMptcp = 3;  // INET_ULP_INFO_MPTCP
constexpr int kSubflowFlags = 8;  // MPTCP_SUBFLOW_ATTR_FLAGS
constexpr std::uint32_t kCapableRemote = 1 << 0, kCapableLocal = 1 << 1, kJoinRemote = 1 << 2,
                        kJoinLocal = 1 << 3, kFullyEstablished = 1 << 6, kConnected = 1 << 7,
                        kMapValid = 1 << 8;

// INET_DIAG_ULP_INFO as the kernel nests it: the protocol's name, and with it its own details.
std::vector<std::byte> ulp_info(std::string_view name, int flags = 0) {
  const std::vector<std::byte> details(32, std::byte{1});
  return attribute(INET_DIAG_ULP_INFO | flags,
                   joined(attribute(INET_ULP_INFO_NAME, octets(name)),
                          attribute(kUlpInfoMptcp | NLA_F_NESTED, details)));
}

// The same with a subflow's details, of which `details` are the last.
std::vector<std::byte> subflow_info(const std::vector<std::byte>& details) {
  const std::vector<std::byte> token = attribute(2, word_of(0x1234));
  return attribute(INET_DIAG_ULP_INFO, joined(attribute(INET_ULP_INFO_NAME, octets({"mptcp\0", 6})),
                                              attribute(kUlpInfoMptcp, joined(token, details))));
}

// A recorded socket with attributes behind its own; at the end of an allocation of just its size,
// for the address sanitizer to watch.
tcp::Socket read(const char* golden, const std::vector<std::byte>& attributes,
                 Parsed (*parse)(Bytes, tcp::Socket&) = &parse_message) {
  const std::vector<std::byte> bytes = joined(recording(golden).bytes, attributes);
  const std::unique_ptr<std::byte[]> tight(new std::byte[bytes.size()]);
  std::ranges::copy(bytes, tight.get());
  tcp::Socket socket;
  EXPECT_EQ(parse(Bytes(tight.get(), bytes.size()), socket), Parsed::kSocket);
  return socket;
}

using namespace std::string_view_literals;

struct UlpCase {
  const char* why;
  std::vector<std::byte> attributes;
  tcp::MptcpRole role;
};

constexpr tcp::MptcpRole kNone = tcp::MptcpRole::kNone;
constexpr tcp::MptcpRole kSubflow = tcp::MptcpRole::kSubflow;
constexpr tcp::MptcpRole kFallback = tcp::MptcpRole::kFallback;

const UlpCase kUlpCases[] = {
    {"none", {}, kNone},
    {"mptcp", ulp_info("mptcp\0"sv), kSubflow},
    {"mptcp, flagged as nested", ulp_info("mptcp\0"sv, NLA_F_NESTED), kSubflow},
    {"another protocol", ulp_info("tls\0"sv), kNone},
    {"a name that is cut", ulp_info("mptc"), kNone},
    {"no name", ulp_info(""), kNone},
    {"nothing inside", attribute(INET_DIAG_ULP_INFO, {}), kNone},
    {"the name alone, without its attribute", attribute(INET_DIAG_ULP_INFO, octets("mptcp\0"sv)),
     kNone},
    {"the name elsewhere", attribute(INET_DIAG_CONG, octets("mptcp\0"sv)), kNone},
    {"after the bulk of INET_DIAG_INFO",
     joined(attribute(INET_DIAG_INFO, std::vector<std::byte>(280)), ulp_info("mptcp\0"sv)),
     kSubflow},
};

TEST(UlpInfo, TellsASubflowOfMptcp) {
  for (const UlpCase& c : kUlpCases) {
    EXPECT_EQ(read("established_ipv4", c.attributes).mptcp, c.role) << c.why;
    EXPECT_EQ(read("listen_v6only", c.attributes).mptcp, c.role) << c.why << ", of a listener";
  }
}

// Nobody else could refuse IPv4.
TEST(V6Only, IsToldOfListenersAlone) {
  const auto refuses = attribute(INET_DIAG_SKV6ONLY, {std::byte{1}});
  EXPECT_TRUE(read("listen_v6only", refuses).v6only);
  EXPECT_FALSE(read("established_ipv6", refuses).v6only);
}

struct FlagsCase {
  const char* why;
  std::uint32_t flags;
  tcp::MptcpRole role;
};

const FlagsCase kFlagsCases[] = {
    {"nothing is said", 0, kSubflow},
    {"a SYN is under way", kCapableLocal, kSubflow},
    {"a SYN to join is under way", kJoinLocal, kSubflow},
    {"both ends can", kCapableLocal | kCapableRemote | kConnected, kSubflow},
    {"both ends can, and have exchanged data",
     kCapableLocal | kCapableRemote | kConnected | kFullyEstablished | kMapValid, kSubflow},
    {"the server's end", kCapableRemote | kConnected | kFullyEstablished, kSubflow},
    {"it has joined", kJoinLocal | kJoinRemote | kConnected, kSubflow},
    {"it was joined", kJoinRemote | kConnected, kSubflow},
    {"it wants to join, and nobody has said yes", kJoinLocal | kConnected, kSubflow},
    {"the other end has answered in plain TCP", kCapableLocal | kConnected, kFallback},
    {"likewise, with data", kCapableLocal | kConnected | kMapValid | kFullyEstablished, kFallback},
    {"whatever newer kernels may say beside it", kCapableLocal | kConnected | 1U << 31, kFallback},
};

TEST(UlpInfo, TellsWhoHasFallenBackToPlainTcp) {
  for (const FlagsCase& c : kFlagsCases) {
    const auto info = subflow_info(attribute(kSubflowFlags, word_of(c.flags)));
    EXPECT_EQ(read("established_ipv4", info).mptcp, c.role) << c.why;
  }
}

TEST(UlpInfo, WithoutFlagsTellsNoFallback) {
  const std::vector<std::byte> flags = word_of(kCapableLocal | kConnected);
  const std::vector<std::byte> cut(flags.begin(), flags.begin() + 3);
  for (const auto& details : {std::vector<std::byte>(), attribute(kSubflowFlags, {}),
                              attribute(kSubflowFlags, cut), attribute(kSubflowFlags + 1, flags)})
    EXPECT_EQ(read("established_ipv4", subflow_info(details)).mptcp, kSubflow) << details.size();
}

TEST(UlpInfo, ThatIsCutAnywhereTellsNoFallback) {
  const std::vector<std::byte> whole =
      subflow_info(attribute(kSubflowFlags, word_of(kCapableLocal | kConnected)));
  ASSERT_EQ(read("established_ipv4", whole).mptcp, kFallback);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_NE(read("established_ipv4", cut).mptcp, kFallback) << size;
  }
}

// ---- MPTCP connections ----

// struct mptcp_info, with another number in each of its last three words.
std::vector<std::byte> mptcp_info_of(std::size_t size) {
  std::vector<std::byte> info(size, std::byte{7});
  std::uint32_t number = 100;
  for (std::size_t at = 84; at + sizeof number <= info.size() && at <= 92; at += sizeof number) {
    std::memcpy(info.data() + at, &number, sizeof number);
    number += 100;
  }
  return attribute(INET_DIAG_INFO, info);
}

TEST(MptcpMessage, TellsTheTimeSinceTheLastAckWhereThisKernelDoes) {
  EXPECT_EQ(read("close_wait_ipv4", mptcp_info_of(96), &parse_mptcp_message).quiet_ms, 300u);
  EXPECT_EQ(read("close_wait_ipv4", mptcp_info_of(104), &parse_mptcp_message).quiet_ms, 300u);
  EXPECT_EQ(read("close_wait_ipv4", mptcp_info_of(92), &parse_mptcp_message).quiet_ms, 0u);
  EXPECT_EQ(read("close_wait_ipv4", mptcp_info_of(48), &parse_mptcp_message).quiet_ms, 0u);
  EXPECT_EQ(read("close_wait_ipv4", {}, &parse_mptcp_message).quiet_ms, 0u);
}

TEST(MptcpMessage, IsOtherwiseReadAsOneOfTcp) {
  EXPECT_EQ(read("close_wait_ipv4", {}, &parse_mptcp_message), read("close_wait_ipv4", {}));
}

// The recording as of a connection in this state (TCP_… of <linux/tcp_states.h>) and inode.
tcp::State state_told(std::uint8_t state, std::uint32_t inode,
                      const std::vector<std::byte>& shutdown) {
  std::vector<std::byte> bytes = recording("close_wait_ipv4").bytes;
  bytes[1] = std::byte{state};
  std::memcpy(bytes.data() + offsetof(inet_diag_msg, idiag_inode), &inode, sizeof inode);
  bytes.resize(sizeof(inet_diag_msg));
  bytes = joined(bytes, attribute(INET_DIAG_SHUTDOWN, shutdown));
  tcp::Socket socket;
  EXPECT_EQ(parse_mptcp_message(bytes, socket), Parsed::kSocket);
  return socket.state;
}

TEST(MptcpMessage, OfALeakThatHasLostItsSubflowsIsOneOfCloseWait) {
  constexpr std::uint8_t kClosed = 7, kEstablished = 1, kCloseWait = 8;
  const auto by = [](std::uint8_t ends) { return std::vector<std::byte>{std::byte{ends}}; };
  EXPECT_EQ(state_told(kClosed, 9, by(1)), tcp::State::kCloseWait);
  EXPECT_EQ(state_told(kClosed, 9, by(0)), tcp::State::kClosed) << "it was reset";
  EXPECT_EQ(state_told(kClosed, 9, by(2)), tcp::State::kClosed);
  EXPECT_EQ(state_told(kClosed, 9, by(3)), tcp::State::kClosed) << "both ends have closed";
  EXPECT_EQ(state_told(kClosed, 9, {}), tcp::State::kClosed) << "nothing is said of it";
  EXPECT_EQ(state_told(kClosed, 0, by(1)), tcp::State::kClosed) << "nobody holds it";
  EXPECT_EQ(state_told(kEstablished, 9, by(1)), tcp::State::kEstablished);
  EXPECT_EQ(state_told(kCloseWait, 9, by(1)), tcp::State::kCloseWait);
}

// Of TCP a call without its timer keeps its SYN back, and the kernel tells nonsense of its queue.
// An MPTCP connection never has that timer.
TEST(MptcpMessage, OfACallUnderWayKeepsItsQueue) {
  std::vector<std::byte> bytes = recording("close_wait_ipv4").bytes;
  bytes[1] = std::byte{2};  // TCP_SYN_SENT
  bytes[offsetof(inet_diag_msg, idiag_timer)] = std::byte{0};
  const std::uint32_t queue = 700;
  std::memcpy(bytes.data() + offsetof(inet_diag_msg, idiag_wqueue), &queue, sizeof queue);
  tcp::Socket socket;
  ASSERT_EQ(parse_mptcp_message(bytes, socket), Parsed::kSocket);
  EXPECT_EQ(socket.state, tcp::State::kSynSent);
  EXPECT_EQ(socket.send_queue, queue);
  ASSERT_EQ(parse_message(bytes, socket), Parsed::kSocket);
  EXPECT_EQ(socket.send_queue, 0U);
}

TEST(MptcpMessage, ThatIsCutOrOfAnotherKindIsNoConnection) {
  std::vector<std::byte> bytes = recording("close_wait_ipv4").bytes;
  tcp::Socket socket;
  for (std::size_t size = 0; size < sizeof(inet_diag_msg); ++size)
    EXPECT_EQ(parse_mptcp_message(Bytes(bytes).first(size), socket), Parsed::kMalformed) << size;
  std::vector<std::byte> foreign = bytes;
  foreign[0] = std::byte{1};  // AF_UNIX
  EXPECT_EQ(parse_mptcp_message(foreign, socket), Parsed::kMalformed);
  std::vector<std::byte> strange = bytes;
  strange[1] = std::byte{99};
  EXPECT_EQ(parse_mptcp_message(strange, socket), Parsed::kUnknownState);
  EXPECT_EQ(socket, tcp::Socket());
}

TEST(UlpInfo, ChangesNothingElse) {
  tcp::Socket with = read("established_ipv4", ulp_info("mptcp\0"sv));
  with.mptcp = kNone;
  EXPECT_EQ(with, read("established_ipv4", {}));
}

TEST(UlpInfo, ThatIsCutAnywhereIsNotBelieved) {
  const std::vector<std::byte> whole = ulp_info("mptcp\0"sv);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(
        read("established_ipv4", {whole.begin(), whole.begin() + static_cast<long>(size)}).mptcp,
        kNone)
        << size;
}

TEST(UlpInfo, WithEveryByteAtEveryPlaceIsSurvived) {
  std::vector<std::byte> bytes = ulp_info("mptcp\0"sv);
  for (std::byte& byte : bytes) {
    const std::byte real = byte;
    for (unsigned value = 0; value < 256; value += 3) {
      byte = static_cast<std::byte>(value);
      read("established_ipv4", bytes);
    }
    byte = real;
  }
}

// ---- A send queue that means nothing

struct SynCase {
  const char* why;
  std::uint8_t state;  // TCP_SYN_SENT, …
  std::uint8_t timer;  // as idiag_timer tells it
  std::uint32_t want;
};

constexpr std::uint32_t kOctets = 2'138'317'852;

constexpr SynCase kSynCases[] = {
    {"the SYN was not sent", 2, 0, 0}, {"not sent, and kept alive", 2, 2, 0},
    {"sent", 2, 1, kOctets},           {"established", 1, 0, kOctets},
    {"a backlog", 10, 0, kOctets},
};

TEST(SendQueue, OfASynThatWasNotSentIsNone) {
  for (const SynCase& c : kSynCases) {
    std::vector<std::byte> bytes = recording("established_ipv4").bytes;
    inet_diag_msg message;
    std::memcpy(&message, bytes.data(), sizeof message);
    message.idiag_state = c.state;
    message.idiag_timer = c.timer;
    message.idiag_wqueue = kOctets;
    std::memcpy(bytes.data(), &message, sizeof message);
    tcp::Socket socket;
    ASSERT_EQ(parse_message(bytes, socket), Parsed::kSocket) << c.why;
    EXPECT_EQ(socket.send_queue, c.want) << c.why;
  }
}

}  // namespace
}  // namespace tcpmibd::diag
