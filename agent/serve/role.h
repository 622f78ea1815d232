#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "agent/process/exit_status.h"
#include "agent/process/signals.h"
#include "agent/process/standing.h"
#include "base/clock.h"
#include "base/error.h"
#include "tables/notifications.h"

namespace tcpmibd::agent {

// What the loop does for the rest of the program. All on the thread that runs it.
struct Events {
  int news;                         // a descriptor; readable: on_news(), then parked requests
  std::function<void()> on_news;    // must make it unreadable again
  std::function<void()> on_hangup;  // SIGHUP
  // At every turn of the loop, before it waits; may be empty. Returns when another turn is needed
  // at the latest, if one is.
  std::function<std::optional<Duration>()> on_turn;
  std::function<void()> on_open;  // there are managers again; may be empty
  // After on_turn(): whether there is more to do at the next turn, so that the loop must not wait
  // for events; may be empty.
  std::function<bool()> is_busy;
  std::function<void()> on_beat;  // every `beat`, if that is set, by a loop that is not stuck
  std::optional<Duration> beat;
};

// How managers reach us: through a master, or directly. Owns the loop of the agent's thread.
//
// One per process. Thread: one, from construction to the end.
class Role {
 public:
  // The signals outlive it.
  explicit Role(Signals& signals) : signals_(signals) {}
  virtual ~Role() = default;
  Role(const Role&) = delete;
  Role& operator=(const Role&) = delete;

  virtual Start start() = 0;

  // Until a signal asks to stop or there is no sense in going on; logs why.
  ExitStatus run(const Events& events);

  // Whether managers are served now.
  virtual bool is_serving() const = 0;

  // The same in words.
  virtual Standing standing() const = 0;

  // When sysUpTime was 0: ours, or that of the master we were connected with last.
  virtual Time uptime_zero() const = 0;

  // Calls `act` at every turn of an interval, in the loop; none: never again.
  virtual void repeat(std::optional<Duration> interval, std::function<void()> act) = 0;

  // Sends a notification. False: not now, it is to be tried again at a later turn.
  virtual bool notify(const tables::Notification& notification) = 0;

  // How many of the notifications sent last our peer has not confirmed. Only a master confirms any:
  // that it has them, not that they have reached a manager.
  virtual std::size_t unconfirmed() const { return 0; }

 protected:
  // What a loop of this role does with the events, between begin() and end().
  virtual void begin(const Events& events) = 0;
  virtual void end() = 0;

  // Before the loop waits: deals with what has happened. An error says that there is no sense in
  // going on.
  virtual Status settle() = 0;

  // Waits for what is to come and handles it, until `latest` if that is set; does not wait at all
  // when it is `busy`.
  virtual void wait(const Events& events, bool busy, std::optional<Duration> latest) = 0;

  int signal_descriptor() const { return signals_.descriptor(); }
  void on_signal(const Events& events);

 private:
  void notice_opening(const Events& events);

  Signals& signals_;
  bool was_serving_ = false;
  bool stop_ = false;
};

}  // namespace tcpmibd::agent
