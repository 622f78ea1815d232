#include "tcp/gauges.h"

#include <algorithm>
#include <cerrno>

#include "base/words.h"
#include "tcp/counters.h"

namespace tcpmibd::tcp {

namespace {

// Movement is taken for little if it is of one socket among so many.
constexpr std::uint32_t kLittle = 1000;

// The number after `name` on the line that begins with `protocol`: "TCP: inuse 4 orphan 0 tw 2".
std::optional<std::uint32_t> figure(std::string_view text, std::string_view protocol,
                                    std::string_view name) {
  std::string_view line = take_line(text, protocol);
  while (!line.empty()) {
    const std::string_view word = take_word(line);
    const std::string_view value = take_word(line);
    if (word == name)
      return number<std::uint32_t>(value);
  }
  return std::nullopt;
}

std::uint32_t difference(std::uint32_t a, std::uint32_t b) { return a < b ? b - a : a - b; }

std::uint32_t less(std::uint32_t a, std::uint32_t b) { return a < b ? 0 : a - b; }

// The small sockets that the kernel keeps in place of whole ones (net/ipv4/inet_timewait_sock.c,
// struct request_sock): no gauge counts them. FIN_WAIT2 and SYN_RECV may be either.
bool is_small(const Socket& socket) {
  switch (socket.state) {
    case State::kTimeWait:
      return true;
    case State::kFinWait2:
      return socket.timer == Timer::kTimeWait;
    case State::kSynReceived:
      return socket.inode == 0 && socket.cgroup == 0;
    default:
      return false;
  }
}

// Whether tcpCurrEstab, in one of its two meanings, is what `established` says it is.
bool agrees(const Gauges& gauges, std::uint32_t established, std::uint32_t close_wait,
            std::uint32_t tolerance) {
  const std::uint32_t said = gauges.current_established;
  return difference(said, established) <= tolerance ||
         difference(said, established + close_wait) <= tolerance;
}

}  // namespace

Result<Gauges> Gauges::parse(std::string_view snmp, std::string_view sockstat,
                             std::string_view sockstat6) {
  const Result<Counters> counters = Counters::parse(snmp);
  if (!counters)
    return tl::unexpected(counters.error());
  const auto established = counters->value(Counter::kCurrEstab);
  const auto active = counters->value(Counter::kActiveOpens);
  const auto passive = counters->value(Counter::kPassiveOpens);
  const auto ipv4 = figure(sockstat, "TCP:", "inuse");
  const auto ipv6 = sockstat6.empty() ? 0 : figure(sockstat6, "TCP6:", "inuse");
  if (!established || !active || !passive || !ipv4 || !ipv6)
    return failure("read how many sockets of TCP are in use", EBADMSG);
  return Gauges{.in_use = {*ipv4, *ipv6},
                .current_established = static_cast<std::uint32_t>(*established),
                .opened = static_cast<std::uint32_t>(*active + *passive)};
}

std::uint32_t movement(const Gauges& before, const Gauges& after) {
  return (after.opened - before.opened) +
         difference(after.current_established, before.current_established) +
         difference(after.in_use.ipv4, before.in_use.ipv4) +
         difference(after.in_use.ipv6, before.in_use.ipv6);
}

void Census::add(const Socket& socket) {
  if (socket.state == State::kEstablished)
    ++established_.of(socket.id.family);
  else if (socket.state != State::kClosed && !is_small(socket))
    ++others_in_use_.of(socket.id.family);
  close_wait_ += socket.state == State::kCloseWait;
}

std::string_view reason_of(GaugeDoubt doubt) {
  switch (doubt) {
    case GaugeDoubt::kNone:
      return "";
    case GaugeDoubt::kUnreadable:
      return "the kernel's gauges of TCP sockets cannot be read";
    case GaugeDoubt::kMptcp:
      return "MPTCP is spoken";
    case GaugeDoubt::kMoving:
      return "too many sockets come and go";
    case GaugeDoubt::kDisagree:
      return "the kernel's gauges of TCP sockets contradict one another";
    case GaugeDoubt::kMixed:
      return "many IPv6 sockets speak IPv6, and many IPv4";
    case GaugeDoubt::kRefuted:
      return "whole dumps have found other numbers than the kernel's gauges";
  }
  return "";
}

EstablishedByGauges established_by(const Gauges& before, const Gauges& after,
                                   const Census& others) {
  const FamilyCount others_in_use = others.others_in_use();
  const FamilyCount count{less(after.in_use.ipv4, others_in_use.ipv4),
                          less(after.in_use.ipv6, others_in_use.ipv6)};
  const std::uint32_t moved = movement(before, after);
  if (moved > after.in_use.total() / kLittle)
    return {.doubt = GaugeDoubt::kMoving};
  if (less(others_in_use.ipv4, after.in_use.ipv4) > moved ||
      less(others_in_use.ipv6, after.in_use.ipv6) > moved ||
      !agrees(after, count.total(), others.close_wait(), moved))
    return {.doubt = GaugeDoubt::kDisagree};
  return {.count = count};
}

bool refutes(const Gauges& before, const Gauges& after, const Census& dumped) {
  if (movement(before, after) != 0)
    return false;
  const EstablishedByGauges said = established_by(before, after, dumped);
  return said.doubt == GaugeDoubt::kNone && said.count != dumped.established();
}

}  // namespace tcpmibd::tcp
