#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tcp/sources.h"

namespace tcpmibd::kernel {

// How near TCP is to its limits, from /proc/net and /proc/sys/net/ipv4.
//
// Both are those of the calling thread's network namespace. A file that is not there, or cannot
// be read, makes its figures absent; only where none can be read is that an error.
//
// Thread:  any, several at once.
// Cost:    about 110 µs a read, 70 µs of ListenDrops alone.
// Rights:  none.
// Logs:    nothing.
class ProcPressure final : public tcp::PressureSource {
 public:
  // `proc` is where proc is mounted.
  explicit ProcPressure(std::string proc = "/proc");

  Result<tcp::Pressure> read() override;
  std::optional<std::uint64_t> listen_drops() override;

 private:
  std::string net_;   // with a slash at the end
  std::string ipv4_;  // the same
};

}  // namespace tcpmibd::kernel
