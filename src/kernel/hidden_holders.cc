#include "kernel/hidden_holders.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <utility>

#include "kernel/descriptor_tables.h"
#include "kernel/directory.h"
#include "kernel/proc_file.h"
#include "tcp/header_lines.h"

namespace tcpmibd::kernel {

namespace {

using tcp::Holder;
using Numbers = std::vector<std::uint32_t>;

void sort_unique(Numbers& numbers) {
  std::ranges::sort(numbers);
  const auto rest = std::ranges::unique(numbers);
  numbers.erase(rest.begin(), rest.end());
}

// Looks into processes for holders of the sockets that are missing.
class Search {
 public:
  Search(int proc, std::span<const std::uint32_t> missing, const Holdings& seen)
      : proc_(proc),
        missing_(missing),
        with_rings_(seen.with_rings),
        every_table_seen_(seen.every_table) {
    sort_unique(with_rings_);
  }

  Status look_into(std::uint32_t pid) {
    Status status = read_tables(pid);
    for (const std::string& ring : std::exchange(rings_, {}))
      status = status ? read_ring("/proc/" + ring, pid) : status;
    return status ? read_mappings(pid) : status;
  }

  std::vector<Holder> found() && { return std::move(found_); }

  Numbers holders() const { return each_of(&Holder::pid); }

  Numbers still_missing() const {
    Numbers missing;
    std::ranges::set_difference(missing_, each_of(&Holder::inode), std::back_inserter(missing));
    return missing;
  }

 private:
  // The first thread's table once more only to find its rings; the others, where they may hold
  // rings or have not been seen.
  Status read_tables(std::uint32_t pid) {
    const bool has_rings = std::ranges::binary_search(with_rings_, pid);
    std::vector<Holder> holders;
    if (has_rings) {
      if (Status status = keep(read_table(proc_, std::to_string(pid), pid, holders)); !status)
        return status;
    }
    if ((has_rings || !every_table_seen_) && has_other_threads(proc_, pid)) {
      if (Status status = keep(read_other_tables(proc_, pid, kcmp_, holders)); !status)
        return status;
    }
    std::ranges::for_each(holders, [this](const Holder& holder) { take(holder); });
    return {};
  }

  Status keep(Result<SeenTables> seen) {
    if (!seen)
      return tl::unexpected(seen.error());
    std::ranges::move(seen->rings, std::back_inserter(rings_));
    return {};
  }

  // What is gone, or closed to us, shows nothing.
  static Status unless_scarce(Status status) {
    return !status && is_scarcity(status.error().code) ? status : Status();
  }

  Status read_ring(const std::string& path, std::uint32_t pid) {
    RegisteredFiles files;
    return unless_scarce(each_line(path, [&](std::string_view line) {
      if (const std::optional<std::uint32_t> inode = files.socket_in(line))
        take({*inode, pid});
    }));
  }

  Status read_mappings(std::uint32_t pid) {
    return unless_scarce(
        each_line("/proc/" + std::to_string(pid) + "/maps", [&](std::string_view line) {
          if (const std::optional<std::uint32_t> inode = mapped_socket(line))
            take({*inode, pid});
        }));
  }

  void take(const Holder& holder) {
    if (std::ranges::binary_search(missing_, holder.inode))
      found_.push_back(holder);
  }

  Numbers each_of(std::uint32_t Holder::*number) const {
    Numbers numbers;
    std::ranges::transform(found_, std::back_inserter(numbers), number);
    sort_unique(numbers);
    return numbers;
  }

  int proc_;
  bool kcmp_ = proc_is_of_our_namespace();
  std::span<const std::uint32_t> missing_;
  Numbers with_rings_;
  bool every_table_seen_;
  std::vector<std::string> rings_;  // of the process that is looked into
  std::vector<Holder> found_;
};

Status look_into_all(DIR* proc, Search& search) {
  while (const dirent* entry = ::readdir(proc)) {
    const std::optional<std::uint32_t> pid = tcp::number<std::uint32_t>(entry->d_name);
    if (!pid)
      continue;
    if (Status status = search.look_into(*pid); !status)
      return status;
  }
  return {};
}

}  // namespace

// "7f0a1000-7f0a5000 rw-s 00000000 00:08 123      socket:[123]" (proc_pid_maps(5)): the path of a
// file may hold anything but begins with a slash.
std::optional<std::uint32_t> mapped_socket(std::string_view line) {
  constexpr int kFieldsBeforeName = 5;
  if (!line.ends_with(']'))
    return std::nullopt;
  for (int i = 0; i < kFieldsBeforeName; ++i)
    tcp::take_word(line);
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  return socket_inode(line);
}

std::optional<std::uint32_t> RegisteredFiles::socket_in(std::string_view line) {
  constexpr std::string_view kEntryBegins = " 0123456789";  // "%5u: "
  const bool is_entry = !line.empty() && kEntryBegins.find(line.front()) != std::string_view::npos;
  if (!is_entry)
    here_ = line.starts_with("UserFiles:");
  if (!is_entry || !here_)
    return std::nullopt;
  line.remove_prefix(std::min(line.find(": "), line.size()));
  line.remove_prefix(std::min<std::size_t>(2, line.size()));
  return socket_inode(line);
}

bool HiddenHolders::is_due(std::span<const std::uint32_t> still_missing) const {
  if (still_missing.empty())
    return false;
  const Time now = now_();
  const bool any_new = !std::ranges::includes(nobodys_, still_missing);
  return !next_ || now >= again_ || (any_new && now >= *next_);
}

void HiddenHolders::note_search(Time began, std::vector<std::uint32_t> in_vain) {
  const Time ended = now_();
  const Time rested = ended + kRest * (ended - began);
  next_ = std::max<Time>(began + kApart, rested);
  again_ = std::max<Time>(began + kAgain, rested);
  nobodys_ = std::move(in_vain);
  ++searches_;
}

// Who was found by the last search stays known until the next: a ring that is at work at this very
// moment lists nothing.
Result<std::vector<Holder>> HiddenHolders::find(std::span<const std::uint32_t> missing,
                                                const Holdings& seen) {
  if (!missing.empty() && missing.front() == 0)
    missing = missing.subspan(1);  // No socket has it.
  if (missing.empty())
    return std::vector<Holder>();
  const Directory proc = open_directory(AT_FDCWD, "/proc");
  if (proc == nullptr)
    return failure("list the processes in /proc", errno, "mount proc on /proc");
  Search search(::dirfd(proc.get()), missing, seen);
  for (const std::uint32_t pid : holders_) {
    if (const Status status = search.look_into(pid); !status)
      return tl::unexpected(status.error());
  }
  if (is_due(search.still_missing())) {
    const Time began = now_();
    if (const Status status = look_into_all(proc.get(), search); !status)
      return tl::unexpected(status.error());
    note_search(began, search.still_missing());
    holders_ = search.holders();
  }
  return std::move(search).found();
}

}  // namespace tcpmibd::kernel
