#pragma once

#include <poll.h>

#include <chrono>
#include <ctime>
#include <utility>

namespace tcpmibd::lab {

inline constexpr std::chrono::seconds kPatience{5};

// Gives the processor away for a moment between two looks at something.
inline void pause_briefly() {
  const timespec interval{.tv_sec = 0, .tv_nsec = 10'000'000};
  ::ppoll(nullptr, 0, &interval, nullptr);
}

// Looks until `predicate` holds; false when it still did not at the deadline.
template <typename Predicate>
bool eventually(Predicate&& predicate, std::chrono::milliseconds timeout = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!predicate()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return predicate();
    pause_briefly();
  }
  return true;
}

// Produces values until one equals `wanted` or the deadline passes; the last one, so that a test
// says what it saw instead: `EXPECT_EQ(settled(state_of_a, "FIN-WAIT-1"), "FIN-WAIT-1")`.
template <typename Produce, typename Wanted>
auto settled(Produce&& produce, const Wanted& wanted,
             std::chrono::milliseconds timeout = kPatience) {
  auto value = produce();
  eventually([&] { return value == wanted || ((value = produce()) == wanted); }, timeout);
  return value;
}

}  // namespace tcpmibd::lab
