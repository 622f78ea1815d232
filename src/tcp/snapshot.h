#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "tcp/rows.h"

namespace tcpmibd::tcp {

// Sockets of one state, by the protocol they speak. A dual-stack wildcard counts as IPv6.
struct StateCount {
  std::uint32_t ipv4 = 0;
  std::uint32_t ipv6 = 0;

  std::uint32_t total() const { return ipv4 + ipv6; }
};

// A socket whose index another one already stands for.
struct Sibling {
  std::uint64_t cookie;  // of the socket that gave the row its details
  std::uint32_t inode;   // of this one; not 0
};

// One listening socket; several may share an index, and then a row.
struct ListeningSocket {
  ListenerKey key;  // the RFC's form, whatever forms the rows have
  std::uint64_t cookie = 0;
  std::uint64_t cgroup = 0;
  std::uint32_t inode = 0;
  std::uint32_t queue = 0;     // connections that wait to be accepted
  std::uint32_t backlog = 0;   // how many may
  std::uint32_t discards = 0;  // segments, whatever for; since it was made
};

// What the kernel's TCP tables held at one moment, in MIB order.
//
// Immutable: a request keeps the snapshot it started with while newer ones are built.
// Sockets that would occupy the same row are merged; see preferred() in snapshot.cc.
class Snapshot {
 public:
  Snapshot() = default;

  // Everything but listeners, ascending by index. All of IPv4 sorts before all of IPv6.
  std::span<const Ipv4Row> ipv4() const { return ipv4_; }
  std::span<const Ipv6Row> ipv6() const { return ipv6_; }

  // Ascending by index.
  std::span<const ListenerRow> listeners() const { return listeners_; }

  // Listeners that accept IPv4, as rows of the deprecated tcpConnTable: remote 0.0.0.0:0.
  std::span<const Ipv4Row> legacy_listeners() const { return legacy_listeners_; }

  // Every listening socket, ascending by port, then index, then cookie.
  std::span<const ListeningSocket> listening() const { return listening_; }

  // Connections that have no row of their own, for another has their index; in no order.
  std::span<const Ipv4Row> ipv4_twins() const { return ipv4_twins_; }
  std::span<const Ipv6Row> ipv6_twins() const { return ipv6_twins_; }

  // Calls `visit` with the row of every connection, twins included; of either family.
  template <typename Visit>
  void for_each_connection(Visit visit) const {
    for (const std::vector<Ipv4Row>* rows : {&ipv4_, &ipv4_twins_})
      for (const Ipv4Row& row : *rows)
        visit(row);
    for (const std::vector<Ipv6Row>* rows : {&ipv6_, &ipv6_twins_})
      for (const Ipv6Row& row : *rows)
        visit(row);
  }

  // The cgroups that Details::cgroup counts; the first one is 0: none, or one too many.
  std::span<const std::uint64_t> cgroups() const { return cgroups_; }

  // Inodes of the further sockets behind a shared row; empty for any other.
  std::span<const Sibling> siblings(const Details& details) const;

  // Of every socket that a process may hold, siblings included; in no order.
  std::vector<std::uint32_t> inodes() const;

  const StateCount& count(State state) const {
    return counts_[static_cast<std::size_t>(state) - 1];
  }

  // Connections and listeners; what a walk of one column answers.
  std::size_t rows() const { return ipv4_.size() + ipv6_.size() + listeners_.size(); }

  // Sockets without a row of their own because another has their index.
  std::uint32_t merged() const { return merged_; }

  // Sockets left out because their state has no meaning to this program.
  std::uint32_t unknown_states() const { return unknown_states_; }

  Time taken_at() const { return taken_at_; }  // when the dump began
  Duration took() const { return took_; }

 private:
  friend class SnapshotBuilder;

  std::vector<Ipv4Row> ipv4_;
  std::vector<Ipv6Row> ipv6_;
  std::vector<ListenerRow> listeners_;
  std::vector<Ipv4Row> legacy_listeners_;
  std::vector<ListeningSocket> listening_;
  std::vector<Ipv4Row> ipv4_twins_;
  std::vector<Ipv6Row> ipv6_twins_;
  std::vector<Sibling> siblings_;  // ascending by cookie
  std::vector<std::uint64_t> cgroups_{0};
  std::array<StateCount, kStateCount> counts_{};
  std::uint32_t merged_ = 0;
  std::uint32_t unknown_states_ = 0;
  Time taken_at_{};
  Duration took_{};
};

// Takes sockets in any order, both families mixed, and makes a snapshot of them.
class SnapshotBuilder {
 public:
  explicit SnapshotBuilder(const AddressForms& forms, Time began = Clock::now()) : forms_(forms) {
    snapshot_.taken_at_ = began;
  }

  // Room for as many connections as a like snapshot had: growing by doubling would hold the rows
  // twice at the peak.
  void reserve(const Snapshot& like);

  // The memory of a snapshot that nobody reads any more, unless it is far larger than what was in
  // it. Fresh pages would have to be cleared by the kernel first.
  void reuse(Snapshot retired);

  // A socket that is neither a connection nor a listener (closed) is passed over.
  void add(const Socket& socket);

  // A socket whose state this program does not know.
  void add_unknown() { ++snapshot_.unknown_states_; }

  // Sorts and merges. The builder is empty afterwards.
  Snapshot finish(Time ended = Clock::now());

 private:
  void add_listener(const Socket& socket, const Details& details);
  void add_connection(const Socket& socket, const Details& details);

  template <typename Key>
  void sort_and_merge(std::vector<Row<Key>>& rows);

  template <typename Key>
  void count(const Row<Key>& socket);

  // Counts sockets of one index and returns the row they share. Reorders `twins`.
  template <typename Key>
  Row<Key> merged(std::span<Row<Key>> twins);

  void keep_twin(const Ipv4Row& row) { snapshot_.ipv4_twins_.push_back(row); }
  void keep_twin(const Ipv6Row& row) { snapshot_.ipv6_twins_.push_back(row); }
  void keep_twin(const ListenerRow&) {}  // listening() has it.

  void sort_listening();
  void list_legacy_listeners();

  using CgroupNumbers = std::unordered_map<std::uint64_t, std::uint16_t>;

  static CgroupNumbers no_cgroups() { return {{0, 0}}; }

  // The cgroup's index in the snapshot.
  std::uint16_t number_of(std::uint64_t cgroup);

  AddressForms forms_;
  Snapshot snapshot_;
  CgroupNumbers numbers_ = no_cgroups();
  std::uint64_t last_cgroup_ = 0;  // Neighbours often share one.
  std::uint16_t last_number_ = 0;
};

}  // namespace tcpmibd::tcp
