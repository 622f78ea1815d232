#pragma once

#include <arpa/inet.h>

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "snmp/oid.h"
#include "snmp/value.h"
#include "support/fake_names.h"
#include "tables/arc.h"
#include "tables/registry.h"
#include "tcp/snapshot.h"

// Short words for what unit tests talk about. Header only: whoever tests needs nothing to link.

namespace tcpmibd::lab {

// What a socket is beside its ends. A cookie of 0 is replaced by one that no other socket has.
struct SocketOptions {
  tcp::State state = tcp::State::kEstablished;
  std::uint32_t interface = 0;  // a zone in the text of an end says it too
  bool v6only = false;
  std::uint32_t inode = 0;
  std::uint64_t cookie = 0;
  std::uint64_t cgroup = 0;
  std::uint32_t queue = 0;    // of a listener: connections not accepted
  std::uint32_t backlog = 0;  // likewise, how many may be
  std::uint32_t discards = 0;
  tcp::Timer timer = tcp::Timer::kNone;
  std::uint32_t expires_ms = 0;
  std::uint32_t quiet_ms = 0;
};

namespace detail {

template <typename Number>
Number number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument("no number: " + std::string(text));
  return number;
}

inline std::uint64_t fresh_cookie() {
  static std::uint64_t last = 0x1'0000'0000;
  return ++last;
}

// Reads "10.0.0.1:22", "[2001:db8::1]:22", "[fe80::1%2]:22" into one end of `id`.
inline void read_end(std::string_view text, tcp::SocketId& id, tcp::Endpoint& end) {
  const std::size_t colon = text.rfind(':');
  end.port = number_of<std::uint16_t>(text.substr(colon + 1));
  std::string address(text.substr(0, colon));
  id.family = address.front() == '[' ? tcp::Family::kIpv6 : tcp::Family::kIpv4;
  std::erase_if(address, [](char c) { return c == '[' || c == ']'; });
  if (const std::size_t percent = address.find('%'); percent != std::string::npos) {
    id.interface = number_of<std::uint32_t>(std::string_view(address).substr(percent + 1));
    address.resize(percent);
  }
  const int family = id.family == tcp::Family::kIpv4 ? AF_INET : AF_INET6;
  if (::inet_pton(family, address.c_str(), end.address.data()) != 1)
    throw std::invalid_argument("no address: " + address);
}

inline tcp::Socket socket_with(const SocketOptions& options) {
  tcp::Socket socket;
  socket.state = options.state;
  socket.v6only = options.v6only;
  socket.inode = options.inode;
  socket.id.interface = options.interface;
  socket.id.cookie = options.cookie != 0 ? options.cookie : fresh_cookie();
  socket.cgroup = options.cgroup;
  socket.receive_queue = options.queue;
  socket.send_queue = options.backlog;
  socket.discards = options.discards;
  socket.timer = options.timer;
  socket.expires_ms = options.expires_ms;
  socket.quiet_ms = options.quiet_ms;
  return socket;
}

}  // namespace detail

// A connection; the name says the state it has unless told otherwise.
inline tcp::Socket established(std::string_view local, std::string_view remote,
                               const SocketOptions& options = {}) {
  tcp::Socket socket = detail::socket_with(options);
  detail::read_end(local, socket.id, socket.id.local);
  detail::read_end(remote, socket.id, socket.id.remote);
  return socket;
}

inline tcp::Socket listener(std::string_view local, const SocketOptions& options = {}) {
  tcp::Socket socket = detail::socket_with(options);
  socket.state = tcp::State::kListen;
  detail::read_end(local, socket.id, socket.id.local);
  return socket;
}

// `mptcp`: MPTCP connections, which are no sockets of TCP.
inline tcp::Snapshot snapshot_of(const std::vector<tcp::Socket>& sockets,
                                 const tcp::AddressForms& forms = {},
                                 const std::vector<tcp::Socket>& mptcp = {}) {
  tcp::SnapshotBuilder builder(forms);
  for (const tcp::Socket& socket : sockets)
    builder.add(socket);
  for (const tcp::Socket& connection : mptcp)
    builder.add_mptcp(connection);
  return builder.finish();
}

// "1.3.6.1"_oid.
inline snmp::Oid oid_from(std::string_view text) {
  const std::optional<snmp::Oid> oid = snmp::Oid::parse(text);
  if (!oid)
    throw std::invalid_argument("no OID: " + std::string(text));
  return *oid;
}

inline namespace literals {

inline snmp::Oid operator""_oid(const char* text, std::size_t length) {
  return oid_from({text, length});
}

}  // namespace literals

// "19.1.7" below `tcp` of RFC 4022.
inline snmp::Oid tcp_oid(std::string_view below) {
  return oid_from("1.3.6.1.2.1.6." + std::string(below));
}

// "1.4.1.17.22" below the arc of TCPMIBD-MIB.
inline snmp::Oid own_oid(std::string_view below) {
  snmp::Oid oid{snmp::OidView(tables::kArc)};
  oid.append(oid_from(below).view());
  return oid;
}

// A registered table or scalar by its name.
inline const tables::Managed& managed(std::string_view name) {
  for (const tables::Entry& entry : tables::registry()) {
    if (entry.object->name() == name)
      return *entry.object;
  }
  throw std::invalid_argument("nothing registered as " + std::string(name));
}

// /proc/net/snmp with the given numbers, in the kernel's order.
inline std::string snmp_file(const std::vector<std::string>& numbers) {
  std::string text =
      "Ip: Forwarding\nIp: 2\n"
      "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
      "CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\nTcp:";
  for (const std::string& number : numbers)
    text += " " + number;
  return text + "\nUdp: InDatagrams\nUdp: 7\n";
}

// Every figure that a kernel may tell, each another one.
inline tcp::Pressure full_pressure() {
  return {.orphans = 1,
          .orphans_limit = 2,
          .time_waits = 3,
          .time_waits_limit = 4,
          .memory_used = 5,
          .memory_low = 6,
          .memory_pressure = 7,
          .memory_limit = 8,
          .ephemeral = tcp::EphemeralRange::parse("32768\t60999", "").value(),
          .fin_timeout = 60,
          .time_wait_reuse = 2,
          .time_wait_reuse_delay_ms = 1000,
          .timestamps = 1,
          .listen_overflows = 14,
          .listen_drops = 15,
          .syn_cookies_sent = 16,
          .syn_queue_drops = 17,
          .time_wait_overflows = 18,
          .memory_aborts = 19,
          .timeout_aborts = 20,
          .syn_retransmits = 21,
          .timeouts = 22};
}

inline tcp::AlarmRule alarm_rule(std::string name, const tcp::Measure& measure,
                                 std::uint32_t raise_at) {
  return {.name = std::move(name),
          .measure = measure,
          .raise_at = raise_at,
          .clear_at = tcp::usual_clear_at(raise_at)};
}

// A host's tables at one moment. The inode of a socket is the number of the process that holds it:
// no test needs two numbers for one owner.
class Host {
 public:
  explicit Host(const std::vector<tcp::Socket>& sockets, const tcp::AddressForms& forms = {},
                std::string_view proc_net_snmp = {}, const std::vector<tcp::Socket>& mptcp = {})
      : snapshot_(snapshot_of(sockets, forms, mptcp)),
        sightings_(tcp::Sightings::follow({}, snapshot_, {}, {})),
        lost_(lost_by(snapshot_, *pressure_.listen_drops)),
        survey_(tcp::Survey::build({.snapshot = snapshot_,
                                    .sightings = sightings_,
                                    .before = nullptr,
                                    .ephemeral = pressure_.ephemeral,
                                    .reuse = pressure_.reuse(),
                                    .units = units_,
                                    .lost = &lost_})) {
    std::vector<tcp::Holder> holders;
    for (const std::uint32_t inode : snapshot_.inodes())
      holders.push_back({.inode = inode, .pid = inode});
    processes_ = std::make_shared<const tcp::ProcessMap>(
        tcp::ProcessMap::build(std::move(holders), {}, 0, now_));
    owners_ = tcp::Owners::build(snapshot_, sightings_, processes_, units_);
    if (!proc_net_snmp.empty())
      counters_ = tcp::Counters::parse(proc_net_snmp).value();
  }

  // What a test may change before it reads.
  tcp::Pressure& pressure() { return pressure_; }
  tables::AgentFigures& agent() { return agent_; }

  // Alarms that have looked at this host once.
  void set_alarms(std::vector<tcp::AlarmRule> rules) {
    alarms_.configure(std::move(rules));
    alarms_.judge({survey_, pressure_, &owners_, names_}, now_);
  }

  const tcp::Snapshot& snapshot() const { return snapshot_; }
  const tcp::Survey& survey() const { return survey_; }
  Time now() const { return now_; }
  tables::Data data() const {
    return {.snapshot = &snapshot_,
            .processes = processes_.get(),
            .counters = counters_ ? &*counters_ : nullptr,
            .processes_are_final = true,
            .survey = &survey_,
            .owners = &owners_,
            .pressure = &pressure_,
            .names = &names_,
            .agent = &agent_,
            .alarms = &alarms_,
            .now = now_};
  }

 private:
  // The agent has watched since before there was any socket, and all of ListenDrops is of these.
  static tcp::LostConnections lost_by(const tcp::Snapshot& snapshot, std::uint64_t listen_drops) {
    tcp::ListenDrops drops;
    drops.observe({}, {.before = 0, .after = 0});
    return drops.observe(snapshot.listening(), {.before = listen_drops, .after = listen_drops});
  }

  static tables::AgentFigures figures(Time now) {
    constexpr std::chrono::seconds kUp{1000};
    return {.version = "1.2.3",
            .uptime_zero = now - kUp,
            .started = now - kUp,
            .snapshots = {.taken_at = now, .taken = 1}};
  }

  Time now_ = Clock::now();
  tcp::Pressure pressure_ = full_pressure();
  tables::AgentFigures agent_ = figures(now_);
  FakeUnitLookup units_;
  mutable FakeProcessNames names_;
  tcp::Snapshot snapshot_;
  tcp::Sightings sightings_;
  tcp::LostConnections lost_;
  tcp::Survey survey_;
  std::shared_ptr<const tcp::ProcessMap> processes_;
  tcp::Owners owners_;
  tcp::Alarms alarms_;
  std::optional<tcp::Counters> counters_;
};

// Every instance of `object` in the order of GETNEXT, from its root to the end.
inline std::vector<snmp::Cell> walk(const tables::Managed& object, const tables::Data& data) {
  std::vector<snmp::Cell> cells;
  snmp::Oid name = object.root();
  while (const std::optional<snmp::Cell> cell = object.next(data, name.view(), false)) {
    cells.push_back(*cell);
    name = cell->name;
  }
  return cells;
}

// "Gauge32 800".
inline std::string to_text(const snmp::Value& value) {
  const auto number = [](const auto& any) -> std::string {
    using Type = std::decay_t<decltype(any)>;
    if constexpr (std::is_same_v<Type, snmp::Oid>)
      return any.text();
    else if constexpr (std::is_same_v<Type, snmp::OctetString>)
      return any.octets;
    else if constexpr (std::is_same_v<Type, snmp::IpAddress>)
      return snmp::to_text(std::vector<snmp::SubId>(any.octets.begin(), any.octets.end()));
    else
      return std::to_string(any.value);
  };
  return std::string(snmp::name_of(snmp::syntax_of(value))) + " " + std::visit(number, value);
}

}  // namespace tcpmibd::lab

// How failed expectations show our values.
namespace tcpmibd::tcp {

inline void PrintTo(const Socket& socket, std::ostream* out) {
  const SocketId& id = socket.id;
  const auto end = [&](const Endpoint& endpoint) {
    return to_text(inet_address(id.family, endpoint.address, id.interface, {}), endpoint.port);
  };
  *out << names_of(socket.state).ss << " " << end(id.local) << " -> " << end(id.remote)
       << " family " << (id.family == Family::kIpv4 ? 4 : 6) << " if " << id.interface << " cookie "
       << id.cookie << " timer " << static_cast<int>(socket.timer) << " retransmits "
       << static_cast<int>(socket.retransmits) << " v6only " << socket.v6only << " expires "
       << socket.expires_ms << " queues " << socket.receive_queue << "/" << socket.send_queue
       << " uid " << socket.uid << " inode " << socket.inode << " cgroup " << socket.cgroup
       << " discards " << socket.discards << " quiet " << socket.quiet_ms << " mptcp "
       << static_cast<int>(socket.mptcp);
}

}  // namespace tcpmibd::tcp

namespace tcpmibd::snmp {

template <typename Type>
requires std::is_constructible_v<Value, Type>
void PrintTo(const Type& value, std::ostream* out) { *out << lab::to_text(value); }

inline void PrintTo(const Cell& cell, std::ostream* out) {
  *out << cell.name << " = " << (cell.value ? lab::to_text(*cell.value) : "not at hand");
}

inline bool operator==(const Cell& a, const Cell& b) {
  return a.name == b.name && a.value == b.value;
}

}  // namespace tcpmibd::snmp
