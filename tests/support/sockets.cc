#include "support/sockets.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>
#include <initializer_list>
#include <vector>

#include "support/trouble.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace tcpmibd::lab {
namespace {

constexpr int kPatienceInMilliseconds = 5000;
constexpr int kQuietInMilliseconds = 100;

// A socket address of either family as the kernel takes it.
struct KernelAddress {
  sockaddr_in6 storage{};  // The larger one.
  socklen_t length = sizeof storage;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

KernelAddress kernel_address(const End& end) {
  KernelAddress address;
  if (end.octets.size() == 4) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(end.port);
    std::memcpy(&v4.sin_addr, end.octets.data(), 4);
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.length = sizeof v4;
    return address;
  }
  address.storage.sin6_family = AF_INET6;
  address.storage.sin6_port = htons(end.port);
  address.storage.sin6_scope_id = end.zone;
  std::memcpy(&address.storage.sin6_addr, end.octets.data(), end.octets.size());
  return address;
}

End end_from(const KernelAddress& address) {
  End end;
  if (address.storage.sin6_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    end.octets.resize(4);
    std::memcpy(end.octets.data(), &v4.sin_addr, 4);
    end.port = ntohs(v4.sin_port);
    return end;
  }
  end.octets.resize(16);
  std::memcpy(end.octets.data(), &address.storage.sin6_addr, 16);
  end.zone = address.storage.sin6_scope_id;
  end.port = ntohs(address.storage.sin6_port);
  return end;
}

void set(const TcpSocket& socket, int level, int option, int value, const std::string& name) {
  check(::setsockopt(socket.get(), level, option, &value, sizeof value), "set " + name);
}

void bind_to_device(const TcpSocket& socket, const std::string& device) {
  if (!device.empty())
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                       static_cast<socklen_t>(device.size())),
          "bind to device " + device);
}

TcpSocket open_socket(const End& end, bool mptcp = false) {
  const int family = end.octets.size() == 4 ? AF_INET : AF_INET6;
  const int protocol = mptcp ? IPPROTO_MPTCP : 0;
  return TcpSocket(FileDescriptor(check(
      ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), "open a socket")));
}

void bind_to(const TcpSocket& socket, const End& end) {
  KernelAddress address = kernel_address(end);
  check(::bind(socket.get(), address.get(), address.length), "bind " + text(end));
}

// False when nothing of `events` came within the time.
bool await(const TcpSocket& socket, short events, int timeout_ms) {
  pollfd ready{.fd = socket.get(), .events = events, .revents = 0};
  return check(::poll(&ready, 1, timeout_ms), "poll a socket") > 0;
}

void must_await(const TcpSocket& socket, short events, const std::string& what) {
  if (!await(socket, events, kPatienceInMilliseconds))
    throw Trouble("waited in vain for " + what);
}

using Octets = std::vector<std::uint8_t>;

void append(Octets& octets, std::initializer_list<std::uint16_t> words) {
  for (const std::uint16_t word : words) {
    octets.push_back(static_cast<std::uint8_t>(word >> 8));
    octets.push_back(static_cast<std::uint8_t>(word));
  }
}

void append(Octets& octets, const Octets& more) {
  octets.insert(octets.end(), more.begin(), more.end());
}

// RFC 1071, of an even number of octets.
std::uint16_t internet_checksum(const Octets& octets) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2)
    sum += static_cast<std::uint32_t>(octets[i]) << 8 | octets[i + 1];
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// RFC 9293, 3.1: a TCP header without options, its checksum over the pseudo-header.
Octets syn_segment(const End& from, const End& to) {
  constexpr std::uint16_t kSequence = 1000;
  constexpr std::uint16_t kFiveWordsAndSyn = 0x5002;
  constexpr std::uint16_t kWindow = 64240;
  constexpr std::size_t kChecksumAt = 16;
  Octets segment;
  append(segment, {from.port, to.port, 0, kSequence, 0, 0, kFiveWordsAndSyn, kWindow, 0, 0});
  Octets covered;
  append(covered, from.octets);
  append(covered, to.octets);
  append(covered, {IPPROTO_TCP, static_cast<std::uint16_t>(segment.size())});
  append(covered, segment);
  const std::uint16_t checksum = internet_checksum(covered);
  segment[kChecksumAt] = static_cast<std::uint8_t>(checksum >> 8);
  segment[kChecksumAt + 1] = static_cast<std::uint8_t>(checksum);
  return segment;
}

// RFC 791; the kernel fills in length and checksum.
Octets ipv4_packet(const End& from, const End& to, const Octets& segment) {
  constexpr std::uint16_t kVersionAndLength = 0x4500;
  constexpr std::uint16_t kHopsAndProtocol = 64 << 8 | IPPROTO_TCP;
  Octets packet;
  append(packet, {kVersionAndLength, 0, 0, 0, kHopsAndProtocol, 0});
  append(packet, from.octets);
  append(packet, to.octets);
  append(packet, segment);
  return packet;
}

// A wildcard listener for both families has no address to tell.
bool takes_both_families(const TcpSocket& socket) {
  int only_v6 = 1;
  socklen_t size = sizeof only_v6;
  ::getsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &size);
  return only_v6 == 0;
}

}  // namespace

End TcpSocket::local() const {
  KernelAddress address;
  check(::getsockname(get(), address.get(), &address.length), "tell a socket's address");
  End end = end_from(address);
  if (end.octets == std::vector<std::uint8_t>(16) && takes_both_families(*this))
    end.octets.clear();
  return end;
}

End TcpSocket::remote() const {
  KernelAddress address;
  check(::getpeername(get(), address.get(), &address.length), "tell a socket's peer");
  return end_from(address);
}

ino_t TcpSocket::inode() const {
  struct stat status {};
  check(::fstat(get(), &status), "stat a socket");
  return status.st_ino;
}

std::uint64_t TcpSocket::cookie() const {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  check(::getsockopt(get(), SOL_SOCKET, SO_COOKIE, &cookie, &size), "tell a socket's cookie");
  return cookie;
}

void TcpSocket::send(std::string_view text) const {
  check(::send(get(), text.data(), text.size(), MSG_NOSIGNAL), "send");
}

void TcpSocket::fill() const {
  const std::string piece(4096, 'x');
  while (await(*this, POLLOUT, kQuietInMilliseconds)) {
    if (::send(get(), piece.data(), piece.size(), MSG_NOSIGNAL) < 0 && errno != EAGAIN)
      check(-1, "fill a socket");
  }
}

std::string TcpSocket::receive(std::size_t length) const {
  must_await(*this, POLLIN, "data");
  std::string text(length, '\0');
  text.resize(static_cast<std::size_t>(check(::recv(get(), text.data(), length, 0), "receive")));
  return text;
}

void TcpSocket::drain() const {
  while (!receive(64 * 1024).empty()) {
  }
}

void TcpSocket::await_fin() const { must_await(*this, POLLRDHUP, "the other end's FIN"); }

void TcpSocket::shutdown_write() const { check(::shutdown(get(), SHUT_WR), "shut down"); }

void TcpSocket::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  check(::setsockopt(get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "set SO_LINGER");
  close();
}

std::optional<std::string> mptcp_skip_reason() {
  if (const auto& reason = Namespace::skip_reason())
    return reason;
  const Namespace space;  // net.mptcp.enabled has its default there.
  const FileDescriptor socket(
      space.run([] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP); }));
  return socket ? std::nullopt : std::optional<std::string>("this kernel has no MPTCP");
}

TcpSocket listen_on(const Namespace& space, const std::string& at, const ListenOptions& options) {
  return space.run([&] {
    const End end = end_of(at);
    TcpSocket socket = open_socket(end, options.mptcp);
    set(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    if (end.octets.size() == 16)
      set(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6, "IPV6_V6ONLY");
    if (options.reuse_port)
      set(socket, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT");
    if (options.receive_buffer > 0)
      set(socket, SOL_SOCKET, SO_RCVBUF, options.receive_buffer, "SO_RCVBUF");
    if (options.defer_accept > 0)
      set(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, options.defer_accept, "TCP_DEFER_ACCEPT");
    if (options.fast_open)
      set(socket, IPPROTO_TCP, TCP_FASTOPEN, 16, "TCP_FASTOPEN");
    bind_to_device(socket, options.device);
    bind_to(socket, end);
    check(::listen(socket.get(), options.backlog), "listen on " + at);
    return socket;
  });
}

TcpSocket bind_only(const Namespace& space, const std::string& at) {
  return space.run([&] {
    TcpSocket socket = open_socket(end_of(at));
    bind_to(socket, end_of(at));
    return socket;
  });
}

TcpSocket start_connecting(const Namespace& space, const std::string& to,
                           const ConnectOptions& options) {
  return space.run([&] {
    const End end = end_of(to);
    TcpSocket socket = open_socket(end, options.mptcp);
    if (options.send_buffer > 0)
      set(socket, SOL_SOCKET, SO_SNDBUF, options.send_buffer, "SO_SNDBUF");
    bind_to_device(socket, options.device);
    if (!options.from.empty())
      bind_to(socket, end_of(options.from));
    KernelAddress address = kernel_address(end);
    if (::connect(socket.get(), address.get(), address.length) != 0 && errno != EINPROGRESS)
      check(-1, "connect to " + to);
    return socket;
  });
}

TcpSocket start_fast_connecting(const Namespace& space, const std::string& to,
                                std::string_view data) {
  return space.run([&] {
    TcpSocket socket = open_socket(end_of(to));
    KernelAddress address = kernel_address(end_of(to));
    const ssize_t sent = ::sendto(socket.get(), data.data(), data.size(),
                                  MSG_FASTOPEN | MSG_NOSIGNAL, address.get(), address.length);
    if (sent < 0 && errno != EINPROGRESS)
      check(-1, "connect with data to " + to);
    return socket;
  });
}

TcpSocket start_connecting_with_first_data(const Namespace& space, const std::string& to) {
  return space.run([&] {
    TcpSocket socket = open_socket(end_of(to));
    set(socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1, "TCP_FASTOPEN_CONNECT");
    set(socket, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1, "TCP_FASTOPEN_NO_COOKIE");
    KernelAddress address = kernel_address(end_of(to));
    check(::connect(socket.get(), address.get(), address.length), "connect to " + to);
    return socket;
  });
}

TcpSocket repaired(const Ends& ends) {
  TcpSocket socket = open_socket(ends.local);
  // Instead of SO_REUSEADDR, which would undo the forced reuse of the port.
  set(socket, IPPROTO_TCP, TCP_REPAIR, 1, "TCP_REPAIR");
  bind_to(socket, ends.local);
  KernelAddress address = kernel_address(ends.remote);
  check(::connect(socket.get(), address.get(), address.length), "connect " + text(ends.remote));
  return socket;
}

TcpSocket connect_to(const Namespace& space, const std::string& to, const ConnectOptions& options) {
  TcpSocket socket = start_connecting(space, to, options);
  must_await(socket, POLLOUT, "an answer of " + to);
  int fault = 0;
  socklen_t size = sizeof fault;
  check(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &fault, &size), "read SO_ERROR");
  errno = fault;
  check(fault == 0 ? 0 : -1, "connect to " + to);
  return socket;
}

TcpSocket accept_from(const TcpSocket& listener) {
  must_await(listener, POLLIN, "a client");
  return TcpSocket(FileDescriptor(
      check(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC), "accept")));
}

void send_syn(const Namespace& space, const std::string& from, const std::string& to) {
  space.run([&] {
    const FileDescriptor raw(
        check(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), "open a raw socket"));
    const Octets packet =
        ipv4_packet(end_of(from), end_of(to), syn_segment(end_of(from), end_of(to)));
    KernelAddress address = kernel_address(end_of(to));
    check(::sendto(raw.get(), packet.data(), packet.size(), 0, address.get(), address.length),
          "send a SYN to " + to);
  });
}

}  // namespace tcpmibd::lab
