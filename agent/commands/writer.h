#pragma once

#include <functional>
#include <string_view>

namespace tcpmibd::agent {

// Takes text for standard output, piece by piece.
using Writer = std::function<void(std::string_view)>;

}  // namespace tcpmibd::agent
