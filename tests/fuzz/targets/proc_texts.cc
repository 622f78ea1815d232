#include <algorithm>
#include <array>
#include <string>

#include "fuzz/targets.h"
#include "tcp/counters.h"
#include "tcp/gauges.h"
#include "tcp/header_lines.h"
#include "tcp/mptcp.h"
#include "tcp/pressure.h"

namespace tcpmibd::fuzz {

namespace {

using tcp::Pressure;

constexpr std::uint64_t kPage = 4096;

// Every figure, to compare two Pressures by.
std::array<std::optional<std::uint64_t>, 21> figures_of(const Pressure& of) {
  return {of.orphans,          of.orphans_limit,   of.time_waits,
          of.time_waits_limit, of.memory_used,     of.memory_low,
          of.memory_pressure,  of.memory_limit,    of.fin_timeout,
          of.time_wait_reuse,  of.timestamps,      of.time_wait_reuse_delay_ms,
          of.listen_overflows, of.listen_drops,    of.syn_cookies_sent,
          of.syn_queue_drops,  of.memory_aborts,   of.time_wait_overflows,
          of.timeout_aborts,   of.syn_retransmits, of.timeouts};
}

// A text that is refused adds nothing; one that is taken is taken once more to the same figures.
template <typename Add>
void adds_all_or_nothing(Add add) {
  Pressure pressure;
  const bool taken = add(pressure).has_value();
  require(taken || figures_of(pressure) == figures_of({}), "what is refused adds nothing");
  require(taken || !pressure.ephemeral, "nor a range");
  const auto before = figures_of(pressure);
  require(add(pressure).has_value() == taken, "a text means the same each time");
  require(figures_of(pressure) == before, "and says the same");
  require(!pressure.orphans_percent() || pressure.orphans_limit.value_or(0) != 0,
          "no percentage of nothing");
  require(pressure.lifetimes().fin_wait_2_ms <= pressure.lifetimes().time_wait_ms,
          "nobody stays in FIN_WAIT_2 longer than in TIME_WAIT");
  require(pressure.reuse().after_ms <= pressure.lifetimes().time_wait_ms,
          "nor is reused after that");
}

// The counts are those of a look at each port.
void ephemeral(std::string_view range, std::string_view reserved) {
  const auto parsed = tcp::EphemeralRange::parse(range, reserved);
  if (!parsed)
    return;
  unsigned contained = 0;
  unsigned bind_first = 0;
  for (unsigned port = 0; port <= 0xffff; ++port) {
    if (!parsed->contains(static_cast<std::uint16_t>(port)))
      continue;
    require(port >= parsed->first() && port <= parsed->last(), "no port outside of the range");
    ++contained;
    bind_first += parsed->is_bind_first(static_cast<std::uint16_t>(port)) ? 1 : 0;
  }
  require(contained == parsed->size(), "as many ports as it says");
  require(bind_first == parsed->bind_first(), "and as many for bind()");
}

void counters(std::string_view text, std::string_view rto_min, std::string_view rto_max) {
  auto parsed = tcp::Counters::parse(text);
  require(parsed.has_value() != tcp::words_under_header(text, "Tcp:").empty(),
          "two lines are counters");
  if (!parsed)
    return;
  const auto max_conn = parsed->value(tcp::Counter::kMaxConn);
  require(!parsed->max_conn() || *parsed->max_conn() < 0 || !max_conn ||
              max_conn == static_cast<std::uint64_t>(*parsed->max_conn()),
          "MaxConn is one number, whatever its sign");
  const auto segments = parsed->value(tcp::Counter::kInSegs);
  parsed->set_rto_min(rto_min);
  parsed->set_rto_max(rto_max);
  require(parsed->value(tcp::Counter::kInSegs) == segments, "the sysctls change nothing else");
}

// None without all three; nothing moves between two readings of one text.
void gauges(std::string_view sockstat, std::string_view snmp, std::string_view sockstat6) {
  const auto read = tcp::Gauges::parse(snmp, sockstat, sockstat6);
  if (!read)
    return;
  require(sockstat.find("TCP:") != std::string_view::npos, "no gauge without its line");
  require(!sockstat6.empty() || read->in_use.ipv6 == 0, "nothing of IPv6 without its file");
  require(tcp::movement(*read, *tcp::Gauges::parse(snmp, sockstat, sockstat6)) == 0,
          "a text means the same each time");
  const auto by = tcp::established_by(*read, *read, {});
  require(by.doubt != tcp::GaugeDoubt::kMoving, "what does not move is not doubted for it");
  require(by.doubt != tcp::GaugeDoubt::kNone || by.count == read->in_use,
          "where nothing else was found, all in use are established");
}

void mptcp(std::string_view text) {
  using tcp::MptcpPresence;
  (void)tcp::mptcp_by_protocols(text);
  const MptcpPresence by_netstat = tcp::mptcp_by_netstat(text);
  require(by_netstat != MptcpPresence::kUsed || text.find("MPTcpExt:") != std::string_view::npos,
          "no MPTCP without its counters");
  (void)tcp::counts_mptcp_sockets(text);
}

void header_lines(std::string_view text) {
  for (const tcp::NamedWord& word : tcp::words_under_header(text, "TcpExt:")) {
    require(!word.name.empty(), "a name");
    require(word.name.find_first_of(" \t\n") == std::string_view::npos, "of one word");
    require(word.value.find_first_of(" \t\n") == std::string_view::npos, "and a value of one");
  }
}

}  // namespace

// The input: an octet that chooses the file, and its text; a second and a third text of one follow
// after NULs.
void proc_texts(Input input) {
  Draw draw(input);
  const std::uint8_t file = draw.octet();
  const std::string_view text = draw.text_until('\0');
  const std::string_view second = draw.text_until('\0');
  const auto add = [&](auto adder) {
    adds_all_or_nothing([&](Pressure& into) { return adder(text, into); });
  };
  const auto add_pages = [&](auto adder) {
    adds_all_or_nothing([&](Pressure& into) { return adder(text, kPage, into); });
  };
  switch (file % 12) {
    case 0:
      gauges(text, second, draw.rest_text());
      return add_pages(tcp::add_sockstat);
    case 1:
      header_lines(text);
      return add(tcp::add_netstat);
    case 2:
      return add(tcp::add_max_orphans);
    case 3:
      return add(tcp::add_max_time_waits);
    case 4:
      return add(tcp::add_fin_timeout);
    case 5:
      return add(tcp::add_timestamps);
    case 6:
      return add_pages(tcp::add_memory_limits);
    case 7:
      return adds_all_or_nothing(
          [&](Pressure& into) { return tcp::add_time_wait_reuse(text, second, into); });
    case 8:
      return adds_all_or_nothing(
          [&](Pressure& into) { return tcp::add_ephemeral(text, second, into); });
    case 9:
      return ephemeral(text, second);
    case 10:
      return counters(text, second, draw.rest_text());
    default:
      return mptcp(text);
  }
}

}  // namespace tcpmibd::fuzz
