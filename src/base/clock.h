#pragma once

#include <chrono>

namespace tcpmibd {

// Every age and deadline is measured on the monotonic clock: a corrected wall clock moves none.
using Clock = std::chrono::steady_clock;
using Time = Clock::time_point;
using Duration = Clock::duration;

}  // namespace tcpmibd
