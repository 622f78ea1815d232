#include "agent/serve/notification_queue.h"

#include <string>
#include <utility>

namespace tcpmibd::agent {

namespace {

constexpr std::size_t kMostATurn = 20;
constexpr std::size_t kMostWaiting = 1000;

}  // namespace

void NotificationQueue::queue(tables::Notification notification, OnLost on_lost) {
  const bool has_room = waiting_.size() < kMostWaiting;
  if (is_open() && has_room)
    waiting_.push_back({std::move(notification), std::move(on_lost)});
  else if (on_lost)
    on_lost(false);
  else
    fold(1, has_room ? "no SNMP master is connected" : "too many are waiting");
}

void NotificationQueue::on_turn() {
  if (!is_open()) {
    lose_all();
    return;
  }
  forget_confirmed();
  held_ = false;
  for (std::size_t sent = 0; sent < kMostATurn && !waiting_.empty(); ++sent) {
    held_ = !outlet_.send(waiting_.front().notification);
    if (held_)
      return;
    sent_.push_back(std::move(waiting_.front().on_lost));
    waiting_.pop_front();
  }
}

// They are confirmed in the order in which they were sent.
void NotificationQueue::forget_confirmed() {
  const std::size_t unconfirmed = outlet_.unconfirmed();
  while (sent_.size() > unconfirmed)
    sent_.pop_front();
}

// In their order, for what comes later may take back what came before.
void NotificationQueue::lose_all() {
  for (const OnLost& on_lost : std::exchange(sent_, {})) {
    if (on_lost)
      on_lost(true);
  }
  std::size_t folded = 0;
  for (const Entry& entry : std::exchange(waiting_, {})) {
    if (entry.on_lost)
      entry.on_lost(false);
    else
      ++folded;
  }
  if (folded > 0)
    fold(folded, "the SNMP master has gone");
}

void NotificationQueue::fold(std::size_t count, const char* why) {
  folded_ += static_cast<std::uint32_t>(count);
  complaints_.write(log::Level::kWarning, std::string("notifications are not sent, for ") + why);
}

}  // namespace tcpmibd::agent
