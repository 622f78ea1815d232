#include "kernel/bpf/end_reason.h"

#include <gtest/gtest.h>

#include <ostream>

// Each line was seen on real sockets, but for those that no test can bring about; the kernel's
// functions that make them so are named.

namespace tcpmibd::kernel {
namespace {

// As end_facts, with what is mostly so.
struct Shown {
  __u8 left;
  __u8 fin_seen = 0;
  __u8 fin_acked = 0;
  __u8 orphaned = 0;
  __u8 was_started = 0;
  int error = 0;
};

struct Case {
  const char* what;
  Shown shown;
  int reason;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.what; }

class EndReason : public testing::TestWithParam<Case> {};

TEST_P(EndReason, FollowsFromWhatTheSocketShows) {
  const Shown& shown = GetParam().shown;
  const end_facts facts{shown.left,     shown.fin_seen,    shown.fin_acked,
                        shown.orphaned, shown.was_started, shown.error};
  EXPECT_EQ(end_reason(&facts), GetParam().reason);
}

// clang-format off
const Case kCases[] = {
    {"FIN both ways, we first", {.left = kEndFinWait2, .fin_seen = 1, .fin_acked = 1}, kEndNormal},
    {"closed, and not waiting for the other FIN", {.left = kEndFinWait2, .orphaned = 1}, kEndNormal},
    {"FIN both ways, the other end first", {.left = kEndLastAck, .fin_seen = 1, .fin_acked = 1}, kEndNormal},
    {"FIN both ways at once", {.left = kEndClosing, .fin_seen = 1, .fin_acked = 1}, kEndNormal},
    {"an error that nobody has read before a polite end", {.left = kEndFinWait2, .fin_seen = 1, .error = EHOSTUNREACH}, kEndNormal},

    {"the other end's RST", {.left = kEndEstablished, .error = ECONNRESET}, kEndResetByPeer},
    {"the other end's RST after its FIN", {.left = 8, .fin_seen = 1, .error = EPIPE}, kEndResetByPeer},
    {"RST to our FIN", {.left = kEndFinWait1, .orphaned = 1, .error = ECONNRESET}, kEndResetByPeer},
    {"RST after our FIN, nothing closed yet", {.left = kEndFinWait2, .fin_acked = 1, .error = ECONNRESET}, kEndResetByPeer},
    {"RST to a child that Fast Open gave out", {.left = kEndSynReceived, .was_started = 1, .error = ECONNRESET}, kEndResetByPeer},

    {"RST to a call", {.left = kEndSynSent, .was_started = 1, .error = ECONNREFUSED}, kEndRefused},
    {"a call that nobody answers", {.left = kEndSynSent, .was_started = 1, .error = ETIMEDOUT}, kEndSynTimedOut},
    {"a handshake that nobody ends", {.left = kEndSynReceived, .was_started = 1, .error = ETIMEDOUT}, kEndSynTimedOut},
    {"a call that the network cannot carry", {.left = kEndSynSent, .was_started = 1, .error = EHOSTUNREACH}, kEndOther},
    {"a call for which no port is free", {.left = kEndSynSent}, kEndOther},
    {"a call given up", {.left = kEndSynSent, .was_started = 1}, kEndCancelled},
    {"a child that never was handed out", {.left = kEndSynReceived, .was_started = 1}, kEndAbortedLocally},

    {"data that nobody acknowledges", {.left = kEndEstablished, .error = ETIMEDOUT}, kEndTimedOut},
    {"data that the network cannot carry any more", {.left = kEndEstablished, .error = EHOSTUNREACH}, kEndTimedOut},
    {"a FIN that nobody acknowledges", {.left = kEndLastAck, .fin_seen = 1, .orphaned = 1, .error = ETIMEDOUT}, kEndTimedOut},

    {"SOCK_DESTROY", {.left = kEndEstablished, .error = ECONNABORTED}, kEndDestroyed},
    {"SOCK_DESTROY of a call", {.left = kEndSynSent, .was_started = 1, .error = ECONNABORTED}, kEndDestroyed},

    {"closed with unread data, or SO_LINGER 0", {.left = kEndEstablished}, kEndAbortedLocally},
    {"the same after the other end's FIN", {.left = 8, .fin_seen = 1}, kEndAbortedLocally},
    {"the same after our FIN", {.left = kEndFinWait2, .fin_acked = 1}, kEndAbortedLocally},
    {"SO_LINGER 0 before our FIN is acknowledged", {.left = kEndLastAck, .fin_seen = 1}, kEndAbortedLocally},
    {"TCP_LINGER2 below 0 (tcp_rcv_state_process)", {.left = kEndFinWait1, .orphaned = 1}, kEndAbortedLocally},

    {"a subflow that MPTCP gives up", {.left = kEndEstablished, .error = EBADMSG}, kEndOther},
};
// clang-format on

INSTANTIATE_TEST_SUITE_P(Each, EndReason, testing::ValuesIn(kCases));

}  // namespace
}  // namespace tcpmibd::kernel
