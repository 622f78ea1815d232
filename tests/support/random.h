#pragma once

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tcp/socket.h"

// Chance, and sockets made by it.

namespace tcpmibd::lab {

// TCPMIBD_TEST_SEED in the environment repeats a run: `SCOPED_TRACE(random.text())` makes every
// failure tell its seed.
class Random {
 public:
  Random() : seed_(chosen_seed()), engine_(seed_) {}

  std::string text() const { return "TCPMIBD_TEST_SEED=" + std::to_string(seed_); }

  // 0 to `limit` - 1.
  std::uint32_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(
        0, static_cast<std::uint32_t>(limit) - 1)(engine_);
  }
  std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }
  std::uint64_t long_bits() { return engine_(); }
  bool chance(unsigned percent) { return below(100) < percent; }

  template <typename T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }
  template <typename T>
  const T& one_of(const std::vector<T>& choices) {
    return choices[below(choices.size())];
  }

 private:
  static std::uint64_t chosen_seed() {
    if (const char* seed = std::getenv("TCPMIBD_TEST_SEED"))
      return std::strtoull(seed, nullptr, 10);
    return std::random_device()();
  }

  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

// Octets on which wrong comparisons stumble: signs, bytes in the wrong order, text.
inline std::uint8_t random_octet(Random& random) {
  return random.one_of<std::uint8_t>({0, 1, 2, 9, 10, 100, 127, 128, 200, 254, 255});
}

inline std::uint16_t random_port(Random& random) {
  return random.one_of<std::uint16_t>({0, 1, 22, 80, 255, 256, 443, 8080, 32768, 65535});
}

// Few values, so that rows collide and share prefixes; now and then any.
inline tcp::Octets random_address(Random& random, tcp::Family family) {
  tcp::Octets octets{};
  if (family == tcp::Family::kIpv4) {
    octets[0] = random_octet(random);
    octets[3] = random_octet(random);
    return octets;
  }
  octets[15] = random_octet(random);
  switch (random.below(6)) {
    case 0:
      break;  // ::x
    case 1:
      octets[0] = 0xfe, octets[1] = random.one_of<std::uint8_t>({0x80, 0xbf});
      break;
    case 2:
      octets[10] = octets[11] = 0xff, octets[12] = random_octet(random);
      break;
    case 3:
      octets[0] = 0xfe, octets[1] = 0xc0;
      break;
    case 4:
      octets[0] = 0x20, octets[1] = 0x01, octets[8] = random_octet(random);
      break;
    default:
      for (std::uint8_t& octet : octets)
        octet = static_cast<std::uint8_t>(random.bits());
  }
  return octets;
}

// A socket such as a kernel could have: both ends of one protocol, a listener without a peer, a
// link-local end only with its link.
inline tcp::Socket random_socket(Random& random) {
  const auto family = random.one_of({tcp::Family::kIpv4, tcp::Family::kIpv6});
  tcp::Socket socket;
  socket.id.family = family;
  socket.id.interface = random.one_of<std::uint32_t>({0, 1, 2, 10, 256, 300, 0xffffffff});
  socket.id.cookie = random.long_bits() | 1;
  socket.id.local = {random_address(random, family), random_port(random)};
  socket.state = static_cast<tcp::State>(1 + random.below(tcp::kStateCount));
  socket.v6only = random.chance(50);
  socket.inode = random.one_of<std::uint32_t>({0, 0, 1, 2, 3, 99, 4294967295});
  socket.cgroup = random.one_of<std::uint64_t>({0, 1, 2, 10, 11, 0x1'0000'0001});
  if (socket.state == tcp::State::kListen)
    return socket;
  const auto mapped = [&](const tcp::Endpoint& end) {
    return family == tcp::Family::kIpv6 && end.address[10] == 0xff && end.address[11] == 0xff &&
           end.address[0] == 0;
  };
  do {
    socket.id.remote = {random_address(random, family),
                        random.one_of<std::uint16_t>({1, 80, 255, 256, 5000, 65535})};
  } while (mapped(socket.id.local) != mapped(socket.id.remote));
  return socket;
}

inline std::vector<tcp::Socket> random_sockets(Random& random, std::size_t count) {
  std::vector<tcp::Socket> sockets;
  for (std::size_t i = 0; i < count; ++i)
    sockets.push_back(random_socket(random));
  return sockets;
}

}  // namespace tcpmibd::lab
