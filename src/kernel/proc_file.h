#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tcpmibd::kernel {

// Gives the lines of a file of /proc one after the other, without their ends. One of more than 64
// KiB is left out, and nothing is kept: who may write the file of a process cannot fill our memory.
Status each_line(const std::string& path, const std::function<void(std::string_view)>& visit);

// Whether /proc numbers processes as our own process namespace does, so that system calls mean the
// same process by a number that was read there.
bool proc_is_of_our_namespace();

// Reads a file of /proc/sys whole. Many of those give only what fits into one read: a second one
// finds the end, and a list is cut in the middle of a number.
Result<std::string> read_sysctl(const std::string& path);

}  // namespace tcpmibd::kernel
