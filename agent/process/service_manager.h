#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "agent/process/standing.h"
#include "base/clock.h"
#include "tcp/snapshot.h"

namespace tcpmibd::agent {

// The protocol of sd_notify(3): what we report to systemd, or whoever has set NOTIFY_SOCKET.
// Without that nothing is said.
//
// Start:   we are ready when managers are served, and not before. A master may come much later than
//          we do, so while one is waited for, the time allowed for the start is extended.
// Cost:    nothing is said but on the occasion of a turn of the loop: an idle agent stays idle.
// Thread:  the agent's.
class ServiceManager {
 public:
  // `attempts_apart`: how much time goes by between two attempts to reach a master.
  explicit ServiceManager(Duration attempts_apart);

  bool listens() const { return listens_; }

  // How often alive() is to be called; none: nobody waits for it.
  std::optional<Duration> beat() const { return beat_; }
  void alive() const;

  // To be called before the loop waits. `newest` may be null.
  void report(const Standing& standing, const tcp::Snapshot* newest, Time now);

  // Around a reload.
  void reloading() const;
  void reloaded();

  void stopping() const;

 private:
  struct Rows {
    std::size_t count;
    Time taken_at;
  };

  bool say(std::string_view message) const;
  std::string status(const Standing& standing, Time now) const;

  bool listens_;
  std::optional<Duration> beat_;
  Duration patience_;  // how long to wait for our next word while we start

  bool ready_ = false;
  bool owes_ready_ = false;   // after a reload it could not be said
  std::optional<Rows> rows_;  // read last; the snapshot itself may be gone
  std::string standing_;      // reported last
  std::string status_;        // reported last
  Time next_{};               // when news of rows may be reported
};

}  // namespace tcpmibd::agent
