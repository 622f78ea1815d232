#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"
#include "tcp/pressure.h"
#include "tcp/snapshot.h"
#include "tcp/sources.h"

namespace tcpmibd::tcp {

// How long connections have been in a state in which they may hang: SYN_SENT, FIN_WAIT_2,
// CLOSE_WAIT, LAST_ACK and TIME_WAIT. A lower bound: the greater of the time since they were first
// seen so and of what the kernel knows of it.
//
// Memory:  16 octets a connection in the first four states. TIME_WAIT is given by its timer alone.
class Sightings {
 public:
  Sightings() = default;

  // What was known `before`, brought up to `snapshot`. `quiet`: in any order; may lack any.
  static Sightings follow(const Sightings& before, const Snapshot& snapshot,
                          std::span<const Quiet> quiet, const Lifetimes& lifetimes);

  // Whether a CLOSE_WAIT connection of `snapshot` has not been seen as such before.
  bool lacks_close_waits(const Snapshot& snapshot) const;

  // In seconds, at the moment of the snapshot that was followed last; 0 in other states.
  std::uint32_t age_of(const Details& details) const;

 private:
  struct Sighting {
    std::uint64_t cookie;
    std::uint32_t since_ds;  // deciseconds of the monotonic clock
    State state;
  };

  const Sighting* find(const Details& details) const;
  std::uint32_t since(const Details& details, const Sightings& before,
                      std::span<const Quiet> quiet) const;

  std::vector<Sighting> sightings_;  // ascending by cookie
  std::uint32_t now_ds_ = 0;
  Lifetimes lifetimes_;
};

}  // namespace tcpmibd::tcp
