#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "support/end.h"
#include "support/process.h"
#include "support/snmpd.h"

namespace tcpmibd::lab {

// A phase of a Set as a subagent sees it; TestSet is the first two.
enum class SetPhase : std::uint8_t { kNone, kReserve1, kReserve2, kAction, kCommit, kFree, kUndo };

// In memory that is shared with the process.
struct SetOrders {
  std::atomic<SetPhase> failing{SetPhase::kNone};
  std::atomic<SetPhase> stopping{SetPhase::kNone};
  std::atomic<bool> stopped{false};
};

// Somebody else's subagent of the same master. It has one writable INTEGER, and does as it is told
// with a Set of that: holds it up, or fails it.
class OtherSubagent {
 public:
  // Its object is served on return.
  explicit OtherSubagent(const Snmpd& master);

  static const Oid& object();
  static SetRequest write() { return {.oid = object(), .type = 'i', .value = "1"}; }

  void fail_in(SetPhase phase) const { orders_->failing = phase; }

  // The next Set waits there until go_on().
  void stop_in(SetPhase phase) const;
  bool has_stopped() const;  // waits for it
  void go_on() const { orders_->stopping = SetPhase::kNone; }

 private:
  std::shared_ptr<SetOrders> orders_;
  Holder process_;
};

}  // namespace tcpmibd::lab
