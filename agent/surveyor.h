#pragma once

#include <memory>

#include "tcp/owners.h"
#include "tcp/sources.h"
#include "tcp/survey.h"

namespace tcpmibd::agent {

// Makes surveys of snapshots. How long connections have hung, and since when the same sockets
// listen, it knows by the surveys before: it is made once and kept.
//
// Thread:  not safe; it uses the sources on the caller's.
// Logs:    nothing.
class Surveyor {
 public:
  struct Sources {
    tcp::SocketSource& sockets;
    tcp::PressureSource& pressure;
    tcp::UnitLookup& units;
  };

  explicit Surveyor(const Sources& sources) : sources_(sources) {}

  // Of snapshots in the order in which they were taken.
  std::shared_ptr<const tcp::Survey> survey(const tcp::Snapshot& snapshot);

  // `map` was made after the snapshot. Ages are those of the last survey.
  std::shared_ptr<const tcp::Owners> owners(const tcp::Snapshot& snapshot,
                                            std::shared_ptr<const tcp::ProcessMap> map);

  // Null before the first.
  const std::shared_ptr<const tcp::Survey>& last() const { return last_; }

 private:
  Sources sources_;
  std::shared_ptr<const tcp::Survey> last_;
  tcp::Sightings sightings_;  // up to the last survey
};

}  // namespace tcpmibd::agent
