#pragma once

#include <string>

#include "base/error.h"

namespace tcpmibd::kernel {

// Reads a small file of /proc whole.
Result<std::string> read_proc_file(const std::string& path);

// Reads a file of /proc/sys whole. Many of those tell only what fits into one read: a second one
// finds the end, and a list is cut in the middle of a number.
Result<std::string> read_sysctl(const std::string& path);

}  // namespace tcpmibd::kernel
