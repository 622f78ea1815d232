#include "survey/ephemeral.h"

namespace tcpmibd::tcp {

namespace {

constexpr std::uint32_t kLoopbackDevice = 1;  // LOOPBACK_IFINDEX of <net/flow.h>
constexpr std::uint8_t kLoopbackNet = 127;    // 127.0.0.0/8

bool is_loopback(std::uint32_t ipv4) { return ipv4 >> 24 == kLoopbackNet; }

bool is_loopback(const InetAddress& address) {
  constexpr Octets kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.type == AddressType::kIpv4 ? address.octets[0] == kLoopbackNet
                                            : address.octets == kLoopback;
}

// Not all that goes over the loopback: the kernel looks at no route either.
bool is_over_loopback(const Ipv4Row& row) {
  return is_loopback(row.key.local_address) || is_loopback(row.key.remote_address) ||
         row.details.interface == kLoopbackDevice;
}

bool is_over_loopback(const Ipv6Row& row) {
  return is_loopback(row.key.local) || is_loopback(row.key.remote) ||
         row.details.interface == kLoopbackDevice;
}

bool has_waited(const Details& details, std::uint32_t ms) {
  return std::uint64_t{details.expires_ms} + ms < Lifetimes().time_wait_ms;
}

// The timer of TIME_WAIT shows how long it has lasted. FIN_WAIT2 without an owner has the same
// timer, and is never taken over.
template <typename Row>
bool is_free_to_connect(const Row& row, const TimeWaitReuse& reuse) {
  using Scope = TimeWaitReuse::Scope;
  const Details& details = row.details;
  return details.state == State::kTimeWait && details.timer == Timer::kTimeWait &&
         (reuse.scope == Scope::kAll ||
          (reuse.scope == Scope::kLoopback && is_over_loopback(row))) &&
         has_waited(details, reuse.after_ms);
}

}  // namespace

bool is_taken_over(const Ipv4Row& row, const TimeWaitReuse& reuse) {
  return is_free_to_connect(row, reuse);
}

bool is_taken_over(const Ipv6Row& row, const TimeWaitReuse& reuse) {
  return is_free_to_connect(row, reuse);
}

}  // namespace tcpmibd::tcp
