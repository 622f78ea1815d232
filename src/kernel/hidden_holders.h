#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "kernel/holdings.h"
#include "tcp/process_map.h"

namespace tcpmibd::kernel {

// The socket that a line of /proc/PID/maps maps; none for any other line.
std::optional<std::uint32_t> mapped_socket(std::string_view line);

// Reads the lines of an io_uring's fdinfo, from the first on, for its registered sockets.
//
// They are listed below "UserFiles:", each as "    3: socket:[123]" (io_uring/fdinfo.c). Older
// kernels write a name without the inode, which says nothing.
class RegisteredFiles {
 public:
  std::optional<std::uint32_t> socket_in(std::string_view line);

 private:
  bool here_ = false;  // within the list
};

// Finds the holders of sockets to which no descriptor of a process's first thread leads: those in
// tables that a thread has of its own, in the registered files of an io_uring, and in memory
// mappings (the receive ring of TCP_ZEROCOPY_RECEIVE).
//
// On most hosts some sockets have no holder at all: listeners of the kernel, sockets that are sent
// from one process to another. So that these do not make every look-up read the mappings of the
// whole host, all processes are searched at most once in kApart, only if there is a socket that has
// not been searched for, or else once in kAgain, and no more than one part in kRest of the time.
// Processes that were found to hold some are looked into every time.
//
// Thread:  not safe.
// Cost:    nothing where every socket has a holder; a search 0.3 ms a process, more for one with
//          thousands of mappings.
// Rights:  as ProcProcesses. What may not be read shows no holder.
// Logs:    nothing.
class HiddenHolders {
 public:
  static constexpr Duration kApart = std::chrono::seconds(10);
  static constexpr Duration kAgain = std::chrono::seconds(60);
  static constexpr int kRest = 20;

  // The clock can be exchanged for a test's.
  explicit HiddenHolders(std::function<Time()> now = &Clock::now) : now_(std::move(now)) {}

  // `missing`: inodes, ascending, to which nothing in `seen` leads, whose own holders are not
  // looked at. Holders in any order, with repetitions; an error only for want of descriptors or
  // memory.
  Result<std::vector<tcp::Holder>> find(std::span<const std::uint32_t> missing,
                                        const Holdings& seen);

  // How often all processes have been searched.
  std::size_t searches() const { return searches_; }

 private:
  bool is_due(std::span<const std::uint32_t> still_missing) const;
  void note_search(Time began, std::vector<std::uint32_t> in_vain);

  std::function<Time()> now_;
  std::vector<std::uint32_t> holders_;  // processes that held some at the last search
  std::vector<std::uint32_t> nobodys_;  // inodes that the last search did not find, ascending
  std::optional<Time> next_;            // search for what is new; none before the first
  Time again_{};                        // search for those as well
  std::size_t searches_ = 0;
};

}  // namespace tcpmibd::kernel
