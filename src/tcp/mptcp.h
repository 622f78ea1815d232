#pragma once

#include <cstdint>
#include <string_view>

// What the kernel says of Multipath TCP (RFC 8684) as such. Its connections are in snapshots.

namespace tcpmibd::tcp {

// Whether a network namespace has sockets that speak MPTCP.
enum class MptcpPresence : std::uint8_t {
  kUnknown,  // a text that says nothing of it, or nonsense
  kAbsent,   // the kernel is built without MPTCP, for good
  kUnused,   // no socket is connected, or listens, by it
  kUsed,
};

// Whether the kernel keeps the number of MPTCP sockets in /proc/net/protocols, as Linux does since
// 6.3; before, it is 0 there whatever there is. `release` as in utsname: "6.1.0-18-amd64". False
// for one that cannot be read.
bool counts_mptcp_sockets(std::string_view release);

// By the text of /proc/net/protocols, of a kernel that keeps the number.
MptcpPresence mptcp_by_protocols(std::string_view text);

// By the text of /proc/net/netstat: whether MPTCP has ever been spoken in the namespace. Its
// counters (MPTcpExt) begin with the first such socket, and never fall back to 0.
MptcpPresence mptcp_by_netstat(std::string_view text);

// How far the states of MPTCP connections can be seen.
enum class MptcpSight : std::uint8_t {
  kAbsent,  // the kernel has no MPTCP
  kUnused,  // there is none, so nobody was asked
  kSeen,
  kHidden,  // there are such sockets, or it is not known, and the kernel does not report them
};

// What kHidden costs, and what to do about it, as operators read it.
inline constexpr const char* kMptcpHidden =
    "the kernel does not report MPTCP connections: only their subflows are seen, and stay "
    "established when the peer has closed";
inline constexpr const char* kMptcpCure = "modprobe mptcp_diag";

}  // namespace tcpmibd::tcp
