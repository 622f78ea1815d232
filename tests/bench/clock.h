#pragma once

#include <chrono>
#include <ctime>

#include "support/process.h"
#include "support/trouble.h"

namespace tcpmibd::bench {

template <typename Act>
double milliseconds(Act&& act) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
  act();
  return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

// Of all threads of a process, since it began; in milliseconds.
inline double processor_time(const lab::Process& process) {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(process.pid(), &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    throw lab::Trouble("cannot read the processor time of a daemon");
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

}  // namespace tcpmibd::bench
