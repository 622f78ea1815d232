#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "tcp/socket.h"

// Connections that have ended, as the kernel reports them at that moment. No poll sees them.

namespace tcpmibd::tcp {

// Why a connection ended (TCPMIBD-MIB, TcpmibdEndReason).
enum class EndReason : std::uint8_t {
  kNormal = 1,      // FIN both ways
  kResetByPeer,     // its RST came
  kRefused,         // the answer to our SYN
  kSynTimedOut,     // the handshake found no answer
  kTimedOut,        // data, a FIN or keep-alive probes found none
  kDestroyed,       // SOCK_DESTROY: deleteTCB, `ss -K`
  kAbortedLocally,  // closed with unread data or with SO_LINGER 0, or given up by our kernel
  kCancelled,       // the program gave up a call
  kOther,           // see the error
};

inline constexpr std::size_t kEndReasonCount = 9;

struct EndReasonName {
  EndReason reason;
  std::string_view mib;  // "resetByPeer", as the MIB has it
};

// In the order of their numbers.
extern const std::array<EndReasonName, kEndReasonCount> kEndReasonNames;

std::string_view name_of(EndReason reason);

// Who began a connection; unknown of one that was there before anybody watched.
enum class Direction : std::uint8_t { kUnknown = 0, kActive = 1, kPassive = 2 };

// One end of a connection, when it stepped to CLOSE: for a closer who waits, when TIME_WAIT began.
struct Ended {
  Time at{};
  Duration lived{};  // since its SYN was sent, or since the handshake was done; 0: not known
  std::uint64_t received = 0;       // octets of data
  std::uint64_t sent = 0;           // likewise, repeats not counted
  std::uint64_t cgroup = 0;         // cgroup2 id; 0: not known
  std::uint32_t space = 0;          // inode of its network namespace
  std::uint32_t pid = 0;            // who called connect(); 0: nobody, or not known
  std::uint32_t retransmits = 0;    // segments
  std::uint32_t round_trip_us = 0;  // smoothed; 0: never measured
  int error = 0;                    // errno that the socket was left with
  Family family = Family::kIpv4;
  State left = State::kClosed;
  EndReason reason = EndReason::kOther;
  Direction direction = Direction::kUnknown;
  Endpoint local{};
  Endpoint remote{};
  std::array<char, 16> command{};  // of `pid`, as it came; zeros behind it
};

// By reason: the count of reason n is at n - 1.
using EndCounts = std::array<std::uint64_t, kEndReasonCount>;

// What is counted of one network namespace by local port, or by called service. Counters begin at 0
// when the row is made, and wrap.
struct EndTally {
  std::uint32_t begun = 0;  // accepted, or called
  std::array<std::uint32_t, kEndReasonCount> ended{};
  Time since{};
};

struct PortEnds {
  std::uint16_t port = 0;
  EndTally tally;
};

struct RemoteEnds {
  Family family = Family::kIpv4;
  Endpoint service;
  EndTally tally;
};

struct ClosedPort {
  std::uint16_t port = 0;
  std::uint32_t calls = 0;
};

// What did not find room.
struct EndLosses {
  std::uint64_t records = 0;    // were never written
  std::uint64_t uncounted = 0;  // ends and calls that found no row by port or service
  std::uint64_t evicted = 0;    // rows that made room
};

// What a kernel watches.
class EndsSource {
 public:
  virtual ~EndsSource() = default;

  // Whose becoming readable means that there is a record, when all before it have been taken.
  virtual int descriptor() const = 0;

  // Hands over, oldest first, every record that there is, of all network namespaces, and keeps the
  // rows by port and service within their bounds. How many.
  virtual std::size_t take(const std::function<void(const Ended&)>& act) = 0;

  // Those of the namespace that it was opened in.
  virtual EndCounts counts() = 0;
  virtual std::vector<PortEnds> ports() = 0;           // ascending by port
  virtual std::vector<RemoteEnds> remotes() = 0;       // in no order
  virtual std::vector<ClosedPort> closed_ports() = 0;  // ascending by port

  // Whether closed_ports() is known; the kernel may be too old.
  virtual bool sees_closed_ports() const = 0;

  virtual EndLosses losses() = 0;
};

}  // namespace tcpmibd::tcp
