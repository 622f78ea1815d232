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
    // How many of those sent last nobody has confirmed yet.
    std::function<std::size_t()> unconfirmed;
  };

  // Called for a notification that may have reached nobody, for whoever took notifications has gone
  // or there was no room: nothing is known of one that `was_sent`; any other has reached nobody.
  using OnLost = std::function<void(bool was_sent)>;

  explicit NotificationQueue(Outlet outlet) : outlet_(std::move(outlet)) {}

  bool is_open() const { return outlet_.is_open(); }

  // For a later turn. What is lost, now or later, is folded, unless `on_lost` cares for it.
  void queue(tables::Notification notification, OnLost on_lost = {});

  // To be called at every turn of the loop.
  void on_turn();

  // Whether the next turn has something to send, so that the loop must not wait for events.
  bool is_busy() const { return !waiting_.empty() && !held_; }

  // Notifications that were never sent, since the start.
  std::uint32_t folded() const { return folded_; }

 private:
  struct Entry {
    tables::Notification notification;
    OnLost on_lost;
  };

  void forget_confirmed();
  void lose_all();
  void fold(std::size_t count, const char* why);

  Outlet outlet_;
  std::deque<Entry> waiting_;
  std::deque<OnLost> sent_;  // and not confirmed
  bool held_ = false;        // The outlet takes none for now.
  std::uint32_t folded_ = 0;
  log::Limited complaints_;
};

}  // namespace tcpmibd::agent
