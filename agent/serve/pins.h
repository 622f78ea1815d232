#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "agent/serve/freshness.h"
#include "agent/serve/request.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// What a PDU was answered from, since when it is known and how old it may become.
template <typename Source>
struct Kept {
  Source data;
  Time read_at;
  Duration most_age{};

  bool serves(Moment moment) const { return Freshness::keeps(read_at, most_age, moment); }
};

// What was read for one PDU, so that all its bindings are answered from the same.
struct Pin {
  // The answer to an exact question.
  struct Found {
    tcp::Question question;
    std::shared_ptr<const tcp::Snapshot> rows;
  };

  Transaction transaction{};
  Time arrived{};
  Time last_used{};
  bool waits = false;                                   // to be asked again
  Kept<std::weak_ptr<const tcp::Snapshot>> snapshot{};  // ends with the limit of two of them
  Kept<std::shared_ptr<const tcp::Snapshot>> counts{};  // without a row
  Kept<std::shared_ptr<const tcp::Survey>> survey{};
  Kept<std::shared_ptr<const tcp::Owners>> owners{};
  Kept<std::shared_ptr<const tcp::ProcessMap>> entered{};  // old, from entering a table
  std::optional<Kept<tcp::Counters>> counters{};
  std::optional<Kept<tcp::Pressure>> pressure{};
  std::optional<Kept<tables::AgentFigures>> agent{};
  std::optional<Kept<std::shared_ptr<const tcp::EndsFigures>>> ends{};  // in it null: not watched
  std::vector<Found> found{};
};

// The pins of the PDUs under way, by their transactions.
class Pins {
 public:
  // PDUs of which it is remembered at once what they were answered from.
  static constexpr std::size_t kMost = 64;

  // So long a pin is kept that is not used; and one whose PDU waits. A master does not ask for the
  // next part of a PDU while one is not answered, and its patience (agentXTimeout) is its
  // operator's.
  static constexpr Duration kUnused = std::chrono::seconds(7);
  static constexpr Duration kLongestWait = std::chrono::minutes(10);

  // That of a PDU, or a new one, for which the longest unused may have to make room. Until the next
  // call.
  Pin& of(Transaction transaction, Moment moment);

  // The snapshot is not to be read any more: who was answered from it goes on with another.
  void let_go(const tcp::Snapshot& snapshot);

  void clear() { pins_.clear(); }

  void tidy(Time now);

  std::size_t size() const { return pins_.size(); }

 private:
  std::size_t number_of(Transaction transaction);

  std::vector<Pin> pins_;
  std::size_t last_ = 0;  // the number of the one used last, if it is still there
};

}  // namespace tcpmibd::agent
