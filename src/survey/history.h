#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "tcp/ended.h"

// The newest connections that have ended, and what is counted of all.

namespace tcpmibd::tcp {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// An end with its number. 136 octets: 1 024 of them are 136 KiB, 65 536 are 8.5 MiB.
struct NumberedEnd {
  std::uint32_t number = 0;
  WallTime at{};  // by the clock of then, which may have been set since
  Ended ended{};
};
static_assert(sizeof(NumberedEnd) <= 136);

// The number after `number`: from 1 to 4294967295, and then 1 again.
constexpr std::uint32_t number_after(std::uint32_t number) {
  return number + 1 == 0 ? 1 : number + 1;
}

// A ring of the newest ends. Memory is taken as it fills, and kept.
class History {
 public:
  explicit History(std::size_t most) : most_(most) {}

  // The oldest makes room. `number` follows the one before it by number_after().
  void add(const Ended& ended, WallTime at, std::uint32_t number);

  std::size_t size() const { return rows_.size(); }

  // Ascending by number: where the numbers have begun anew, the newer ones come first.
  const NumberedEnd& in_order(std::size_t position) const;

  // From 0, the newest.
  const NumberedEnd& newest(std::size_t position) const;

 private:
  std::size_t oldest() const { return rows_.size() < most_ ? 0 : next_; }
  const NumberedEnd& by_age(std::size_t position) const {
    return rows_[(oldest() + position) % rows_.size()];
  }

  std::size_t most_;
  std::size_t next_ = 0;              // where the next one goes once the ring is full
  std::size_t before_new_count_ = 0;  // of the rows: the oldest ones, numbered before 1 came again
  std::vector<NumberedEnd> rows_;
};

// What is watched of ends. Each part is read from the source when it is first asked for, and then
// stays as it is: one counter costs no look through 65 536 ports.
//
// Thread: that of the source, which outlives it, as does the history.
class EndsFigures {
 public:
  struct Watch {
    const History& history;
    Time since{};              // when the watch began
    std::uint32_t newest = 0;  // the last number that was given; 0: none yet
  };

  EndsFigures(EndsSource& source, const Watch& watch) : source_(source), watch_(watch) {}

  const History& history() const { return watch_.history; }
  Time since() const { return watch_.since; }
  std::uint32_t newest() const { return watch_.newest; }

  const EndCounts& counts() const;
  const std::vector<PortEnds>& ports() const;           // ascending by port
  const std::vector<RemoteEnds>& remotes() const;       // ascending by family, address and port
  const std::vector<ClosedPort>& closed_ports() const;  // ascending by port
  const EndLosses& losses() const;

 private:
  EndsSource& source_;
  Watch watch_;
  mutable std::optional<EndCounts> counts_;
  mutable std::optional<std::vector<PortEnds>> ports_;
  mutable std::optional<std::vector<RemoteEnds>> remotes_;
  mutable std::optional<std::vector<ClosedPort>> closed_ports_;
  mutable std::optional<EndLosses> losses_;
};

}  // namespace tcpmibd::tcp
