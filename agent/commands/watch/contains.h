#pragma once

#include <algorithm>
#include <cctype>
#include <string_view>

namespace tcpmibd::agent {

// In any case of ASCII's letters.
inline bool contains(std::string_view text, std::string_view wanted) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  return wanted.empty() || !std::ranges::search(text, wanted, same).empty();
}

}  // namespace tcpmibd::agent
