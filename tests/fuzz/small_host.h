#pragma once

#include <cstdint>
#include <vector>

#include "support/builders.h"

namespace tcpmibd::fuzz {

// A small host with rows of every kind.
inline const lab::Host& small_host() {
  static const lab::Host kHost = [] {
    std::vector<tcp::Socket> sockets;
    std::uint64_t cookie = 0;
    for (std::uint8_t i = 0; i < 24; ++i) {
      tcp::Socket socket;
      socket.id.cookie = ++cookie;
      socket.id.family = i % 2 == 0 ? tcp::Family::kIpv4 : tcp::Family::kIpv6;
      socket.id.interface = i % 3;
      socket.id.local.address[0] = i % 5 == 3 ? 0xfe : i;
      socket.id.local.address[1] = i % 5 == 3 ? 0x80 : 0;
      socket.id.local.port = static_cast<std::uint16_t>(i * 2771);
      socket.id.remote.address[3] = i;
      socket.id.remote.port = i;
      socket.state = i % 4 == 0 ? tcp::State::kListen : tcp::State::kEstablished;
      socket.cgroup = i % 7;
      socket.inode = i % 6;
      if (i % 8 == 0)
        socket.id.local.address = {};
      sockets.push_back(socket);
    }
    return lab::Host(sockets, {}, "Tcp: InSegs\nTcp: 1\n");
  }();
  return kHost;
}

}  // namespace tcpmibd::fuzz
