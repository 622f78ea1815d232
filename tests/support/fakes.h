#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "support/builders.h"
#include "tcp/sources.h"

// The edges towards the kernel, played by vectors.

namespace tcpmibd::lab {

// Decides call by call whether a source works, counts the calls, and can hold one under way.
//
// Thread:  safe; a worker calls while a test looks on.
class Faults {
 public:
  static constexpr std::chrono::seconds kDeadline{10};

  // The `n`th call from now on fails, counting from 1; 0: none does.
  void fail_nth(int n) {
    const std::lock_guard lock(mutex_);
    failing_ = n == 0 ? 0 : calls_ + n;
  }
  void fail_always(bool always) {
    const std::lock_guard lock(mutex_);
    always_ = always;
  }

  int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  // From now on calls stay under way until release().
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
    }
    changed_.notify_all();
  }

  // Whether so many calls have begun before the deadline.
  bool await_calls(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kDeadline, [&] { return calls_ >= count; });
  }

  // What a source calls first.
  Status call(const char* doing) {
    std::unique_lock lock(mutex_);
    const int number = ++calls_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    if (always_ || number == failing_)
      return failure(doing, ENOBUFS);
    return {};
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int calls_ = 0;
  int failing_ = 0;
  bool always_ = false;
  bool held_ = false;
};

// A kernel made of a vector of sockets.
//
// find() is modelled on sock_diag's exact look-up as SockDiag uses it: asked with each interface,
// so that a device-bound socket is found; a missing connection gives nothing, never the listener
// on its port; sockets that are merely bound are not seen.
class FakeSocketSource final : public tcp::SocketSource {
 public:
  explicit FakeSocketSource(std::vector<tcp::Socket> sockets = {}) : sockets_(std::move(sockets)) {}

  void set(std::vector<tcp::Socket> sockets) {
    const std::lock_guard lock(mutex_);
    sockets_ = std::move(sockets);
  }
  // MPTCP connections beside them; `sight` is what is said of how far they are seen.
  void set_mptcp(std::vector<tcp::Socket> connections,
                 tcp::MptcpSight sight = tcp::MptcpSight::kSeen) {
    const std::lock_guard lock(mutex_);
    mptcp_ = std::move(connections);
    sight_ = sight;
  }

  // kPartial: whoever names no interface does not find what is bound to one that is far, of a
  // number above kLastNear.
  void set_coverage(tcp::Coverage coverage) { coverage_ = coverage; }
  static constexpr std::uint32_t kLastNear = 64;

  // Whether there was this very socket, cookie and interface included.
  bool remove(const tcp::SocketId& id) {
    const std::lock_guard lock(mutex_);
    return std::erase_if(sockets_, [&](const tcp::Socket& socket) { return socket.id == id; }) > 0;
  }

  // Runs in the middle of every read_all(), on the thread that reads.
  void while_reading(std::function<void()> act) { while_reading_ = std::move(act); }

  Faults& faults() { return faults_; }
  Faults& quiet_faults() { return quiet_faults_; }  // of read_close_waits()
  int dumps() const { return dumps_.calls(); }
  int listener_dumps() const { return listener_dumps_.calls(); }
  std::vector<tcp::ConnectionQuery> queries() const {
    const std::lock_guard lock(mutex_);
    return queries_;
  }

  Status read_all(tcp::SnapshotBuilder& into) override {
    (void)dumps_.call("");
    if (while_reading_)
      while_reading_();
    if (Status status = faults_.call("dump"); !status)
      return status;
    const std::lock_guard lock(mutex_);
    for (const tcp::Socket& socket : sockets_)
      into.add(socket);
    for (const tcp::Socket& connection : mptcp_)
      into.add_mptcp(connection);
    into.set_mptcp_sight(sight_);
    return {};
  }

  // How often read_counts() was asked for; it answers as read_all(), with this doubt.
  int counts() const { return counts_.calls(); }
  void set_gauge_doubt(tcp::GaugeDoubt doubt) { doubt_ = doubt; }

  Status read_counts(tcp::SnapshotBuilder& into) override {
    (void)counts_.call("");
    into.set_gauge_doubt(doubt_);
    return read_all(into);
  }

  // The selections that read_some() was asked for.
  std::vector<tcp::Selection> selections() const {
    const std::lock_guard lock(mutex_);
    return selections_;
  }

  Status read_some(const tcp::Selection& selection, tcp::SnapshotBuilder& into) override {
    {
      const std::lock_guard lock(mutex_);
      selections_.push_back(selection);
    }
    return read_all(into);
  }

  Status read_close_waits(std::vector<tcp::Quiet>& into) override {
    if (Status status = quiet_faults_.call("dump CLOSE_WAIT"); !status)
      return status;
    const std::lock_guard lock(mutex_);
    for (const std::vector<tcp::Socket>* all : {&sockets_, &mptcp_}) {
      for (const tcp::Socket& socket : *all) {
        if (socket.state == tcp::State::kCloseWait)
          into.push_back({socket.id.cookie, socket.quiet_ms});
      }
    }
    return {};
  }

  Result<tcp::Coverage> find(const tcp::Question& question,
                             std::vector<tcp::Socket>& found) override {
    if (const auto* query = std::get_if<tcp::ConnectionQuery>(&question))
      return find_connection(*query, found);
    if (std::holds_alternative<tcp::ListenersQuery>(question))
      return find_listeners(found);
    return tcp::Coverage::kComplete;
  }

 private:
  Result<tcp::Coverage> find_listeners(std::vector<tcp::Socket>& found) {
    (void)listener_dumps_.call("");
    if (Status status = faults_.call("dump the listeners"); !status)
      return tl::unexpected(status.error());
    collect_if(found,
               [](const tcp::Socket& socket) { return socket.state == tcp::State::kListen; });
    return tcp::Coverage::kComplete;
  }

  Result<tcp::Coverage> find_connection(const tcp::ConnectionQuery& query,
                                        std::vector<tcp::Socket>& found) {
    {
      const std::lock_guard lock(mutex_);
      queries_.push_back(query);
    }
    if (Status status = faults_.call("look up"); !status)
      return tl::unexpected(status.error());
    const auto coverage = query.zone != 0 ? tcp::Coverage::kComplete : coverage_;
    collect_if(found, [&](const tcp::Socket& socket) {
      const bool seen = coverage == tcp::Coverage::kComplete || socket.id.interface <= kLastNear;
      return seen && answers(socket, query);
    });
    return coverage;
  }

  template <typename Predicate>
  void collect_if(std::vector<tcp::Socket>& found, Predicate predicate) const {
    const std::lock_guard lock(mutex_);
    std::ranges::copy_if(sockets_, std::back_inserter(found), predicate);
  }

  // An address as both families see it: IPv4 as v4-mapped.
  static tcp::Octets common(tcp::Family family, const tcp::Octets& address) {
    if (family == tcp::Family::kIpv6)
      return address;
    tcp::Octets mapped{};
    mapped[10] = mapped[11] = 0xff;
    std::copy_n(address.begin(), 4, mapped.begin() + 12);
    return mapped;
  }

  static bool answers(const tcp::Socket& socket, const tcp::ConnectionQuery& query) {
    const auto same = [&](const tcp::Endpoint& end, const tcp::Endpoint& asked) {
      return end.port == asked.port &&
             common(socket.id.family, end.address) == common(query.family, asked.address);
    };
    const bool hashed = socket.state != tcp::State::kListen && socket.state != tcp::State::kClosed;
    const bool reachable =
        query.zone == 0 || socket.id.interface == 0 || socket.id.interface == query.zone;
    return hashed && reachable && same(socket.id.local, query.local) &&
           same(socket.id.remote, query.remote);
  }

  mutable std::mutex mutex_;
  std::vector<tcp::Socket> sockets_;
  std::vector<tcp::Socket> mptcp_;
  tcp::MptcpSight sight_ = tcp::MptcpSight::kAbsent;
  std::vector<tcp::ConnectionQuery> queries_;
  std::vector<tcp::Selection> selections_;
  tcp::Coverage coverage_ = tcp::Coverage::kComplete;
  std::function<void()> while_reading_;
  Faults faults_;
  Faults quiet_faults_;
  Faults dumps_;
  Faults counts_;
  tcp::GaugeDoubt doubt_ = tcp::GaugeDoubt::kNone;
  Faults listener_dumps_;
};

// Ends the sockets of such kernels: those that are told apart by what is asked of them, but are to
// show one and the same host.
class FakeSocketDestroyer final : public tcp::SocketDestroyer {
 public:
  explicit FakeSocketDestroyer(std::vector<FakeSocketSource*> kernels)
      : kernels_(std::move(kernels)) {}

  // From now on can_destroy() fails so; 0: it does not.
  void disable(int code) { disabled_ = code; }

  // From now on destroy() fails so, and ends nothing; 0: it does not.
  void refuse(int code) { refused_ = code; }

  // What it was asked to end, in that order.
  const std::vector<tcp::SocketId>& asked() const { return asked_; }

  Status can_destroy() override {
    return disabled_ == 0 ? Status() : failure("destroy", disabled_, "a cure");
  }

  Result<tcp::Destroyed> destroy(const tcp::SocketId& id) override {
    asked_.push_back(id);
    if (refused_ != 0)
      return failure("destroy", refused_);
    bool was_there = false;
    for (FakeSocketSource* kernel : kernels_)
      was_there = kernel->remove(id) || was_there;
    return was_there ? tcp::Destroyed::kDone : tcp::Destroyed::kGone;
  }

 private:
  std::vector<FakeSocketSource*> kernels_;
  std::vector<tcp::SocketId> asked_;
  int disabled_ = 0;
  int refused_ = 0;
};

class FakeProcessLookup final : public tcp::ProcessLookup {
 public:
  explicit FakeProcessLookup(std::vector<tcp::Holder> holders = {})
      : holders_(std::move(holders)) {}

  void set(std::vector<tcp::Holder> holders) {
    const std::lock_guard lock(mutex_);
    holders_ = std::move(holders);
  }
  // So many processes may not be looked into.
  void deny(std::uint32_t count) {
    const std::lock_guard lock(mutex_);
    denied_ = count;
  }
  // Of the last call.
  std::vector<std::uint32_t> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  int calls() const { return faults_.calls(); }
  Faults& faults() { return faults_; }

  Result<tcp::ProcessMap> read(std::vector<std::uint32_t> asked) override {
    const Time began = Clock::now();
    std::vector<tcp::Holder> holders;
    std::uint32_t denied = 0;
    {
      const std::lock_guard lock(mutex_);
      asked_ = asked;
      holders = holders_;
      denied = denied_;
    }
    if (Status status = faults_.call("look into processes"); !status)
      return tl::unexpected(status.error());
    return tcp::ProcessMap::build(std::move(holders), std::move(asked), denied, began);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<tcp::Holder> holders_;
  std::vector<std::uint32_t> asked_;
  std::uint32_t denied_ = 0;
  Faults faults_;
};

// Counts what it is asked, so that two reads can be told apart: InSegs is the number of the read.
class FakeCounterSource final : public tcp::CounterSource {
 public:
  Faults& faults() { return faults_; }

  Result<tcp::Counters> read() override {
    if (Status status = faults_.call("read the counters"); !status)
      return tl::unexpected(status.error());
    const std::string reads = std::to_string(faults_.calls());
    return tcp::Counters::parse(snmp_file({"1", "200", "120000", "-1", "5", "6", "7", "8", "9",
                                           reads, reads, "12", "14", "15", "0"}));
  }

 private:
  Faults faults_;
};

class FakePressureSource final : public tcp::PressureSource {
 public:
  void set(tcp::Pressure pressure) {
    const std::lock_guard lock(mutex_);
    pressure_ = std::move(pressure);
  }
  Faults& faults() { return faults_; }  // of read()
  int listen_drops_reads() const { return listen_drops_reads_.calls(); }

  Result<tcp::Pressure> read() override {
    if (Status status = faults_.call("read the limits"); !status)
      return tl::unexpected(status.error());
    const std::lock_guard lock(mutex_);
    return pressure_;
  }

  std::optional<std::uint64_t> listen_drops() override {
    (void)listen_drops_reads_.call("");
    const std::lock_guard lock(mutex_);
    return pressure_.listen_drops;
  }

 private:
  mutable std::mutex mutex_;
  tcp::Pressure pressure_ = full_pressure();
  Faults faults_;
  Faults listen_drops_reads_;
};

}  // namespace tcpmibd::lab
