#pragma once

#include <string>

#include "tcp/sources.h"

namespace tcpmibd::kernel {

// The TCP counters of the calling thread's network namespace, from /proc/net/snmp, and the bounds
// of the retransmission timeout from /proc/sys/net/ipv4 where they can be set there (tcp_rto_min_us
// since Linux 6.11, tcp_rto_max_ms since 6.15). About 40 µs a read.
class ProcCounters final : public tcp::CounterSource {
 public:
  // `proc` is where proc is mounted.
  explicit ProcCounters(std::string proc = "/proc");

  Result<tcp::Counters> read() override;

 private:
  std::string snmp_;
  std::string ipv4_;  // with a slash at the end
};

}  // namespace tcpmibd::kernel
