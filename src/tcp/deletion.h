#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tcp/address.h"
#include "tcp/socket.h"
#include "tcp/sources.h"

// Which connections a manager may end, and why not. Pure: what the kernel has now comes in, a
// verdict goes out.

namespace tcpmibd::tcp {

enum class DeletionPolicy : std::uint8_t {
  kOff,
  kConnections,
  kAll,  // listeners too
};

struct DeletionRules {
  DeletionPolicy policy = DeletionPolicy::kConnections;
  std::vector<std::uint16_t> protected_ports{};         // of the local end
  std::vector<std::uint16_t> protected_remote_ports{};  // of the other
};

// Both ends of a connection, v4-mapped addresses as IPv4.
struct Ends {
  InetAddress local;
  InetAddress remote;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;

  auto operator<=>(const Ends&) const = default;
};

Ends ends_of(const Socket& socket);
Ends ends_of(const ConnectionQuery& query);

// "10.0.0.1:443 10.0.0.9:5000"; of a listener "10.0.0.1:443 *".
std::string to_text(const Socket& socket);

enum class Refusal : std::uint8_t {
  kNone,  // it may be ended
  kAbsent,
  kListener,
  kProtectedPort,
  kProtectedRemotePort,
  kOwnSession,
  kShared,
  kDualStack,
  kSubflow,
  kMptcpListener,
  kMinisock,
  kNameless,
};

// What an operator reads in the log.
std::string_view reason(Refusal refusal);

// What `judge` has to know besides the sockets themselves.
struct DeletionContext {
  const DeletionRules& rules;
  std::span<const Ends> own_connections;  // that carry our own AgentX or SNMP sessions
  std::span<const State> lasting{};       // in which this kernel has refused to end a minisock
};

// A request socket, or what is left of a closed one: some kernels cannot destroy them.
bool is_minisock(const Socket& socket);

// Whether the row may go that stands for exactly these `sockets`.
//
// "Whatever the value" comes before "not just now" (RFC 3416, 4.2.5): what is protected is
// distinguished from what merely cannot be done at the moment.
Refusal judge(std::span<const Socket> sockets, const DeletionContext& context);

}  // namespace tcpmibd::tcp
