#include "tcp/snapshot.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace tcpmibd::tcp {

namespace {

constexpr std::uint8_t kMostRetransmits = 31;    // what Details has room for
constexpr std::uint16_t kMostCgroups = 1 << 14;  // likewise

Details details_of(const Socket& socket, std::uint16_t cgroup) {
  Details details{.cookie_low = static_cast<std::uint32_t>(socket.id.cookie),
                  .cookie_high = static_cast<std::uint32_t>(socket.id.cookie >> 32),
                  .inode = socket.inode,
                  .interface = socket.id.interface,
                  .uid = socket.uid,
                  .receive_queue = socket.receive_queue,
                  .send_queue = socket.send_queue,
                  .expires_ms = socket.expires_ms,
                  .state = socket.state,
                  .timer = socket.timer};
  details.retransmits = std::min(socket.retransmits, kMostRetransmits) & kMostRetransmits;
  details.cgroup = cgroup & (kMostCgroups - 1);
  details.dual_stack = socket.state == State::kListen && is_dual_stack_wildcard(socket);
  return details;
}

std::uint32_t host_order(const Octets& ipv4) {
  return std::uint32_t{ipv4[0]} << 24 | std::uint32_t{ipv4[1]} << 16 | std::uint32_t{ipv4[2]} << 8 |
         ipv4[3];
}

// The merging rule: which of two sockets with one index gives the row its state.
//
// Twins exist among SO_REUSEPORT listeners and among sockets bound to different devices. The one
// a process holds comes before one that nobody holds, an established one before any other, then
// the MIB's order of states; the older cookie decides between equals, so that a row does not
// change from one snapshot to the next.
bool preferred(const Details& a, const Details& b) {
  const auto rank = [](const Details& details) {
    return std::tuple(details.inode == 0, details.state != State::kEstablished, details.state,
                      details.cookie());
  };
  return rank(a) < rank(b);
}

template <typename T>
void reuse_memory(std::vector<T>& retired, std::vector<T>& into) {
  constexpr std::size_t kMostRoom = 2;  // times what was in it
  if (retired.capacity() > kMostRoom * retired.size())
    return;
  retired.clear();
  into.swap(retired);
}

bool is_ipv4(const Ipv4Row&) { return true; }
bool is_ipv4(const Ipv6Row&) { return false; }
bool is_ipv4(const ListenerRow& row) { return row.key.address.type == AddressType::kIpv4; }

// Ascending by index, then cookie. A dump may hold one twice.
template <typename Key>
void sort_mptcp(std::vector<Row<Key>>& rows) {
  const auto rank = [](const Row<Key>& row) { return std::tuple(row.key, row.details.cookie()); };
  std::ranges::sort(rows, {}, rank);
  const auto again = std::ranges::unique(rows, {}, rank);
  rows.erase(again.begin(), again.end());
}

// The first MPTCP connection with these ends that has no inode; null where there is none.
template <typename Key>
const Row<Key>* without_inode(std::span<const Row<Key>> mptcp, const Key& ends) {
  const auto alike = std::ranges::equal_range(mptcp, ends, {}, &Row<Key>::key);
  const auto found = std::ranges::find_if(
      alike, [](const Row<Key>& connection) { return connection.details.inode == 0; });
  return found == alike.end() ? nullptr : &*found;
}

template <typename Key>
const Details* unaccepted(std::span<const Row<Key>> mptcp, const Row<Key>& subflow) {
  const Row<Key>* connection = without_inode(mptcp, subflow.key);
  return connection == nullptr ? nullptr : &connection->details;
}

}  // namespace

const Details* Snapshot::find_mptcp(const Ipv4Row& row) const {
  return row.details.inode != 0 ? mptcp_with(row.details.inode) : unaccepted(mptcp_ipv4(), row);
}

const Details* Snapshot::find_mptcp(const Ipv6Row& row) const {
  return row.details.inode != 0 ? mptcp_with(row.details.inode) : unaccepted(mptcp_ipv6(), row);
}

const Details* Snapshot::mptcp_with(std::uint32_t inode) const {
  const auto found = std::ranges::lower_bound(mptcp_by_inode_, inode, {}, &MptcpPlace::inode);
  if (found == mptcp_by_inode_.end() || found->inode != inode)
    return nullptr;
  const std::size_t position = found->position;
  return position < mptcp_ipv4_.size() ? &mptcp_ipv4_[position].details
                                       : &mptcp_ipv6_[position - mptcp_ipv4_.size()].details;
}

std::span<const Sibling> Snapshot::siblings(const Details& details) const {
  if (!details.shared)
    return {};
  const auto range = std::ranges::equal_range(siblings_, details.cookie(), {}, &Sibling::cookie);
  return {range.begin(), range.end()};
}

Snapshot Snapshot::counts_alone() const {
  Snapshot counts;
  counts.mptcp_sight_ = mptcp_sight_;
  counts.gauge_doubt_ = gauge_doubt_;
  counts.counts_ = counts_;
  counts.unknown_states_ = unknown_states_;
  counts.taken_at_ = taken_at_;
  counts.took_ = took_;
  return counts;
}

std::vector<std::uint32_t> Snapshot::inodes() const {
  std::vector<std::uint32_t> inodes;
  inodes.reserve(rows() + siblings_.size() + mptcp_size());
  const auto add = [&](const auto& row) {
    if (row.details.inode != 0)
      inodes.push_back(row.details.inode);
  };
  std::ranges::for_each(ipv4_, add);
  std::ranges::for_each(ipv6_, add);
  std::ranges::for_each(listeners_, add);
  for_each_mptcp(add);
  std::ranges::transform(siblings_, std::back_inserter(inodes), &Sibling::inode);
  return inodes;
}

void SnapshotBuilder::reserve(const Snapshot& like) {
  constexpr std::size_t kSpare = 16;  // One part in so many: populations change between snapshots.
  snapshot_.ipv4_.reserve(like.ipv4_.size() + like.ipv4_.size() / kSpare);
  snapshot_.ipv6_.reserve(like.ipv6_.size() + like.ipv6_.size() / kSpare);
}

void SnapshotBuilder::reuse(Snapshot retired) {
  reuse_memory(retired.ipv4_, snapshot_.ipv4_);
  reuse_memory(retired.ipv6_, snapshot_.ipv6_);
}

void SnapshotBuilder::add(const Socket& socket) {
  if (socket.state == State::kClosed)
    return;
  const Details details = details_of(socket, number_of(socket.cgroup));
  if (socket.state == State::kListen)
    add_listener(socket, details);
  else
    add_connection(socket, details);
}

void SnapshotBuilder::add_listener(const Socket& socket, const Details& details) {
  const ListenerKey key{listener_address(socket, forms_), socket.id.local.port};
  snapshot_.listeners_.push_back({key, details});
  snapshot_.listening_.push_back({.key = {listener_address(socket, {}), socket.id.local.port},
                                  .cookie = socket.id.cookie,
                                  .cgroup = socket.cgroup,
                                  .inode = socket.inode,
                                  .queue = socket.receive_queue,
                                  .backlog = socket.send_queue,
                                  .discards = socket.discards});
}

void SnapshotBuilder::add_connection(const Socket& socket, const Details& details) {
  add_row(socket, details, snapshot_.ipv4_, snapshot_.ipv6_);
}

void SnapshotBuilder::add_mptcp(const Socket& socket) {
  if (socket.state == State::kClosed || socket.state == State::kListen)
    return;
  add_row(socket, details_of(socket, number_of(socket.cgroup)), snapshot_.mptcp_ipv4_,
          snapshot_.mptcp_ipv6_);
}

void SnapshotBuilder::add_row(const Socket& socket, const Details& details,
                              std::vector<Ipv4Row>& ipv4, std::vector<Ipv6Row>& ipv6) const {
  const SocketId& id = socket.id;
  const InetAddress local = inet_address(id.family, id.local.address, id.interface, forms_);
  const InetAddress remote = inet_address(id.family, id.remote.address, id.interface, forms_);
  if (local.type == AddressType::kIpv4 && remote.type == AddressType::kIpv4) {
    ipv4.push_back({{.local_address = host_order(local.octets),
                     .remote_address = host_order(remote.octets),
                     .local_port = id.local.port,
                     .remote_port = id.remote.port},
                    details});
  } else {
    ipv6.push_back({{local, id.local.port, id.remote.port, remote}, details});
  }
}

void SnapshotBuilder::add_counted(State state, const StateCount& count) {
  StateCount& counted = snapshot_.counts_[static_cast<std::size_t>(state) - 1];
  counted.ipv4 += count.ipv4;
  counted.ipv6 += count.ipv6;
}

void SnapshotBuilder::clear() {
  Snapshot fresh;
  fresh.taken_at_ = snapshot_.taken_at_;
  snapshot_.ipv4_.clear();
  snapshot_.ipv6_.clear();
  fresh.ipv4_.swap(snapshot_.ipv4_);
  fresh.ipv6_.swap(snapshot_.ipv6_);
  snapshot_ = std::move(fresh);
  forget_cgroups();
}

Snapshot SnapshotBuilder::finish(Time ended) {
  list_mptcp();  // first: what is a subflow is not counted
  sort_and_merge(snapshot_.ipv4_);
  sort_and_merge(snapshot_.ipv6_);
  sort_and_merge(snapshot_.listeners_);
  sort_listening();
  std::ranges::sort(snapshot_.siblings_, {}, &Sibling::cookie);
  list_legacy_listeners();
  snapshot_.took_ = ended - snapshot_.taken_at_;
  forget_cgroups();
  return std::exchange(snapshot_, Snapshot());
}

void SnapshotBuilder::forget_cgroups() {
  numbers_ = no_cgroups();
  last_cgroup_ = last_number_ = 0;
}

void SnapshotBuilder::list_mptcp() {
  using Place = Snapshot::MptcpPlace;
  sort_mptcp(snapshot_.mptcp_ipv4_);
  sort_mptcp(snapshot_.mptcp_ipv6_);
  std::vector<Place>& places = snapshot_.mptcp_by_inode_;
  snapshot_.for_each_mptcp([&](const auto& row) {
    places.push_back({row.details.inode, static_cast<std::uint32_t>(places.size())});
    count_state(row);
  });
  std::ranges::sort(places, {}, &Place::inode);
  if (places.empty() || places.front().inode != 0)
    return;
  std::vector<Place> kept;
  add_kept_inodes(snapshot_.ipv4(), snapshot_.mptcp_ipv4(), 0, kept);
  add_kept_inodes(snapshot_.ipv6(), snapshot_.mptcp_ipv6(), snapshot_.mptcp_ipv4_.size(), kept);
  places.insert(places.end(), kept.begin(), kept.end());
  std::ranges::sort(places, {}, &Place::inode);
}

template <typename Key>
void SnapshotBuilder::add_kept_inodes(std::span<const Row<Key>> rows,
                                      std::span<const Row<Key>> mptcp, std::size_t first,
                                      std::vector<Snapshot::MptcpPlace>& places) const {
  for (const Row<Key>& row : rows) {
    const std::uint32_t inode = row.details.inode;
    if (inode == 0 || snapshot_.mptcp_with(inode) != nullptr)
      continue;
    if (const Row<Key>* connection = without_inode(mptcp, row.key); connection != nullptr)
      places.push_back(
          {inode, static_cast<std::uint32_t>(first + std::size_t(connection - mptcp.data()))});
  }
}

template <typename Key>
void SnapshotBuilder::sort_and_merge(std::vector<Row<Key>>& rows) {
  std::ranges::sort(rows, {}, &Row<Key>::key);
  auto kept = rows.begin();
  for (auto twins = rows.begin(); twins != rows.end();) {
    const auto end = std::find_if(twins + 1, rows.end(),
                                  [&](const Row<Key>& row) { return row.key != twins->key; });
    if (end == twins + 1)  // as nearly all are
      count(*kept++ = *twins);
    else
      *kept++ = merged(std::span(twins, end));
    twins = end;
  }
  rows.erase(kept, rows.end());
}

template <typename Key>
void SnapshotBuilder::count(const Row<Key>& socket) {
  if (snapshot_.mptcp_of(socket) == nullptr)
    count_state(socket);
}

template <typename Key>
void SnapshotBuilder::count_state(const Row<Key>& socket) {
  StateCount& count = snapshot_.counts_[static_cast<std::size_t>(socket.details.state) - 1];
  ++(is_ipv4(socket) ? count.ipv4 : count.ipv6);
}

template <typename Key>
Row<Key> SnapshotBuilder::merged(std::span<Row<Key>> twins) {
  const auto cookie = [](const Row<Key>& row) { return row.details.cookie(); };
  // A dump may hold one socket twice when its hash chain changes meanwhile: one cookie.
  std::ranges::sort(twins, {}, cookie);
  const auto sockets = std::span(twins.begin(), std::ranges::unique(twins, {}, cookie).begin());
  Row<Key> row = *std::ranges::min_element(sockets, preferred, &Row<Key>::details);
  for (const Row<Key>& socket : sockets) {
    count(socket);
    row.details.dual_stack |= socket.details.dual_stack;
    if (socket.details.cookie() == row.details.cookie())
      continue;
    keep_twin(socket);
    if (socket.details.inode != 0)
      snapshot_.siblings_.push_back({row.details.cookie(), socket.details.inode});
  }
  row.details.shared = sockets.size() > 1;
  snapshot_.merged_ += static_cast<std::uint32_t>(sockets.size() - 1);
  return row;
}

void SnapshotBuilder::sort_listening() {
  std::vector<ListeningSocket>& sockets = snapshot_.listening_;
  const auto order = [](const ListeningSocket& socket) {
    return std::tuple(socket.key.port, socket.key, socket.cookie);
  };
  std::ranges::sort(sockets, {}, order);
  const auto again = std::ranges::unique(sockets, {}, &ListeningSocket::cookie);
  sockets.erase(again.begin(), again.end());
}

std::uint16_t SnapshotBuilder::number_of(std::uint64_t cgroup) {
  if (cgroup == last_cgroup_)
    return last_number_;
  std::vector<std::uint64_t>& all = snapshot_.cgroups_;
  const auto [known, added] = numbers_.try_emplace(cgroup, static_cast<std::uint16_t>(all.size()));
  if (added && all.size() == kMostCgroups)
    known->second = 0;
  else if (added)
    all.push_back(cgroup);
  last_cgroup_ = cgroup;
  return last_number_ = known->second;
}

// A dual-stack wildcard and a 0.0.0.0 of the same port may stand side by side; here they are one.
void SnapshotBuilder::list_legacy_listeners() {
  std::vector<Ipv4Row>& rows = snapshot_.legacy_listeners_;
  for (const ListenerRow& listener : snapshot_.listeners_) {
    const bool ipv4 = is_ipv4(listener);
    if (!ipv4 && !listener.details.dual_stack)
      continue;
    const std::uint32_t local = ipv4 ? host_order(listener.key.address.octets) : 0;
    rows.push_back({{.local_address = local, .local_port = listener.key.port}, listener.details});
  }
  std::ranges::stable_sort(rows, {}, &Ipv4Row::key);
  auto kept = rows.begin();
  for (auto row = rows.begin(); row != rows.end(); ++row) {
    if (row == rows.begin())
      continue;
    if (row->key == kept->key)
      kept->details.shared = true;
    else
      *++kept = *row;
  }
  if (!rows.empty())
    rows.erase(kept + 1, rows.end());
}

}  // namespace tcpmibd::tcp
