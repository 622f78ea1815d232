#include "diag/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>

#include <algorithm>
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

// INET_DIAG_ULP_INFO as the kernel nests it: the protocol's name, and with it its own details.
std::vector<std::byte> ulp_info(std::string_view name, int flags = 0) {
  constexpr int kUlpInfoMptcp = 3;  // INET_ULP_INFO_MPTCP
  const std::vector<std::byte> details(32, std::byte{1});
  return attribute(INET_DIAG_ULP_INFO | flags,
                   joined(attribute(INET_ULP_INFO_NAME, octets(name)),
                          attribute(kUlpInfoMptcp | NLA_F_NESTED, details)));
}

// A recorded socket with attributes behind its own; at the end of an allocation of just its size,
// for the address sanitizer to watch.
tcp::Socket read(const char* golden, const std::vector<std::byte>& attributes) {
  const std::vector<std::byte> bytes = joined(recording(golden).bytes, attributes);
  const std::unique_ptr<std::byte[]> tight(new std::byte[bytes.size()]);
  std::ranges::copy(bytes, tight.get());
  tcp::Socket socket;
  EXPECT_EQ(parse_message(Bytes(tight.get(), bytes.size()), socket), Parsed::kSocket);
  return socket;
}

using namespace std::string_view_literals;

struct UlpCase {
  const char* why;
  std::vector<std::byte> attributes;
  bool mptcp;
};

const UlpCase kUlpCases[] = {
    {"none", {}, false},
    {"mptcp", ulp_info("mptcp\0"sv), true},
    {"mptcp, flagged as nested", ulp_info("mptcp\0"sv, NLA_F_NESTED), true},
    {"another protocol", ulp_info("tls\0"sv), false},
    {"a name that is cut", ulp_info("mptc"), false},
    {"no name", ulp_info(""), false},
    {"nothing inside", attribute(INET_DIAG_ULP_INFO, {}), false},
    {"the name alone, without its attribute", attribute(INET_DIAG_ULP_INFO, octets("mptcp\0"sv)),
     false},
    {"the name elsewhere", attribute(INET_DIAG_CONG, octets("mptcp\0"sv)), false},
    {"after the bulk of INET_DIAG_INFO",
     joined(attribute(INET_DIAG_INFO, std::vector<std::byte>(280)), ulp_info("mptcp\0"sv)), true},
};

TEST(UlpInfo, TellsASubflowOfMptcp) {
  for (const UlpCase& c : kUlpCases) {
    EXPECT_EQ(read("established_ipv4", c.attributes).mptcp, c.mptcp) << c.why;
    EXPECT_EQ(read("listen_v6only", c.attributes).mptcp, c.mptcp) << c.why << ", of a listener";
  }
}

TEST(UlpInfo, ChangesNothingElse) {
  tcp::Socket with = read("established_ipv4", ulp_info("mptcp\0"sv));
  with.mptcp = false;
  EXPECT_EQ(with, read("established_ipv4", {}));
}

TEST(UlpInfo, ThatIsCutAnywhereIsNotBelieved) {
  const std::vector<std::byte> whole = ulp_info("mptcp\0"sv);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(
        read("established_ipv4", {whole.begin(), whole.begin() + static_cast<long>(size)}).mptcp)
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
