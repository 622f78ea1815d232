#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "support/end.h"
#include "support/netns.h"
#include "support/process.h"

namespace tcpmibd::lab {

// Established sockets without peer or packet (TCP_REPAIR), held by as many processes as needed,
// 18 000 each. Both ends are on the loopback; local ports are below the ephemeral range.
class Crowd {
 public:
  static constexpr unsigned kMostPerProcess = 18'000;

  Crowd(const Namespace& space, unsigned size, bool v6 = false);

  struct Member {
    Ends ends;
    pid_t pid;
  };

  unsigned size() const { return size_; }
  Member member(unsigned number) const;  // 0 … size() - 1

  // Which member has these ports.
  static unsigned number_of(std::uint16_t local_port, std::uint16_t remote_port);

 private:
  unsigned size_;
  bool v6_;
  std::vector<Holder> holders_;
};

// A process that opens and closes connections on the loopback, in every order of closing.
class Churn {
 public:
  Churn(const Namespace& space, unsigned per_second);

  // Connections made so far.
  std::uint64_t made() const;

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> made_;  // in memory shared with the process
  Holder holder_;
};

}  // namespace tcpmibd::lab
