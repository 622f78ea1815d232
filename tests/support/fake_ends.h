#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <vector>

#include "base/handle.h"
#include "tcp/ended.h"

namespace tcpmibd::lab {

// A kernel that watches ends, made of vectors.
class FakeEndsSource final : public tcp::EndsSource {
 public:
  // What there is to be counted; read anew at every call.
  tcp::EndCounts reasons{};
  std::vector<tcp::PortEnds> by_port;
  std::vector<tcp::RemoteEnds> by_service;
  std::vector<tcp::ClosedPort> closed;
  tcp::EndLosses lost;

  // A connection has ended.
  void end(const tcp::Ended& ended) {
    waiting_.push_back(ended);
    const std::uint64_t one = 1;
    if (::write(ready_.get(), &one, sizeof one) != sizeof one)
      throw std::runtime_error("an eventfd takes no number");
  }

  int takes() const { return takes_; }

  // How often each part has been read.
  struct Looks {
    int counts = 0, ports = 0, remotes = 0, closed_ports = 0, losses = 0;

    bool operator==(const Looks&) const = default;
  };
  const Looks& looks() const { return looks_; }

  int descriptor() const override { return ready_.get(); }

  std::size_t take(const std::function<void(const tcp::Ended&)>& act) override {
    ++takes_;
    std::uint64_t count = 0;
    if (::read(ready_.get(), &count, sizeof count) != sizeof count)
      return 0;
    for (const tcp::Ended& ended : waiting_)
      act(ended);
    waiting_.clear();
    return count;
  }

  tcp::EndCounts counts() override {
    ++looks_.counts;
    return reasons;
  }
  std::vector<tcp::PortEnds> ports() override {
    ++looks_.ports;
    return by_port;
  }
  std::vector<tcp::RemoteEnds> remotes() override {
    ++looks_.remotes;
    return by_service;
  }
  std::vector<tcp::ClosedPort> closed_ports() override {
    ++looks_.closed_ports;
    return closed;
  }
  bool sees_closed_ports() const override { return true; }
  tcp::EndLosses losses() override {
    ++looks_.losses;
    return lost;
  }

 private:
  FileDescriptor ready_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::vector<tcp::Ended> waiting_;
  int takes_ = 0;
  Looks looks_;
};

}  // namespace tcpmibd::lab
