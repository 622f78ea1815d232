#include "agent/config/nearest.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>
#include <vector>

namespace tcpmibd::agent {
namespace {

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

// Damerau and Levenshtein: letters inserted, left out, replaced, or swapped with a neighbour.
// The usual matrix, of which three rows are kept.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

// Longer than anything that is named here; keeps a pasted page from costing its square.
constexpr std::size_t kLongestWord = 64;

}  // namespace

std::string_view nearest(std::string_view text, std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t least = std::numeric_limits<std::size_t>::max();
  if (text.size() > kLongestWord)
    return best;
  for (const std::string_view word : known) {
    const std::size_t differing = distance(text, word);
    if (differing < least && 3 * differing <= std::max(text.size(), word.size())) {
      least = differing;
      best = word;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view text, std::span<const std::string_view> known) {
  const std::string_view word = nearest(text, known);
  return word.empty() ? std::string() : "; did you mean '" + std::string(word) + "'?";
}

}  // namespace tcpmibd::agent
