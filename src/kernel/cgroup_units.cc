#include "kernel/cgroup_units.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <utility>
#include <vector>

#include "base/mount.h"
#include "base/read_file.h"
#include "kernel/directory.h"
#include "tcp/unit.h"

namespace tcpmibd::kernel {

namespace {

constexpr std::chrono::seconds kWalkInterval{1};
constexpr int kRestPerWalk = 4;  // times as long as a walk took

// Whoever was given a part of the tree may fill it. Those nearest to the root are read first.
constexpr std::size_t kMostCgroups = 65536;

// Goes through a tree by breadth, one directory open at a time beside the root.
class Walk {
 public:
  // `root_path` is the path of the mounted directory within the tree.
  Walk(DIR* root, std::string root_path) : root_(root), root_path_(std::move(root_path)) {}

  std::unordered_map<std::uint64_t, std::string> units() && {
    struct stat status {};
    if (::fstat(::dirfd(root_), &status) == 0)
      add(status.st_ino, "");
    for (read(root_, ""); !pending_.empty(); pending_.pop_front())
      go_into(pending_.front());
    return std::move(units_);
  }

 private:
  // One that is gone by now, or closed to us, is left out. The links of a directory are its own two
  // and one from each below it: a cgroup without any is found by a look, which takes a quarter of
  // the time of reading it.
  void go_into(const std::string& path) {
    struct stat status {};
    if (::fstatat(::dirfd(root_), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_nlink == 2)
      return;
    if (const Directory directory = open_directory(::dirfd(root_), path))
      read(directory.get(), path + "/");
  }

  void read(DIR* directory, const std::string& prefix) {
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..")
        continue;
      if (units_.size() >= kMostCgroups)
        return;
      pending_.push_back(prefix + entry->d_name);
      add(entry->d_ino, pending_.back());
    }
  }

  void add(std::uint64_t id, const std::string& path) {
    units_[id] = tcp::unit_name(root_path_ + "/" + path);
  }

  DIR* root_;
  std::string root_path_;
  std::deque<std::string> pending_;  // relative to root_
  std::unordered_map<std::uint64_t, std::string> units_;
};

// A mount from outside our cgroup namespace shows a root such as "/../..": nothing to name.
std::string path_of_root(const CgroupMount& mount) {
  return mount.root.starts_with("/..") || mount.root == "/" ? "" : mount.root;
}

}  // namespace

std::optional<CgroupMount> cgroup2_mount(std::string_view mountinfo) {
  std::optional<CgroupMount> part;
  while (const std::optional<Mount> mount = take_mount(mountinfo)) {
    const bool is_tree = mount->type == "cgroup2";
    if (is_tree && mount->root == "/")
      return CgroupMount{mount->directory, mount->root};
    if (is_tree && !part)
      part = CgroupMount{mount->directory, mount->root};
  }
  return part;
}

CgroupUnits::CgroupUnits(std::function<Time()> now, std::string mountinfo)
    : now_(std::move(now)), mountinfo_(std::move(mountinfo)) {}

std::string CgroupUnits::unit_of(std::uint64_t cgroup) {
  if (!units_.contains(cgroup) && !unknown_.contains(cgroup)) {
    asked_.insert(cgroup);
    if (!next_walk_ || now_() >= *next_walk_)
      walk();
  }
  const auto unit = units_.find(cgroup);
  return unit == units_.end() ? std::string(tcp::kUnknownUnit) : unit->second;
}

// After a failure the old names are better than none, and nothing is known to be unknown.
void CgroupUnits::walk() {
  const Time began = now_();
  if (read_tree()) {
    std::erase_if(asked_, [&](std::uint64_t cgroup) { return units_.contains(cgroup); });
    unknown_ = std::move(asked_);
  }
  asked_.clear();
  const Time ended = now_();
  next_walk_ = std::max<Time>(began + kWalkInterval, ended + kRestPerWalk * (ended - began));
}

Status CgroupUnits::read_tree() {
  const Result<std::string> mounts = read_file(mountinfo_);
  if (!mounts)
    return tl::unexpected(mounts.error());
  const std::optional<CgroupMount> mount = cgroup2_mount(*mounts);
  if (!mount)
    return failure("find a cgroup2 mount in " + mountinfo_);
  const Directory root = open_directory(AT_FDCWD, mount->directory);
  if (root == nullptr)
    return failure("open " + mount->directory, errno);
  units_ = Walk(root.get(), path_of_root(*mount)).units();
  return {};
}

}  // namespace tcpmibd::kernel
