#include "agent/commands/watch/connections.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "agent/commands/show/sockets.h"
#include "agent/commands/show/text.h"
#include "agent/commands/watch/contains.h"

namespace tcpmibd::agent {

namespace {

using tcp::State;

// Where a connection is in the snapshot, and how bad it is.
struct Place {
  std::uint64_t badness = 0;
  const tcp::Ipv4Row* ipv4 = nullptr;  // one of the two
  const tcp::Ipv6Row* ipv6 = nullptr;

  tcp::Connection decoded() const {
    return ipv4 != nullptr ? tcp::decoded(*ipv4) : tcp::decoded(*ipv6);
  }
};

// What a program should have closed, then what gets no answer, then what is in the middle of a
// step; what only waits for its time to pass is last.
std::uint64_t rank_of(State state) {
  switch (state) {
    case State::kCloseWait:
      return 6;
    case State::kSynSent:
      return 5;
    case State::kLastAck:
    case State::kClosing:
    case State::kFinWait1:
      return 4;
    case State::kSynReceived:
      return 3;
    case State::kEstablished:
      return 2;
    case State::kFinWait2:
      return 1;
    default:
      return 0;
  }
}

// Of those in one state the ones that have sent most often in vain, then those with the longest
// queue.
std::uint64_t badness_of(const tcp::Details& details) {
  const std::uint64_t queue = std::min<std::uint64_t>(
      std::uint64_t{details.receive_queue} + details.send_queue, 0xffffffff);
  return rank_of(details.state) << 40U | std::uint64_t{details.retransmits} << 32U | queue;
}

void set_row(Place& place, const tcp::Ipv4Row& row) { place.ipv4 = &row; }
void set_row(Place& place, const tcp::Ipv6Row& row) { place.ipv6 = &row; }

bool is_selected(const Options& options, const tcp::Connection& connection) {
  const bool state =
      options.states.empty() || std::ranges::count(options.states, connection.details->state) != 0;
  return state && (!options.port || connection.local_port == *options.port ||
                   connection.remote_port == *options.port);
}

bool is_on_page(const std::string& filter, const tcp::Connection& connection) {
  return filter.empty() || contains(tcp::names_of(connection.details->state).mib, filter) ||
         contains(to_text(connection.local, connection.local_port), filter) ||
         contains(to_text(connection.remote, connection.remote_port), filter);
}

std::vector<Place> places(const Options& options, const Evidence& evidence,
                          const std::string& filter) {
  const bool chooses = !options.states.empty() || options.port || !filter.empty();
  std::vector<Place> all;
  evidence.snapshot().for_each_counted([&](const auto& row) {
    Place place{.badness = badness_of(row.details)};
    set_row(place, row);
    if (chooses) {
      const tcp::Connection connection = place.decoded();
      if (!is_selected(options, connection) || !is_on_page(filter, connection))
        return;
    }
    all.push_back(place);
  });
  return all;
}

// The page, in its order, and how many there are in all. Sorting stops where the page ends.
struct Page {
  std::vector<Place> places;
  std::size_t first = 0;
  std::size_t all = 0;
};

Page page_of(const Options& options, const Evidence& evidence, const ConnectionsPage& wanted) {
  std::vector<Place> all = places(options, evidence, wanted.filter);
  const std::size_t most = all.size() > wanted.count ? all.size() - wanted.count : 0;
  const std::size_t first = std::min(wanted.first, most);
  const std::size_t end = std::min(all.size(), first + wanted.count);
  // Of equals those first that come first in the snapshot: rows are to stand still.
  const auto worse = [](const Place& a, const Place& b) {
    if (a.badness != b.badness)
      return a.badness > b.badness;
    if ((a.ipv4 != nullptr) != (b.ipv4 != nullptr))
      return a.ipv4 != nullptr;
    return a.ipv4 != nullptr ? std::less<>()(a.ipv4, b.ipv4) : std::less<>()(a.ipv6, b.ipv6);
  };
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(end), worse);
  return {.places = {all.begin() + static_cast<std::ptrdiff_t>(first),
                     all.begin() + static_cast<std::ptrdiff_t>(end)},
          .first = first,
          .all = all.size()};
}

std::string owners_text(const Evidence& evidence, const Options& options,
                        const tcp::Details& details) {
  std::string text;
  for (const tcp::Holder& holder : evidence.processes().holders(details.inode)) {
    const std::string command = evidence.names().identity_of(holder.pid).command;
    text += (text.empty() ? "" : ", ") + process_text(holder.pid, command, options.numeric);
  }
  return text.empty() ? "-" : text;
}

LiveRow live_row(const Options& options, const Evidence& evidence,
                 const tcp::Connection& connection) {
  const tcp::Details& details = *connection.details;
  const std::string local = to_text(connection.local, connection.local_port);
  const std::string remote = to_text(connection.remote, connection.remote_port);
  return {
      .key = local + ' ' + remote,
      .cells = {{.text = state_text(details.state, options.numeric),
                 .hurts = details.state == State::kCloseWait},
                {.text = local},
                {.text = remote},
                {.text = std::to_string(details.receive_queue), .number = details.receive_queue},
                {.text = std::to_string(details.send_queue), .number = details.send_queue},
                {.text = waiting_text(details)},
                {.text = owners_text(evidence, options, details)}},
      .badness = {}};
}

}  // namespace

LiveTable connections_table(const Options& options, const Evidence& evidence,
                            const ConnectionsPage& page) {
  LiveTable table{.word = "connections",
                  .columns = {{"STATE"},
                              {"LOCAL"},
                              {"REMOTE"},
                              {"RECV-Q", true},
                              {"SEND-Q", true},
                              {"WAITING"},
                              {"PROCESS"}},
                  .rows = {},
                  .is_page = true};
  const Page found = page_of(options, evidence, page);
  for (const Place& place : found.places)
    table.rows.push_back(live_row(options, evidence, place.decoded()));
  table.first = found.first;
  table.all = found.all;
  return table;
}

std::vector<std::uint32_t> inodes_on(const Options& options, const Evidence& evidence,
                                     const ConnectionsPage& page) {
  std::vector<std::uint32_t> inodes;
  for (const Place& place : page_of(options, evidence, page).places)
    inodes.push_back(place.decoded().details->inode);
  return inodes;
}

}  // namespace tcpmibd::agent
