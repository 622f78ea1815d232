#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "survey/listen_drops.h"
#include "survey/sightings.h"
#include "tcp/pressure.h"
#include "tcp/snapshot.h"

namespace tcpmibd::tcp {

class UnitLookup;

// Connections that have something in common, by state.
struct Tally {
  std::uint32_t syn_sent = 0;
  std::uint32_t syn_received = 0;
  std::uint32_t established = 0;
  std::uint32_t fin_wait = 0;  // finWait1, finWait2, closing: we have closed, the peer has not
  std::uint32_t close_wait = 0;
  std::uint32_t last_ack = 0;
  std::uint32_t time_wait = 0;
  std::uint32_t total = 0;
  std::uint32_t oldest_close_wait = 0;  // seconds

  // `age` in seconds; matters for CLOSE_WAIT only.
  void add(State state, std::uint32_t age);
  Tally& operator+=(const Tally& other);
  bool operator==(const Tally&) const = default;
};

// The accept queues of sockets that listen on one port or address.
struct AcceptQueues {
  std::uint32_t sockets = 0;
  std::uint32_t queue = 0;     // connections that wait to be accepted, of all of them
  std::uint32_t backlog = 0;   // how many may, of all of them
  std::uint32_t percent = 0;   // of the fullest one; at most 100
  std::uint32_t discards = 0;  // segments, whatever for: the sum of their own counters
  std::uint32_t drops = 0;     // connections lost since `counted_since`; wraps
  Time counted_since{};        // Somebody has listened here ever since.
  Time unchanged_since{};      // Since then the same sockets listen, and both counters only grow.
  std::uint64_t identity = 0;  // distinguishes these sockets from others
};

// Of sockets that listen on one port or address at the moment `now`, and have lost nothing yet.
AcceptQueues queues_of(std::span<const ListeningSocket> sockets, Time now);

struct PortFigures {
  std::uint16_t port = 0;
  AcceptQueues accepting{};
  Tally tally{};
  std::string unit{};            // of its first socket; empty where it has none
  std::size_t first_socket = 0;  // in Survey::listening(), `accepting.sockets` of them
};

struct ListenerFigures {
  ListenerKey key;  // the RFC's form
  AcceptQueues accepting{};
  Tally tally{};
  std::size_t first_socket = 0;
};

struct UnitFigures {
  std::string name;
  std::uint32_t listeners = 0;
  Tally tally{};
};

struct RemoteFigures {
  InetAddress address;
  Tally tally{};
};

// Connections of one state that have been in it for so long, each counted in every bound it passed.
struct AgeFigures {
  std::uint32_t over_10s = 0;
  std::uint32_t over_1m = 0;
  std::uint32_t over_5m = 0;
  std::uint32_t over_1h = 0;
  std::uint32_t oldest = 0;  // seconds

  void add(std::uint32_t age);
};

// Ephemeral ports, by the two ways in which they run out. Not counted are ports that somebody
// listens on.
struct EphemeralFigures {
  // connect() chooses the port: it is taken for one remote end only. The fullest pair of ends,
  // without what connect() takes over.
  std::uint32_t used = 0;
  InetAddress local{};
  InetAddress remote{};
  std::uint16_t remote_port = 0;

  // bind() chooses it, before connect(): it is gone for all remote ends. The fullest local address,
  // as BoundPorts counts.
  std::uint32_t bound = 0;
  InetAddress bound_local{};

  std::uint32_t most() const { return std::max(used, bound); }
};

// The states that AgeFigures are kept of, ascending.
inline constexpr State kAgingStates[] = {State::kSynSent, State::kFinWait2, State::kCloseWait,
                                         State::kLastAck, State::kTimeWait};

inline constexpr std::size_t kMostUnits = 64;
inline constexpr std::size_t kMostRemotes = 1024;

// What operators watch, counted from one snapshot. Immutable, and small beside the snapshot.
//
// An MPTCP connection is one connection, in its own state, and its subflows are none: see
// Snapshot::for_each_counted(). Only ephemeral ports are those of TCP.
class Survey {
 public:
  struct Sources {
    const Snapshot& snapshot;
    const Sightings& sightings;                      // followed up to the snapshot
    const Survey* before;                            // null for the first
    const std::optional<EphemeralRange>& ephemeral;  // none: its figures stay 0
    TimeWaitReuse reuse{};
    UnitLookup& units;
    const LostConnections* lost = nullptr;  // by the snapshot's listening(); null: not known
  };

  Survey() = default;
  static Survey build(const Sources& sources);

  std::span<const PortFigures> ports() const { return ports_; }              // ascending
  std::span<const ListenerFigures> listeners() const { return listeners_; }  // ascending by index
  // By length, then octets, as an index of strings sorts; the busiest kMostUnits.
  std::span<const UnitFigures> units() const { return units_; }
  std::span<const RemoteFigures> remotes() const { return remotes_; }  // busiest first
  const AgeFigures& ages(State state) const;                           // of kAgingStates
  const EphemeralFigures& ephemeral() const { return ephemeral_; }

  // Ascending by port, then index.
  std::span<const ListeningSocket> listening() const { return listening_; }
  std::span<const ListeningSocket> sockets_of(const PortFigures& port) const {
    return listening().subspan(port.first_socket, port.accepting.sockets);
  }
  std::span<const ListeningSocket> sockets_of(const ListenerFigures& listener) const {
    return listening().subspan(listener.first_socket, listener.accepting.sockets);
  }

  // Whether AcceptQueues::drops is all that was lost until now.
  bool knows_drops() const { return knows_drops_; }

  std::uint32_t units_left_out() const { return units_left_out_; }
  std::uint32_t remotes_left_out() const { return remotes_left_out_; }

  // Of each state, as the snapshot counted.
  std::uint32_t count(State state) const {
    return counts_[static_cast<std::size_t>(state) - 1].total();
  }

  Time taken_at() const { return taken_at_; }  // the snapshot
  Duration took() const { return took_; }      // likewise

 private:
  friend class SurveyBuilder;

  std::vector<PortFigures> ports_;
  std::vector<ListenerFigures> listeners_;
  std::vector<UnitFigures> units_;
  std::vector<RemoteFigures> remotes_;
  std::vector<ListeningSocket> listening_;
  std::array<AgeFigures, std::size(kAgingStates)> ages_{};
  EphemeralFigures ephemeral_;
  std::array<StateCount, kStateCount> counts_{};
  bool knows_drops_ = false;
  std::uint32_t units_left_out_ = 0;
  std::uint32_t remotes_left_out_ = 0;
  Time taken_at_{};
  Duration took_{};
};

}  // namespace tcpmibd::tcp
