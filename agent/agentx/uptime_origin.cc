#include "agent/agentx/uptime_origin.h"

#include <chrono>
#include <cstdlib>
#include <ratio>

namespace tcpmibd::agent::agentx {

namespace {

using Centiseconds = std::chrono::duration<std::int64_t, std::centi>;

// How far the clocks of two hosts drift apart, at worst: a part in so many. Crystals are ten times
// better.
constexpr int kDrift = 1000;

Centiseconds between(Time from, Time to) {
  return std::chrono::duration_cast<Centiseconds>(to - from);
}

// How far an answer may be from what is expected after this time.
std::int64_t tolerance(Centiseconds passed) {
  return (std::chrono::duration_cast<Centiseconds>(UptimeOrigin::kJitter) + passed / kDrift)
      .count();
}

}  // namespace

// One that began anew after it was last heard has been up for less time than that. One that goes on
// has been up for longer, even where it was heard so soon after its start that the two would differ
// by no more than answers do; unless sysUpTime was to begin anew at 0 just then.
void UptimeOrigin::open(std::uint32_t uptime, Time now) {
  const bool restarted = heard_ && Centiseconds(uptime) <= between(heard_->at, now) &&
                         !(may_wrap(now) && goes_on(uptime, now));
  if (!heard_ || restarted)
    begin(uptime, now);
  else
    follow(uptime, now);
}

void UptimeOrigin::follow(std::uint32_t uptime, Time now) {
  if (goes_on(uptime, now))
    heard_ = Heard{uptime, now};
  else
    begin(uptime, now);
}

// Compared with what was heard last, not with the origin: a drift must not add up.
bool UptimeOrigin::goes_on(std::uint32_t uptime, Time now) const {
  if (!heard_)
    return false;
  const Centiseconds passed = between(heard_->at, now);
  const auto expected = static_cast<std::uint32_t>(heard_->uptime + passed.count());
  const auto ahead = static_cast<std::int32_t>(uptime - expected);  // modulo 2^32, as it counts
  return std::abs(std::int64_t{ahead}) <= tolerance(passed);
}

// Whether sysUpTime may have gone beyond its greatest value since it was heard.
bool UptimeOrigin::may_wrap(Time now) const {
  constexpr std::int64_t kValues = std::int64_t{1} << 32;
  if (!heard_)
    return false;
  const Centiseconds passed = between(heard_->at, now);
  return heard_->uptime + passed.count() + tolerance(passed) >= kValues;
}

void UptimeOrigin::begin(std::uint32_t uptime, Time now) {
  zero_ = now - Centiseconds(uptime);
  heard_ = Heard{uptime, now};
}

}  // namespace tcpmibd::agent::agentx
