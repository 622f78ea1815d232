#pragma once

#include <string>
#include <string_view>

namespace tcpmibd::agent {

// `text` as a TOML string with its quotes: what an override needs for a value that may contain
// anything, as an address does.
std::string toml_string(std::string_view text);

}  // namespace tcpmibd::agent
