#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "diag/message.h"
#include "support/builders.h"
#include "support/golden.h"
#include "support/random.h"
#include "tcp/snapshot.h"

// Whatever bytes arrive, the parser reads them and no others. The address sanitizer watches: each
// message lies at the end of an allocation of just its size.

namespace tcpmibd::diag {
namespace {

using namespace lab;

constexpr std::size_t kFixedSize = sizeof(inet_diag_msg);

struct Read {
  Parsed result;
  tcp::Socket socket;
};

Read read(Bytes bytes) {
  const std::unique_ptr<std::byte[]> tight(new std::byte[bytes.size()]);
  std::ranges::copy(bytes, tight.get());
  Read read{};
  read.result = parse_message(Bytes(tight.get(), bytes.size()), read.socket);
  tcp::Socket connection;
  EXPECT_EQ(parse_mptcp_message(Bytes(tight.get(), bytes.size()), connection), read.result);
  return read;
}

std::vector<std::byte> listen_message() { return recording("listen_v6only").bytes; }

class EveryRecording : public testing::TestWithParam<Recording> {};

TEST_P(EveryRecording, CutShortOfTheFixedPartIsMalformed) {
  for (std::size_t size = 0; size < kFixedSize; ++size)
    EXPECT_EQ(read(Bytes(GetParam().bytes).first(size)).result, Parsed::kMalformed) << size;
}

TEST_P(EveryRecording, CutAmongTheAttributesLosesNothingButThem) {
  const Read whole = read(GetParam().bytes);
  for (std::size_t size = kFixedSize; size < GetParam().bytes.size(); ++size) {
    Read cut = read(Bytes(GetParam().bytes).first(size));
    ASSERT_EQ(cut.result, Parsed::kSocket) << size;
    cut.socket.v6only = whole.socket.v6only;
    cut.socket.cgroup = whole.socket.cgroup;
    EXPECT_EQ(cut.socket, whole.socket) << size;
  }
}

TEST_P(EveryRecording, WithEveryBitFlippedIsSurvivedWholeAndCut) {
  std::vector<std::byte> bytes = GetParam().bytes;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1u << bit % 8);
    bytes[bit / 8] ^= mask;
    const Read whole = read(bytes);
    EXPECT_TRUE(whole.result != Parsed::kMalformed || bit / 8 == 0) << "bit " << bit;
    for (std::size_t size = kFixedSize; size < bytes.size(); ++size)
      read(Bytes(bytes).first(size));
    bytes[bit / 8] ^= mask;
  }
}

TEST_P(EveryRecording, WithEveryByteAtEveryPlaceIsSurvived) {
  std::vector<std::byte> bytes = GetParam().bytes;
  for (std::byte& byte : bytes) {
    const std::byte real = byte;
    for (unsigned value = 0; value < 256; ++value) {
      byte = static_cast<std::byte>(value);
      read(bytes);
    }
    byte = real;
  }
}

TEST_P(EveryRecording, WithAnotherStateIsReadOrCountedNeverGuessed) {
  std::vector<std::byte> bytes = GetParam().bytes;
  const std::size_t state_at = offsetof(inet_diag_msg, idiag_state);
  for (unsigned number = 0; number < 256; ++number) {
    bytes[state_at] = static_cast<std::byte>(number);
    const bool known = number >= 1 && number <= 12;  // <linux/tcp_states.h> up to NEW_SYN_RECV
    EXPECT_EQ(read(bytes).result, known ? Parsed::kSocket : Parsed::kUnknownState) << number;
  }
}

TEST_P(EveryRecording, OfAForeignFamilyIsMalformed) {
  std::vector<std::byte> bytes = GetParam().bytes;
  for (unsigned family = 0; family < 256; ++family) {
    bytes[offsetof(inet_diag_msg, idiag_family)] = static_cast<std::byte>(family);
    const bool ours = family == AF_INET || family == AF_INET6;
    EXPECT_EQ(read(bytes).result, ours ? Parsed::kSocket : Parsed::kMalformed) << family;
  }
}

INSTANTIATE_TEST_SUITE_P(Golden, EveryRecording, testing::ValuesIn(recordings()),
                         [](const auto& golden) { return golden.param.name; });

TEST(Message, ThatIsNoSocketLeavesTheSocketAlone) {
  std::vector<std::byte> bytes = listen_message();
  const tcp::Socket before = established("10.0.0.1:22", "10.0.0.9:4711");
  tcp::Socket socket = before;
  bytes[offsetof(inet_diag_msg, idiag_state)] = std::byte{13};
  EXPECT_EQ(parse_message(bytes, socket), Parsed::kUnknownState);
  EXPECT_EQ(parse_message(Bytes(bytes).first(10), socket), Parsed::kMalformed);
  EXPECT_EQ(socket, before);
}

TEST(Message, OfAnUnknownStateIsCountedAndMakesNoRow) {
  tcp::SnapshotBuilder builder{tcp::AddressForms{}};
  builder.add_unknown();
  builder.add_unknown();
  const tcp::Snapshot snapshot = builder.finish();
  EXPECT_EQ(snapshot.unknown_states(), 2u);
  EXPECT_EQ(snapshot.rows(), 0u);
}

// One attribute that claims `length` octets of which `value` are there.
std::vector<std::byte> attribute(std::uint16_t length, std::uint16_t type,
                                 std::vector<std::byte> value) {
  const rtattr header{.rta_len = length, .rta_type = type};
  std::vector<std::byte> bytes(sizeof header + value.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(value, bytes.begin() + sizeof header);
  return bytes;
}

constexpr std::byte kYes{1};
constexpr std::byte kPad{0};

struct AttributeCase {
  const char* why;
  std::vector<std::byte> attributes;
  bool v6only;
};

std::vector<std::byte> joined(std::vector<std::byte> a, const std::vector<std::byte>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const AttributeCase kAttributeCases[] = {
    {"none", {}, false},
    {"padded", attribute(5, INET_DIAG_SKV6ONLY, {kYes, kPad, kPad, kPad}), true},
    {"the last need not be padded", attribute(5, INET_DIAG_SKV6ONLY, {kYes}), true},
    {"without a value", attribute(4, INET_DIAG_SKV6ONLY, {}), false},
    {"shorter than itself", attribute(3, INET_DIAG_SKV6ONLY, {kYes}), false},
    {"of no length", attribute(0, INET_DIAG_SKV6ONLY, {kYes, kPad, kPad, kPad}), false},
    {"longer than what is left", attribute(6, INET_DIAG_SKV6ONLY, {kYes}), false},
    {"of the greatest length", attribute(0xffff, INET_DIAG_SKV6ONLY, {kYes}), false},
    {"of another type", attribute(5, INET_DIAG_SHUTDOWN, {kYes}), false},
    {"after one of another type",
     joined(attribute(5, INET_DIAG_SHUTDOWN, {kPad, kPad, kPad, kPad}),
            attribute(5, INET_DIAG_SKV6ONLY, {kYes})),
     true},
    {"after one whose padding is cut",
     joined(attribute(5, INET_DIAG_SHUTDOWN, {kPad}), attribute(5, INET_DIAG_SKV6ONLY, {kYes})),
     false},
    {"after one that is broken",
     joined(attribute(0, INET_DIAG_SHUTDOWN, {}), attribute(5, INET_DIAG_SKV6ONLY, {kYes})), false},
};

TEST(Message, AttributesAreBelievedOnlyWhereTheyAreWhole) {
  std::vector<std::byte> fixed = listen_message();
  fixed.resize(kFixedSize);
  for (const AttributeCase& c : kAttributeCases)
    EXPECT_EQ(read(joined(fixed, c.attributes)).socket.v6only, c.v6only) << c.why;
}

TEST(Message, OfRandomBytesIsSurvived) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bytes(random.below(200));
    for (std::byte& byte : bytes)
      byte = static_cast<std::byte>(random.below(256));
    if (!bytes.empty() && random.chance(90))
      bytes[0] = static_cast<std::byte>(random.chance(50) ? AF_INET : AF_INET6);
    if (bytes.size() > 1 && random.chance(90))
      bytes[1] = static_cast<std::byte>(random.below(13));
    read(bytes);
  }
}

}  // namespace
}  // namespace tcpmibd::diag
