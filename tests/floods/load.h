#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/netns.h"
#include "support/process.h"

// Those who make a flood, each in a process of their own, and how much of it they have made.

namespace tcpmibd::floods {

struct Tally {
  std::atomic<std::uint64_t> made = 0;  // walks, SYNs, answers
  std::atomic<std::uint64_t> lost = 0;  // questions that were not answered in time
};

// What is done as often as possible until this object goes.
class Load {
 public:
  std::uint64_t made() const { return tally_->made; }
  std::uint64_t lost() const { return tally_->lost; }

  // Managers that walk the connections at `address` by GETBULK; a walk counts when it is whole.
  static Load walkers(const lab::Namespace& space, const std::string& address, unsigned count,
                      std::chrono::milliseconds patience);

  // SYNs by a host at `source`, in turn from each of its ports above 1023, to the listener at `to`.
  static Load syns(const lab::Namespace& from, const std::string& source, const std::string& to);

  // SNMPv3 messages that ask the agent on this port of the loopback for its engine, as a manager's
  // first one does; an answer counts.
  static Load discoveries(const lab::Namespace& space, std::uint16_t port, unsigned count);

 private:
  Load();
  void add(const lab::Namespace& space, const std::function<void(Tally&)>& again);

  std::shared_ptr<Tally> tally_;  // in memory shared with the processes
  std::vector<lab::Holder> holders_;
};

}  // namespace tcpmibd::floods
