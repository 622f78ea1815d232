#include "survey/surveyor.h"

#include <utility>
#include <vector>

namespace tcpmibd::tcp {

std::optional<std::uint64_t> Surveyor::listen_drops_before_dump() {
  return last_ == nullptr ? std::nullopt : sources_.pressure.listen_drops();
}

// How long a connection has hung in CLOSE_WAIT is asked once, when it is first seen so. A kernel
// that does not report that leaves the time since then. The pressure comes first: what is lost
// between the dump and that may be given to the wrong port.
std::shared_ptr<const Survey> Surveyor::survey(const Snapshot& snapshot,
                                               std::optional<std::uint64_t> listen_drops_before) {
  const Pressure pressure = sources_.pressure.read().value_or(Pressure());
  const LostConnections lost = listen_drops_.observe(
      snapshot.listening(), {.before = listen_drops_before, .after = pressure.listen_drops});
  std::vector<Quiet> quiet;
  if (sightings_.lacks_close_waits(snapshot))
    (void)sources_.sockets.read_close_waits(quiet);
  sightings_ = Sightings::follow(sightings_, snapshot, quiet, pressure.lifetimes());
  last_ = std::make_shared<const Survey>(Survey::build({.snapshot = snapshot,
                                                        .sightings = sightings_,
                                                        .before = last_.get(),
                                                        .ephemeral = pressure.ephemeral,
                                                        .reuse = pressure.reuse(),
                                                        .units = sources_.units,
                                                        .lost = &lost}));
  return last_;
}

std::shared_ptr<const Owners> Surveyor::owners(const Snapshot& snapshot,
                                               std::shared_ptr<const ProcessMap> map) {
  return std::make_shared<const Owners>(
      Owners::build(snapshot, sightings_, std::move(map), sources_.units));
}

}  // namespace tcpmibd::tcp
