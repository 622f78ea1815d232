#include "agent/agentx/master_address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>

#include "base/handle.h"
#include "base/words.h"

namespace tcpmibd::agent {
namespace {

constexpr std::string_view kDefaultPort = "705";  // RFC 2741, 8.1

using Addresses = UniqueHandle<addrinfo, freeaddrinfo>;

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view without_brackets(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    return host.substr(1, host.size() - 2);
  return host;
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool is_port(std::string_view text) { return number<std::uint16_t>(text).value_or(0) != 0; }

// A name, or an address with or without its zone. A colon is left in what was meant otherwise:
// "udp:localhost:705".
bool is_host(std::string_view text) {
  in6_addr address;
  const std::string literal(text.substr(0, text.find('%')));
  return !text.empty() && text.find_first_of("/, ") == std::string_view::npos &&
         (text.find(':') == std::string_view::npos ||
          ::inet_pton(AF_INET6, literal.c_str(), &address) == 1);
}

agentx::SocketAddress address_of_path(const std::string& path) {
  agentx::SocketAddress address;
  auto& to = reinterpret_cast<sockaddr_un&>(address.storage);
  to.sun_family = AF_UNIX;
  path.copy(to.sun_path, sizeof to.sun_path - 1);
  address.size = sizeof to;
  return address;
}

}  // namespace

MasterAddress::MasterAddress(std::string_view text) : text_(text) {
  const bool named_path = take_prefix(text, "unix:");
  if (named_path || text.find('/') < text.find(':')) {
    path_ = text;
    return;
  }
  if (!take_prefix(text, "tcp6:"))
    take_prefix(text, "tcp:");
  const std::size_t colon = text.rfind(':');
  if (all_digits(text)) {
    host_ = "localhost";
    port_ = text;
  } else if (colon != std::string_view::npos && all_digits(text.substr(colon + 1))) {
    host_ = without_brackets(text.substr(0, colon));
    port_ = text.substr(colon + 1);
  } else {
    host_ = without_brackets(text);
    port_ = kDefaultPort;
  }
}

bool MasterAddress::is_possible() const {
  if (is_path())
    return path_.size() < sizeof sockaddr_un{}.sun_path;
  return is_host(host_) && is_port(port_);
}

Status MasterAddress::check() const {
  if (is_possible())
    return {};
  return failure("use '" + text_ + "' as the address of an AgentX master", 0,
                 "write it as the path of a socket, /var/agentx/master or ./master, or as "
                 "tcp:HOST:PORT");
}

std::optional<std::string> MasterAddress::identity() const {
  if (!is_path())
    return host_ + ':' + port_;
  struct stat status {};
  if (::stat(path_.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))
    return std::nullopt;
  return std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino);
}

// AI_NUMERICHOST: nobody is asked.
std::optional<agentx::SocketAddress> MasterAddress::socket_address() const {
  if (is_path())
    return address_of_path(path_);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0)
    return std::nullopt;
  const Addresses addresses(found);
  agentx::SocketAddress address{.storage = {}, .size = addresses->ai_addrlen};
  std::memcpy(&address.storage, addresses->ai_addr, addresses->ai_addrlen);
  return address;
}

}  // namespace tcpmibd::agent
