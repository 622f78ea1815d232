#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "tcp/counters.h"
#include "tcp/pressure.h"
#include "tcp/process_map.h"
#include "tcp/snapshot.h"
#include "tcp/socket.h"
#include "tcp/state.h"

// The edges towards the kernel, as the rest of the program sees them.

namespace tcpmibd::tcp {

// A connection as an index names it.
struct ConnectionQuery {
  Family family = Family::kIpv4;
  Endpoint local;
  Endpoint remote;
  std::uint32_t zone = 0;  // of a link-local address; 0 where the index carries none

  auto operator<=>(const ConnectionQuery&) const = default;
};

struct ListenersQuery {
  bool operator==(const ListenersQuery&) const = default;
};

// Everything: no look-up can find it, only a snapshot.
struct EverythingQuery {
  bool operator==(const EverythingQuery&) const = default;
};

// What has to be asked so that a GET answers with what is there now. monostate: nothing, for the
// name can be no row's.
using Question = std::variant<std::monostate, ConnectionQuery, ListenersQuery, EverythingQuery>;

// How far a look-up has looked.
enum class Coverage : std::uint8_t {
  kComplete,
  kPartial,  // more interfaces than are asked one by one: a device-bound socket may be missing
};

// How long ago the last ACK of a CLOSE_WAIT connection arrived.
struct Quiet {
  std::uint64_t cookie;
  std::uint32_t ms;
};

// Some of the sockets: those that are in one of these states and have this port at either end.
struct Selection {
  std::vector<State> states{};          // empty: all
  std::optional<std::uint16_t> port{};  // none: all

  bool is_everything() const { return states.empty() && !port; }
  bool operator==(const Selection&) const = default;
};

class SocketSource {
 public:
  virtual ~SocketSource() = default;

  // Adds every connection and listener of TCP, every MPTCP connection, and how far those are seen.
  virtual Status read_all(SnapshotBuilder& into) = 0;

  // As read_all() for who looks at Snapshot::count() alone: connections that the kernel's own
  // gauges count may have no rows. Where the gauges will not do it is read_all(), and the snapshot
  // says why.
  virtual Status read_counts(SnapshotBuilder& into) = 0;

  // As read_all(), but of those selected at least: for who looks at nothing else, and passes over
  // what comes beside it. Among twins each stands for itself; see preferred() in snapshot.cc.
  virtual Status read_some(const Selection& selection, SnapshotBuilder& into) = 0;

  // Appends, of every connection in CLOSE_WAIT, MPTCP ones included, how long it has been quiet.
  virtual Status read_close_waits(std::vector<Quiet>& into) = 0;

  // Appends what the question asks for: the connections with exactly these ends (none, one, or
  // twins on several interfaces, the same one perhaps several times), or all listeners. Not for
  // everything.
  virtual Result<Coverage> find(const Question& question, std::vector<Socket>& found) = 0;
};

enum class Destroyed : std::uint8_t {
  kDone,
  kGone,  // there was no such socket any more
};

class SocketDestroyer {
 public:
  virtual ~SocketDestroyer() = default;

  // Whether sockets can be destroyed at this moment; if not, what is missing.
  virtual Status can_destroy() = 0;

  // Ends exactly the socket with this cookie, as it was found: interface included.
  virtual Result<Destroyed> destroy(const SocketId& id) = 0;
};

class ProcessLookup {
 public:
  virtual ~ProcessLookup() = default;

  // `asked` as ProcessMap::build() takes it. Processes that cannot be looked into are counted in
  // the map, not an error.
  virtual Result<ProcessMap> read(std::vector<std::uint32_t> asked) = 0;
};

inline constexpr std::size_t kCommandMax = 64;  // octets

// Who a process is; both empty or 0 for one that has ended.
struct ProcessIdentity {
  std::string command;  // /proc/PID/comm, printable, of at most kCommandMax octets
  std::uint32_t uid = 0;
};

class ProcessNames {
 public:
  virtual ~ProcessNames() = default;

  virtual ProcessIdentity identity_of(std::uint32_t pid) = 0;
};

class CounterSource {
 public:
  virtual ~CounterSource() = default;

  virtual Result<Counters> read() = 0;
};

// Safe from several threads at once.
class PressureSource {
 public:
  virtual ~PressureSource() = default;

  // A figure that the kernel does not report here is absent, not an error.
  virtual Result<Pressure> read() = 0;

  // Pressure::listen_drops alone, which costs less; none where it cannot be read.
  virtual std::optional<std::uint64_t> listen_drops() = 0;
};

// Of one thread: that of the worker.
class UnitLookup {
 public:
  virtual ~UnitLookup() = default;

  // The unit of a socket by the cgroup2 id that the kernel reports with it: a name as unit_name()
  // makes it, kUnknownUnit where there is none to be found.
  virtual std::string unit_of(std::uint64_t cgroup) = 0;
};

}  // namespace tcpmibd::tcp
