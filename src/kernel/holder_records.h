#pragma once

#include <cstddef>
#include <vector>

#include "base/error.h"
#include "kernel/holdings.h"

namespace tcpmibd::kernel {

// Reads `descriptor` to its end: tcp::Holder after tcp::Holder, as kernel/bpf/task_sockets.bpf.c
// writes them. `expected` is how many there may be, a guess that spares the array its growth.
Result<std::vector<tcp::Holder>> read_holders(int descriptor, std::size_t expected);

// What such records say. One with inode 0, which no socket has, is of a process that has an
// io_uring open.
Holdings holdings_of(std::vector<tcp::Holder> records);

}  // namespace tcpmibd::kernel
