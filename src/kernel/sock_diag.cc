#include "kernel/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

  void add(const Socket& socket) { quiet.push_back({socket.id.cookie, socket.quiet_ms}); }
  void add_unknown() {}
};

constexpr Family kFamilies[] = {Family::kIpv4, Family::kIpv6};

// A block of a dump is at most some 32.3 KB, whatever room it is offered.
constexpr std::size_t kBufferSize = 64 * 1024;

// The kernel answers a request at once or never; without a limit a lost answer would hang us.
constexpr int kAnswerTimeoutMs = 5000;

// So many interfaces are asked one by one.
constexpr std::size_t kMostInterfaces = 64;

constexpr const char* kDumping = "read the kernel's TCP sockets (sock_diag)";
constexpr const char* kLookingUp = "look up one TCP socket (sock_diag)";
constexpr const char* kDestroying = "destroy a TCP socket (sock_diag)";

constexpr const char* kRightsCure = "grant CAP_NET_ADMIN, and sockets of AF_INET";
constexpr const char* kModuleCure =
    "the kernel needs the modules inet_diag and tcp_diag: modprobe tcp_diag";

enum class Step { kGoOn, kDone };

// What one block of answers told.
struct Outcome {
  Step step = Step::kGoOn;
  int code = 0;  // errno of the kernel's refusal
};

// errno as the kernel sent it: libnl folds several into one code of its own.
int error_code(const nlmsghdr& header) {
  if (header.nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr)))
    return EBADMSG;
  nlmsgerr error;
  std::memcpy(&error, NLMSG_DATA(&header), sizeof error);
  return -error.error;
}

diag::Bytes payload_of(const nlmsghdr& header) {
  return {static_cast<const std::byte*>(NLMSG_DATA(&header)),
          header.nlmsg_len - std::size_t{NLMSG_HDRLEN}};
}

// Calls `visit(header)` for each whole message of a block until one ends the exchange. Messages of
// an earlier, abandoned exchange bear another sequence number and are passed over.
template <typename Visit>
Outcome for_each_message(diag::Bytes block, std::uint32_t sequence, Visit visit) {
  auto* header = reinterpret_cast<const nlmsghdr*>(block.data());
  int rest = static_cast<int>(block.size());
  while (nlmsg_ok(header, rest) != 0) {
    if (header->nlmsg_seq == sequence) {
      const Outcome outcome = visit(*header);
      if (outcome.step == Step::kDone)
        return outcome;
    }
    header = nlmsg_next(const_cast<nlmsghdr*>(header), &rest);
  }
  // A message longer than the block that holds it was cut on its way.
  if (rest >= static_cast<int>(sizeof(nlmsghdr)))
    return {.step = Step::kDone, .code = EBADMSG};
  return {};
}

// A dump ends with a word about itself: 0, or why it was broken off.
int done_code(const nlmsghdr& header) {
  int code = 0;
  if (header.nlmsg_len >= NLMSG_LENGTH(sizeof code))
    std::memcpy(&code, NLMSG_DATA(&header), sizeof code);
  return -code;
}

template <typename Into>
Outcome take_dumped(const nlmsghdr& header, Into& into) {
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
  switch (diag::parse_message(payload_of(header), socket)) {
    case diag::Parsed::kSocket:
      into.add(socket);
      break;
    case diag::Parsed::kUnknownState:
      into.add_unknown();
      break;
    case diag::Parsed::kMalformed:
      return {.step = Step::kDone, .code = EBADMSG};
  }
  return {};
}

}  // namespace

void SockDiag::FreeSocket::operator()(nl_sock* socket) const { nl_socket_free(socket); }

Result<std::unique_ptr<SockDiag>> SockDiag::open() {
  NlSocket socket(nl_socket_alloc());
  if (socket == nullptr)
    return failure("open a netlink socket", ENOMEM);
  // An acknowledgement of a look-up would stay unread and spoil the next exchange.
  nl_socket_disable_auto_ack(socket.get());
  if (const int code = nl_connect(socket.get(), NETLINK_SOCK_DIAG); code < 0)
    return failure("open a netlink socket for sock_diag", errno, kModuleCure);
  Result<Interfaces> interfaces = Interfaces::open();
  if (!interfaces)
    return tl::unexpected(interfaces.error());
  return std::unique_ptr<SockDiag>(new SockDiag(std::move(socket), std::move(*interfaces)));
}

SockDiag::SockDiag(NlSocket socket, Interfaces interfaces)
    : socket_(std::move(socket)),
      interfaces_(std::move(interfaces)),
      unused_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP)),
      buffer_(kBufferSize) {}

Status SockDiag::read_all(SnapshotBuilder& into) {
  // Both families, for AF_UNSPEC is refused; v4-mapped sockets are in the second. Listeners apart:
  // they lie in a table of their own, and only of them is more wanted than comes unasked.
  for (const Family family : kFamilies) {
    Status status = dump(diag::dump_request(family, diag::kListeners, diag::kMemory), into);
    if (status)
      status = dump(diag::dump_request(family, diag::kConnections), into);
    if (!status)
      return status;
  }
  return {};
}

Status SockDiag::read_close_waits(std::vector<tcp::Quiet>& quiet) {
  QuietCollector into{quiet};
  for (const Family family : kFamilies) {
    const inet_diag_req_v2 request = diag::dump_request(family, diag::kCloseWaits, diag::kInfo);
    if (Status status = dump(request, into); !status)
      return status;
  }
  return {};
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
  const std::span<const std::uint32_t> all = interfaces_.list();
  const auto asked = all.first(std::min(all.size(), kMostInterfaces));
  for (auto interface = asked.begin(); status && interface != asked.end(); ++interface)
    status = look_up(query, *interface, found);
  return status.transform([&] {
    return asked.size() == all.size() ? tcp::Coverage::kComplete : tcp::Coverage::kPartial;
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
    if (diag::parse_message(payload_of(header), socket) == diag::Parsed::kSocket &&
        diag::answers(socket, query))
      found.push_back(socket);
    return {.step = Step::kDone};
  };
  const Result<int> code =
      exchange(diag::lookup_request(query, interface), SOCK_DIAG_BY_FAMILY, 0, kLookingUp, take);
  if (!code)
    return tl::unexpected(code.error());
  return *code == 0 || *code == ENOENT ? Status() : failure(kLookingUp, *code);
}

template <typename Into>
Status SockDiag::dump(const inet_diag_req_v2& request, Into& into) {
  const auto take = [&](const nlmsghdr& header) { return take_dumped(header, into); };
  const Result<int> code = exchange(request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, kDumping, take);
  if (!code)
    return tl::unexpected(code.error());
  return *code == 0 ? Status() : failure(kDumping, *code, *code == ENOENT ? kModuleCure : "");
}

// Asked to end a socket that cannot exist, some kernels look for it before they look at rights. So
// the rights are asked for by an option that demands the same ones and changes nothing. Where no
// socket could be made for it, nobody has said that we have them.
Status SockDiag::can_destroy() {
  const int off = TCP_REPAIR_OFF;
  if (!unused_)
    return failure(kDestroying, EPERM, kRightsCure);
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
  const Result<int> code = try_destroying(diag::destroy_request(id));
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

template <typename Take>
Result<int> SockDiag::exchange(const inet_diag_req_v2& request, std::uint16_t type, int flags,
                               const char* doing, Take take) {
  const Result<std::uint32_t> sequence = send(request, type, flags, doing);
  if (!sequence)
    return tl::unexpected(sequence.error());
  while (true) {
    const Result<diag::Bytes> block = receive(doing);
    if (!block)
      return tl::unexpected(block.error());
    const Outcome outcome = for_each_message(*block, *sequence, take);
    if (outcome.step == Step::kDone)
      return outcome.code;
  }
}

Result<std::uint32_t> SockDiag::send(const inet_diag_req_v2& request, std::uint16_t type, int flags,
                                     const char* doing) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message{};
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = type;
  message.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  message.header.nlmsg_seq = nl_socket_use_seq(socket_.get());
  message.request = request;
  if (nl_sendto(socket_.get(), &message, sizeof message) < 0)
    return failure(doing, errno);
  return message.header.nlmsg_seq;
}

// One block of messages. Read into one buffer of ours: the library's own receive would allocate
// and peek for each block.
Result<diag::Bytes> SockDiag::receive(const char* doing) {
  const int descriptor = nl_socket_get_fd(socket_.get());
  while (true) {
    iovec room{.iov_base = buffer_.data(), .iov_len = buffer_.size()};
    sockaddr_nl sender{};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    const ssize_t size = ::recvmsg(descriptor, &message, MSG_DONTWAIT);
    if (size >= 0 && sender.nl_pid != 0)
      continue;  // Another process may send us datagrams; only the kernel is heard.
    if (size >= 0 && (message.msg_flags & MSG_TRUNC) != 0)
      return failure(doing, EMSGSIZE);
    if (size >= 0)
      return diag::Bytes(buffer_.data(), static_cast<std::size_t>(size));
    if (errno == EAGAIN && ::poll(&waiting, 1, kAnswerTimeoutMs) == 0)
      return failure(doing, ETIMEDOUT);
    if (errno != EAGAIN && errno != EINTR)
      return failure(doing, errno);
  }
}

}  // namespace tcpmibd::kernel
