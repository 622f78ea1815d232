#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>

#include "base/error.h"
#include "base/handle.h"

// Reading files of the system, which we trust to be files. Those that an operator names are read by
// read_input() (base/input_file.h).

namespace tcpmibd {

inline constexpr std::size_t kUnlimited = static_cast<std::size_t>(-1);

Result<FileDescriptor> open_to_read(const std::string& path);

// read(2) and pread(2), again if a signal has interrupted them.
ssize_t read_next(int file, std::span<char> into);
ssize_t read_at(int file, std::span<char> into, std::size_t offset);

// All of an opened file from its beginning, wherever it has been read before. The code is EFBIG if
// it holds more than `most` octets; `name` is for messages.
Result<std::string> read_opened(int file, const std::string& name, std::size_t most);

// All of a file, at once: for small ones.
Result<std::string> read_file(const std::string& path);

}  // namespace tcpmibd
