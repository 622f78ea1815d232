#include "tcp/pressure.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/words.h"
#include "tcp/header_lines.h"

namespace tcpmibd::tcp {

namespace {

using Figure = std::optional<std::uint64_t>;

struct NetstatColumn {
  std::string_view word;  // of the header (net/ipv4/proc.c, snmp4_net_list)
  Figure Pressure::*figure;
};

constexpr std::array<NetstatColumn, 9> kNetstatColumns{{
    {"ListenOverflows", &Pressure::listen_overflows},
    {"ListenDrops", &Pressure::listen_drops},
    {"SyncookiesSent", &Pressure::syn_cookies_sent},
    {"TCPReqQFullDrop", &Pressure::syn_queue_drops},
    {"TCPTimeWaitOverflow", &Pressure::time_wait_overflows},
    {"TCPAbortOnMemory", &Pressure::memory_aborts},
    {"TCPAbortOnTimeout", &Pressure::timeout_aborts},
    {"TCPSynRetrans", &Pressure::syn_retransmits},
    {"TCPTimeouts", &Pressure::timeouts},
}};

// A page is at least 4 KiB. None where the product cannot be a host's memory.
Figure kibibytes(Figure pages, std::uint64_t page_size) {
  std::uint64_t octets = 0;
  if (!pages || __builtin_mul_overflow(*pages, page_size, &octets))
    return std::nullopt;
  return octets / 1024;
}

// What stands before the newline, without blanks around it.
std::string_view only_line(std::string_view text) {
  constexpr std::string_view kAround = " \t";
  std::string_view line = take_until(text, '\n');
  line.remove_prefix(std::min(line.find_first_not_of(kAround), line.size()));
  return line.substr(0, line.find_last_not_of(kAround) + 1);
}

// As many numbers as the line must have, and nothing else.
template <typename Number, std::size_t kCount>
std::optional<std::array<Number, kCount>> numbers(std::string_view text) {
  std::string_view line = only_line(text);
  std::array<Number, kCount> values{};
  for (Number& value : values) {
    const std::optional<Number> read = number<Number>(take_word(line));
    if (!read)
      return std::nullopt;
    value = *read;
  }
  return line.empty() ? std::optional(values) : std::nullopt;
}

Status add_number(std::string_view text, const char* name, Figure& figure) {
  const auto value = numbers<std::uint64_t, 1>(text);
  if (!value)
    return failure(std::string("read a number in net.ipv4.") + name);
  figure = value->front();
  return {};
}

}  // namespace

// ---- Ephemeral ports ----

// Those reserved outside the range take nothing from it.
EphemeralRange::EphemeralRange(Ports range, std::vector<Ports> reserved)
    : first_(range.first),
      last_(range.last),
      size_(total()),
      bind_first_(bind_first_among(first_, last_)) {
  if (total() % 2 != 0 && total() > 1)
    reserved.push_back({last_, last_});
  std::ranges::sort(reserved, {}, &Ports::first);
  std::uint32_t next = first_;  // the lowest port that no entry has covered yet
  for (const Ports& ports : reserved) {
    const std::uint32_t first = std::max<std::uint32_t>(ports.first, next);
    const std::uint32_t last = std::min(ports.last, last_);
    if (first > last)
      continue;
    reserved_.push_back({static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(last)});
    size_ -= last - first + 1;
    bind_first_ -= bind_first_among(first, last);
    next = last + 1;
  }
}

// Every second one of the range: is_bind_first().
unsigned EphemeralRange::bind_first_among(unsigned first, unsigned last) const {
  return (last - first_ + 1) / 2 - (first - first_) / 2;
}

std::optional<EphemeralRange::Ports> EphemeralRange::parse_range(std::string_view text) {
  const auto ports = numbers<std::uint16_t, 2>(text);
  if (!ports || ports->front() > ports->back())
    return std::nullopt;
  return Ports{ports->front(), ports->back()};
}

std::optional<EphemeralRange::Ports> EphemeralRange::parse_reserved_entry(std::string_view entry) {
  const bool is_range = entry.find('-') != std::string_view::npos;
  const auto first = number<std::uint16_t>(take_until(entry, '-'));
  const auto last = is_range ? number<std::uint16_t>(entry) : first;
  if (!first || !last || *first > *last)
    return std::nullopt;
  return Ports{*first, *last};
}

std::optional<std::vector<EphemeralRange::Ports>> EphemeralRange::parse_reserved(
    std::string_view list) {
  std::vector<Ports> reserved;
  for (std::string_view rest = only_line(list); !rest.empty();) {
    const std::optional<Ports> ports = parse_reserved_entry(take_until(rest, ','));
    if (!ports)
      return std::nullopt;
    reserved.push_back(*ports);
  }
  return reserved;
}

Result<EphemeralRange> EphemeralRange::parse(std::string_view range, std::string_view reserved) {
  const std::optional<Ports> ports = parse_range(range);
  if (!ports)
    return failure("read two ports in net.ipv4.ip_local_port_range");
  std::optional<std::vector<Ports>> list = parse_reserved(reserved);
  if (!list)
    return failure("read a list of ports in net.ipv4.ip_local_reserved_ports");
  return EphemeralRange(*ports, std::move(*list));
}

bool EphemeralRange::contains(std::uint16_t port) const {
  if (port < first_ || port > last_)
    return false;
  const auto next = std::ranges::lower_bound(reserved_, port, {}, &Ports::last);
  return next == reserved_.end() || port < next->first;
}

// ---- Percentages ----

std::optional<std::uint64_t> percent_of(std::optional<std::uint64_t> used,
                                        std::optional<std::uint64_t> limit) {
  std::uint64_t hundredfold = 0;
  if (!used || !limit || *limit == 0 || __builtin_mul_overflow(*used, 100U, &hundredfold))
    return std::nullopt;
  return hundredfold / *limit;
}

std::optional<std::uint64_t> Pressure::memory_percent() const {
  return percent_of(memory_used, memory_limit);
}

std::optional<std::uint64_t> Pressure::orphans_percent() const {
  return percent_of(orphans, orphans_limit);
}

std::optional<std::uint64_t> Pressure::time_waits_percent() const {
  return percent_of(time_waits, time_waits_limit);
}

// An orphan that waits longer than a closed connection is kept does so as a full socket.
Lifetimes Pressure::lifetimes() const {
  Lifetimes lifetimes;
  constexpr std::uint64_t kMsPerSecond = 1000;
  const std::uint64_t most = lifetimes.time_wait_ms / kMsPerSecond;
  if (fin_timeout)
    lifetimes.fin_wait_2_ms =
        static_cast<std::uint32_t>(std::min(*fin_timeout, most) * kMsPerSecond);
  return lifetimes;
}

TimeWaitReuse Pressure::reuse() const {
  constexpr std::uint64_t kOfAll = 1;
  constexpr std::uint64_t kOfLoopback = 2;
  if (timestamps.value_or(0) == 0 || !time_wait_reuse_delay_ms)
    return {};
  const std::uint64_t delay =
      std::min<std::uint64_t>(*time_wait_reuse_delay_ms, Lifetimes().time_wait_ms);
  TimeWaitReuse allowed{.after_ms = static_cast<std::uint32_t>(delay)};
  if (time_wait_reuse == kOfAll)
    allowed.scope = TimeWaitReuse::Scope::kAll;
  else if (time_wait_reuse == kOfLoopback)
    allowed.scope = TimeWaitReuse::Scope::kLoopback;
  return allowed;
}

// ---- Texts ----

// One line: "TCP: inuse 1 orphan 0 tw 1 alloc 1 mem 168", memory in pages.
Status add_sockstat(std::string_view text, std::uint64_t page_size, Pressure& into) {
  std::string_view line = take_line(text, "TCP:");
  if (line.empty())
    return failure("find the line 'TCP:' in /proc/net/sockstat");
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    const Figure value = number<std::uint64_t>(take_word(line));
    if (word == "orphan")
      into.orphans = value;
    else if (word == "tw")
      into.time_waits = value;
    else if (word == "mem")
      into.memory_used = kibibytes(value, page_size);
  }
  return {};
}

Status add_netstat(std::string_view text, Pressure& into) {
  const std::vector<NamedWord> words = words_under_header(text, "TcpExt:");
  if (words.empty())
    return failure("find the two 'TcpExt:' lines in /proc/net/netstat");
  for (const auto& [name, value] : words) {
    const auto column = std::ranges::find(kNetstatColumns, name, &NetstatColumn::word);
    if (column != kNetstatColumns.end())
      into.*column->figure = number<std::uint64_t>(value);
  }
  return {};
}

Status add_max_orphans(std::string_view text, Pressure& into) {
  return add_number(text, "tcp_max_orphans", into.orphans_limit);
}

Status add_max_time_waits(std::string_view text, Pressure& into) {
  return add_number(text, "tcp_max_tw_buckets", into.time_waits_limit);
}

Status add_fin_timeout(std::string_view text, Pressure& into) {
  return add_number(text, "tcp_fin_timeout", into.fin_timeout);
}

Status add_timestamps(std::string_view text, Pressure& into) {
  return add_number(text, "tcp_timestamps", into.timestamps);
}

Status add_time_wait_reuse(std::string_view reuse, std::string_view delay, Pressure& into) {
  Figure told_reuse;
  Figure told_delay;
  Status status = add_number(reuse, "tcp_tw_reuse", told_reuse).and_then([&] {
    return add_number(delay, "tcp_tw_reuse_delay", told_delay);
  });
  if (status) {
    into.time_wait_reuse = told_reuse;
    into.time_wait_reuse_delay_ms = told_delay;
  }
  return status;
}

Status add_memory_limits(std::string_view text, std::uint64_t page_size, Pressure& into) {
  const auto pages = numbers<std::uint64_t, 3>(text);
  if (!pages)
    return failure("read three numbers in net.ipv4.tcp_mem");
  into.memory_low = kibibytes((*pages)[0], page_size);
  into.memory_pressure = kibibytes((*pages)[1], page_size);
  into.memory_limit = kibibytes((*pages)[2], page_size);
  return {};
}

Status add_ephemeral(std::string_view range, std::string_view reserved, Pressure& into) {
  Result<EphemeralRange> parsed = EphemeralRange::parse(range, reserved);
  if (!parsed)
    return tl::unexpected(parsed.error());
  into.ephemeral = std::move(*parsed);
  return {};
}

}  // namespace tcpmibd::tcp
