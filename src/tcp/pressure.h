#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

// How near a host's TCP is to its limits: the texts of the kernel made into figures.

namespace tcpmibd::tcp {

// The ports that the kernel chooses from for a socket that names none, both ends included.
class EphemeralRange {
 public:
  // From net.ipv4.ip_local_port_range, "32768\t60999", and net.ipv4.ip_local_reserved_ports,
  // "1000-1010,2000", in any order, or empty.
  static Result<EphemeralRange> parse(std::string_view range, std::string_view reserved);

  std::uint16_t first() const { return first_; }
  std::uint16_t last() const { return last_; }

  // Whether the kernel may choose it: within the range, and not reserved. The last port of a range
  // of an odd number of ports it never chooses, unless that is the only one: it goes by pairs.
  bool contains(std::uint16_t port) const;

  // Of a port within the range: whether the kernel tries it first for bind(). The others it tries
  // first for connect(), so that neither uses up at once what the other needs
  // (inet_csk_find_open_port(), __inet_hash_connect()).
  bool is_bind_first(std::uint16_t port) const { return (port - first_) % 2 != 0; }

  // Ports that contains() is true of; 0 where every one is reserved.
  unsigned size() const { return size_; }

  // Of these the ones that the kernel tries first for bind().
  unsigned bind_first() const { return bind_first_; }

  // The whole range, whatever is reserved.
  unsigned total() const { return last_ - first_ + 1U; }

 private:
  struct Ports {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
  };

  EphemeralRange(Ports range, std::vector<Ports> reserved);
  unsigned bind_first_among(unsigned first, unsigned last) const;
  static std::optional<Ports> parse_range(std::string_view text);
  static std::optional<Ports> parse_reserved_entry(std::string_view entry);
  static std::optional<std::vector<Ports>> parse_reserved(std::string_view list);

  std::uint16_t first_ = 0;
  std::uint16_t last_ = 0;
  unsigned size_ = 0;
  unsigned bind_first_ = 0;
  std::vector<Ports> reserved_;  // within the range, ascending, disjoint; with what is never chosen
};

// How long the kernel keeps what nobody uses any more.
struct Lifetimes {
  std::uint32_t fin_wait_2_ms = 60'000;  // net.ipv4.tcp_fin_timeout
  // TIME_WAIT has no setting: TCP_TIMEWAIT_LEN of <net/tcp.h>.
  std::uint32_t time_wait_ms = 60'000;
};

// Which ports in TIME_WAIT do not stop a connection that begins at them: connect() takes them over
// (tcp_twsk_unique(), net/ipv4/tcp_ipv4.c).
struct TimeWaitReuse {
  enum class Scope : std::uint8_t {
    kNone,
    kLoopback,  // one end is of the loopback, or the socket was bound to `lo`
    kAll,
  };

  Scope scope = Scope::kNone;
  std::uint32_t after_ms = 1000;  // in TIME_WAIT

  bool operator==(const TimeWaitReuse&) const = default;
};

// Every figure is absent where the kernel does not report it: tcp_mem and tcp_max_orphans exist in
// the initial network namespace only.
//
// Orphans and memory are those of the whole host, whatever namespace asks; all else is of the
// network namespace. Both families are counted together.
struct Pressure {
  std::optional<std::uint64_t> orphans;  // sockets that no process holds any more
  std::optional<std::uint64_t> orphans_limit;
  std::optional<std::uint64_t> time_waits;
  std::optional<std::uint64_t> time_waits_limit;

  // KiB. From `low` down nothing is held back; above `pressure` buffers no longer grow; at the
  // limit segments are dropped and sockets aborted.
  std::optional<std::uint64_t> memory_used;
  std::optional<std::uint64_t> memory_low;
  std::optional<std::uint64_t> memory_pressure;
  std::optional<std::uint64_t> memory_limit;

  std::optional<EphemeralRange> ephemeral;

  std::optional<std::uint64_t> fin_timeout;  // seconds

  std::optional<std::uint64_t> time_wait_reuse;           // net.ipv4.tcp_tw_reuse
  std::optional<std::uint64_t> time_wait_reuse_delay_ms;  // net.ipv4.tcp_tw_reuse_delay
  std::optional<std::uint64_t> timestamps;                // net.ipv4.tcp_timestamps

  // Events since the namespace was made.
  std::optional<std::uint64_t> listen_overflows;
  std::optional<std::uint64_t> listen_drops;
  std::optional<std::uint64_t> syn_cookies_sent;
  std::optional<std::uint64_t> syn_queue_drops;
  std::optional<std::uint64_t> time_wait_overflows;
  std::optional<std::uint64_t> memory_aborts;
  std::optional<std::uint64_t> timeout_aborts;
  std::optional<std::uint64_t> syn_retransmits;
  std::optional<std::uint64_t> timeouts;

  // The kernel's defaults where it does not report.
  Lifetimes lifetimes() const;

  // None where the kernel does not report, or reports a value not known here. It takes over ports
  // only of connections that had TCP timestamps. No dump reports which had: all, where the
  // namespace asks for them.
  TimeWaitReuse reuse() const;

  // Of the limit, as percent_of() gives it.
  std::optional<std::uint64_t> memory_percent() const;
  std::optional<std::uint64_t> orphans_percent() const;
  std::optional<std::uint64_t> time_waits_percent() const;
};

// Rounded down, more than 100 beyond the limit. None where either is absent, the limit is 0, or a
// figure is beyond what any host can hold.
std::optional<std::uint64_t> percent_of(std::optional<std::uint64_t> used,
                                        std::optional<std::uint64_t> limit);

// Each adds what one text reports. A text that is not what it should be is an error with its cause
// and adds nothing; a single column that is missing or no number only makes its figure absent.
// `page_size` is in octets.

// /proc/net/sockstat. sockstat6 has none of these: what is counted here are both families.
Status add_sockstat(std::string_view text, std::uint64_t page_size, Pressure& into);

// /proc/net/netstat.
Status add_netstat(std::string_view text, Pressure& into);

// net.ipv4.tcp_max_orphans, tcp_max_tw_buckets, tcp_fin_timeout, tcp_timestamps, tcp_mem.
Status add_max_orphans(std::string_view text, Pressure& into);
Status add_max_time_waits(std::string_view text, Pressure& into);
Status add_fin_timeout(std::string_view text, Pressure& into);
Status add_timestamps(std::string_view text, Pressure& into);
Status add_memory_limits(std::string_view text, std::uint64_t page_size, Pressure& into);

// net.ipv4.tcp_tw_reuse and tcp_tw_reuse_delay.
Status add_time_wait_reuse(std::string_view reuse, std::string_view delay, Pressure& into);

// net.ipv4.ip_local_port_range and ip_local_reserved_ports.
Status add_ephemeral(std::string_view range, std::string_view reserved, Pressure& into);

}  // namespace tcpmibd::tcp
