#include "agent/netsnmp/timer.h"

#include <chrono>
#include <utility>

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

timeval to_timeval(Duration duration) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(duration);
  const auto rest = std::chrono::duration_cast<std::chrono::microseconds>(duration - whole);
  return {.tv_sec = whole.count(), .tv_usec = rest.count()};
}

}  // namespace

Timer::Timer(Duration period, std::function<void()> act)
    : act_(std::move(act)),
      number_(snmp_alarm_register_hr(to_timeval(period), SA_REPEAT, &Timer::ring, this)) {}

Timer::~Timer() { snmp_alarm_unregister(number_); }

void Timer::ring(unsigned, void* self) noexcept { static_cast<Timer*>(self)->act_(); }

void Reminder::set(Duration after) {
  const Time at = Clock::now() + after;
  if (number_ && rings_at_ <= at)
    return;
  cancel();
  rings_at_ = at;
  if (const unsigned number = snmp_alarm_register_hr(to_timeval(after), 0, &Reminder::ring, this))
    number_ = number;
}

void Reminder::cancel() {
  if (number_)
    snmp_alarm_unregister(*number_);
  number_.reset();
}

// The library forgets an alarm that is not repeated.
// NOLINTNEXTLINE(bugprone-exception-escape): nothing throws on purpose
void Reminder::ring(unsigned, void* self) noexcept {
  auto& reminder = *static_cast<Reminder*>(self);
  reminder.number_.reset();
  if (reminder.act_)
    reminder.act_();
}

}  // namespace tcpmibd::agent
