#pragma once

#include <algorithm>
#include <vector>

namespace tcpmibd {

// Ascending, each value once.
template <typename T>
void sort_unique(std::vector<T>& values) {
  std::ranges::sort(values);
  const auto rest = std::ranges::unique(values);
  values.erase(rest.begin(), rest.end());
}

}  // namespace tcpmibd
