#pragma once

#include <dirent.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "kernel/holdings.h"
#include "tcp/process_map.h"

namespace tcpmibd::kernel {

// Whether a kernel of this release, as in utsname, lists the registered files of an io_uring by
// their whole paths: since 6.14. Older ones write a file's own name, which is empty for a socket
// and may be "socket:[123]" for any file. What is no release does not.
bool lists_registered_paths(std::string_view release);

// Reads the lines of an io_uring's fdinfo, from the first on, for its registered sockets.
//
// They are listed below "UserFiles:", each as "    3: socket:[123]" (io_uring/fdinfo.c).
class RegisteredFiles {
 public:
  std::optional<std::uint32_t> socket_in(std::string_view line);

  // Whether the lines held the list: the kernel leaves it out while the ring is locked, with its
  // heading or without. One of nothing but empty places looks the same.
  bool is_there() const { return is_there_; }

 private:
  bool here_ = false;  // within the list
  bool is_there_ = false;
};

// Finds the holders of sockets to which no descriptor of a process's first thread leads: those in
// tables that a thread has of its own, and in the registered files of an io_uring.
//
// On most hosts some sockets have no holder at all: listeners of the kernel, sockets that are sent
// from one process to another. So that these do not make every look-up go through the whole host,
// all processes are searched at most once in kApart, only if there is a socket that has not been
// searched for, or else once in kAgain, and no more than one part in kRest of the time. A search
// that takes longer than kLongest is gone on with by the next. Sockets come and go between a
// snapshot and its look-up: but for the first look-up of all, only those are searched for that were
// missing at the one before as well.
//
// Holders that were found are looked into every time, and stay known while a locked ring cannot be
// read.
//
// Thread:  not safe.
// Cost:    nothing where every socket has a holder; a search a system call a thread, and a link for
//          each descriptor of a process with rings.
// Rights:  as ProcProcesses. What may not be read shows no holder.
// Logs:    nothing.
class HiddenHolders {
 public:
  static constexpr Duration kApart = std::chrono::seconds(10);
  static constexpr Duration kAgain = std::chrono::seconds(60);
  static constexpr Duration kLongest = std::chrono::milliseconds(500);
  static constexpr int kRest = 20;

  // The clock and the kernel's release can be exchanged for a test's.
  explicit HiddenHolders(std::function<Time()> now = &Clock::now,
                         std::string_view release = kernel_release())
      : now_(std::move(now)), believes_rings_(lists_registered_paths(release)) {}

  // `missing`: inodes, ascending, to which nothing in `seen` leads, whose own holders are not
  // looked at. Holders in any order, with repetitions; an error only for want of descriptors or
  // memory.
  Result<std::vector<tcp::Holder>> find(std::span<const std::uint32_t> missing,
                                        const Holdings& seen);

  // How often processes have been searched, all or a part of them.
  std::size_t searches() const { return searches_; }

 private:
  using Numbers = std::vector<std::uint32_t>;

  class Search;

  // A search through all processes, by one look-up or by several.
  struct Round {
    Numbers sought{};        // ascending
    std::uint32_t next = 0;  // the process to go on with
    bool every_ring_read = true;
  };

  static std::string kernel_release();  // empty where it is not known

  Numbers to_search_for(Numbers still_missing, std::span<const std::uint32_t> missing);
  bool is_due(const Numbers& wanted) const;
  Status look_into_known(Search& search) const;
  Status search_on(DIR* proc, Search& search);
  Result<bool> look_into_rest(DIR* proc, Search& search, Time until);
  void rest_after(Time began);
  void end_round(const Numbers& still_missing);
  void remember(const std::vector<tcp::Holder>& found, std::span<const std::uint32_t> missing);

  std::function<Time()> now_;
  bool believes_rings_;
  std::vector<tcp::Holder> known_;  // found before, ascending
  std::optional<Numbers> before_;   // missing at the last look-up, ascending; none before the first
  std::optional<Round> round_;      // that is not at its end
  Numbers nobodys_;                 // inodes that the last round did not find, ascending
  std::optional<Time> next_;        // search for what is new; none before the first
  Time again_{};                    // search for those as well
  std::size_t searches_ = 0;
};

}  // namespace tcpmibd::kernel
