#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "tcp/sources.h"

namespace tcpmibd::kernel {

// Where the cgroup2 tree is to be seen.
struct CgroupMount {
  std::string directory;
  std::string root;  // the cgroup that it shows there, "/" mostly

  bool operator==(const CgroupMount&) const = default;
};

// From /proc/self/mountinfo (proc_pid_mountinfo(5)): the mount of the whole tree if there is one,
// else the first of a part. Hybrid hosts have it at /sys/fs/cgroup/unified.
std::optional<CgroupMount> cgroup2_mount(std::string_view mountinfo);

// Names the units of cgroups. A cgroup's id is the inode number of its directory: on kernels of 64
// bits since 5.5. Elsewhere, and where no cgroup2 is mounted, every name is kUnknownUnit; so is
// that of a socket whose cgroup was removed, or lies outside the part of the tree that is mounted.
//
// All directories are read when an id is asked for that is not known; at most once a second, and
// no more than a fifth of the time. An id not found is unknown until the next reading, and is not
// the cause of one.
//
// Thread:  not safe; the worker owns it.
// Cost:    a known id 10 ns; reading the tree 0.1 ms, and 5 µs a cgroup.
// Rights:  none; directories that may not be listed are left out.
// Logs:    nothing.
class CgroupUnits final : public tcp::UnitLookup {
 public:
  // The clock and the list of mounts can be exchanged for a test's.
  explicit CgroupUnits(std::function<Time()> now = &Clock::now,
                       std::string mountinfo = "/proc/self/mountinfo");

  std::string unit_of(std::uint64_t cgroup) override;

 private:
  using Units = std::unordered_map<std::uint64_t, std::string>;

  Status read_tree();
  void walk();

  std::function<Time()> now_;
  std::string mountinfo_;
  Units units_;                                // the directories of the last walk
  std::unordered_set<std::uint64_t> asked_;    // since then, and not among them
  std::unordered_set<std::uint64_t> unknown_;  // that walk looked for them in vain
  std::optional<Time> next_walk_;              // not before
};

}  // namespace tcpmibd::kernel
