#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "diag/message.h"
#include "fuzz/targets.h"
#include "support/builders.h"
#include "tables/registry.h"

namespace tcpmibd::fuzz {

namespace {

constexpr std::size_t kMostSockets = 16;

struct Dumped {
  std::vector<tcp::Socket> sockets;
  std::vector<tcp::Socket> mptcp;
};

Dumped dumped_in(Draw draw) {
  Dumped dumped;
  while (!draw.is_empty() && dumped.sockets.size() + dumped.mptcp.size() < kMostSockets) {
    const bool of_mptcp = draw.below(4) == 0;
    const auto message = std::as_bytes(draw.piece());
    tcp::Socket socket;
    const auto parse = of_mptcp ? diag::parse_mptcp_message : diag::parse_message;
    if (parse(message, socket) == diag::Parsed::kSocket)
      (of_mptcp ? dumped.mptcp : dumped.sockets).push_back(socket);
  }
  return dumped;
}

template <typename Rows>
void rises(const Rows& rows, const char* what) {
  const auto same_or_less = [](const auto& a, const auto& b) { return !(a.key < b.key); };
  require(std::ranges::adjacent_find(rows, same_or_less) == rows.end(), what);
}

// Each socket that has a place is a row, stands behind one, or is the same as another.
void judge(const tcp::Snapshot& snapshot, const std::vector<tcp::Socket>& sockets) {
  rises(snapshot.ipv4(), "connections over IPv4 rise by their index");
  rises(snapshot.ipv6(), "connections over IPv6 rise by their index");
  rises(snapshot.listeners(), "listeners rise by their index");
  rises(snapshot.legacy_listeners(), "listeners of the old table rise by their index");
  std::set<std::uint64_t> cookies;
  for (const tcp::Socket& socket : sockets) {
    if (socket.state != tcp::State::kClosed)
      cookies.insert(socket.id.cookie);
  }
  require(snapshot.rows() <= sockets.size(), "no row without a socket");
  require(snapshot.rows() + snapshot.merged() >= cookies.size(), "no socket is lost");
  std::size_t counted = 0;
  snapshot.for_each_counted([&](const auto&) { ++counted; });
  std::size_t total = 0;
  for (std::uint8_t state = 1; state <= tcp::kStateCount; ++state)
    total += snapshot.count(static_cast<tcp::State>(state)).total();
  require(total >= counted, "what is counted by states is all that is counted");
}

// A manager's walk of everything meets each instance once, upwards, and a GET finds each again.
void walk_all(const lab::Host& host) {
  const tables::Data data = host.data();
  for (const tables::Entry& entry : tables::registry()) {
    snmp::Oid last;
    for (const snmp::Cell& cell : lab::walk(*entry.object, data)) {
      require(last < cell.name, "a walk rises");
      require(snmp::starts_with(cell.name.view(), entry.object->root().view()), "and stays inside");
      const std::optional<snmp::Cell> again = entry.object->get(data, cell.name.view());
      require(again && again->value == cell.value, "and a GET finds what it has met");
      last = cell.name;
    }
  }
}

std::size_t rows_of(const char* table, const lab::Host& host) {
  std::set<snmp::SubId> columns;
  const tables::Managed& object = lab::managed(table);
  const auto cells = lab::walk(object, host.data());
  for (const snmp::Cell& cell : cells)
    columns.insert(cell.name.view()[object.root().size() + 1]);
  return columns.empty() ? 0 : cells.size() / columns.size();
}

}  // namespace

// The input: an octet that chooses the forms of addresses; then messages of sock_diag, each with an
// octet that says whether it is of an MPTCP connection, and one that is its length, before it.
void dump(Input input) {
  Draw draw(input);
  const std::uint8_t forms = draw.octet();
  const Dumped dumped = dumped_in(draw);
  const lab::Host host(dumped.sockets,
                       {.zones = forms % 2 == 0, .dual_stack_as_unknown = forms / 2 % 2 == 0}, {},
                       dumped.mptcp);
  const tcp::Snapshot& snapshot = host.snapshot();
  judge(snapshot, dumped.sockets);
  walk_all(host);
  require(rows_of("tcpConnectionTable", host) == snapshot.ipv4().size() + snapshot.ipv6().size(),
          "the table of connections has them all");
  require(rows_of("tcpListenerTable", host) == snapshot.listeners().size(),
          "and that of listeners");
}

}  // namespace tcpmibd::fuzz
