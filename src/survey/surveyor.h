#pragma once

#include <memory>

#include "survey/owners.h"
#include "survey/survey.h"
#include "tcp/sources.h"

namespace tcpmibd::tcp {

// Makes surveys of snapshots. How long connections have hung, and since when the same sockets
// listen, it knows by the surveys before: it is made once and kept.
//
// Thread:  not safe; it uses the sources on the caller's.
// Logs:    nothing.
class Surveyor {
 public:
  struct Sources {
    SocketSource& sockets;
    PressureSource& pressure;
    UnitLookup& units;
  };

  explicit Surveyor(const Sources& sources) : sources_(sources) {}

  // Of snapshots in the order in which they were taken.
  std::shared_ptr<const Survey> survey(const Snapshot& snapshot);

  // `map` was made after the snapshot. Ages are those of the last survey.
  std::shared_ptr<const Owners> owners(const Snapshot& snapshot,
                                       std::shared_ptr<const ProcessMap> map);

  // Null before the first.
  const std::shared_ptr<const Survey>& last() const { return last_; }

 private:
  Sources sources_;
  std::shared_ptr<const Survey> last_;
  Sightings sightings_;  // up to the last survey
};

}  // namespace tcpmibd::tcp
