#pragma once

#include <cstdint>

namespace tcpmibd::agent {

// AgentX PDUs as RFC 2741, 6.1 numbers them; those that we name ourselves.
enum class PduType : std::uint8_t { kOpen = 1, kClose = 2, kGet = 5, kGetNext = 6, kResponse = 18 };

// A flag of the header: numbers in the PDU are in network byte order.
inline constexpr std::uint8_t kNetworkByteOrder = 0x10;

}  // namespace tcpmibd::agent
