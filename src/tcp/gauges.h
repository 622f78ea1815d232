#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "tcp/socket.h"

// How many sockets there are, as the kernel counts them itself: the state that most are in need
// not be dumped to be counted.

namespace tcpmibd::tcp {

// Sockets by what socket() was asked for; v4-mapped ones are of IPv6.
struct FamilyCount {
  std::uint32_t ipv4 = 0;
  std::uint32_t ipv6 = 0;

  std::uint32_t& of(Family family) { return family == Family::kIpv4 ? ipv4 : ipv6; }
  std::uint32_t total() const { return ipv4 + ipv6; }
  bool operator==(const FamilyCount&) const = default;
};

// What a network namespace's TCP sockets are counted by, read one file after another.
struct Gauges {
  // /proc/net/sockstat and sockstat6, `inuse`: connections and listeners, neither requests for a
  // connection nor the small sockets of TIME_WAIT (sock_prot_inuse_add(),
  // net/ipv4/inet_hashtables.c).
  FamilyCount in_use;
  // tcpCurrEstab: ESTABLISHED; since about Linux 6.10, and where that was ported back, CLOSE_WAIT
  // as well (tcp_set_state(), net/ipv4/tcp.c).
  std::uint32_t current_established = 0;
  std::uint32_t opened = 0;  // tcpActiveOpens and tcpPassiveOpens; wraps

  bool operator==(const Gauges&) const = default;

  // `sockstat6` is empty where the kernel has no IPv6.
  static Result<Gauges> parse(std::string_view snmp, std::string_view sockstat,
                              std::string_view sockstat6);
};

// At least so many sockets have come or gone between two readings; 0: no gauge has changed.
std::uint32_t movement(const Gauges& before, const Gauges& after);

// What a dump found, as far as gauges are compared with it.
class Census {
 public:
  void add(const Socket& socket);

  const FamilyCount& established() const { return established_; }
  const FamilyCount& others_in_use() const { return others_in_use_; }  // not ESTABLISHED
  std::uint32_t close_wait() const { return close_wait_; }

 private:
  FamilyCount established_;
  FamilyCount others_in_use_;
  std::uint32_t close_wait_ = 0;
};

// Why a count is not made by gauges.
enum class GaugeDoubt : std::uint8_t {
  kNone,
  kUnreadable,  // a gauge is missing, or is no number
  kMptcp,       // MPTCP connections may be there: gauges count their subflows
  kMoving,      // too many sockets come and go
  kDisagree,    // tcpCurrEstab and `inuse` contradict one another
  kMixed,       // too many IPv6 sockets speak IPv6, and too many IPv4, to dump the fewer
  kRefuted,     // whole dumps have found other numbers
};

// As a log has it; empty for kNone.
std::string_view reason_of(GaugeDoubt doubt);

// How many sockets are ESTABLISHED, by gauges that were read before and after the dump that found
// all others. Exact if nothing has moved; otherwise off by about as much as moved, which is little.
struct EstablishedByGauges {
  GaugeDoubt doubt = GaugeDoubt::kNone;
  FamilyCount count{};  // where there is no doubt
};
EstablishedByGauges established_by(const Gauges& before, const Gauges& after, const Census& others);

// Whether a whole dump shows that what gauges say of ESTABLISHED is wrong: they had no doubt, and
// nothing moved meanwhile.
bool refutes(const Gauges& before, const Gauges& after, const Census& dumped);

}  // namespace tcpmibd::tcp
