#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "snmp/set.h"
#include "tables/data.h"

// One variable binding that a manager reads or writes, and what comes back.

namespace tcpmibd::agent {

// Names one PDU of a manager for as long as it is being answered.
struct Transaction {
  const void* session = nullptr;  // null: of a master, of which there is one
  long id = 0;

  bool operator==(const Transaction&) const = default;
};

struct Answer {
  enum class Kind : std::uint8_t {
    kValue,
    kNoSuchObject,
    kNoSuchInstance,
    kEndOfView,  // nothing follows in this subtree
    kFailed,     // genErr; the cause is logged
    kLater,      // ask again, with the same arguments, when the worker has news
  };

  Kind kind;
  std::optional<snmp::Cell> cell;  // of kValue, its value present
};

// What a question that has to wait may set off. After a kLater nothing need be under way for
// kOnlyAtHand, and who wants the answer asks with kWhatItTakes. A snapshot that is at hand is
// refreshed ahead of its time in either case.
enum class Effort : std::uint8_t { kOnlyAtHand, kWhatItTakes };

// One variable binding that a manager asks for.
struct Inquiry {
  enum class Kind : std::uint8_t { kGet, kNext, kNextInclusive };

  Kind kind;
  const tables::Managed& object;
  snmp::OidView name;
  Transaction transaction;
  Time arrived;  // of the request, however often it is put
  Effort effort = Effort::kWhatItTakes;
};

// Whom inquiries are put to: a Responder, or a test's fake.
using Answerer = std::function<Answer(const Inquiry&)>;

// One variable binding that a manager writes, in one phase of the Set.
struct Writing {
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

  // None: not yet. Who gets this puts the same writing again when the worker has news, and at
  // `again` even if it has none; by then there is a status. If the Set is given up meanwhile, kFree
  // says so.
  std::optional<snmp::SetStatus> status;
  Time again{};
};

// Whom writings are put to: a Deleter, or a test's fake.
using Setter = std::function<SetAnswer(const Writing&)>;

}  // namespace tcpmibd::agent
