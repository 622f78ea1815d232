#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"

namespace tcpmibd::tcp {

// A process that has a socket open.
struct Holder {
  std::uint32_t inode;
  std::uint32_t pid;

  auto operator<=>(const Holder&) const = default;
};

// Which processes held which sockets at one moment, for every socket of the host.
//
// Immutable, like Snapshot.
class ProcessMap {
 public:
  ProcessMap() = default;

  // `holders` in any order, with repetitions. `asked` are inodes of sockets known before the
  // look-up began: those that nobody holds are remembered as such. `denied` counts the processes
  // whose descriptors we may not see.
  static ProcessMap build(std::vector<Holder> holders, std::vector<std::uint32_t> asked,
                          std::uint32_t denied, Time began);

  // Adds holders that were found later, in any order, with repetitions.
  void add(std::vector<Holder> holders);

  // Whether anybody holds those of the asked to which no holder leads is not known after all.
  void forget_ownerless() { ownerless_.clear(); }

  // Those of the asked that nobody holds, ascending.
  std::span<const std::uint32_t> ownerless() const { return ownerless_; }

  // The lowest pid; 0 for a socket that nobody holds. None for one the map has not heard of.
  std::optional<std::uint32_t> lowest(std::uint32_t inode) const;

  // Every holder, ascending by pid.
  std::span<const Holder> holders(std::uint32_t inode) const;

  // What it knows of these sockets, and nothing else. In any order, with repetitions.
  ProcessMap only(std::vector<std::uint32_t> inodes) const;

  std::uint32_t denied() const { return denied_; }
  Time taken_at() const { return taken_at_; }

 private:
  // Ascending, no repetitions. The array keeps its spare room: untouched, it takes no memory.
  std::vector<Holder> holders_;
  std::vector<std::uint32_t> ownerless_;  // ascending
  std::uint32_t denied_ = 0;
  Time taken_at_{};
};

}  // namespace tcpmibd::tcp
