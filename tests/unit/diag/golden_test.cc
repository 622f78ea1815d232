#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <set>

#include "diag/message.h"
#include "support/builders.h"
#include "support/golden.h"

// What a real kernel sent, and the socket that must be read from it.

namespace tcpmibd::diag {
namespace {

using namespace lab;
using tcp::State;
using tcp::Timer;

// What the kernel told beside the options of a builder.
struct Extras {
  Timer timer = Timer::kNone;
  std::uint32_t expires_ms = 0;
  std::uint32_t receive_queue = 0;
  std::uint32_t send_queue = 0;
};

tcp::Socket with(tcp::Socket socket, const Extras& extras) {
  socket.timer = extras.timer;
  socket.expires_ms = extras.expires_ms;
  socket.receive_queue = extras.receive_queue;
  socket.send_queue = extras.send_queue;
  return socket;
}

struct Golden {
  const char* name;
  tcp::Socket want;
  Parsed (*parse)(Bytes, tcp::Socket&) = &parse_message;
};

constexpr Extras kBacklog{.send_queue = 128};

// All were recorded in the root cgroup; minisocks tell none.
// clang-format off
const Golden kGolden[] = {
    {"established_ipv4", with(established("127.0.0.1:7001", "127.0.0.1:40001", {.inode = 139978, .cookie = 0x333a, .cgroup = 1}), {.receive_queue = 5})},
    {"established_ipv6", established("[2001:db8::1]:7002", "[2001:db8::1]:40002", {.inode = 139981, .cookie = 0x3345, .cgroup = 1})},
    {"established_mapped", established("[::ffff:127.0.0.1]:7003", "[::ffff:127.0.0.1]:40003", {.inode = 139985, .cookie = 0x3347, .cgroup = 1})},
    {"established_link_local", established("[fe80::1%1]:7006", "[fe80::1%1]:40006", {.inode = 139993, .cookie = 0x3346, .cgroup = 1})},
    {"close_wait_ipv4", with(established("127.0.0.1:40008", "127.0.0.1:7001", {.state = State::kCloseWait, .inode = 139996, .cookie = 0x333d, .cgroup = 1}), {.receive_queue = 1})},
    {"fin_wait2_orphan", with(established("127.0.0.1:7001", "127.0.0.1:40008", {.state = State::kFinWait2, .cookie = 0x3339}), {.timer = Timer::kTimeWait, .expires_ms = 59804})},
    {"time_wait_ipv4", with(established("127.0.0.1:40004", "127.0.0.1:7001", {.state = State::kTimeWait, .cookie = 0x333c}), {.timer = Timer::kTimeWait, .expires_ms = 59700})},
    {"time_wait_mapped", with(established("[::ffff:127.0.0.1]:7003", "[::ffff:127.0.0.1]:40007", {.state = State::kTimeWait, .cookie = 0x334a}), {.timer = Timer::kTimeWait, .expires_ms = 59796})},
    {"syn_recv_request", with(established("127.0.0.1:7005", "127.0.0.1:40005", {.state = State::kSynReceived, .cookie = 0x333f}), {.timer = Timer::kRetransmit, .expires_ms = 700})},
    {"listen_ipv4", with(listener("127.0.0.1:7001", {.inode = 139976, .cookie = 0x3337, .cgroup = 1}), kBacklog)},
    {"listen_dual_stack", with(listener("[::]:7003", {.inode = 139982, .cookie = 0x3343, .cgroup = 1}), kBacklog)},
    {"listen_v6only", with(listener("[::]:7004", {.v6only = true, .inode = 139983, .cookie = 0x3344, .cgroup = 1}), kBacklog)},
    // Bound to one address, the kernel makes it refuse IPv4 whatever was asked for.
    {"listen_link_local", with(listener("[fe80::1%1]:7006", {.v6only = true, .inode = 139991, .cookie = 0x3342, .cgroup = 1}), kBacklog)},
    {"mptcp_close_wait_ipv4", with(established("127.0.0.1:7001", "127.0.0.1:40008", {.state = State::kCloseWait, .inode = 2507329, .cookie = 0xcb9b6, .cgroup = 1}), {.receive_queue = 837}), &parse_mptcp_message},
    // In the kernel's state CLOSE.
    {"mptcp_lost_subflows_ipv4", with(established("127.0.0.1:7001", "127.0.0.1:40008", {.state = State::kCloseWait, .inode = 2507329, .cookie = 0xcb9b6, .cgroup = 1}), {.receive_queue = 837}), &parse_mptcp_message},
};
// clang-format on

void PrintTo(const Golden& golden, std::ostream* out) { *out << golden.name; }

class Message : public testing::TestWithParam<Golden> {
 protected:
  void SetUp() override {
    if (std::endian::native != std::endian::little)
      GTEST_SKIP() << "recorded on a little-endian machine";
  }
};

TEST_P(Message, OfARealKernelIsReadAsTheSocketItTellsOf) {
  tcp::Socket socket;
  ASSERT_EQ(GetParam().parse(recording(GetParam().name).bytes, socket), Parsed::kSocket);
  EXPECT_EQ(socket, GetParam().want);
}

TEST_P(Message, NeedNotBeAligned) {
  std::vector<std::byte> shifted(1);
  const Recording golden = recording(GetParam().name);
  shifted.insert(shifted.end(), golden.bytes.begin(), golden.bytes.end());
  tcp::Socket socket;
  ASSERT_EQ(GetParam().parse(Bytes(shifted).subspan(1), socket), Parsed::kSocket);
  EXPECT_EQ(socket, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Golden, Message, testing::ValuesIn(kGolden),
                         [](const auto& golden) { return golden.param.name; });

TEST(Golden, EveryRecordingHasItsExpectation) {
  std::set<std::string> recorded;
  std::set<std::string> expected;
  for (const Recording& golden : recordings())
    recorded.insert(golden.name);
  for (const Golden& golden : kGolden)
    expected.insert(golden.name);
  EXPECT_EQ(recorded, expected);
}

}  // namespace
}  // namespace tcpmibd::diag
