#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

// Net-SNMP's own; see agent/netsnmp/net_snmp.h.
struct snmp_pdu;
struct variable_list;

// How long a message is on the wire, found before the library builds it: built twice, a response of
// SNMPv3 loses its user (5.9.3), and one that came out too long is no answer at all.

namespace tcpmibd::agent {

// The longest message that is taken or sent, in octets: what one datagram over IPv4 holds.
inline constexpr std::size_t kLongestMessage = 65507;

// A binding with its header, to the octet.
std::size_t encoded_size(const variable_list& binding);

// The message of a response around `bindings` octets of encoded bindings. To the octet in SNMPv1
// and v2c; in v3 up to 14 more, for what the library chooses while it builds. `authentication` is
// the length of the message's digest.
std::size_t message_size(const snmp_pdu& pdu, std::size_t bindings, std::size_t authentication);

// The message of `pdu` with all its bindings; that of its user if it has one.
std::size_t message_size(const snmp_pdu& pdu);

// Takes bindings off the end of a GETBULK's response until the message fits into `limit` octets
// (RFC 3416, 4.2.3). Nothing may be left.
void cut_to(snmp_pdu& pdu, std::size_t limit);

// How many octets the message at the beginning of a stream has, header included: 0 while that
// cannot be found. More than kLongestMessage for what is no SNMP message, or too long a one.
std::size_t awaited_size(std::span<const std::uint8_t> stream);

}  // namespace tcpmibd::agent
