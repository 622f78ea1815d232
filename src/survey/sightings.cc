#include "survey/sightings.h"

#include <algorithm>
#include <chrono>
#include <ratio>

namespace tcpmibd::tcp {

namespace {

using Deciseconds = std::chrono::duration<std::uint64_t, std::deci>;

constexpr std::uint32_t kMsPerDs = 100;
constexpr std::uint32_t kDsPerSecond = 10;

std::uint32_t deciseconds(Time time) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<Deciseconds>(time.time_since_epoch()).count());
}

bool is_remembered(State state) {
  return state == State::kSynSent || state == State::kFinWait2 || state == State::kCloseWait ||
         state == State::kLastAck;
}

// A timer that began with `whole` and has `left` to run.
std::uint32_t elapsed(std::uint32_t whole_ms, std::uint32_t left_ms) {
  return left_ms < whole_ms ? whole_ms - left_ms : 0;
}

}  // namespace

Sightings Sightings::follow(const Sightings& before, const Snapshot& snapshot,
                            std::span<const Quiet> quiet, const Lifetimes& lifetimes) {
  std::vector<Quiet> by_cookie(quiet.begin(), quiet.end());
  std::ranges::sort(by_cookie, {}, &Quiet::cookie);
  Sightings now;
  now.now_ds_ = deciseconds(snapshot.taken_at());
  now.lifetimes_ = lifetimes;
  snapshot.for_each_counted([&](const auto& row) {
    const Details& details = row.details;
    if (is_remembered(details.state))
      now.sightings_.push_back(
          {details.cookie(), now.since(details, before, by_cookie), details.state});
  });
  std::ranges::sort(now.sightings_, {}, &Sighting::cookie);
  return now;
}

// The earliest moment there is evidence of, as deciseconds.
std::uint32_t Sightings::since(const Details& details, const Sightings& before,
                               std::span<const Quiet> quiet) const {
  if (const Sighting* seen = before.find(details))
    return seen->since_ds;
  std::uint32_t ms = 0;
  if (details.state == State::kFinWait2 && details.timer == Timer::kTimeWait)
    ms = elapsed(lifetimes_.fin_wait_2_ms, details.expires_ms);
  if (details.state == State::kCloseWait) {
    const auto known = std::ranges::lower_bound(quiet, details.cookie(), {}, &Quiet::cookie);
    if (known != quiet.end() && known->cookie == details.cookie())
      ms = known->ms;
  }
  return now_ds_ - std::min(now_ds_, ms / kMsPerDs);
}

bool Sightings::lacks_close_waits(const Snapshot& snapshot) const {
  if (snapshot.count(State::kCloseWait).total() == 0)
    return false;
  bool lacks = false;
  snapshot.for_each_counted([&](const auto& row) {
    lacks = lacks || (row.details.state == State::kCloseWait && find(row.details) == nullptr);
  });
  return lacks;
}

std::uint32_t Sightings::age_of(const Details& details) const {
  if (details.state == State::kTimeWait)
    return elapsed(lifetimes_.time_wait_ms, details.expires_ms) / (kMsPerDs * kDsPerSecond);
  const Sighting* seen = is_remembered(details.state) ? find(details) : nullptr;
  return seen == nullptr ? 0 : (now_ds_ - seen->since_ds) / kDsPerSecond;
}

// A connection that has changed its state meanwhile begins anew.
const Sightings::Sighting* Sightings::find(const Details& details) const {
  const auto found = std::ranges::lower_bound(sightings_, details.cookie(), {}, &Sighting::cookie);
  const bool same = found != sightings_.end() && found->cookie == details.cookie() &&
                    found->state == details.state;
  return same ? &*found : nullptr;
}

}  // namespace tcpmibd::tcp
