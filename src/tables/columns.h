#pragma once

#include <algorithm>
#include <optional>

#include "tables/data.h"

// Readers that several tables share.

namespace tcpmibd::tables {

using snmp::SubId;

// `tcp` of RFC 4022.
inline constexpr SubId kTcp[] = {1, 3, 6, 1, 2, 1, 6};

// Only deleteTCB(12) can be written (RFC 4022, tcpConnectionState); it is never read.
inline snmp::SetStatus delete_tcb_only(const Value& value) {
  constexpr std::int32_t kDeleteTcb = 12;
  const auto* integer = std::get_if<snmp::Integer>(&value);
  if (integer == nullptr)
    return snmp::SetStatus::kWrongType;
  return integer->value == kDeleteTcb ? snmp::SetStatus::kNoError : snmp::SetStatus::kWrongValue;
}

inline Value state_value(const tcp::Details& details) {
  return snmp::Integer{static_cast<std::int32_t>(details.state)};
}

// Finds the lowest pid among the holders of several sockets.
class LowestHolder {
 public:
  explicit LowestHolder(const Data& data) : data_(data) {}

  void consider(std::uint32_t inode) {
    if (data_.processes == nullptr)
      return;
    if (data_.looked_at_processes != nullptr)
      *data_.looked_at_processes = true;
    const std::optional<std::uint32_t> pid = data_.processes->lowest(inode);
    known_ = known_ && (pid || data_.processes_are_final);
    if (pid.value_or(0) != 0)
      lowest_ = lowest_ == 0 ? *pid : std::min(lowest_, *pid);
  }

  // 0 where none holds any. None where the process map at hand is older than a socket.
  std::optional<std::uint32_t> pid() const {
    return known_ && data_.processes != nullptr ? std::optional(lowest_) : std::nullopt;
  }

 private:
  const Data& data_;
  std::uint32_t lowest_ = 0;
  bool known_ = true;
};

// The lowest pid that holds the row's socket, or one of its sockets.
inline std::optional<Value> process_value(const tcp::Details& details, const Data& data) {
  LowestHolder lowest(data);
  lowest.consider(details.inode);
  for (const tcp::Sibling& sibling : data.snapshot->siblings(details))
    lowest.consider(sibling.inode);
  const std::optional<std::uint32_t> pid = lowest.pid();
  return pid ? std::optional<Value>(snmp::Gauge32{*pid}) : std::nullopt;
}

}  // namespace tcpmibd::tables
