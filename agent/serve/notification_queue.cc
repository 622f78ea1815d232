#include "agent/serve/notification_queue.h"

#include <string>
#include <utility>

namespace tcpmibd::agent {

namespace {

constexpr std::size_t kMostATurn = 20;
constexpr std::size_t kMostWaiting = 1000;

}  // namespace

void NotificationQueue::queue(tables::Notification notification) {
  if (!is_open())
    fold(1, "no SNMP master is connected");
  else if (waiting_.size() == kMostWaiting)
    fold(1, "too many are waiting");
  else
    waiting_.push_back(std::move(notification));
}

void NotificationQueue::on_turn() {
  if (!waiting_.empty() && !is_open())
    fold(std::exchange(waiting_, {}).size(), "the SNMP master has gone");
  held_ = false;
  for (std::size_t sent = 0; sent < kMostATurn && !waiting_.empty(); ++sent) {
    held_ = !outlet_.send(waiting_.front());
    if (held_)
      return;
    waiting_.pop_front();
  }
}

void NotificationQueue::fold(std::size_t count, const char* why) {
  folded_ += static_cast<std::uint32_t>(count);
  complaints_.write(log::Level::kWarning, std::string("notifications are not sent, for ") + why);
}

}  // namespace tcpmibd::agent
