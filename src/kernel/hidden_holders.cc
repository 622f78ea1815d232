#include "kernel/hidden_holders.h"

#include <fcntl.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "base/sort_unique.h"
#include "base/words.h"
#include "kernel/descriptor_tables.h"
#include "kernel/directory.h"
#include "kernel/proc_file.h"
#include "tcp/header_lines.h"

namespace tcpmibd::kernel {

namespace {

using tcp::Holder;

constexpr std::pair<unsigned, unsigned> kFirstToListPaths{6, 14};

std::vector<std::uint32_t> each_of(const std::vector<Holder>& holders,
                                   std::uint32_t Holder::*number) {
  std::vector<std::uint32_t> numbers;
  std::ranges::transform(holders, std::back_inserter(numbers), number);
  sort_unique(numbers);
  return numbers;
}

}  // namespace

bool lists_registered_paths(std::string_view release) {
  return tcp::is_release_since(release, kFirstToListPaths);
}

std::optional<std::uint32_t> RegisteredFiles::socket_in(std::string_view line) {
  constexpr std::string_view kHeading = "UserFiles:";
  constexpr std::string_view kEntryBegins = " 0123456789";  // "%5u: "
  const bool is_entry = !line.empty() && kEntryBegins.find(line.front()) != std::string_view::npos;
  if (!is_entry) {
    here_ = line.starts_with(kHeading);
    if (here_) {
      take_word(line);
      is_there_ = number<unsigned>(take_word(line)) == 0U;
    }
  }
  if (!is_entry || !here_)
    return std::nullopt;
  is_there_ = true;
  line.remove_prefix(std::min(line.find(": "), line.size()));
  line.remove_prefix(std::min<std::size_t>(2, line.size()));
  return socket_inode(line);
}

// Looks into processes for holders of the sockets that are missing.
class HiddenHolders::Search {
 public:
  Search(int proc, std::span<const std::uint32_t> missing, const Holdings& seen,
         bool believes_rings)
      : proc_(proc),
        missing_(missing),
        believes_rings_(believes_rings),
        with_rings_(believes_rings ? seen.with_rings : Numbers()),
        every_table_seen_(seen.every_table) {
    sort_unique(with_rings_);
  }

  Status look_into(std::uint32_t pid) {
    Status status = read_tables(pid);
    for (const std::string& ring : std::exchange(rings_, {}))
      status = status ? read_ring("/proc/" + ring, pid) : status;
    return status;
  }

  // Those of the `known` stay found that may be in a ring that could not be read.
  void keep_unread(const std::vector<Holder>& known) {
    for (const Holder& holder : known) {
      if (std::ranges::find(unread_, holder.pid) != unread_.end())
        take(holder);
    }
  }

  std::vector<Holder> found() && { return std::move(found_); }

  Numbers still_missing() const {
    Numbers missing;
    std::ranges::set_difference(missing_, each_of(found_, &Holder::inode),
                                std::back_inserter(missing));
    return missing;
  }

  // How many rings could not be read.
  std::size_t unread() const { return unread_.size(); }

 private:
  // How often a ring is tried that is locked: mostly it is so for microseconds.
  static constexpr int kTries = 3;

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
    if (believes_rings_)
      std::ranges::move(seen->rings, std::back_inserter(rings_));
    return {};
  }

  // One that is gone, or closed to us, shows nothing.
  Status read_ring(const std::string& path, std::uint32_t pid) {
    for (int i = 0; i < kTries; ++i) {
      RegisteredFiles files;
      Status status = each_line(path, [&](std::string_view line) {
        if (const std::optional<std::uint32_t> inode = files.socket_in(line))
          take({*inode, pid});
      });
      if (!status)
        return is_scarcity(status.error().code) ? status : Status();
      if (files.is_there())
        return {};
    }
    unread_.push_back(pid);
    return {};
  }

  void take(const Holder& holder) {
    if (std::ranges::binary_search(missing_, holder.inode))
      found_.push_back(holder);
  }

  int proc_;
  bool kcmp_ = proc_is_of_our_namespace();
  std::span<const std::uint32_t> missing_;
  bool believes_rings_;
  Numbers with_rings_;
  bool every_table_seen_;
  std::vector<std::string> rings_;  // of the process that is looked into
  Numbers unread_;                  // processes, one for each ring that could not be read
  std::vector<Holder> found_;
};

std::string HiddenHolders::kernel_release() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "";
}

HiddenHolders::Numbers HiddenHolders::to_search_for(Numbers still_missing,
                                                    std::span<const std::uint32_t> missing) {
  const std::optional<Numbers> before =
      std::exchange(before_, Numbers(missing.begin(), missing.end()));
  if (!before)
    return still_missing;
  Numbers twice_missing;
  std::ranges::set_intersection(still_missing, *before, std::back_inserter(twice_missing));
  return twice_missing;
}

bool HiddenHolders::is_due(const Numbers& wanted) const {
  if (wanted.empty())
    return false;
  const Time now = now_();
  const bool any_new = round_ || !std::ranges::includes(nobodys_, wanted);
  return !next_ || now >= again_ || (any_new && now >= *next_);
}

Status HiddenHolders::look_into_known(Search& search) const {
  for (const std::uint32_t pid : each_of(known_, &Holder::pid)) {
    if (Status status = search.look_into(pid); !status)
      return status;
  }
  search.keep_unread(known_);
  return {};
}

// False: there are more.
Result<bool> HiddenHolders::look_into_rest(DIR* proc, Search& search, Time until) {
  while (const dirent* entry = ::readdir(proc)) {  // ascending
    const std::optional<std::uint32_t> pid = number<std::uint32_t>(entry->d_name);
    if (!pid || *pid < round_->next)
      continue;
    if (const Status status = search.look_into(*pid); !status)
      return tl::unexpected(status.error());
    round_->next = *pid + 1;
    if (now_() >= until)
      return false;
  }
  return true;
}

// One that fails is not gone on with, but rested from like any other.
Status HiddenHolders::search_on(DIR* proc, Search& search) {
  const Time began = now_();
  ++searches_;
  if (!round_)
    round_ = Round{.sought = search.still_missing()};
  const std::size_t unread_before = search.unread();
  const Result<bool> is_at_end = look_into_rest(proc, search, began + kLongest);
  rest_after(began);
  if (!is_at_end) {
    round_.reset();
    return tl::unexpected(is_at_end.error());
  }
  round_->every_ring_read = round_->every_ring_read && search.unread() == unread_before;
  if (*is_at_end)
    end_round(search.still_missing());
  return {};
}

void HiddenHolders::rest_after(Time began) {
  const Time ended = now_();
  const Time rested = ended + kRest * (ended - began);
  next_ = std::max<Time>(began + kApart, rested);
  again_ = std::max<Time>(began + kAgain, rested);
}

// What may be in a ring that could not be read is not nobody's.
void HiddenHolders::end_round(const Numbers& still_missing) {
  nobodys_.clear();
  if (round_->every_ring_read)
    std::ranges::set_intersection(round_->sought, still_missing, std::back_inserter(nobodys_));
  known_.clear();
  round_.reset();
}

// Of sockets that were not asked for this time nothing new is known.
void HiddenHolders::remember(const std::vector<Holder>& found,
                             std::span<const std::uint32_t> missing) {
  std::erase_if(known_, [&](const Holder& holder) {
    return std::ranges::binary_search(missing, holder.inode);
  });
  known_.insert(known_.end(), found.begin(), found.end());
  sort_unique(known_);
}

Result<std::vector<Holder>> HiddenHolders::find(std::span<const std::uint32_t> missing,
                                                const Holdings& seen) {
  if (!missing.empty() && missing.front() == 0)
    missing = missing.subspan(1);  // No socket has it.
  if (missing.empty()) {
    before_ = Numbers();
    return std::vector<Holder>();
  }
  const Directory proc = open_directory(AT_FDCWD, "/proc");
  if (proc == nullptr)
    return failure("list the processes in /proc", errno, "mount proc on /proc");
  Search search(::dirfd(proc.get()), missing, seen, believes_rings_);
  Status status = look_into_known(search);
  const Numbers wanted = to_search_for(search.still_missing(), missing);
  if (status && is_due(wanted))
    status = search_on(proc.get(), search);
  if (!status)
    return tl::unexpected(status.error());
  std::vector<Holder> found = std::move(search).found();
  remember(found, missing);
  return found;
}

}  // namespace tcpmibd::kernel
