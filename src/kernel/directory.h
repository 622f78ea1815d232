#pragma once

#include <dirent.h>

#include <string>

#include "base/handle.h"

namespace tcpmibd::kernel {

using Directory = UniqueHandle<DIR, closedir>;

// Opens a folder, by a path relative to `parent` or to the working directory (AT_FDCWD); null with
// errno set. A symbolic link is not followed.
Directory open_directory(int parent, const std::string& path);

}  // namespace tcpmibd::kernel
