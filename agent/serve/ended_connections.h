#pragma once

#include <map>

#include "base/clock.h"
#include "tcp/deletion.h"
#include "tcp/sources.h"

namespace tcpmibd::agent {

// What managers have ended lately, so that no row of an older snapshot shows it any more.
//
// A new snapshot for each deletion would make walks wait, and every Set wait for those walks: the
// library holds a Set back while any request is parked.
class EndedConnections {
 public:
  void add(const tcp::Socket& ended, Time now);

  bool empty() const { return ended_.empty(); }

  // Whether all there is to hide in a snapshot begun then is hidden by hides(). Of listeners and
  // of what is bound to an interface no index says enough.
  bool can_mend(Time taken_at) const { return taken_at >= unnamed_at_; }

  // Whether the row that `question` asks for, in a snapshot begun then, stands for what has ended.
  bool hides(const tcp::Question& question, Time taken_at) const;

  // The newest end of all; the start of time if there was none.
  Time last() const { return last_; }

  // There are no older snapshots than from `oldest`.
  void forget_before(Time oldest);

 private:
  std::map<tcp::Ends, Time> ended_;
  Time last_{};
  Time unnamed_at_{};  // the newest one that has no ends to know it by
};

}  // namespace tcpmibd::agent
