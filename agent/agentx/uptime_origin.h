#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace tcpmibd::agent::agentx {

// When the master's sysUpTime was 0, on our clock: what every TimeStamp counts from.
//
// A TimeStamp is a constant (RFC 2579), so the origin stays the same as long as sysUpTime goes on,
// though each answer of the master comes a little later or sooner, its clock may drift from ours,
// and sysUpTime begins anew at 0 after 2^32 hundredths of a second. It moves only when the master
// has begun anew, in whatever session, or its clock has jumped.
class UptimeOrigin {
 public:
  // How much longer or shorter than another an answer may have been on its way.
  static constexpr Duration kJitter = std::chrono::seconds(2);

  explicit UptimeOrigin(Time now) : zero_(now) {}

  // What the master has answered to the Open of a session, in hundredths of a second.
  void open(std::uint32_t uptime, Time now);

  // What it has answered since, in the same session: it has not begun anew meanwhile. Not to be
  // called with an answer that took longer than kJitter, for nobody knows how old that is.
  void follow(std::uint32_t uptime, Time now);

  Time zero() const { return zero_; }

 private:
  struct Heard {
    std::uint32_t uptime;
    Time at;
  };

  bool goes_on(std::uint32_t uptime, Time now) const;
  bool may_wrap(Time now) const;
  void begin(std::uint32_t uptime, Time now);

  Time zero_;
  std::optional<Heard> heard_;  // last
};

}  // namespace tcpmibd::agent::agentx
