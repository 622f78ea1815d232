#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpmibd::tcp {

// The state of a connection; values are those of tcpConnectionState (RFC 4022).
// deleteTCB(12) is a command of that object, not a state, and has no place here.
enum class State : std::uint8_t {
  kClosed = 1,
  kListen = 2,
  kSynSent = 3,
  kSynReceived = 4,
  kEstablished = 5,
  kFinWait1 = 6,
  kFinWait2 = 7,
  kCloseWait = 8,
  kLastAck = 9,
  kClosing = 10,
  kTimeWait = 11,
};

inline constexpr std::size_t kStateCount = 11;

// One state under the names people know it by.
struct StateNames {
  State state;
  std::uint8_t kernel;       // TCP_… of <linux/tcp_states.h>
  std::string_view mib;      // TCP-MIB, RFC 4022
  std::string_view rfc;      // RFC 9293
  std::string_view ss;       // what `ss` of iproute2 prints
  std::string_view netstat;  // what Linux netstat prints
  std::string_view windows;  // what Windows netstat prints
};

// In the order of the MIB's numbers.
extern const std::array<StateNames, kStateCount> kStates;

const StateNames& names_of(State state);

// Kernel numbers of <linux/tcp_states.h>, NEW_SYN_RECV included. None for a number this program
// does not know: the caller drops the socket and counts it.
std::optional<State> state_from_kernel(std::uint8_t number);

// Any spelling of any of the names, in any case, '-', '_' or nothing between the words; or the
// MIB's number. "fin-wait-1", "FIN_WAIT1", "SYN_RECV", "6".
std::optional<State> parse_state(std::string_view text);

}  // namespace tcpmibd::tcp
