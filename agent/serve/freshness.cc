#include "agent/serve/freshness.h"

#include <algorithm>

namespace tcpmibd::agent {

namespace {

// Snapshots are made for no more than this part of the time.
constexpr int kShareOfTime = 5;

// The next one is begun so many times as long before its time as the last one took.
constexpr int kHeadStart = 2;

}  // namespace

Duration Freshness::most_age(Duration took) const {
  return std::max(ages_.snapshot, took * kShareOfTime);
}

Duration Freshness::most_age_of_processes(Time read_at, Time serves_until) const {
  return std::max(ages_.processes, serves_until - read_at);
}

bool Freshness::is_fresh(Time read_at, Duration most_age, Moment moment) {
  return read_at >= moment.arrived || moment.now - read_at <= most_age;
}

bool Freshness::keeps(Time read_at, Duration most_age, Moment moment) {
  return moment.now <= basis(read_at, most_age, moment.arrived).serves_until;
}

Basis Freshness::basis(Time read_at, Duration most_age, Time arrived) {
  return {.read_at = read_at,
          .serves_until = read_at >= arrived ? Time::max() : read_at + most_age + kTogether};
}

Time Freshness::oldest(Duration took, Moment moment) const {
  return std::min(moment.now - most_age(took), moment.arrived);
}

bool Freshness::is_to_be_renewed(Time read_at, Duration took, Time now) const {
  return ages_.snapshot > Duration() && now - read_at > most_age(took) - kHeadStart * took;
}

Time Freshness::kept_until(Time read_at, Duration most_age) {
  return read_at + std::max(kIdle, most_age);
}

}  // namespace tcpmibd::agent
