#pragma once

#include <chrono>
#include <string_view>

#include "agent/commands/show/evidence.h"
#include "agent/commands/watch/reading.h"
#include "agent/commands/watch/screen.h"
#include "agent/commands/watch/wish.h"

namespace tcpmibd::agent {

// Looks at the host again and again, in the way in which the running agent does, and makes of it
// what a screen shows.
//
// Cost: a dump and a survey each look. Owners are looked up for the view of processes, whose rows
// they are, and for the rows of others that are on the screen; never for longer than a twentieth of
// the time.
class Live {
 public:
  Live(const Options& options, const Config& config, const ShowSources& sources);

  // For the view and the rows that are wanted. What could not be read stays as it was.
  Status look(const Wish& wish, const ScreenSize& size);

  // When to look next, so that looks take no more than a tenth of the time; owners are not counted.
  Time next_look(std::chrono::seconds interval) const;

  // Of the last look that came to an end.
  LiveHost host() const;
  LiveTable table(const Wish& wish, const ScreenSize& size) const;

 private:
  Status look_up(const Wish& wish, const ScreenSize& size);
  bool is_owners_turn(std::string_view word) const;

  const Options& options_;
  Evidence evidence_;
  Time began_{};
  Duration cost_{};
  Time owners_from_{};  // not looked up again before, but for another view
  std::string_view owners_of_{};
  bool knows_way_ = false;  // by which owners are found, which takes its time, but only once
};

}  // namespace tcpmibd::agent
