#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace tcpmibd::agent {

// Something that a loop does again and again. The loop asks when it is due and lets it act.
class Ticks {
 public:
  Ticks() = default;  // never
  Ticks(Duration period, std::function<void()> act)
      : period_(period), act_(std::move(act)), due_(Clock::now() + period) {}

  // None: never.
  std::optional<Time> due() const { return due_; }

  // Acts if it is due. What was missed is not made up for.
  void act(Time now) {
    if (!due_ || now < *due_)
      return;
    due_ = now + period_;
    act_();
  }

 private:
  Duration period_{};
  std::function<void()> act_;
  std::optional<Time> due_;
};

}  // namespace tcpmibd::agent
