#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>

#include "base/log.h"
#include "tables/notifications.h"

namespace tcpmibd::agent {

// Sends notifications a few a turn of the loop, and no faster than they are taken.
class NotificationQueue {
 public:
  struct Outlet {
    std::function<bool()> is_open;  // whether somebody takes notifications now
    // False: not now, it is to be tried again at a later turn.
    std::function<bool(const tables::Notification&)> send;
  };

  explicit NotificationQueue(Outlet outlet) : outlet_(std::move(outlet)) {}

  bool is_open() const { return outlet_.is_open(); }

  // For a later turn. What finds no room, or nobody to go to, is folded.
  void queue(tables::Notification notification);

  // To be called at every turn of the loop.
  void on_turn();

  // Whether the next turn has something to send, so that the loop must not wait for events.
  bool is_busy() const { return !waiting_.empty() && !held_; }

  // Notifications that were never sent, since the start.
  std::uint32_t folded() const { return folded_; }

 private:
  void fold(std::size_t count, const char* why);

  Outlet outlet_;
  std::deque<tables::Notification> waiting_;
  bool held_ = false;  // The outlet takes none for now.
  std::uint32_t folded_ = 0;
  log::Limited complaints_;
};

}  // namespace tcpmibd::agent
