#include "kernel/own_connections.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/words.h"
#include "kernel/directory.h"

namespace tcpmibd::kernel {

namespace {

bool is_tcp(int descriptor) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

struct Name {
  tcp::InetAddress address;
  std::uint16_t port;
};

std::optional<Name> name_of(const sockaddr_storage& address) {
  tcp::Octets octets{};
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    std::memcpy(octets.data(), &in.sin_addr, sizeof in.sin_addr);
    return Name{tcp::inet_address(tcp::Family::kIpv4, octets, 0, {}), ntohs(in.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::memcpy(octets.data(), &in6.sin6_addr, sizeof in6.sin6_addr);
    return Name{tcp::inet_address(tcp::Family::kIpv6, octets, in6.sin6_scope_id, {}),
                ntohs(in6.sin6_port)};
  }
  return std::nullopt;
}

template <auto Ask>
std::optional<Name> asked(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (Ask(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return std::nullopt;
  return name_of(address);
}

std::optional<tcp::Ends> ends_of(int descriptor) {
  if (!is_tcp(descriptor))
    return std::nullopt;
  const std::optional<Name> local = asked<getsockname>(descriptor);
  const std::optional<Name> remote = asked<getpeername>(descriptor);
  if (!local || !remote)
    return std::nullopt;
  return tcp::Ends{local->address, remote->address, local->port, remote->port};
}

}  // namespace

Result<std::vector<tcp::Ends>> own_connections() {
  constexpr const char* kListing = "list our own connections in /proc/self/fd";
  std::vector<tcp::Ends> connections;
  const Directory descriptors = open_directory(AT_FDCWD, "/proc/self/fd");
  if (descriptors == nullptr)
    return failure(kListing, errno);
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(descriptors.get());
    if (entry == nullptr && errno != 0)
      return failure(kListing, errno);
    if (entry == nullptr)
      return connections;
    if (const std::optional<tcp::Ends> ends = ends_of(number<int>(entry->d_name).value_or(-1)))
      connections.push_back(*ends);
  }
}

}  // namespace tcpmibd::kernel
