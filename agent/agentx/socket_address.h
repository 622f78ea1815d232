#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace tcpmibd::agent::agentx {

// Where a stream socket is connected to.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

}  // namespace tcpmibd::agent::agentx
