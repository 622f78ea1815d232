#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "tcp/snapshot.h"

namespace tcpmibd::tcp {

// Whether the next connection finds no room. Linux lets one more wait than the backlog says, and
// one in any case.
inline bool is_full(const ListeningSocket& socket) {
  return socket.queue > 0 && socket.queue >= socket.backlog;
}

// ListenDrops of TcpExt in the network namespace, before and after a dump of its sockets. None: the
// kernel did not report it.
struct ListenDropsReading {
  std::optional<std::uint64_t> before;
  std::optional<std::uint64_t> after;
};

// What listening sockets lost from one observation to the next.
struct LostConnections {
  enum class Kind : std::uint8_t {
    kUnknown,  // ListenDrops was not reported: the next observation that knows it covers both times
    kBaseline,  // the first, or ListenDrops has fallen: there is nothing to compare with
    kKnown,
  };

  Kind kind = Kind::kUnknown;
  std::vector<std::uint32_t> by_socket{};  // in the order of the sockets; 0 each unless kKnown
};

// Shares out among listening sockets the connections that the kernel counts for all of them
// together.
//
// tcp_listendrop() of <net/tcp.h> counts each twice: in ListenDrops of the namespace, and in the
// socket's own counter (SK_MEMINFO_DROPS), which also grows for segments whose loss harms nobody.
// So no socket is given more than its own counter grew, and all together no more than ListenDrops
// did. Sockets whose accept queue was full, now or at the observation before, come first; among
// those that come together each gets its part in proportion to the growth of its own counter.
//
// Why it is so, and what it cannot know, stands in docs/decisions/0024-lost-connections-by-port.md.
class ListenDrops {
 public:
  // Dumps in the order in which they were made. A socket that was not there before has grown by all
  // that it covers.
  LostConnections observe(std::span<const ListeningSocket> sockets,
                          const ListenDropsReading& reading);

 private:
  struct Seen {
    std::uint32_t discards;
    bool was_full;
  };

  // What a socket may be given at most.
  struct Claim {
    std::size_t place;
    std::uint32_t growth;
  };

  static std::uint64_t share_out(std::uint64_t drops, std::span<const Claim> claims,
                                 std::vector<std::uint32_t>& lost);

  std::vector<std::uint32_t> share_out(std::span<const ListeningSocket> sockets,
                                       const ListenDropsReading& reading);
  void remember(std::span<const ListeningSocket> sockets);

  std::unordered_map<std::uint64_t, Seen> seen_;  // by cookie, at the last observation that knew
  std::optional<std::uint64_t> listen_drops_;     // after it
  // Of those, what nobody was given though it was counted while the dump was made, or after it: the
  // own counters that belong to it may have been read before. Where it is not known when the dump
  // began, since the observation before.
  std::uint64_t late_ = 0;
};

}  // namespace tcpmibd::tcp
