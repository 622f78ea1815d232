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

  tcp::EndCounts counts() override { return reasons; }
  std::vector<tcp::PortEnds> ports() override { return by_port; }
  std::vector<tcp::RemoteEnds> remotes() override { return by_service; }
  std::vector<tcp::ClosedPort> closed_ports() override { return closed; }
  bool sees_closed_ports() const override { return true; }
  tcp::EndLosses losses() override { return lost; }

 private:
  FileDescriptor ready_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::vector<tcp::Ended> waiting_;
  int takes_ = 0;
};

}  // namespace tcpmibd::lab
