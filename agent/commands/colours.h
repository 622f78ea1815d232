#pragma once

#include <string>
#include <string_view>

// What a terminal obeys (ECMA-48, SGR).

namespace tcpmibd::agent {

inline constexpr const char* kPlain = "\033[0m";
inline constexpr const char* kBold = "\033[1m";
inline constexpr const char* kDim = "\033[2m";
inline constexpr const char* kRed = "\033[31m";
inline constexpr const char* kGreen = "\033[32m";
inline constexpr const char* kYellow = "\033[33m";

// `text` in one of these; as it is where `colour` is empty.
inline std::string coloured(std::string_view text, std::string_view colour) {
  return colour.empty() ? std::string(text)
                        : std::string(colour) + std::string(text) + std::string(kPlain);
}

}  // namespace tcpmibd::agent
