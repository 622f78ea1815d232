#pragma once

#include <chrono>

#include "agent/serve/request.h"
#include "base/clock.h"

namespace tcpmibd::agent {

// How old an answer may be.
struct Ages {
  Duration snapshot = std::chrono::seconds(1);
  Duration processes = std::chrono::seconds(5);
  bool look_up_processes = true;
};

// When a request arrived, and when it is looked at: for the first time, or after it has waited.
struct Moment {
  Time now;
  Time arrived;
};

// Which data is new enough for an answer. Ages and moments in, yes or no out: it holds the limits
// and nothing else, and knows no clock.
//
// Data is fresh if it is young enough, or was read after its request arrived. However long a master
// or a manager waits, what it gets is fresh by this rule: see keeps().
class Freshness {
 public:
  explicit Freshness(const Ages& ages) : ages_(ages) {}

  const Ages& ages() const { return ages_; }

  // Of a snapshot, or a survey of one. What took long to make serves longer, or a busy host would
  // do nothing else.
  Duration most_age(Duration took) const;

  // Of a process map, and of the owners' figures by it. The worker begins no other map before
  // `serves_until`, however old this one is then.
  Duration most_age_of_processes(Time read_at, Time serves_until) const;

  // Of what is known about processes, where a table is entered from before it: who does that has
  // mostly walked the one before to its end, and throws the answer away. It is no reason to look
  // into every process of the host.
  static constexpr Duration kMostAgeOnEntering = std::chrono::minutes(5);

  static bool is_fresh(Time read_at, Duration most_age, Moment moment);

  // The same of what the PDU has been answered from before. A master asks for the parts of one PDU
  // one after the other, and they are answered from the same data for so much longer.
  static bool keeps(Time read_at, Duration most_age, Moment moment);
  static constexpr Duration kTogether = std::chrono::seconds(7);

  // Until when such an answer may be sent.
  static Basis basis(Time read_at, Duration most_age, Time arrived);

  // What was begun then or later is fresh.
  Time oldest(Duration took, Moment moment) const;

  // Whether the next snapshot has to be begun, so that a walk under way finds it made before this
  // one is too old.
  bool is_to_be_renewed(Time read_at, Duration took, Time now) const;

  // Until when data is kept that nobody asks for.
  static Time kept_until(Time read_at, Duration most_age);
  static constexpr Duration kIdle = std::chrono::seconds(10);

 private:
  Ages ages_;
};

}  // namespace tcpmibd::agent
