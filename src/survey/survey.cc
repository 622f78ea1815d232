#include "survey/survey.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "survey/ephemeral.h"
#include "survey/frequency.h"
#include "tcp/sources.h"

namespace tcpmibd::tcp {

namespace {

constexpr std::uint32_t kTenSeconds = 10;
constexpr std::uint32_t kMinute = 60;
constexpr std::uint32_t kFiveMinutes = 300;
constexpr std::uint32_t kHour = 3600;

// Strings as an SNMP index sorts them: the length comes first.
struct ByIndex {
  bool operator()(const std::string& a, const std::string& b) const {
    return std::pair(a.size(), std::string_view(a)) < std::pair(b.size(), std::string_view(b));
  }
};

std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51'afd7'ed55'8ccdULL;
  return value ^ value >> 33;
}

// An address as the rows of its family have it.
using Ipv4Address = std::uint32_t;

// The ends that an ephemeral port is taken for.
template <typename Address>
struct Route {
  Address local;
  Address remote;
  std::uint16_t remote_port;

  auto operator<=>(const Route&) const = default;
};

struct HashOf {
  std::size_t operator()(Ipv4Address address) const { return mixed(address); }

  std::size_t operator()(const InetAddress& address) const {
    std::array<std::uint64_t, 2> halves;
    static_assert(sizeof halves == sizeof address.octets);
    std::memcpy(halves.data(), address.octets.data(), sizeof halves);
    return mixed(mixed(halves[0] ^ address.zone) ^ halves[1]);
  }

  template <typename Address>
  std::size_t operator()(const Route<Address>& route) const {
    return mixed((*this)(route.local) * 31 ^ (*this)(route.remote) ^ route.remote_port);
  }
};

// Local ports that are taken towards one remote end.
struct RouteCounts {
  std::uint32_t used = 0;           // but for those that connect() takes over
  std::uint32_t connect_first = 0;  // that connect() tries first, those as well
};

// What is counted by address, for one family.
template <typename Address>
struct ByAddress {
  Frequency<Address, HashOf> remotes;
  Frequency<Route<Address>, HashOf, RouteCounts> routes;
  BoundPorts<Address> bound;
};

Ipv4Address local_of(const Ipv4Row& row) { return row.key.local_address; }
Ipv4Address remote_of(const Ipv4Row& row) { return row.key.remote_address; }
const InetAddress& local_of(const Ipv6Row& row) { return row.key.local; }
const InetAddress& remote_of(const Ipv6Row& row) { return row.key.remote; }

const InetAddress& decoded(const InetAddress& address) { return address; }
InetAddress decoded(Ipv4Address address) {
  return decoded(Ipv4Row{.key = {.remote_address = address}, .details = {}}).remote;
}

std::uint32_t fullness(const ListeningSocket& socket) {
  if (is_full(socket))
    return 100;
  if (socket.queue == 0)
    return 0;
  return static_cast<std::uint32_t>(std::uint64_t{socket.queue} * 100 / socket.backlog);
}

// Whether a listener takes connections to an address that no listener has for itself.
bool is_wildcard_for(const InetAddress& listener, const InetAddress& address) {
  return listener.octets == Octets{} && listener.zone == 0 &&
         (listener.type == AddressType::kUnknown ||
          (listener.type == AddressType::kIpv4) == (address.type == AddressType::kIpv4));
}

// Whether a listener has the connection's local address for its own. An operator may have zones
// left out of connections (AddressForms), never of listeners.
bool is_own(const InetAddress& listener, const InetAddress& address) {
  InetAddress seen = listener;
  if (listener.type == AddressType::kIpv6z && address.type == AddressType::kIpv6)
    seen = {.type = AddressType::kIpv6, .octets = listener.octets};
  return seen == address;
}

// How well a listener fits a connection's local address; 0: not at all. Its own address comes
// before its family's wildcard, and that before one for both families.
int fit(const InetAddress& listener, const InetAddress& address) {
  if (is_own(listener, address))
    return 3;
  if (!is_wildcard_for(listener, address))
    return 0;
  return listener.type == AddressType::kUnknown ? 1 : 2;
}

}  // namespace

AcceptQueues queues_of(std::span<const ListeningSocket> sockets, Time now) {
  AcceptQueues queues{.sockets = static_cast<std::uint32_t>(sockets.size()),
                      .counted_since = now,
                      .unchanged_since = now};
  for (const ListeningSocket& socket : sockets) {
    queues.queue += socket.queue;
    queues.backlog += socket.backlog;
    queues.percent = std::max(queues.percent, fullness(socket));
    queues.discards += socket.discards;
    queues.identity += mixed(socket.cookie);
  }
  return queues;
}

void Tally::add(State state, std::uint32_t age) {
  switch (state) {
    case State::kSynSent:
      ++syn_sent;
      break;
    case State::kSynReceived:
      ++syn_received;
      break;
    case State::kEstablished:
      ++established;
      break;
    case State::kFinWait1:
    case State::kFinWait2:
    case State::kClosing:
      ++fin_wait;
      break;
    case State::kCloseWait:
      ++close_wait;
      oldest_close_wait = std::max(oldest_close_wait, age);
      break;
    case State::kLastAck:
      ++last_ack;
      break;
    case State::kTimeWait:
      ++time_wait;
      break;
    case State::kClosed:
    case State::kListen:
      return;
  }
  ++total;
}

Tally& Tally::operator+=(const Tally& other) {
  syn_sent += other.syn_sent;
  syn_received += other.syn_received;
  established += other.established;
  fin_wait += other.fin_wait;
  close_wait += other.close_wait;
  last_ack += other.last_ack;
  time_wait += other.time_wait;
  total += other.total;
  oldest_close_wait = std::max(oldest_close_wait, other.oldest_close_wait);
  return *this;
}

void AgeFigures::add(std::uint32_t age) {
  over_10s += age >= kTenSeconds;
  over_1m += age >= kMinute;
  over_5m += age >= kFiveMinutes;
  over_1h += age >= kHour;
  oldest = std::max(oldest, age);
}

const AgeFigures& Survey::ages(State state) const {
  static const AgeFigures kNone;
  const auto* known = std::ranges::find(kAgingStates, state);
  return known == std::end(kAgingStates)
             ? kNone
             : ages_[static_cast<std::size_t>(known - std::begin(kAgingStates))];
}

// Counts what is known by number or hash first, and gives it names and order in the end.
class SurveyBuilder {
 public:
  explicit SurveyBuilder(const Survey::Sources& sources)
      : sources_(sources), port_at_(kPorts), by_cgroup_(sources.snapshot.cgroups().size()) {}

  Survey build() {
    const Snapshot& snapshot = sources_.snapshot;
    survey_.taken_at_ = snapshot.taken_at();
    survey_.took_ = snapshot.took();
    for (std::size_t i = 0; i < kStateCount; ++i)
      survey_.counts_[i] = snapshot.count(static_cast<State>(i + 1));
    list_listening();
    count_ports_to_choose();
    snapshot.for_each_connection([this](const auto& row) {
      if (sources_.snapshot.mptcp_of(row) == nullptr)
        count(row);
      count_ephemeral(row);
    });
    snapshot.for_each_mptcp([this](const auto& row) { count(row); });
    std::ranges::sort(survey_.listeners_, {}, &ListenerFigures::key);
    list_units();
    list_remotes();
    find_fullest(ipv4_);
    find_fullest(ipv6_);
    return std::move(survey_);
  }

 private:
  static constexpr std::size_t kPorts = 65536;

  void list_listening() {
    const auto sockets = sources_.snapshot.listening();
    survey_.listening_.assign(sockets.begin(), sockets.end());
    for (std::size_t first = 0; first < sockets.size();) {
      const auto rest = sockets.subspan(first);
      const auto end = std::ranges::find_if_not(
          rest, [&](const ListeningSocket& socket) { return socket.key == rest.front().key; });
      const auto group = rest.first(static_cast<std::size_t>(end - rest.begin()));
      add_listener(group, first);
      first += group.size();
    }
    survey_.knows_drops_ =
        sources_.lost != nullptr && sources_.lost->kind != LostConnections::Kind::kUnknown;
    const Survey nothing{};
    const Survey& before = sources_.before == nullptr ? nothing : *sources_.before;
    count_on(survey_.ports_, before.ports(), &PortFigures::port);
    count_on(survey_.listeners_, before.listeners(), &ListenerFigures::key);
  }

  // `group`: all sockets of one index; those of one port follow each other.
  void add_listener(std::span<const ListeningSocket> group, std::size_t first) {
    const ListenerKey& key = group.front().key;
    survey_.listeners_.push_back(
        {.key = key, .accepting = queues_of(group, survey_.taken_at_), .first_socket = first});
    if (port_at_[key.port] == 0) {
      survey_.ports_.push_back({.port = key.port, .first_socket = first});
      first_listener_.push_back(survey_.listeners_.size() - 1);
      port_at_[key.port] = static_cast<std::uint32_t>(survey_.ports_.size());
      if (group.front().cgroup != 0)
        survey_.ports_.back().unit = sources_.units.unit_of(group.front().cgroup);
    }
    PortFigures& port = survey_.ports_.back();
    const std::size_t count = port.accepting.sockets + group.size();
    port.accepting =
        queues_of(survey_.listening().subspan(port.first_socket, count), survey_.taken_at_);
  }

  // No port that somebody listens on is chosen.
  void count_ports_to_choose() {
    if (!sources_.ephemeral)
      return;
    const EphemeralRange& range = *sources_.ephemeral;
    bind_first_ = range.bind_first();
    connect_first_ = range.size() - range.bind_first();
    for (const PortFigures& listening : survey_.ports_) {
      if (range.contains(listening.port))
        --(range.is_bind_first(listening.port) ? bind_first_ : connect_first_);
    }
  }

  bool begins_anew() const {
    return sources_.lost != nullptr && sources_.lost->kind == LostConnections::Kind::kBaseline;
  }

  // Rows that were there before go on counting.
  template <typename Figures, typename Key>
  void count_on(std::vector<Figures>& rows, std::span<const Figures> before, Key key) const {
    for (Figures& row : rows) {
      AcceptQueues& now = row.accepting;
      now.drops = lost_by(row.first_socket, now.sockets);
      const auto known = std::ranges::lower_bound(before, std::invoke(key, row), {}, key);
      if (known != before.end() && std::invoke(key, *known) == std::invoke(key, row))
        count_on(now, known->accepting);
    }
  }

  // Only the same sockets as last time have gone on without a break.
  void count_on(AcceptQueues& now, const AcceptQueues& before) const {
    now.drops += before.drops;
    now.counted_since = before.counted_since;
    if (now.identity == before.identity && !begins_anew())
      now.unchanged_since = before.unchanged_since;
  }

  std::uint32_t lost_by(std::size_t first_socket, std::size_t count) const {
    if (sources_.lost == nullptr)
      return 0;
    const auto lost = std::span(sources_.lost->by_socket).subspan(first_socket, count);
    return std::accumulate(lost.begin(), lost.end(), std::uint32_t{0});
  }

  template <typename Row>
  void count(const Row& row) {
    const Details& details = row.details;
    const std::uint16_t port = row.key.local_port;
    const std::uint32_t age = sources_.sightings.age_of(details);
    const auto* aging = std::ranges::find(kAgingStates, details.state);
    if (aging != std::end(kAgingStates))
      survey_.ages_[static_cast<std::size_t>(aging - std::begin(kAgingStates))].add(age);
    by_cgroup_[details.cgroup].add(details.state, age);
    counts_of(row).remotes.add(remote_of(row));
    if (const std::uint32_t at = port_at_[port]; at != 0)
      count_at(at - 1, decoded(row), age);
  }

  // Ports are TCP's: every subflow uses one up, and an MPTCP connection itself none.
  template <typename Row>
  void count_ephemeral(const Row& row) {
    auto& counts = counts_of(row);
    const std::uint16_t port = row.key.local_port;
    if (port_at_[port] != 0 || !sources_.ephemeral || !sources_.ephemeral->contains(port))
      return;
    const bool waits = is_taken_over(row, sources_.reuse);
    const bool bind_first = sources_.ephemeral->is_bind_first(port);
    RouteCounts& route = counts.routes.of({local_of(row), remote_of(row), row.key.remote_port});
    route.used += waits ? 0 : 1;
    route.connect_first += bind_first ? 0 : 1;
    counts.bound.add(local_of(row), port, bind_first, waits);
  }

  ByAddress<Ipv4Address>& counts_of(const Ipv4Row&) { return ipv4_; }
  ByAddress<InetAddress>& counts_of(const Ipv6Row&) { return ipv6_; }

  void count_at(std::size_t port, const Connection& connection, std::uint32_t age) {
    survey_.ports_[port].tally.add(connection.details->state, age);
    ListenerFigures* best = nullptr;
    int best_fit = 0;
    const std::size_t end =
        port + 1 < first_listener_.size() ? first_listener_[port + 1] : survey_.listeners_.size();
    for (std::size_t i = first_listener_[port]; i < end; ++i) {
      ListenerFigures& listener = survey_.listeners_[i];
      const int fits = fit(listener.key.address, connection.local);
      if (fits > best_fit) {
        best = &listener;
        best_fit = fits;
      }
    }
    if (best != nullptr)
      best->tally.add(connection.details->state, age);
  }

  // Several cgroups may make one unit. Cgroup 0 is none.
  void list_units() {
    std::map<std::string, UnitFigures, ByIndex> units;
    const auto cgroups = sources_.snapshot.cgroups();
    const auto unit_of = [&](std::uint64_t cgroup) -> UnitFigures& {
      return units[sources_.units.unit_of(cgroup)];
    };
    for (std::size_t i = 1; i < cgroups.size(); ++i) {
      if (by_cgroup_[i].total != 0)
        unit_of(cgroups[i]).tally += by_cgroup_[i];
    }
    for (const ListeningSocket& socket : survey_.listening_) {
      if (socket.cgroup != 0)
        ++unit_of(socket.cgroup).listeners;
    }
    for (auto& [name, figures] : units) {
      figures.name = name;
      survey_.units_.push_back(std::move(figures));
    }
    keep_busiest_units();
  }

  void keep_busiest_units() {
    std::vector<UnitFigures>& units = survey_.units_;
    if (units.size() <= kMostUnits)
      return;
    survey_.units_left_out_ = static_cast<std::uint32_t>(units.size() - kMostUnits);
    std::ranges::stable_sort(units, std::ranges::greater(), [](const UnitFigures& unit) {
      return unit.tally.total + unit.listeners;
    });
    units.resize(kMostUnits);
    std::ranges::sort(units, ByIndex(), &UnitFigures::name);
  }

  // The totals show which ones are listed, so only those are distinguished by state.
  void list_remotes() {
    keep_busiest(ipv4_.remotes.take());
    keep_busiest(ipv6_.remotes.take());
    std::vector<RemoteFigures>& remotes = survey_.remotes_;
    const auto rank = [](const RemoteFigures& remote) {
      return std::tuple(~remote.tally.total, remote.address);
    };
    std::ranges::sort(remotes, {}, rank);
    if (remotes.size() > kMostRemotes) {
      survey_.remotes_left_out_ += static_cast<std::uint32_t>(remotes.size() - kMostRemotes);
      remotes.resize(kMostRemotes);
    }
    tally_remotes();
  }

  template <typename Entry>
  void keep_busiest(std::vector<Entry> entries) {
    const auto rank = [](const Entry& entry) { return std::tuple(~entry.count, entry.key); };
    const std::size_t kept = std::min(entries.size(), kMostRemotes);
    const auto end = entries.begin() + static_cast<std::ptrdiff_t>(kept);
    std::ranges::partial_sort(entries, end, {}, rank);
    survey_.remotes_left_out_ += static_cast<std::uint32_t>(entries.size() - kept);
    for (auto entry = entries.begin(); entry != end; ++entry)
      survey_.remotes_.push_back({decoded(entry->key), {.total = entry->count}});
  }

  void tally_remotes() {
    std::unordered_map<InetAddress, Tally*, HashOf> listed;
    for (RemoteFigures& remote : survey_.remotes_) {
      remote.tally = {};
      listed.emplace(remote.address, &remote.tally);
    }
    sources_.snapshot.for_each_counted([&](const auto& row) {
      const auto known = listed.find(decoded(remote_of(row)));
      if (known != listed.end())
        known->second->add(row.details.state, sources_.sightings.age_of(row.details));
    });
  }

  // A route that has used up connect()'s parity is given to BoundPorts.
  template <typename Address>
  void find_fullest(ByAddress<Address>& counts) {
    const auto routes = counts.routes.take();
    find_fullest_route(routes);
    for (const auto& [route, ports] : routes) {
      if (ports.connect_first >= connect_first_)
        counts.bound.overflow(route.local);
    }
    find_fullest_address(counts.bound.fullest(bind_first_));
  }

  // Of equals always the same one, or an alarm would name another every time.
  template <typename Entry>
  void find_fullest_route(const std::vector<Entry>& routes) {
    const auto rank = [](const Entry& entry) { return std::tuple(entry.count.used, entry.key); };
    const auto fullest = std::ranges::max_element(routes, {}, rank);
    EphemeralFigures& figures = survey_.ephemeral_;
    if (fullest == routes.end() || fullest->count.used <= figures.used)
      return;
    figures.used = fullest->count.used;
    figures.local = decoded(fullest->key.local);
    figures.remote = decoded(fullest->key.remote);
    figures.remote_port = fullest->key.remote_port;
  }

  template <typename Fullest>
  void find_fullest_address(const Fullest& fullest) {
    if (fullest.used <= survey_.ephemeral_.bound)
      return;
    survey_.ephemeral_.bound = fullest.used;
    survey_.ephemeral_.bound_local = decoded(fullest.local);
  }

  const Survey::Sources& sources_;
  Survey survey_;
  std::vector<std::uint32_t> port_at_;  // by port: its place in ports_, from 1; 0: none listens
  std::vector<std::size_t> first_listener_;  // by place in ports_: its place in listeners_
  std::vector<Tally> by_cgroup_;
  std::uint32_t bind_first_ = 0;     // ephemeral ports that bind() tries first, in use or not
  std::uint32_t connect_first_ = 0;  // the others
  ByAddress<Ipv4Address> ipv4_;
  ByAddress<InetAddress> ipv6_;
};

Survey Survey::build(const Sources& sources) { return SurveyBuilder(sources).build(); }

}  // namespace tcpmibd::tcp
