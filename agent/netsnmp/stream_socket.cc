#include "agent/netsnmp/stream_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "agent/netsnmp/message_size.h"

namespace tcpmibd::agent {
namespace {

// The kernel counts what keeps the octets, too: up to twice as much in small segments. It doubles
// what is asked for, and stops at net.core.wmem_max.
constexpr int kSendBuffer = 4 * kLongestMessage;

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address, text.data(), text.size());
  return text.data();
}

std::string text_of(const sockaddr_in6& peer) {
  constexpr std::size_t kMappedPrefix = 12;
  if (IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr))
    return text_of(AF_INET, &peer.sin6_addr.s6_addr[kMappedPrefix]);
  const std::string address = text_of(AF_INET6, &peer.sin6_addr);
  return peer.sin6_scope_id == 0 ? address : address + '%' + std::to_string(peer.sin6_scope_id);
}

}  // namespace

void never_wait(int socket) { ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK); }

std::string peer_address(int socket) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0)
    return "an unknown address";
  switch (peer.ss_family) {
    case AF_INET:
      return text_of(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr);
    case AF_INET6:
      return text_of(reinterpret_cast<const sockaddr_in6&>(peer));
    default:
      return "a local socket";
  }
}

void prepare_stream(int socket) {
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  ::fcntl(socket, F_SETFD, FD_CLOEXEC);
}

bool is_readable(int socket) {
  pollfd look{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&look, 1, 0) > 0;
}

bool send_whole(int socket, std::span<const std::byte> message) {
  ssize_t sent = -1;
  do
    sent = ::send(socket, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0 && static_cast<std::size_t>(sent) == message.size();
}

// Otherwise the kernel would try on for minutes.
void forget_unread(int socket) {
  constexpr linger kReset{.l_onoff = 1, .l_linger = 0};
  int octets = 0;
  if (::ioctl(socket, TIOCOUTQ, &octets) == 0 && octets > 0)
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &kReset, sizeof kReset);
}

void silence(int socket, int silent) { ::dup3(silent, socket, O_CLOEXEC); }

}  // namespace tcpmibd::agent
