#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace tcpmibd::agent {

// Something that the library's loop does again and again, for as long as this object lives. It is
// done by a turn of that loop, so never while the loop is stuck.
class Timer {
 public:
  Timer(Duration period, std::function<void()> act);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  static void ring(unsigned number, void* self) noexcept;

  std::function<void()> act_;
  unsigned number_;
};

// Wakes the library's loop once, so that it makes a turn though nothing happens, or does something.
class Reminder {
 public:
  Reminder() = default;
  explicit Reminder(std::function<void()> act) : act_(std::move(act)) {}
  ~Reminder() { cancel(); }
  Reminder(const Reminder&) = delete;
  Reminder& operator=(const Reminder&) = delete;

  // Unless it is set already, and to an earlier moment.
  void set(Duration after);
  void cancel();

 private:
  static void ring(unsigned number, void* self) noexcept;

  std::function<void()> act_;  // may be empty
  std::optional<unsigned> number_;
  Time rings_at_{};
};

}  // namespace tcpmibd::agent
