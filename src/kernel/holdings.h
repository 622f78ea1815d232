#pragma once

#include <cstdint>
#include <vector>

#include "tcp/process_map.h"

namespace tcpmibd::kernel {

// What a look at the descriptors of all processes finds.
struct Holdings {
  std::vector<tcp::Holder> holders{};       // in no particular order, with repetitions
  std::vector<std::uint32_t> with_rings{};  // processes that have an io_uring open, likewise
  std::uint32_t denied = 0;                 // processes whose descriptors we may not see
  bool every_table = false;                 // those that threads have of their own included
};

}  // namespace tcpmibd::kernel
