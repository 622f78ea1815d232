#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tcpmibd {

// The files in `folder` whose names end in `extension` (".toml"), ascending: the pieces of a
// configuration, as conf.d holds them. Hidden ones are an editor's and left out. Empty where there
// is no such folder; an error where it cannot be listed, or, with no code, holds more than `most`.
// The cure is the caller's to add: it knows whose folder it is.
Result<std::vector<std::string>> drop_in_files(const std::string& folder,
                                               std::string_view extension, std::size_t most);

}  // namespace tcpmibd
