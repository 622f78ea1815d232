#include "kernel/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <variant>

#include "diag/request.h"

namespace tcpmibd::kernel {

namespace {

using tcp::Family;
using tcp::SnapshotBuilder;
using tcp::Socket;

// Takes sockets one by one, as a SnapshotBuilder does.
struct Collector {
  std::vector<Socket>& found;

  void add(const Socket& socket) { found.push_back(socket); }
  void add_unknown() {}
};

// Takes of them only how long they have been quiet.
struct QuietCollector {
  std::vector<tcp::Quiet>& quiet;

  void add(const Socket& socket) {
    if (socket.state == tcp::State::kCloseWait)
      quiet.push_back({socket.id.cookie, socket.quiet_ms});
  }
  void add_unknown() {}
};

// Takes MPTCP connections for a snapshot.
struct MptcpCollector {
  SnapshotBuilder& into;

  void add(const Socket& socket) { into.add_mptcp(socket); }
  void add_unknown() { into.add_unknown(); }
};

// Takes only their number.
struct HowMany {
  std::uint32_t sockets = 0;

  void add(const Socket&) { ++sockets; }
  void add_unknown() {}
};

// Takes nothing.
struct Nobody {
  void add(const Socket&) {}
  void add_unknown() {}
};

// Reads one answer of sock_diag.
using Parse = diag::Parsed (*)(diag::Bytes, Socket&);

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

// So many interfaces are asked one by one.
constexpr std::size_t kMostInterfaces = 64;

constexpr const char* kDumping = "read the kernel's TCP sockets (sock_diag)";
constexpr const char* kDumpingMptcp = "read the kernel's MPTCP connections (sock_diag)";
constexpr const char* kLookingUp = "look up one TCP socket (sock_diag)";
constexpr const char* kDestroying = "destroy a TCP socket (sock_diag)";

constexpr const char* kRightsCure = "grant CAP_NET_ADMIN, and sockets of AF_INET";
constexpr const char* kModuleCure =
    "the kernel needs the modules inet_diag and tcp_diag: modprobe tcp_diag";

// Each time that it is asked in vain the kernel looks for a module, which takes it milliseconds.
constexpr Duration kMptcpSilence = std::chrono::minutes(1);

// A doubt about gauges is not looked into more often: to count twice costs more than once.
constexpr Duration kGaugeSilence = std::chrono::seconds(10);

// Sockets may come and go between two readings such that no gauge shows it. Twice in a row is no
// chance.
constexpr unsigned kMostRefutations = 2;

// So many IPv6 sockets may be dumped to know which ones speak IPv4, whatever their share.
constexpr std::uint32_t kFewSockets = 1000;

// Whether the kernel says by this errno that nobody here can list a protocol.
bool tells_nothing(int code) {
  return code == ENOENT || code == EINVAL || code == EOPNOTSUPP || code == EPROTONOSUPPORT;
}

using Step = Outcome::Step;

template <typename Into>
Outcome take_dumped(const nlmsghdr& header, Parse parse, Into& into) {
  switch (header.nlmsg_type) {
    case NLMSG_DONE:
      return {.step = Step::kDone, .code = done_code(header)};
    case NLMSG_ERROR:
      return {.step = Step::kDone, .code = error_code(header)};
    case SOCK_DIAG_BY_FAMILY:
      break;
    default:
      return {};
  }
  tcp::Socket socket;
  switch (parse(payload_of(header), socket)) {
    case diag::Parsed::kSocket:
      into.add(socket);
      break;
    case diag::Parsed::kUnknownState:
      into.add_unknown();
      break;
    case diag::Parsed::kMalformed:
      return {.step = Step::kAbandon, .code = EBADMSG};
  }
  return {};
}

Result<FileDescriptor> open_socket() {
  FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket)
    return failure("open a netlink socket for sock_diag", errno,
                   errno == EPROTONOSUPPORT ? kModuleCure : "");
  return socket;
}

FileDescriptor unused_socket() {
  return FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
}

}  // namespace

Result<std::unique_ptr<SockDiag>> SockDiag::open(Duration patience, const std::string& net) {
  Result<NetlinkExchange> netlink = NetlinkExchange::open(open_socket, patience);
  if (!netlink)
    return tl::unexpected(netlink.error());
  Result<Interfaces> interfaces = Interfaces::open();
  if (!interfaces)
    return tl::unexpected(interfaces.error());
  Result<MptcpProbe> mptcp = MptcpProbe::open();
  if (!mptcp)
    return tl::unexpected(mptcp.error());
  Result<ProcGauges> gauges = ProcGauges::open(net);
  if (!gauges)
    return tl::unexpected(gauges.error());
  return std::unique_ptr<SockDiag>(new SockDiag(*std::move(netlink), *std::move(interfaces),
                                                *std::move(mptcp), *std::move(gauges)));
}

SockDiag::SockDiag(NetlinkExchange netlink, Interfaces interfaces, MptcpProbe mptcp,
                   ProcGauges gauges)
    : netlink_(std::move(netlink)),
      interfaces_(std::move(interfaces)),
      mptcp_(std::move(mptcp)),
      gauges_(std::move(gauges)),
      unused_(unused_socket()) {}

struct SockDiag::Counted {
  SnapshotBuilder& into;
  tcp::Census census{};

  void add(const Socket& socket) {
    census.add(socket);
    into.add(socket);
  }
  void add_unknown() { into.add_unknown(); }
};

Status SockDiag::read_all(SnapshotBuilder& into) {
  const Result<tcp::Gauges> before = gauges_.read();
  Counted sockets{into};
  if (Status status = dump_tcp(diag::kAllRows, std::nullopt, sockets); !status)
    return status;
  MptcpCollector connections{into};
  return dump_mptcp(diag::kConnections, 0, connections).transform([&](tcp::MptcpSight sight) {
    into.set_mptcp_sight(sight);
    if (sight == tcp::MptcpSight::kAbsent || sight == tcp::MptcpSight::kUnused)
      compare_gauges(before, sockets.census);
    if (refutations_ >= kMostRefutations)
      into.set_gauge_doubt(tcp::GaugeDoubt::kRefuted);
  });
}

// ---- Counts ----

// What was dumped before the doubt arose is forgotten: a socket may have become another since.
Status SockDiag::read_counts(SnapshotBuilder& into) {
  const Result<tcp::GaugeDoubt> doubt = count_by_gauges(into);
  if (!doubt)
    return tl::unexpected(doubt.error());
  if (*doubt == tcp::GaugeDoubt::kNone)
    return {};
  into.clear();
  into.set_gauge_doubt(*doubt);
  return read_all(into);
}

Result<tcp::GaugeDoubt> SockDiag::count_by_gauges(SnapshotBuilder& into) {
  const tcp::MptcpPresence presence = mptcp_.look();
  if (const tcp::GaugeDoubt doubt = standing_doubt(presence); doubt != tcp::GaugeDoubt::kNone)
    return doubt;
  const Result<tcp::Gauges> before = gauges_.read();
  if (!before)
    return tcp::GaugeDoubt::kUnreadable;
  into.set_mptcp_sight(presence == tcp::MptcpPresence::kAbsent ? tcp::MptcpSight::kAbsent
                                                               : tcp::MptcpSight::kUnused);
  Counted others{into};
  const Status dumped = dump_tcp(diag::kAllRows & ~diag::kEstablished, std::nullopt, others);
  if (!dumped)
    return tl::unexpected(dumped.error());
  Result<tcp::GaugeDoubt> doubt = count_established(*before, others.census, into);
  if (doubt && *doubt != tcp::GaugeDoubt::kNone) {
    doubt_ = *doubt;
    gauges_asked_again_ = Clock::now() + kGaugeSilence;
  }
  return doubt;
}

tcp::GaugeDoubt SockDiag::standing_doubt(tcp::MptcpPresence presence) const {
  if (presence != tcp::MptcpPresence::kAbsent && presence != tcp::MptcpPresence::kUnused)
    return tcp::GaugeDoubt::kMptcp;
  if (refutations_ >= kMostRefutations)
    return tcp::GaugeDoubt::kRefuted;
  return Clock::now() < gauges_asked_again_ ? doubt_ : tcp::GaugeDoubt::kNone;
}

Result<tcp::GaugeDoubt> SockDiag::count_established(const tcp::Gauges& before,
                                                    const tcp::Census& others,
                                                    SnapshotBuilder& into) {
  const Result<tcp::Gauges> after = gauges_.read();
  if (!after)
    return tcp::GaugeDoubt::kUnreadable;
  const auto [doubt, count] = tcp::established_by(before, *after, others);
  if (doubt != tcp::GaugeDoubt::kNone)
    return doubt;
  const auto mapped = count_mapped(count.ipv6);
  if (!mapped)
    return tl::unexpected(mapped.error());
  if (!*mapped)
    return tcp::GaugeDoubt::kMixed;
  into.add_counted(tcp::State::kEstablished,
                   {.ipv4 = count.ipv4 + **mapped, .ipv6 = count.ipv6 - **mapped});
  return tcp::GaugeDoubt::kNone;
}

// Those are dumped that are fewer: on most hosts all of them speak the one, or all the other.
Result<std::optional<std::uint32_t>> SockDiag::count_mapped(std::uint32_t established) {
  constexpr std::uint32_t kPart = 4;  // one in so many may be dumped of the second kind
  if (established == 0)
    return 0;
  const auto native = count_up_to(kFewSockets, false);
  if (!native)
    return tl::unexpected(native.error());
  if (*native)
    return established - std::min(established, **native);
  auto mapped = count_up_to(std::max(kFewSockets, established / kPart), true);
  if (!mapped || !*mapped)
    return mapped;
  return std::min(established, **mapped);
}

// ESTABLISHED sockets of AF_INET6 that speak IPv4, or that do not; none: more than `most`.
Result<std::optional<std::uint32_t>> SockDiag::count_up_to(std::uint32_t most, bool mapped) {
  HowMany found;
  const auto take = [&](const nlmsghdr& header) -> Outcome {
    if (found.sockets > most && header.nlmsg_type == SOCK_DIAG_BY_FAMILY)
      return {.step = Step::kAbandon};
    return take_dumped(header, diag::parse_message, found);
  };
  const auto request =
      diag::mapped_dump_request(diag::dump_request(Family::kIpv6, diag::kEstablished), mapped);
  const Result<int> code = exchange(request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, kDumping, take);
  if (!code)
    return tl::unexpected(code.error());
  if (*code != 0)
    return failure(kDumping, *code);
  if (found.sockets <= most)
    return found.sockets;
  netlink_.forgo();
  return std::nullopt;
}

void SockDiag::compare_gauges(const Result<tcp::Gauges>& before, const tcp::Census& dumped) {
  const Result<tcp::Gauges> after = gauges_.read();
  if (!before || !after || tcp::movement(*before, *after) != 0 || refutations_ >= kMostRefutations)
    return;
  refutations_ = tcp::refutes(*before, *after, dumped) ? refutations_ + 1 : 0;
}

// ---- Some sockets ----

// Where MPTCP is spoken a connection takes its subflows to be known, whatever their states and
// ports; see Snapshot::mptcp_of().
Status SockDiag::read_some(const tcp::Selection& selection, SnapshotBuilder& into) {
  const tcp::MptcpPresence presence = mptcp_.look();
  if (presence != tcp::MptcpPresence::kAbsent && presence != tcp::MptcpPresence::kUnused)
    return read_all(into);
  into.set_mptcp_sight(presence == tcp::MptcpPresence::kAbsent ? tcp::MptcpSight::kAbsent
                                                               : tcp::MptcpSight::kUnused);
  return dump_tcp(diag::bits_of(selection.states), selection.port, into);
}

// Listeners apart: they lie in a table of their own, and only of them is more wanted than comes
// unasked.
template <typename Into>
Status SockDiag::dump_tcp(std::uint32_t states, std::optional<std::uint16_t> port, Into& into) {
  return dump_part(states & diag::kListeners, diag::kMemory, port, into).and_then([&] {
    return dump_part(states & diag::kConnections, 0, port, into);
  });
}

// Both families, for AF_UNSPEC is refused; v4-mapped sockets are in the second.
template <typename Into>
Status SockDiag::dump_part(std::uint32_t states, std::uint8_t extensions,
                           std::optional<std::uint16_t> port, Into& into) {
  if (states == 0)
    return {};
  for (const Family family : kFamilies) {
    const inet_diag_req_v2 request = diag::dump_request(family, states, extensions);
    Status status =
        port ? dump(diag::port_dump_request(request, *port), into) : dump(request, into);
    if (!status)
      return status;
  }
  return {};
}

Result<tcp::MptcpSight> SockDiag::look_at_mptcp() {
  Nobody nobody;
  return dump_mptcp(diag::kConnections, 0, nobody);
}

// Asked only where there may be such connections, for a mere question may load a module. That a
// kernel reports nothing is known by the first family, and remembered for a while: a refusal after
// that comes too late, for some connections may have been taken, and is a failure.
template <typename Into>
Result<tcp::MptcpSight> SockDiag::dump_mptcp(std::uint32_t states, std::uint8_t extensions,
                                             Into& into) {
  const tcp::MptcpPresence presence = mptcp_.look();
  if (presence == tcp::MptcpPresence::kAbsent)
    return tcp::MptcpSight::kAbsent;
  if (presence == tcp::MptcpPresence::kUnused)
    return tcp::MptcpSight::kUnused;
  if (Clock::now() < mptcp_asked_again_)
    return tcp::MptcpSight::kHidden;
  const auto take = [&](const nlmsghdr& header) {
    return take_dumped(header, diag::parse_mptcp_message, into);
  };
  for (const Family family : kFamilies) {
    const Result<int> code =
        exchange(diag::mptcp_dump_request(family, states | diag::kMptcpClosed, extensions),
                 SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, kDumpingMptcp, take);
    if (!code)
      return tl::unexpected(code.error());
    if (family == kFamilies[0] && tells_nothing(*code)) {
      mptcp_asked_again_ = Clock::now() + kMptcpSilence;
      return tcp::MptcpSight::kHidden;
    }
    if (*code != 0)
      return failure(kDumpingMptcp, *code);
  }
  return tcp::MptcpSight::kSeen;
}

Status SockDiag::read_close_waits(std::vector<tcp::Quiet>& quiet) {
  QuietCollector into{quiet};
  for (const Family family : kFamilies) {
    const inet_diag_req_v2 request = diag::dump_request(family, diag::kCloseWaits, diag::kInfo);
    if (Status status = dump(request, into); !status)
      return status;
  }
  return dump_mptcp(diag::kCloseWaits, diag::kInfo, into).transform([](tcp::MptcpSight) {});
}

Result<tcp::Coverage> SockDiag::find(const tcp::Question& question, std::vector<Socket>& found) {
  if (const auto* connection = std::get_if<tcp::ConnectionQuery>(&question))
    return find_connection(*connection, found);
  if (std::holds_alternative<tcp::ListenersQuery>(question))
    return find_listeners(found).transform([] { return tcp::Coverage::kComplete; });
  return tcp::Coverage::kComplete;
}

// Cheap: the kernel keeps listeners in a table of their own.
Status SockDiag::find_listeners(std::vector<Socket>& found) {
  Collector into{found};
  for (const Family family : kFamilies) {
    const inet_diag_req_v2 request =
        diag::dump_request(family, diag::kListeners, diag::kInfo | diag::kMemory);
    if (Status status = dump(request, into); !status)
      return status;
  }
  return {};
}

// A socket bound to a device answers only to that interface, which no index carries; and unless
// all are asked, twins would go unseen. A zone, however, names the one interface there is.
Result<tcp::Coverage> SockDiag::find_connection(const tcp::ConnectionQuery& query,
                                                std::vector<Socket>& found) {
  if (query.zone != 0)
    return look_up(query, query.zone, found).transform([] { return tcp::Coverage::kComplete; });
  Status status = look_up(query, 0, found);
  const Result<std::span<const std::uint32_t>> all = interfaces_.list();
  if (!all)
    return tl::unexpected(all.error());
  const auto asked = all->first(std::min(all->size(), kMostInterfaces));
  for (auto interface = asked.begin(); status && interface != asked.end(); ++interface)
    status = look_up(query, *interface, found);
  return status.transform([&] {
    return asked.size() == all->size() ? tcp::Coverage::kComplete : tcp::Coverage::kPartial;
  });
}

// One answer: the socket, a listener that would take its segments, or ENOENT. An unbound socket
// answers to every interface; by the cookie it is seen to be one and the same.
Status SockDiag::look_up(const tcp::ConnectionQuery& query, std::uint32_t interface,
                         std::vector<Socket>& found) {
  const auto take = [&](const nlmsghdr& header) -> Outcome {
    if (header.nlmsg_type == NLMSG_ERROR)
      return {.step = Step::kDone, .code = error_code(header)};
    Socket socket;
    const diag::Parsed parsed = diag::parse_message(payload_of(header), socket);
    if (parsed == diag::Parsed::kMalformed)
      return {.step = Step::kDone, .code = EBADMSG};
    if (parsed == diag::Parsed::kSocket && diag::answers(socket, query))
      found.push_back(socket);
    return {.step = Step::kDone};
  };
  const Result<int> code =
      exchange(diag::lookup_request(query, interface), SOCK_DIAG_BY_FAMILY, 0, kLookingUp, take);
  if (!code)
    return tl::unexpected(code.error());
  return *code == 0 || *code == ENOENT ? Status() : failure(kLookingUp, *code);
}

template <typename Request, typename Into>
Status SockDiag::dump(const Request& request, Into& into) {
  const auto take = [&](const nlmsghdr& header) {
    return take_dumped(header, diag::parse_message, into);
  };
  const Result<int> code = exchange(request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, kDumping, take);
  if (!code)
    return tl::unexpected(code.error());
  return *code == 0 ? Status() : failure(kDumping, *code, *code == ENOENT ? kModuleCure : "");
}

// Asked to end a socket that cannot exist, some kernels look for it before they look at rights. So
// the rights are asked for by an option that demands the same ones and changes nothing. Where no
// socket may be made for it, nobody has said that we have them.
Status SockDiag::can_destroy() {
  const int off = TCP_REPAIR_OFF;
  if (!unused_)
    unused_ = unused_socket();
  if (!unused_)
    return is_scarcity(errno) ? failure(kDestroying, errno)
                              : failure(kDestroying, EPERM, kRightsCure);
  if (::setsockopt(unused_.get(), IPPROTO_TCP, TCP_REPAIR, &off, sizeof off) != 0)
    return failure(kDestroying, errno, errno == EPERM ? kRightsCure : "");
  tcp::SocketId nobody;
  nobody.cookie = 1;
  const Result<int> code = try_destroying(diag::destroy_request(nobody));
  if (!code)
    return tl::unexpected(code.error());
  switch (*code) {
    case 0:
    case ENOENT:
      return {};
    case EPERM:
      return failure(kDestroying, EPERM, kRightsCure);
    case EOPNOTSUPP:
      return failure(kDestroying, EOPNOTSUPP, "the kernel lacks INET_DIAG_DESTROY");
    default:
      return failure(kDestroying, *code);
  }
}

Result<tcp::Destroyed> SockDiag::destroy(const tcp::SocketId& id) {
  if (!tcp::names_one_socket(id))
    return failure("destroy a TCP socket that has no cookie", EINVAL);
  const inet_diag_req_v2 request = diag::destroy_request(id);
  Result<int> code = try_destroying(request);
  // The socket may have been ended and only the word of it lost. Asked again, by the same cookie,
  // the kernel ends it or reports it gone.
  if (!code)
    code = try_destroying(request);
  if (!code)
    return tl::unexpected(code.error());
  if (*code == 0)
    return tcp::Destroyed::kDone;
  if (*code == ENOENT)
    return tcp::Destroyed::kGone;
  return failure(kDestroying, *code);
}

// The errno of the kernel's word on it; it says nothing of success unless asked to acknowledge.
Result<int> SockDiag::try_destroying(const inet_diag_req_v2& request) {
  const auto take = [](const nlmsghdr& header) -> Outcome {
    if (header.nlmsg_type != NLMSG_ERROR)
      return {};
    return {.step = Step::kDone, .code = error_code(header)};
  };
  return exchange(request, SOCK_DESTROY, NLM_F_ACK, kDestroying, take);
}

template <typename Request, typename Take>
Result<int> SockDiag::exchange(const Request& request, std::uint16_t type, std::uint16_t flags,
                               const char* doing, Take take) {
  const std::span payload = std::as_bytes(std::span(&request, 1));
  return netlink_.ask({.type = type, .flags = flags, .payload = payload}, doing, take);
}

}  // namespace tcpmibd::kernel
