#pragma once

#include <vector>

#include "base/error.h"
#include "tcp/deletion.h"

namespace tcpmibd::kernel {

// The TCP connections of this process, found by its descriptors in /proc/self/fd. About a
// microsecond each.
Result<std::vector<tcp::Ends>> own_connections();

}  // namespace tcpmibd::kernel
