#include "survey/listen_drops.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tcpmibd::tcp {

namespace {

// So that a product of two stays within 64 bits. Beyond it a Counter32 is of no use either.
constexpr std::uint64_t kMostSharedOut = std::numeric_limits<std::int32_t>::max();

// `whole` * `part` / `parts`, the nearest whole number; `part` is at most `parts`.
std::uint32_t in_proportion(std::uint64_t whole, std::uint32_t part, std::uint64_t parts) {
  return static_cast<std::uint32_t>((whole * part + parts / 2) / parts);
}

}  // namespace

LostConnections ListenDrops::observe(std::span<const ListeningSocket> sockets,
                                     const ListenDropsReading& reading) {
  LostConnections lost{.by_socket = std::vector<std::uint32_t>(sockets.size())};
  if (!reading.after)
    return lost;
  if (listen_drops_ && *reading.after >= *listen_drops_) {
    lost.kind = LostConnections::Kind::kKnown;
    lost.by_socket = share_out(sockets, reading);
  } else {
    lost.kind = LostConnections::Kind::kBaseline;
    late_ = 0;
  }
  listen_drops_ = reading.after;
  remember(sockets);
  return lost;
}

// What is left belongs to sockets that are gone, or is late. Without the reading before the dump
// any of it may be late that was counted since the look before.
std::vector<std::uint32_t> ListenDrops::share_out(std::span<const ListeningSocket> sockets,
                                                  const ListenDropsReading& reading) {
  std::vector<Claim> full;
  std::vector<Claim> others;
  for (std::size_t place = 0; place < sockets.size(); ++place) {
    const ListeningSocket& socket = sockets[place];
    const auto seen = seen_.find(socket.cookie);
    const bool is_new = seen == seen_.end();
    // Counters are 32 bits wide in the kernel, and their difference survives one that wraps.
    const Claim claim{place, socket.discards - (is_new ? 0 : seen->second.discards)};
    (is_full(socket) || (!is_new && seen->second.was_full) ? full : others).push_back(claim);
  }
  std::vector<std::uint32_t> lost(sockets.size());
  const std::uint64_t drops = *reading.after - *listen_drops_ + late_;
  const std::uint64_t left = share_out(share_out(drops, full, lost), others, lost);
  const std::uint64_t before = std::min(reading.before.value_or(*listen_drops_), *reading.after);
  late_ = std::min(left, *reading.after - before);
  return lost;
}

// Gives `drops` to those who claim them and returns what is left. Each rounding is made up for by
// the next, so that the sum is exact.
std::uint64_t ListenDrops::share_out(std::uint64_t drops, std::span<const Claim> claims,
                                     std::vector<std::uint32_t>& lost) {
  std::uint64_t claimed =
      std::accumulate(claims.begin(), claims.end(), std::uint64_t{0},
                      [](std::uint64_t sum, const Claim& claim) { return sum + claim.growth; });
  const bool enough = drops >= claimed;
  const std::uint64_t given = enough ? claimed : std::min(drops, kMostSharedOut);
  std::uint64_t rest = given;
  for (const Claim& claim : claims) {
    if (claim.growth == 0)
      continue;
    const std::uint32_t part = enough ? claim.growth : in_proportion(rest, claim.growth, claimed);
    lost[claim.place] = part;
    rest -= part;
    claimed -= claim.growth;
  }
  return drops - given;
}

void ListenDrops::remember(std::span<const ListeningSocket> sockets) {
  seen_.clear();
  for (const ListeningSocket& socket : sockets)
    seen_.emplace(socket.cookie, Seen{socket.discards, is_full(socket)});
}

}  // namespace tcpmibd::tcp
