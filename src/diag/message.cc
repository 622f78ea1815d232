#include "diag/message.h"

#include <linux/inet_diag.h>
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

// Timers this program does not know tell of no wait it could name.
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

// The upper protocol's name, of which we know one (struct mptcp_info comes with it).
bool names_mptcp(Bytes ulp_info) {
  bool mptcp = false;
  for_each_attribute(ulp_info, [&](std::uint16_t type, Bytes value) {
    constexpr std::string_view kName = "mptcp";
    if ((type & NLA_TYPE_MASK) == INET_ULP_INFO_NAME && value.size() >= kName.size())
      mptcp = std::memcmp(value.data(), kName.data(), kName.size()) == 0;
  });
  return mptcp;
}

// The number at `offset`; 0 where the value ends before, as that of an older kernel may.
template <typename Number>
Number number_at(Bytes value, std::size_t offset) {
  Number number = 0;
  if (value.size() >= offset + sizeof number)
    std::memcpy(&number, value.data() + offset, sizeof number);
  return number;
}

void read_attribute(int type, Bytes value, tcp::Socket& socket) {
  switch (type) {
    case INET_DIAG_SKV6ONLY:
      socket.v6only = number_at<std::uint8_t>(value, 0) != 0;
      break;
    case INET_DIAG_CGROUP_ID:
      socket.cgroup = number_at<std::uint64_t>(value, 0);
      break;
    case INET_DIAG_SKMEMINFO:
      socket.drops = number_at<std::uint32_t>(value, SK_MEMINFO_DROPS * sizeof(std::uint32_t));
      break;
    case INET_DIAG_INFO:
      socket.quiet_ms = number_at<std::uint32_t>(value, offsetof(tcp_info, tcpi_last_ack_recv));
      break;
    case INET_DIAG_ULP_INFO:
      socket.mptcp = names_mptcp(value);
      break;
    default:
      break;
  }
}

}  // namespace

Parsed parse_message(Bytes payload, tcp::Socket& socket) {
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
  // The kernel subtracts a number that is not set before the SYN (tcp_diag_get_info()).
  if (tcp::keeps_its_syn(socket.state, socket.timer))
    socket.send_queue = 0;
  for_each_attribute(payload.subspan(sizeof message), [&](std::uint16_t type, Bytes value) {
    read_attribute(type & NLA_TYPE_MASK, value, socket);
  });
  return Parsed::kSocket;
}

}  // namespace tcpmibd::diag
