#pragma once

#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cstdint>
#include <span>

#include "tcp/sources.h"

namespace tcpmibd::diag {

// Payloads of SOCK_DIAG_BY_FAMILY requests (struct inet_diag_req_v2, <linux/inet_diag.h>).

// The kernel's states as bits: TCP_LISTEN alone, and every state that makes a row.
//
// A set bit of BOUND_INACTIVE (13) would cost milliseconds and bring sockets without a row; bit 3
// brings request sockets along with the others in SYN_RECV.
inline constexpr std::uint32_t kListeners = 1u << 10;
inline constexpr std::uint32_t kConnections = 0xffe & ~(1u << 7) & ~kListeners;
inline constexpr std::uint32_t kAllRows = kConnections | kListeners;
inline constexpr std::uint32_t kCloseWaits = 1u << 8;
inline constexpr std::uint32_t kEstablished = 1u << 1;
// Of MPTCP one more, for a connection in it may be reported as one in CLOSE_WAIT; see
// parse_mptcp_message().
inline constexpr std::uint32_t kMptcpClosed = 1u << 7;

// What an answer holds only where it is asked for, as bits.
inline constexpr std::uint8_t kMemory = 1 << (INET_DIAG_SKMEMINFO - 1);  // Socket::discards
// Socket::quiet_ms and, as INET_DIAG_ULP_INFO comes with it (net/ipv4/inet_diag.c), Socket::mptcp.
inline constexpr std::uint8_t kInfo = 1 << (INET_DIAG_INFO - 1);

// A dump of one family; `states` and `extensions` as above. What a connection's row needs is in
// the fixed part, or comes unasked.
inet_diag_req_v2 dump_request(tcp::Family family, std::uint32_t states,
                              std::uint8_t extensions = 0);

// The kernel's bits of some states; of all that make a row where none is named. Bit 3 brings
// request sockets along with the others in SYN_RECV.
std::uint32_t bits_of(std::span<const tcp::State> states);

// Which sockets a dump reports, beside their states: a program that the kernel runs on each
// (INET_DIAG_REQ_BYTECODE). It jumps by a number of octets, one where a condition holds and another
// where not; past its end is a no.
struct PortDumpRequest {
  inet_diag_req_v2 fixed;
  rtattr header;
  std::array<inet_diag_bc_op, 9> program;
};
static_assert(sizeof(PortDumpRequest) ==
              sizeof(inet_diag_req_v2) + sizeof(rtattr) + 9 * sizeof(inet_diag_bc_op));

// A dump as above, of sockets that have `port` at either end.
PortDumpRequest port_dump_request(const inet_diag_req_v2& dump, std::uint16_t port);

// A dump as above, of those sockets of AF_INET6 that speak IPv4 (v4-mapped), or of those that do
// not: a condition on an IPv4 address, of which no bit has to be so, holds for the former.
struct MappedDumpRequest {
  inet_diag_req_v2 fixed;
  rtattr header;
  inet_diag_bc_op when;
  // struct inet_diag_hostcond, whose size in C is not that of what it holds:
  std::uint8_t family;
  std::uint8_t prefix_length;
  std::array<std::uint8_t, 2> padding;
  std::int32_t port;
  std::uint32_t address;
  inet_diag_bc_op then;
};
static_assert(sizeof(MappedDumpRequest) ==
              sizeof(inet_diag_req_v2) + sizeof(rtattr) + 2 * sizeof(inet_diag_bc_op) + 12);
MappedDumpRequest mapped_dump_request(const inet_diag_req_v2& dump, bool mapped);

// Asks for MPTCP, whose number, 262, is too great for the octet in inet_diag_req_v2. A kernel that
// does not know INET_DIAG_REQ_PROTOCOL (before 5.9) reads 0 there, and knows nobody who would
// answer.
struct MptcpDumpRequest {
  inet_diag_req_v2 fixed;
  rtattr header;
  std::uint32_t protocol;
};
static_assert(sizeof(MptcpDumpRequest) ==
              sizeof(inet_diag_req_v2) + sizeof(rtattr) + sizeof(std::uint32_t));

// A dump of the MPTCP connections of one family; `states` and `extensions` as above.
MptcpDumpRequest mptcp_dump_request(tcp::Family family, std::uint32_t states,
                                    std::uint8_t extensions = 0);

// A look-up of one connection. `interface` as the socket is bound, 0 for one that is not.
//
// The kernel looks as an arriving segment would: where there is no such connection it may answer
// with the listener on the local port. The caller compares.
inet_diag_req_v2 lookup_request(const tcp::ConnectionQuery& query, std::uint32_t interface);

// For SOCK_DESTROY: names one socket, by its cookie.
inet_diag_req_v2 destroy_request(const tcp::SocketId& id);

// Whether `socket` is the connection that was asked for.
bool answers(const tcp::Socket& socket, const tcp::ConnectionQuery& query);

}  // namespace tcpmibd::diag
