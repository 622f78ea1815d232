#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "survey/listen_drops.h"
#include "survey/owners.h"
#include "survey/survey.h"
#include "tcp/sources.h"

namespace tcpmibd::tcp {

// Makes surveys of snapshots. How long connections have hung, since when the same sockets listen
// and what they have lost, it knows by the surveys before: it is made once and kept.
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

  // To be asked right before each dump whose snapshot may be surveyed, and given to survey(). None
  // where the kernel does not report, and before the first survey, which has no use for it.
  std::optional<std::uint64_t> listen_drops_before_dump();

  // Of snapshots in the order in which they were taken.
  std::shared_ptr<const Survey> survey(const Snapshot& snapshot,
                                       std::optional<std::uint64_t> listen_drops_before);

  // `map` was made after the snapshot. Ages are those of the last survey.
  std::shared_ptr<const Owners> owners(const Snapshot& snapshot,
                                       std::shared_ptr<const ProcessMap> map);

  // Null before the first.
  const std::shared_ptr<const Survey>& last() const { return last_; }

 private:
  Sources sources_;
  std::shared_ptr<const Survey> last_;
  Sightings sightings_;       // up to the last survey
  ListenDrops listen_drops_;  // likewise
};

}  // namespace tcpmibd::tcp
