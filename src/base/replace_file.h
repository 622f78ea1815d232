#pragma once

#include <string>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd {

// Puts `text` into the file `entry` of the opened `folder`: the old one or the new one is there,
// never half of one. It is on disk before this returns; readable by its owner alone. What lies at
// `entry`.new is removed, not written to.
//
// False and errno: it could not be done.
bool replace_file(const FileDescriptor& folder, const std::string& entry, const std::string& text);

}  // namespace tcpmibd
