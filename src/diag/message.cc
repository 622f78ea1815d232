#include "diag/message.h"

#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <bit>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

namespace tcpmibd::diag {

namespace {

std::optional<tcp::Family> family_from_kernel(std::uint8_t family) {
  if (family == AF_INET)
    return tcp::Family::kIpv4;
  if (family == AF_INET6)
    return tcp::Family::kIpv6;
  return std::nullopt;
}

std::uint16_t host_order(std::uint16_t network_order) {
  if constexpr (std::endian::native == std::endian::little)
    return static_cast<std::uint16_t>(network_order << 8 | network_order >> 8);
  return network_order;
}

// Of an IPv4 address the kernel fills the first of four words and promises nothing of the others.
tcp::Endpoint endpoint(tcp::Family family, const __be32 (&address)[4], __be16 port) {
  tcp::Endpoint result{.port = host_order(port)};
  std::memcpy(result.address.data(), address, family == tcp::Family::kIpv4 ? 4 : 16);
  return result;
}

std::uint64_t cookie(const inet_diag_sockid& id) {
  return std::uint64_t{id.idiag_cookie[1]} << 32 | id.idiag_cookie[0];
}

// Timers this program does not know mean no wait it could name.
tcp::Timer timer_from_kernel(std::uint8_t timer) {
  return timer <= static_cast<std::uint8_t>(tcp::Timer::kZeroWindow)
             ? static_cast<tcp::Timer>(timer)
             : tcp::Timer::kNone;
}

// Calls `visit(type, value)` for each whole attribute; stops at the first that is cut or that
// claims to be longer than what is left.
template <typename Visit>
void for_each_attribute(Bytes attributes, Visit visit) {
  rtattr header;
  while (attributes.size() >= sizeof header) {
    std::memcpy(&header, attributes.data(), sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > attributes.size())
      return;
    visit(header.rta_type, attributes.subspan(sizeof header, header.rta_len - sizeof header));
    const std::size_t step = RTA_ALIGN(header.rta_len);
    if (step >= attributes.size())
      return;
    attributes = attributes.subspan(step);
  }
}

// The number at `offset`; 0 where the value ends before, as that of an older kernel may.
template <typename Number>
Number number_at(Bytes value, std::size_t offset) {
  Number number = 0;
  if (value.size() >= offset + sizeof number)
    std::memcpy(&number, value.data() + offset, sizeof number);
  return number;
}

bool names_mptcp(Bytes name) {
  constexpr std::string_view kName = "mptcp";
  return name.size() >= kName.size() && std::memcmp(name.data(), kName.data(), kName.size()) == 0;
}

// Of INET_ULP_INFO_MPTCP; 0, which says nothing, where it has none.
std::uint32_t subflow_flags(Bytes info) {
  std::uint32_t flags = 0;
  for_each_attribute(info, [&](std::uint16_t type, Bytes value) {
    if ((type & NLA_TYPE_MASK) == MPTCP_SUBFLOW_ATTR_FLAGS)
      flags = number_at<std::uint32_t>(value, 0);
  });
  return flags;
}

// Whether the other end has answered the handshake, and neither end is part of an MPTCP connection
// by it. In SYN_SENT nothing is said of the other end either, so that alone would not do.
bool is_fallback(std::uint32_t flags) {
  constexpr std::uint32_t kOfMptcp =
      MPTCP_SUBFLOW_FLAG_MCAP_REM | MPTCP_SUBFLOW_FLAG_JOIN_REM | MPTCP_SUBFLOW_FLAG_JOIN_LOC;
  return (flags & MPTCP_SUBFLOW_FLAG_CONNECTED) != 0 && (flags & kOfMptcp) == 0;
}

// The upper protocol's name, of which we know one, and what that says.
tcp::MptcpRole role_in(Bytes ulp_info) {
  bool mptcp = false;
  std::uint32_t flags = 0;
  for_each_attribute(ulp_info, [&](std::uint16_t type, Bytes value) {
    if ((type & NLA_TYPE_MASK) == INET_ULP_INFO_NAME)
      mptcp = names_mptcp(value);
    else if ((type & NLA_TYPE_MASK) == INET_ULP_INFO_MPTCP)
      flags = subflow_flags(value);
  });
  if (!mptcp)
    return tcp::MptcpRole::kNone;
  return is_fallback(flags) ? tcp::MptcpRole::kFallback : tcp::MptcpRole::kSubflow;
}

// Where INET_DIAG_INFO has the milliseconds since the last ACK. Of MPTCP at the place that struct
// mptcp_info gives it since Linux 6.10; older headers do not name it.
constexpr std::size_t kTcpLastAck = offsetof(tcp_info, tcpi_last_ack_recv);
constexpr std::size_t kMptcpLastAck = 92;

void read_attribute(int type, Bytes value, std::size_t last_ack, tcp::Socket& socket) {
  switch (type) {
    case INET_DIAG_SKV6ONLY:
      socket.v6only = socket.state == tcp::State::kListen && number_at<std::uint8_t>(value, 0) != 0;
      break;
    case INET_DIAG_CGROUP_ID:
      socket.cgroup = number_at<std::uint64_t>(value, 0);
      break;
    case INET_DIAG_SKMEMINFO:
      socket.discards = number_at<std::uint32_t>(value, SK_MEMINFO_DROPS * sizeof(std::uint32_t));
      break;
    case INET_DIAG_INFO:
      socket.quiet_ms = number_at<std::uint32_t>(value, last_ack);
      break;
    case INET_DIAG_ULP_INFO:
      socket.mptcp = role_in(value);
      break;
    default:
      break;
  }
}

Parsed parse(Bytes payload, std::size_t last_ack, tcp::Socket& socket) {
  inet_diag_msg message;
  if (payload.size() < sizeof message)
    return Parsed::kMalformed;
  std::memcpy(&message, payload.data(), sizeof message);  // The bytes may be unaligned.

  const std::optional<tcp::Family> family = family_from_kernel(message.idiag_family);
  if (!family)
    return Parsed::kMalformed;
  const std::optional<tcp::State> state = tcp::state_from_kernel(message.idiag_state);
  if (!state)
    return Parsed::kUnknownState;

  socket = tcp::Socket{
      .id = {.family = *family,
             .local = endpoint(*family, message.id.idiag_src, message.id.idiag_sport),
             .remote = endpoint(*family, message.id.idiag_dst, message.id.idiag_dport),
             .interface = message.id.idiag_if,
             .cookie = cookie(message.id)},
      .state = *state,
      .timer = timer_from_kernel(message.idiag_timer),
      .retransmits = message.idiag_retrans,
      .expires_ms = message.idiag_expires,
      .receive_queue = message.idiag_rqueue,
      .send_queue = message.idiag_wqueue,
      .uid = message.idiag_uid,
      .inode = message.idiag_inode,
  };
  for_each_attribute(payload.subspan(sizeof message), [&](std::uint16_t type, Bytes value) {
    read_attribute(type & NLA_TYPE_MASK, value, last_ack, socket);
  });
  return Parsed::kSocket;
}

// RCV_SHUTDOWN without SEND_SHUTDOWN (include/net/sock.h of the kernel): the peer has said that it
// is done, and the program here has not.
bool only_the_peer_is_done(Bytes attributes) {
  constexpr std::uint8_t kReceive = 1;
  std::uint8_t shutdown = 0;
  for_each_attribute(attributes, [&](std::uint16_t type, Bytes value) {
    if ((type & NLA_TYPE_MASK) == INET_DIAG_SHUTDOWN)
      shutdown = number_at<std::uint8_t>(value, 0);
  });
  return shutdown == kReceive;
}

}  // namespace

Parsed parse_message(Bytes payload, tcp::Socket& socket) {
  const Parsed parsed = parse(payload, kTcpLastAck, socket);
  // The kernel subtracts a number that is not set before the SYN (tcp_diag_get_info()).
  if (parsed == Parsed::kSocket && tcp::keeps_its_syn(socket.state, socket.timer))
    socket.send_queue = 0;
  return parsed;
}

Parsed parse_mptcp_message(Bytes payload, tcp::Socket& socket) {
  const Parsed parsed = parse(payload, kMptcpLastAck, socket);
  const bool is_held =
      parsed == Parsed::kSocket && socket.state == tcp::State::kClosed && socket.inode != 0;
  if (is_held && only_the_peer_is_done(payload.subspan(sizeof(inet_diag_msg))))
    socket.state = tcp::State::kCloseWait;
  return parsed;
}

}  // namespace tcpmibd::diag
