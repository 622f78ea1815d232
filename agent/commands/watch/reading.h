#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "tcp/state.h"

// What the live view has read of the host at one moment: values, without a kernel or a terminal.

namespace tcpmibd::agent {

struct LiveColumn {
  std::string heading;
  bool right = false;  // numbers
};

struct LiveCell {
  std::string text;
  std::optional<std::int64_t> number{};  // what differences and rates are made of
  bool counter = false;                  // it only grows: what matters is how fast
  bool drifts = false;                   // it changes by itself, with time: no difference is made
  bool hurts = false;
};

struct LiveRow {
  std::string key;                     // the same in every reading, and no other row's
  std::vector<LiveCell> cells;         // one a column
  std::vector<std::uint32_t> badness;  // the greater, the worse; compared in order
};

struct LiveTable {
  std::string_view word;  // of `show`
  std::vector<LiveColumn> columns;
  std::vector<LiveRow> rows;
  // Rows are those that the screen has room for, in their final order: there are too many for more.
  bool is_page = false;
  std::size_t first = 0;  // of a page: how many rows there are before it
  std::size_t all = 0;    // how many rows there are, of which a page is some
};

// A counter of the host, of which the screen shows the rate.
struct HostCounter {
  std::string_view name;
  std::uint64_t value = 0;
  bool hurts = false;  // if it grows
};

struct LiveHost {
  Time at{};
  Duration took{};                                       // the dump alone
  std::array<std::uint32_t, tcp::kStateCount> counts{};  // by state, as tcp::kStates are ordered
  std::vector<HostCounter> counters{};
  std::string verdict{};  // what hurts most and who does it; empty: nothing
  std::string trouble{};  // why there is nothing newer; empty: there is
};

}  // namespace tcpmibd::agent
