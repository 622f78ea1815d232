#pragma once

#include <cstdint>

#include "tcp/sources.h"

namespace tcpmibd::kernel {

// Who processes are, from /proc/PID. About 15 µs a process. Any thread, no rights needed.
class ProcNames final : public tcp::ProcessNames {
 public:
  tcp::ProcessIdentity identity_of(std::uint32_t pid) override;
};

}  // namespace tcpmibd::kernel
