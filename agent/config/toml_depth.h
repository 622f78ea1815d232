#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tcpmibd::agent {

// The deepest nesting of brackets, braces and dots of keys that is read. Ours needs four; the
// library goes down by one call a level, and without a bound a file could end the process.
inline constexpr std::size_t kDeepestToml = 64;

// The line, from 1, where `toml` goes deeper; none where it does not. To be asked before it is
// parsed: it need not be right TOML, and only where it is can one go on from here.
std::optional<std::size_t> line_too_deep(std::string_view toml);

}  // namespace tcpmibd::agent
