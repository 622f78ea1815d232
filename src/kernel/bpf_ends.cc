#include "kernel/bpf_ends.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "kernel/bpf/end_reason.h"
#include "kernel/bpf/socket_ends.h"
#include "kernel/bpf_object.h"

namespace tcpmibd::kernel {
namespace {

using tcp::EndReason;

static_assert(static_cast<int>(EndReason::kNormal) == kEndNormal);
static_assert(static_cast<int>(EndReason::kAbortedLocally) == kEndAbortedLocally);
static_assert(static_cast<int>(EndReason::kOther) == kEndOther);
static_assert(tcp::kEndReasonCount + 1 == kEndReasons);
static_assert(static_cast<int>(tcp::Direction::kPassive) == kEndPassive);

using Ring = UniqueHandle<ring_buffer, ring_buffer__free>;
using Link = UniqueHandle<bpf_link, [](bpf_link* link) { bpf_link__destroy(link); }>;

constexpr const char* kLoad = "load the BPF programs that watch connections end";

// Since 6.10: before, the tracepoint has no word for where there is no socket.
constexpr std::string_view kOptional = "reset_sent";

// libbpf parses it as the ELF file that it is.
alignas(8) constexpr unsigned char kProgram[] = {
#include "kernel/bpf/socket_ends.inc"
};

// The read-only data of the programs, in the order in which they declare them.
struct Constants {
  std::uint32_t own_space;
  std::uint8_t write_records;
  std::uint8_t know_pids;
};

constexpr ino_t kFirstProcessSpace = 0xEFFFFFFC;  // PROC_PID_INIT_INO of the kernel

std::optional<ino_t> inode_of(const char* path) {
  struct stat status {};
  if (::stat(path, &status) != 0)
    return std::nullopt;
  return status.st_ino;
}

Time time_of(std::uint64_t nanoseconds) {
  return Time(std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(nanoseconds)));
}

tcp::Octets octets_of(const std::uint8_t (&address)[16]) {
  tcp::Octets octets{};
  std::ranges::copy(address, octets.begin());
  return octets;
}

tcp::Family family_of(int family) {
  return family == AF_INET6 ? tcp::Family::kIpv6 : tcp::Family::kIpv4;
}

tcp::Ended ended_of(const end_record& record) {
  tcp::Ended ended{.at = time_of(record.at),
                   .lived = std::chrono::nanoseconds(record.lived),
                   .received = record.received,
                   .sent = record.sent,
                   .cgroup = record.cgroup,
                   .space = record.space,
                   .pid = record.pid,
                   .retransmits = record.retransmits,
                   .round_trip_us = record.round_trip,
                   .error = record.error,
                   .family = family_of(record.family),
                   .left = tcp::state_from_kernel(record.left).value_or(tcp::State::kClosed),
                   .reason = static_cast<EndReason>(record.reason),
                   .direction = static_cast<tcp::Direction>(record.direction),
                   .local = {octets_of(record.local), record.local_port},
                   .remote = {octets_of(record.remote), record.remote_port}};
  std::ranges::copy(record.command, ended.command.begin());
  return ended;
}

tcp::EndTally tally_of(const end_tally& row) {
  tcp::EndTally tally{.begun = row.begun, .since = time_of(row.since)};
  std::copy_n(std::begin(row.reasons) + 1, tcp::kEndReasonCount, tally.ended.begin());
  return tally;
}

// A hash of the programs' with rows of end_tally: the least used make room before it is full.
template <typename Key>
class TallyMap {
 public:
  TallyMap(int descriptor, std::size_t most) : descriptor_(descriptor), most_(most) {}

  struct Row {
    Key key;
    end_tally tally;
  };

  std::vector<Row> read() const {
    std::vector<Key> keys(most_);
    std::vector<end_tally> tallies(most_);
    Key at{};
    auto count = static_cast<std::uint32_t>(most_);
    // ENOENT: that was all of it.
    if (bpf_map_lookup_batch(descriptor_, nullptr, &at, keys.data(), tallies.data(), &count,
                             nullptr) != 0 &&
        errno != ENOENT)
      return {};
    std::vector<Row> rows;
    for (std::size_t i = 0; i < count; ++i)
      rows.push_back({keys[i], tallies[i]});
    return rows;
  }

  // `made`: rows since the start. Removes a quarter of what there may be where less is free.
  std::size_t make_room(std::uint64_t made) {
    if (made - removed_ < most_ - most_ / 4)
      return 0;
    std::vector<Row> rows = read();
    const std::size_t going = std::min(rows.size(), most_ / 4);
    std::ranges::nth_element(rows, rows.begin() + static_cast<std::ptrdiff_t>(going), {},
                             [](const Row& row) { return row.tally.last; });
    for (std::size_t i = 0; i < going; ++i)
      bpf_map_delete_elem(descriptor_, &rows[i].key);
    removed_ += going;
    return going;
  }

 private:
  int descriptor_;
  std::size_t most_;
  std::uint64_t removed_ = 0;
};

// What an array for each of `processors` holds, added up.
std::uint64_t sum_of(int map, std::uint32_t key, int processors) {
  std::vector<std::uint64_t> values(static_cast<std::size_t>(processors));
  std::uint64_t sum = 0;
  if (bpf_map_lookup_elem(map, &key, values.data()) == 0) {
    for (const std::uint64_t value : values)
      sum += value;
  }
  return sum;
}

// The pages of the array of closed ports.
class CallsView {
 public:
  static constexpr std::size_t kPorts = 1 << 16;

  explicit CallsView(int map) : at_(::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, map, 0)) {}
  CallsView(const CallsView&) = delete;
  CallsView& operator=(const CallsView&) = delete;
  ~CallsView() {
    if (*this)
      ::munmap(at_, kSize);
  }

  explicit operator bool() const { return at_ != MAP_FAILED; }
  std::span<const end_calls> ports() const { return {static_cast<const end_calls*>(at_), kPorts}; }

 private:
  static constexpr std::size_t kSize = kPorts * sizeof(end_calls);

  void* at_;
};

struct Attached {
  BpfObject object;
  std::vector<Link> links;
  bool closed_ports = false;
};

Result<BpfObject> loaded(const Constants& constants, bool with_optional) {
  BpfObject object = open_bpf_object(kProgram, sizeof kProgram);
  if (object == nullptr)
    return refused_by_bpf(kLoad);
  bpf_map* data = nullptr;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object.get()) {
    if (std::string_view(bpf_map__name(map)).ends_with(".rodata"))
      data = map;
  }
  if (data == nullptr ||
      bpf_map__set_initial_value(data, &constants, bpf_map__value_size(data)) != 0)
    return refused_by_bpf(kLoad);
  bpf_program* optional = bpf_object__find_program_by_name(object.get(), kOptional.data());
  bpf_program__set_autoload(optional, with_optional);
  if (bpf_object__load(object.get()) != 0)
    return refused_by_bpf(kLoad);
  return object;
}

Result<Attached> attached(const Constants& constants) {
  Attached all;
  Result<BpfObject> object = loaded(constants, true);
  all.closed_ports = object.has_value();
  if (!object && object.error().code != EPERM)
    object = loaded(constants, false);
  if (!object)
    return tl::unexpected(object.error());
  all.object = *std::move(object);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, all.object.get()) {
    if (!bpf_program__autoload(program))
      continue;
    all.links.emplace_back(bpf_program__attach(program));
    if (all.links.back() == nullptr)
      return refused_by_bpf(kLoad);
  }
  return all;
}

class Watch final : public tcp::EndsSource {
 public:
  static Result<std::unique_ptr<EndsSource>> of(Attached attached) {
    auto watch = std::make_unique<Watch>(std::move(attached));
    if (watch->ring_ == nullptr || !watch->calls_)
      return refused_by_bpf(kLoad);
    if (watch->processors_ < 0)
      return failure(kLoad, -watch->processors_);
    return watch;
  }

  explicit Watch(Attached attached)
      : attached_(std::move(attached)),
        ring_(ring_buffer__new(map("records"), &Watch::on_record, this, nullptr)) {}

  int descriptor() const override { return ring_buffer__epoll_fd(ring_.get()); }

  std::size_t take(const std::function<void(const tcp::Ended&)>& act) override {
    act_ = &act;
    const int taken = ring_buffer__consume(ring_.get());
    act_ = nullptr;
    evicted_ += ports_.make_room(sum(kEndPortRows)) + remotes_.make_room(sum(kEndRemoteRows));
    return taken > 0 ? static_cast<std::size_t>(taken) : 0;
  }

  tcp::EndCounts counts() override {
    tcp::EndCounts counts{};
    for (std::uint32_t reason = 1; reason < kEndReasons; ++reason)
      counts[reason - 1] = sum_of(map("reasons"), reason, processors_);
    return counts;
  }

  std::vector<tcp::PortEnds> ports() override {
    std::vector<tcp::PortEnds> ports;
    for (const auto& row : ports_.read())
      ports.push_back({static_cast<std::uint16_t>(row.key), tally_of(row.tally)});
    std::ranges::sort(ports, {}, &tcp::PortEnds::port);
    return ports;
  }

  std::vector<tcp::RemoteEnds> remotes() override {
    std::vector<tcp::RemoteEnds> remotes;
    for (const auto& row : remotes_.read())
      remotes.push_back({.family = family_of(row.key.family),
                         .service = {octets_of(row.key.address), row.key.port},
                         .tally = tally_of(row.tally)});
    return remotes;
  }

  std::vector<tcp::ClosedPort> closed_ports() override {
    std::vector<tcp::ClosedPort> closed;
    for (std::uint32_t port = 0; port < CallsView::kPorts; ++port) {
      if (const std::uint32_t calls = calls_.ports()[port].calls; calls != 0)
        closed.push_back({static_cast<std::uint16_t>(port), calls});
    }
    return closed;
  }

  bool sees_closed_ports() const override { return attached_.closed_ports; }

  tcp::EndLosses losses() override {
    return {.records = sum(kEndLost), .uncounted = sum(kEndUncounted), .evicted = evicted_};
  }

 private:
  static int on_record(void* watch, void* data, std::size_t size) {
    if (size >= sizeof(end_record))
      (*static_cast<Watch*>(watch)->act_)(ended_of(*static_cast<const end_record*>(data)));
    return 0;
  }

  int map(const char* name) const {
    return bpf_object__find_map_fd_by_name(attached_.object.get(), name);
  }

  std::uint64_t sum(std::uint32_t which) const { return sum_of(map("sums"), which, processors_); }

  Attached attached_;
  // Found once, for a file has to be opened for it, and there may be no descriptor left later.
  const int processors_ = libbpf_num_possible_cpus();
  Ring ring_;
  CallsView calls_{map("closed_ports")};
  TallyMap<std::uint32_t> ports_{map("ports"), kEndPorts};
  TallyMap<end_remote_key> remotes_{map("remotes"), kEndRemotes};
  std::uint64_t evicted_ = 0;
  const std::function<void(const tcp::Ended&)>* act_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<tcp::EndsSource>> BpfEnds::load(const Options& options) {
  const std::optional<ino_t> space = inode_of("/proc/thread-self/ns/net");
  if (!space)
    return failure("know our own network namespace", errno, "mount proc on /proc");
  Result<Attached> all =
      attached({.own_space = static_cast<std::uint32_t>(*space),
                .write_records = options.records,
                .know_pids = inode_of("/proc/self/ns/pid") == kFirstProcessSpace});
  if (!all)
    return tl::unexpected(all.error());
  return Watch::of(*std::move(all));
}

}  // namespace tcpmibd::kernel
