#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "tcp/gauges.h"
#include "tcp/mptcp.h"
#include "tcp/rows.h"

namespace tcpmibd::tcp {

// Connections, or listeners, of one state, by the protocol they speak. A dual-stack wildcard counts
// as IPv6.
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

// What the kernel's TCP tables held at one moment, in MIB order; and beside it the MPTCP
// connections, which have states of their own: their subflows are rows of TCP, and may stay
// established when the connection has long been closed by its peer.
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

  // MPTCP connections, of either family; ascending by index, which several may share.
  std::span<const Ipv4Row> mptcp_ipv4() const { return mptcp_ipv4_; }
  std::span<const Ipv6Row> mptcp_ipv6() const { return mptcp_ipv6_; }
  std::size_t mptcp_size() const { return mptcp_ipv4_.size() + mptcp_ipv6_.size(); }
  MptcpSight mptcp_sight() const { return mptcp_sight_; }

  // The MPTCP connection that a row of TCP is a subflow of; null: of none.
  //
  // Both have the inode of the descriptor. Before accept(2) neither has one, and when the program
  // has closed it only the subflows keep it: then the connection is known by its ends, which are
  // those of its first subflow. So a second one that has joined before accept(2) is of none.
  template <typename Key>
  const Details* mptcp_of(const Row<Key>& row) const {
    return mptcp_by_inode_.empty() ? nullptr : find_mptcp(row);
  }

  // Calls `visit` with the row of everything that operators count as one connection: an MPTCP
  // connection, or a connection of TCP, twins included, that is no subflow of such.
  template <typename Visit>
  void for_each_counted(Visit visit) const {
    for_each_connection([&](const auto& row) {
      if (mptcp_of(row) == nullptr)
        visit(row);
    });
    for_each_mptcp(visit);
  }

  // Calls `visit` with the row of every MPTCP connection.
  template <typename Visit>
  void for_each_mptcp(Visit visit) const {
    for (const Ipv4Row& row : mptcp_ipv4_)
      visit(row);
    for (const Ipv6Row& row : mptcp_ipv6_)
      visit(row);
  }

  // The cgroups that Details::cgroup counts; the first one is 0: none, or one too many.
  std::span<const std::uint64_t> cgroups() const { return cgroups_; }

  // Inodes of the further sockets behind a shared row; empty for any other.
  std::span<const Sibling> siblings(const Details& details) const;

  // Of every socket that a process may hold, siblings and MPTCP connections included; in no order.
  std::vector<std::uint32_t> inodes() const;

  // Of the listeners, and of what operators count; see for_each_counted().
  const StateCount& count(State state) const {
    return counts_[static_cast<std::size_t>(state) - 1];
  }

  // Why every socket had to be looked at, if only counts were asked for; see read_counts() in
  // tcp/sources.h. kNone or kRefuted where everything was.
  GaugeDoubt gauge_doubt() const { return gauge_doubt_; }

  // The same without a row, and so small.
  Snapshot counts_alone() const;

  // Connections and listeners of TCP; what a walk of one column answers.
  std::size_t rows() const { return ipv4_.size() + ipv6_.size() + listeners_.size(); }

  // Sockets without a row of their own because another has their index.
  std::uint32_t merged() const { return merged_; }

  // Sockets left out because their state has no meaning to this program.
  std::uint32_t unknown_states() const { return unknown_states_; }

  Time taken_at() const { return taken_at_; }  // when the dump began
  Duration took() const { return took_; }

 private:
  friend class SnapshotBuilder;

  // Where to find the MPTCP connection with an inode: the IPv4 ones come first.
  struct MptcpPlace {
    std::uint32_t inode;
    std::uint32_t position;
  };

  const Details* find_mptcp(const Ipv4Row& row) const;
  const Details* find_mptcp(const Ipv6Row& row) const;
  static const Details* find_mptcp(const ListenerRow&) { return nullptr; }
  const Details* mptcp_with(std::uint32_t inode) const;

  std::vector<Ipv4Row> ipv4_;
  std::vector<Ipv6Row> ipv6_;
  std::vector<ListenerRow> listeners_;
  std::vector<Ipv4Row> legacy_listeners_;
  std::vector<ListeningSocket> listening_;
  std::vector<Ipv4Row> ipv4_twins_;
  std::vector<Ipv6Row> ipv6_twins_;
  std::vector<Ipv4Row> mptcp_ipv4_;
  std::vector<Ipv6Row> mptcp_ipv6_;
  // Ascending; of all of them, 0 included, and by inodes that only the subflows have kept.
  std::vector<MptcpPlace> mptcp_by_inode_;
  MptcpSight mptcp_sight_ = MptcpSight::kAbsent;
  GaugeDoubt gauge_doubt_ = GaugeDoubt::kNone;
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

  // An MPTCP connection; a listener, and one that is closed, is passed over.
  void add_mptcp(const Socket& socket);

  void set_mptcp_sight(MptcpSight sight) { snapshot_.mptcp_sight_ = sight; }

  // Sockets of which nothing is known but their number.
  void add_counted(State state, const StateCount& count);

  void set_gauge_doubt(GaugeDoubt doubt) { snapshot_.gauge_doubt_ = doubt; }

  // Forgets what was added, and begins anew; not when it began first.
  void clear();

  // A socket whose state this program does not know.
  void add_unknown() { ++snapshot_.unknown_states_; }

  // Sorts and merges. The builder is empty afterwards.
  Snapshot finish(Time ended = Clock::now());

 private:
  void add_listener(const Socket& socket, const Details& details);
  void add_connection(const Socket& socket, const Details& details);

  // Appends the row of a connection to the vector of its family.
  void add_row(const Socket& socket, const Details& details, std::vector<Ipv4Row>& ipv4,
               std::vector<Ipv6Row>& ipv6) const;

  void list_mptcp();

  // Appends the inodes that subflows have kept of connections that have none. Positions of the
  // latter begin at `first`.
  template <typename Key>
  void add_kept_inodes(std::span<const Row<Key>> rows, std::span<const Row<Key>> mptcp,
                       std::size_t first, std::vector<Snapshot::MptcpPlace>& places) const;

  template <typename Key>
  void sort_and_merge(std::vector<Row<Key>>& rows);

  // Counts the socket, unless an MPTCP connection stands for it.
  template <typename Key>
  void count(const Row<Key>& socket);

  template <typename Key>
  void count_state(const Row<Key>& socket);

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

  void forget_cgroups();

  // The cgroup's index in the snapshot.
  std::uint16_t number_of(std::uint64_t cgroup);

  AddressForms forms_;
  Snapshot snapshot_;
  CgroupNumbers numbers_ = no_cgroups();
  std::uint64_t last_cgroup_ = 0;  // Neighbours often share one.
  std::uint16_t last_number_ = 0;
};

}  // namespace tcpmibd::tcp
