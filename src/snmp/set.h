#pragma once

#include <cstdint>
#include <string_view>

namespace tcpmibd::snmp {

// How a Set fares; the numbers are those of error-status (RFC 3416, 3).
enum class SetStatus : std::uint8_t {
  kNoError = 0,
  kGenErr = 5,
  kWrongType = 7,
  kWrongValue = 10,
  kNoCreation = 11,
  kInconsistentValue = 12,
  kResourceUnavailable = 13,
  kCommitFailed = 14,
  kUndoFailed = 15,
  kNotWritable = 17,
};

// "wrongValue", as the RFC writes it.
std::string_view name_of(SetStatus status);

}  // namespace tcpmibd::snmp
