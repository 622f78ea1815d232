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

#include "kernel/directory.h"
#include "kernel/proc_file.h"
#include "tcp/header_lines.h"
#include "tcp/unit.h"

namespace tcpmibd::kernel {

namespace {

constexpr std::chrono::seconds kWalkInterval{1};
constexpr int kRestPerWalk = 4;  // times as long as a walk took

// Whoever was given a part of the tree may fill it. Those nearest to the root are read first.
constexpr std::size_t kMostCgroups = 65536;

constexpr std::size_t kRootField = 3;
constexpr std::size_t kDirectoryField = 4;

bool is_octal(std::string_view digits) {
  return digits.size() == 3 &&
         std::ranges::all_of(digits, [](char digit) { return digit >= '0' && digit <= '7'; });
}

// Blanks and backslashes of a path are written as "\040".
std::string unescaped(std::string_view field) {
  std::string path;
  while (!field.empty()) {
    const bool escape = field.front() == '\\' && is_octal(field.substr(1, 3));
    path += escape
                ? static_cast<char>((field[1] - '0') * 64 + (field[2] - '0') * 8 + field[3] - '0')
                : field.front();
    field.remove_prefix(escape ? 4 : 1);
  }
  return path;
}

// "41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw": what stands before the
// hyphen may grow.
std::optional<CgroupMount> cgroup2_line(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::string_view word = tcp::take_word(line); !word.empty() && word != "-";
       word = tcp::take_word(line))
    fields.push_back(word);
  if (fields.size() <= kDirectoryField || tcp::take_word(line) != "cgroup2")
    return std::nullopt;
  return CgroupMount{unescaped(fields[kDirectoryField]), unescaped(fields[kRootField])};
}

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
  // and one from each below it: a cgroup without any is told by a look, which takes a quarter of
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
  while (!mountinfo.empty()) {
    std::optional<CgroupMount> mount = cgroup2_line(tcp::take_until(mountinfo, '\n'));
    if (mount && mount->root == "/")
      return mount;
    if (mount && !part)
      part = std::move(mount);
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
  const Result<std::string> mounts = read_proc_file(mountinfo_);
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
