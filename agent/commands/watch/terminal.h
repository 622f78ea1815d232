#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agent/commands/watch/screen.h"
#include "base/clock.h"
#include "base/error.h"

namespace tcpmibd::agent {

// The terminal of this process, while it shows a screen in place: by ncurses, which is loaded here
// and by nobody who does not watch. The terminal is as it was before when this goes, and when the
// process ends by a fault.
//
// Thread:  the only one of the process; SIGINT, SIGTERM, SIGHUP and SIGWINCH are held back from
// then
//          on and come out of wait(). One at a time.
// Errors:  no terminal, or one of a kind that nobody knows; no ncurses.
class Terminal {
 public:
  // Colours are used if `colour` and if it has any.
  static Result<std::unique_ptr<Terminal>> open(bool colour);
  virtual ~Terminal() = default;

  virtual ScreenSize size() const = 0;
  virtual void draw(const std::vector<ScreenLine>& lines) = 0;

  struct Event {
    std::optional<Key> key{};
    bool ended = false;  // by a signal, or the terminal is gone
  };
  // Until there is a key, the size has changed, an end is asked for, or it is `until`.
  virtual Event wait(Time until) = 0;

 protected:
  Terminal() = default;
  Terminal(const Terminal&) = default;
  Terminal& operator=(const Terminal&) = default;
};

}  // namespace tcpmibd::agent
