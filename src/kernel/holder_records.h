#pragma once

#include <cstddef>
#include <vector>

#include "base/error.h"
#include "tcp/process_map.h"

namespace tcpmibd::kernel {

// Reads `descriptor` to its end: tcp::Holder after tcp::Holder, as kernel/bpf/task_sockets.bpf.c
// writes them. `expected` is how many there may be, a guess that spares the array its growth.
Result<std::vector<tcp::Holder>> read_holders(int descriptor, std::size_t expected);

}  // namespace tcpmibd::kernel
