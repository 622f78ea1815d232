#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tcp/socket.h"

namespace tcpmibd::diag {

using Bytes = std::span<const std::byte>;

enum class Parsed : std::uint8_t {
  kSocket,
  kUnknownState,  // to be counted, and its socket dropped
  kMalformed,     // too short, or of a family that is not TCP's
};

// Reads one answer of sock_diag: struct inet_diag_msg and its attributes (<linux/inet_diag.h>).
//
// `payload` starts after the netlink header and may hold anything; it need not be aligned.
// `socket` is set only where the result is kSocket. What an attribute reports is 0 or false where
// the attribute is missing; some come only where the request asks for them (diag/request.h).
Parsed parse_message(Bytes payload, tcp::Socket& socket);

// The same of an answer about MPTCP connections, whose details are struct mptcp_info
// (<linux/mptcp.h>).
//
// The kernel says CLOSE of a connection that has lost its last subflow after the peer's close, and
// its program still has the descriptor (__mptcp_close_ssk() in net/mptcp/protocol.c). It is
// reported as what it is to the program, CLOSE_WAIT: nothing more comes, and nothing has been
// closed.
Parsed parse_mptcp_message(Bytes payload, tcp::Socket& socket);

}  // namespace tcpmibd::diag
