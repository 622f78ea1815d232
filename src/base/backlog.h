#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "base/outlet.h"

namespace tcpmibd::log {

// Messages on their way to an outlet. What that does not take now waits here, in bounded memory;
// what does not fit is dropped, and the first line that is written afterwards says how many were.
//
// Not for use from several threads.
class Backlog {
 public:
  static constexpr std::size_t kMostOctets = std::size_t{256} * 1024;

  explicit Backlog(std::unique_ptr<Outlet> outlet) : outlet_(std::move(outlet)) {}

  // From now on everything goes there, what waits included.
  void redirect(std::unique_ptr<Outlet> outlet) { outlet_ = std::move(outlet); }

  void write(Record record);

  // Writes what waits, as far as it is taken. To be called now and then, or the last of it waits
  // for the next message.
  void catch_up();

  // Whether anything waits, or has been dropped and not reported.
  bool is_behind() const { return !waiting_.empty() || dropped_ > 0; }

 private:
  bool write_waiting();

  std::unique_ptr<Outlet> outlet_;
  std::deque<Record> waiting_;
  std::size_t octets_ = 0;  // of waiting_
  std::uint64_t dropped_ = 0;
};

}  // namespace tcpmibd::log
