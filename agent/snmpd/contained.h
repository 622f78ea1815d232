#pragma once

namespace tcpmibd::agent::snmpd {

// Calls `act`, and keeps what it throws from snmpd, which is written in C: whether nothing was.
// Only memory that is not to be had throws.
template <typename Act>
bool contained(Act act) noexcept {
  try {
    act();
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace tcpmibd::agent::snmpd
