#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "snmp/set.h"
#include "tables/data.h"

// One variable binding that a manager reads or writes, and what comes back. Both roles make these
// of what they receive, and put them to a ReadTarget and a WriteTarget.

namespace tcpmibd::agent {

// Names one PDU of a manager for as long as it is being answered.
struct Transaction {
  const void* session = nullptr;  // null: of a master, of which there is one
  long id = 0;

  auto operator<=>(const Transaction&) const = default;
};

// One variable binding that a manager asks for.
struct Read {
  enum class Kind : std::uint8_t { kGet, kNext, kNextInclusive };

  Kind kind;
  const tables::Managed& object;
  snmp::OidView name;
  Transaction transaction;
  Time arrived;  // of the request, however often it is put
  Time now;
};

// What a request may have to wait for.
enum class Awaited : std::uint8_t { kNothing, kSnapshot, kSurvey, kProcesses, kOwners };

// The age of what an answer is made from.
struct Basis {
  Time read_at = Time::max();       // the oldest of it; max: it is made from nothing that ages
  Time serves_until = Time::max();  // after that it would be older than promised; see Freshness

  void add(const Basis& other) {
    read_at = std::min(read_at, other.read_at);
    serves_until = std::min(serves_until, other.serves_until);
  }
};

struct Answer {
  enum class Kind : std::uint8_t {
    kValue,
    kNoSuchObject,
    kNoSuchInstance,
    kEndOfView,  // nothing follows in this subtree
    kFailed,     // genErr; the cause is logged
    kLater,      // ask again, with the same read, when the worker has news
  };

  Kind kind;
  std::optional<snmp::Cell> cell{};    // of kValue, its value present
  Awaited awaits = Awaited::kNothing;  // of kLater
  Basis basis{};
};

// Whom reads are put to: a Responder, or a test's fake.
class ReadTarget {
 public:
  virtual Answer read(const Read& read) = 0;

 protected:
  ~ReadTarget() = default;
};

// One variable binding that a manager writes, in one phase of the Set.
struct Write {
  enum class Phase : std::uint8_t { kReserve1, kReserve2, kAction, kCommit, kFree, kUndo };

  Phase phase;
  const tables::Managed& object;
  snmp::OidView name;
  std::optional<snmp::Value> value;  // none: of a type that no object of ours has
  Transaction transaction;
};

// What a phase of a Set comes to. Only kReserve2 may have to wait.
struct SetAnswer {
  // A status is an answer. NOLINTNEXTLINE(google-explicit-constructor)
  SetAnswer(snmp::SetStatus fared) : status(fared) {}

  static SetAnswer later(Time again) {
    SetAnswer answer(snmp::SetStatus::kNoError);
    answer.status.reset();
    answer.again = again;
    return answer;
  }

  // None: not yet. Who gets this puts the same write again when the worker has news, and at
  // `again` even if it has none; by then there is a status. If the Set is given up meanwhile, kFree
  // says so.
  std::optional<snmp::SetStatus> status;
  Time again{};
};

// Whom writes are put to: a Deleter, or a test's fake.
class WriteTarget {
 public:
  virtual SetAnswer write(const Write& write) = 0;

 protected:
  ~WriteTarget() = default;
};

}  // namespace tcpmibd::agent
