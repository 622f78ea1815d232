#pragma once

#include <compare>
#include <cstdint>

#include "tcp/address.h"
#include "tcp/socket.h"

namespace tcpmibd::tcp {

// Rows are what a snapshot keeps of a socket: packed, for there may be a million of them. Their
// keys compare as the OIDs of their indexes do; a property test proves it.

// The index of a connection over IPv4. Addresses in host order, so that numbers compare as
// octets do.
struct Ipv4Key {
  std::uint32_t local_address = 0;
  std::uint32_t remote_address = 0;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;

  bool operator==(const Ipv4Key&) const = default;
  std::strong_ordering operator<=>(const Ipv4Key& other) const {
    if (const auto local = this->local() <=> other.local(); local != 0)
      return local;
    return remote() <=> other.remote();
  }

 private:
  std::uint64_t local() const { return std::uint64_t{local_address} << 16 | local_port; }
  std::uint64_t remote() const { return std::uint64_t{remote_address} << 16 | remote_port; }
};

// The index of a connection over IPv6.
struct Ipv6Key {
  InetAddress local;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  InetAddress remote;

  bool operator==(const Ipv6Key&) const = default;
  std::strong_ordering operator<=>(const Ipv6Key& other) const {
    if (const auto order = local <=> other.local; order != 0)
      return order;
    if (const auto order = local_port <=> other.local_port; order != 0)
      return order;
    if (const auto order = remote <=> other.remote; order != 0)
      return order;
    return remote_port <=> other.remote_port;
  }
};

// The index of a listener.
struct ListenerKey {
  InetAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const ListenerKey&) const = default;
};

// What a row holds beside its index; the fields of Socket, packed.
struct Details {
  std::uint32_t cookie_low = 0;
  std::uint32_t cookie_high = 0;
  std::uint32_t inode = 0;
  std::uint32_t interface = 0;
  std::uint32_t uid = 0;
  std::uint32_t receive_queue = 0;
  std::uint32_t send_queue = 0;
  std::uint32_t expires_ms = 0;
  State state = State::kClosed;
  Timer timer : 3 = Timer::kNone;
  std::uint8_t retransmits : 5 = 0;  // at most 31
  std::uint16_t cgroup : 14 = 0;     // index into Snapshot::cgroups()
  bool shared : 1 = false;           // Several sockets stand behind this row.
  bool dual_stack : 1 = false;       // A listener on `::` that takes IPv4 connections too.

  std::uint64_t cookie() const { return std::uint64_t{cookie_high} << 32 | cookie_low; }
};

template <typename Key>
struct Row {
  Key key;
  Details details;
};

using Ipv4Row = Row<Ipv4Key>;
using Ipv6Row = Row<Ipv6Key>;
using ListenerRow = Row<ListenerKey>;

static_assert(sizeof(Ipv4Row) == 48, "a million IPv4 rows are to take 48 MB");

// The views that tables and people read, decoded from a row of any kind.

struct Connection {
  InetAddress local;
  InetAddress remote;
  std::uint16_t local_port;
  std::uint16_t remote_port;
  const Details* details;  // never null; belongs to the snapshot
};

struct Listener {
  InetAddress address;
  std::uint16_t port;
  const Details* details;  // never null; belongs to the snapshot
};

Connection decoded(const Ipv4Row& row);
Connection decoded(const Ipv6Row& row);
Listener decoded(const ListenerRow& row);

}  // namespace tcpmibd::tcp
