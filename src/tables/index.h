#pragma once

#include <optional>
#include <string>

#include "snmp/oid.h"
#include "tcp/address.h"
#include "tcp/sources.h"

// Indexes of TCP rows as sub-identifiers (RFC 2578, 7.7, and RFC 4001), both ways.

namespace tcpmibd::tables {

// Type, length, octets. unknown(0) has length 0; ipv6z ends in its zone, four octets, big-endian.
void append_address(const tcp::InetAddress& address, snmp::Oid& index);

// The octets of an InetAddress, as a value (RFC 4001).
std::string octets_of(const tcp::InetAddress& address);

// The address's first four octets, without type or length.
void append_ipv4(const tcp::InetAddress& address, snmp::Oid& index);

// What to ask the kernel for a row with this index: nothing where the sub-identifiers are no
// index of the table. Whether the answer really has that index is for the search to decide.
tcp::Question connection_question(snmp::OidView index);  // tcpConnectionTable
tcp::Question legacy_question(snmp::OidView index);      // tcpConnTable
tcp::Question listener_question(snmp::OidView index);    // tcpListenerTable

}  // namespace tcpmibd::tables
