#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/commands/watch/reading.h"
#include "agent/commands/watch/wish.h"

// What stands on the screen: two readings and a size become lines. Pure, so that it is tested
// without a terminal.

namespace tcpmibd::agent {

enum class Tone : std::uint8_t { kNormal, kStrong, kWeak, kHurts, kGrows, kBar };

struct ScreenSpan {
  std::string text;  // printable UTF-8
  Tone tone = Tone::kNormal;
};

using ScreenLine = std::vector<ScreenSpan>;

struct ScreenSize {
  std::size_t rows = 0;
  std::size_t columns = 0;
};

struct Scene {
  const LiveHost& host;
  const LiveHost* host_before = nullptr;  // null: this is the first look
  const LiveTable& table;
  const LiveTable* table_before = nullptr;  // null: of the view's
  const Wish& wish;
  std::chrono::seconds interval{};
};

// At most as many lines as there are rows, none wider than the screen.
std::vector<ScreenLine> screen_lines(const Scene& scene, const ScreenSize& size);

// How many rows of a table fit, and which of the table's are to be seen.
OnScreen seen_of(const LiveTable& table, const Wish& wish, const ScreenSize& size);

}  // namespace tcpmibd::agent
