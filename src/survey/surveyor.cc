#include "survey/surveyor.h"

#include <utility>
#include <vector>

namespace tcpmibd::tcp {

// How long a connection has hung in CLOSE_WAIT is asked once, when it is first seen so. A kernel
// that does not tell that leaves the time since then.
std::shared_ptr<const Survey> Surveyor::survey(const Snapshot& snapshot) {
  std::vector<Quiet> quiet;
  if (sightings_.lacks_close_waits(snapshot))
    (void)sources_.sockets.read_close_waits(quiet);
  const Pressure pressure = sources_.pressure.read().value_or(Pressure());
  sightings_ = Sightings::follow(sightings_, snapshot, quiet, pressure.lifetimes());
  last_ = std::make_shared<const Survey>(Survey::build({.snapshot = snapshot,
                                                        .sightings = sightings_,
                                                        .before = last_.get(),
                                                        .ephemeral = pressure.ephemeral,
                                                        .reuse = pressure.reuse(),
                                                        .units = sources_.units}));
  return last_;
}

std::shared_ptr<const Owners> Surveyor::owners(const Snapshot& snapshot,
                                               std::shared_ptr<const ProcessMap> map) {
  return std::make_shared<const Owners>(
      Owners::build(snapshot, sightings_, std::move(map), sources_.units));
}

}  // namespace tcpmibd::tcp
