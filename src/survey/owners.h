#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "survey/survey.h"
#include "tcp/process_map.h"

namespace tcpmibd::tcp {

struct ProcessFigures {
  std::uint32_t pid = 0;
  std::string unit{};
  Tally tally{};
};

inline constexpr std::size_t kMostProcesses = 256;

// The connections of every process, from a snapshot and the process map that was made after it. A
// socket that several processes hold counts for each.
//
// Immutable.
class Owners {
 public:
  Owners() = default;
  static Owners build(const Snapshot& snapshot, const Sightings& sightings,
                      std::shared_ptr<const ProcessMap> map, UnitLookup& units);

  // What remains of a look-up begun at `began` that has come to nothing: it has no map.
  static Owners none(Time began);

  // The rows of these, without all the rest.
  Owners rows_alone() const;

  // Every process with a connection, ascending by pid; their units are not set.
  std::span<const ProcessFigures> all() const { return all_; }

  // kMostProcesses of them, ascending by pid: those with most CLOSE_WAIT, then with most of all.
  std::span<const ProcessFigures> rows() const { return rows_; }
  std::uint32_t left_out() const { return left_out_; }

  // Who holds what; null where nobody has found out.
  const ProcessMap* map() const { return map_.get(); }
  Time taken_at() const { return taken_at_; }

 private:
  std::vector<ProcessFigures> all_;
  std::vector<ProcessFigures> rows_;
  std::uint32_t left_out_ = 0;
  std::shared_ptr<const ProcessMap> map_;
  Time taken_at_{};
};

}  // namespace tcpmibd::tcp
