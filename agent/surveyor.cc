#include "agent/surveyor.h"

#include <utility>
#include <vector>

namespace tcpmibd::agent {

// How long a connection has hung in CLOSE_WAIT is asked once, when it is first seen so. A kernel
// that does not tell that leaves the time since then.
std::shared_ptr<const tcp::Survey> Surveyor::survey(const tcp::Snapshot& snapshot) {
  std::vector<tcp::Quiet> quiet;
  if (sightings_.lacks_close_waits(snapshot))
    (void)sources_.sockets.read_close_waits(quiet);
  const tcp::Pressure pressure = sources_.pressure.read().value_or(tcp::Pressure());
  sightings_ = tcp::Sightings::follow(sightings_, snapshot, quiet, pressure.lifetimes());
  last_ = std::make_shared<const tcp::Survey>(tcp::Survey::build({.snapshot = snapshot,
                                                                  .sightings = sightings_,
                                                                  .before = last_.get(),
                                                                  .ephemeral = pressure.ephemeral,
                                                                  .units = sources_.units}));
  return last_;
}

std::shared_ptr<const tcp::Owners> Surveyor::owners(const tcp::Snapshot& snapshot,
                                                    std::shared_ptr<const tcp::ProcessMap> map) {
  return std::make_shared<const tcp::Owners>(
      tcp::Owners::build(snapshot, sightings_, std::move(map), sources_.units));
}

}  // namespace tcpmibd::agent
