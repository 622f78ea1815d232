#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "tcp/state.h"

namespace tcpmibd::tcp {

// What socket() was asked for. An IPv6 socket may well speak IPv4 (v4-mapped addresses).
enum class Family : std::uint8_t { kIpv4, kIpv6 };

// Network order; an IPv4 address fills the first four octets, the others are zero.
using Octets = std::array<std::uint8_t, 16>;

struct Endpoint {
  Octets address{};
  std::uint16_t port = 0;  // host order

  auto operator<=>(const Endpoint&) const = default;
};

// Which end waits for what, as inet_diag_msg::idiag_timer reports it.
enum class Timer : std::uint8_t {
  kNone = 0,
  kRetransmit = 1,
  kKeepalive = 2,
  kTimeWait = 3,
  kZeroWindow = 4,
};

// What a TCP socket is to MPTCP (RFC 8684).
enum class MptcpRole : std::uint8_t {
  kNone,      // nothing, or the kernel was not asked
  kSubflow,   // it carries a part of an MPTCP connection, or listens for such
  kFallback,  // made for MPTCP, but the other end has answered in plain TCP: it is the connection
};

// What the kernel needs to name one socket and no other: `id` of inet_diag_req_v2.
struct SocketId {
  Family family = Family::kIpv4;
  Endpoint local;
  Endpoint remote;              // all zero for a listener
  std::uint32_t interface = 0;  // bound device or link-local zone; 0 for none
  std::uint64_t cookie = 0;     // lives as long as the connection, minisocks included

  bool operator==(const SocketId&) const = default;
};

// Whether the kernel takes `id` for one socket and no other. Without a cookie (all ones, as
// INET_DIAG_NOCOOKIE) it would look as for an arriving segment, and may find the listener.
constexpr bool names_one_socket(const SocketId& id) {
  return id.cookie != 0 && id.cookie != ~std::uint64_t{0};
}

// Whether a connection of TCP has not sent its SYN: it waits for the program's first data, to send
// both at once (TCP_FASTOPEN_CONNECT). A SYN that was sent has a timer. Not to be asked of an MPTCP
// connection: that never has this timer, its subflows have.
constexpr bool keeps_its_syn(State state, Timer timer) {
  return state == State::kSynSent && timer != Timer::kRetransmit;
}

// A TCP socket as the kernel describes it (struct inet_diag_msg, <linux/inet_diag.h>); or an MPTCP
// connection, whose queues are octets of memory, not of data.
struct Socket {
  SocketId id;
  State state = State::kClosed;
  Timer timer = Timer::kNone;
  std::uint8_t retransmits = 0;
  // Of a listener on `::` whether it refuses IPv4. False where the kernel did not say, which is
  // its default.
  bool v6only = false;
  // Set only where a single socket, or listeners, were asked for.
  MptcpRole mptcp = MptcpRole::kNone;
  std::uint32_t expires_ms = 0;     // of `timer`
  std::uint32_t receive_queue = 0;  // octets not read; of a listener: connections not accepted
  std::uint32_t send_queue = 0;     // octets not acknowledged; of a listener: its backlog
  std::uint32_t uid = 0;
  std::uint32_t inode = 0;   // 0: no process can hold it (request, orphan, minisock, unaccepted)
  std::uint64_t cgroup = 0;  // cgroup2 id; 0: none, as of every minisock
  // Of a listener: segments it discarded since it was made, whatever for (SK_MEMINFO_DROPS).
  std::uint32_t discards = 0;
  // Since the last ACK arrived; set only by SocketSource::read_close_waits().
  std::uint32_t quiet_ms = 0;

  bool operator==(const Socket&) const = default;
};

}  // namespace tcpmibd::tcp
