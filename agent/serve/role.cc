#include "agent/serve/role.h"

#include "base/log.h"

namespace tcpmibd::agent {

ExitStatus Role::run(const Events& events) {
  begin(events);
  ExitStatus status = ExitStatus::kAsked;
  while (!stop_) {
    if (const Status settled = settle(); !settled) {
      log::error(settled.error().text());
      status = ExitStatus::kFailed;
      break;
    }
    notice_opening(events);
    const std::optional<Duration> latest = events.on_turn ? events.on_turn() : std::nullopt;
    wait(events, events.is_busy && events.is_busy(), latest);
  }
  end();
  return status;
}

void Role::notice_opening(const Events& events) {
  const bool opened = is_serving() && !was_serving_;
  was_serving_ = is_serving();
  if (opened && events.on_open)
    events.on_open();
}

void Role::on_signal(const Events& events) {
  const Signals::Wishes wishes = signals_.take();
  if (wishes.hang_up)
    events.on_hangup();
  stop_ = wishes.stop;
}

}  // namespace tcpmibd::agent
