#pragma once

#include <chrono>
#include <cstdint>
#include <ratio>
#include <span>
#include <string>

#include "tables/columns.h"

// What the tables of TCPMIBD-MIB share. Their rows are pointers to figures that `Data` owns.

namespace tcpmibd::tables {

// The figure at the end of a path of members, as in
// gauge<tcp::PortFigures, &tcp::PortFigures::tally, &tcp::Tally::total>.
template <typename Figures, auto... kPath>
std::optional<Value> gauge(const Figures* const& row, const Data&) {
  return snmp::Gauge32{(*row.*....*kPath)};
}

// The reader of a Tally's figure, for rows that have one.
template <typename Figures, auto kFigure>
constexpr auto kTally = &gauge<Figures, &Figures::tally, kFigure>;

template <typename Figures, auto... kPath>
std::optional<Value> counter(const Figures* const& row, const Data&) {
  return snmp::Counter32{(*row.*....*kPath)};
}

template <typename Figures, auto... kPath>
std::optional<Value> text(const Figures* const& row, const Data&) {
  return snmp::OctetString{(*row.*....*kPath)};
}

// sysUpTime at `moment` (RFC 2579, TimeStamp); 0 for what was before.
inline Value time_stamp(Time moment, const Data& data) {
  using Centiseconds = std::chrono::duration<std::int64_t, std::centi>;
  const auto since =
      std::chrono::duration_cast<Centiseconds>(moment - data.agent->uptime_zero).count();
  return snmp::TimeTicks{static_cast<std::uint32_t>(std::max<std::int64_t>(since, 0))};
}

// A string as an index: its length, then its octets (RFC 2578, 7.7).
inline void append_string(const std::string& text, snmp::Oid& index) {
  index.append(static_cast<SubId>(text.size()));
  for (const char octet : text)
    index.append(static_cast<std::uint8_t>(octet));
}

// The lowest pid that holds one of the listening sockets, as process_value().
inline std::optional<std::uint32_t> lowest_holder(std::span<const tcp::ListeningSocket> sockets,
                                                  const Data& data) {
  LowestHolder lowest(data);
  for (const tcp::ListeningSocket& socket : sockets)
    lowest.consider(socket.inode);
  return lowest.pid();
}

// The name of a process; empty for none.
inline Value command_value(std::uint32_t pid, const Data& data) {
  return snmp::OctetString{pid == 0 ? "" : data.names->identity_of(pid).command};
}

// For tables that no look-up of the kernel answers, only a count of everything.
inline tcp::Question everything(snmp::OidView) { return Data::everything(); }

}  // namespace tcpmibd::tables
