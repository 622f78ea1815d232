#include "agent/netsnmp/stream_peers.h"

#include <algorithm>
#include <utility>

namespace tcpmibd::agent {

std::optional<std::string> StreamPeers::refusal(const std::string& address) const {
  const auto from_there = std::ranges::count_if(
      peers_, [&](const auto& each) { return each.second.address == address; });
  if (static_cast<std::size_t>(from_there) >= limits_.each)
    return std::to_string(from_there) + " are open from there (standalone.tcp-connections-each)";
  if (peers_.size() >= limits_.most)
    return std::to_string(peers_.size()) + " are open (standalone.tcp-connections)";
  return std::nullopt;
}

void StreamPeers::add(Key peer, std::string address, Time now) {
  peers_.insert_or_assign(peer, Peer{.address = std::move(address), .heard = now});
}

void StreamPeers::heard(Key peer, Time now) {
  if (const auto found = peers_.find(peer); found != peers_.end())
    found->second.heard = now;
}

void StreamPeers::end(Key peer) {
  if (const auto found = peers_.find(peer); found != peers_.end())
    found->second.is_open = false;
}

bool StreamPeers::is_open(Key peer) const {
  const auto found = peers_.find(peer);
  return found != peers_.end() && found->second.is_open;
}

std::vector<StreamPeers::Key> StreamPeers::idle(Time now) const {
  std::vector<Key> idle;
  for (const auto& [key, peer] : peers_) {
    if (peer.is_open && now - peer.heard >= limits_.idle)
      idle.push_back(key);
  }
  return idle;
}

std::vector<StreamPeers::Key> StreamPeers::ended() const {
  std::vector<Key> ended;
  for (const auto& [key, peer] : peers_) {
    if (!peer.is_open)
      ended.push_back(key);
  }
  return ended;
}

std::optional<Time> StreamPeers::next_idle() const {
  std::optional<Time> next;
  for (const auto& [key, peer] : peers_) {
    const Time end = peer.heard + limits_.idle;
    if (peer.is_open && (!next || end < *next))
      next = end;
  }
  return next;
}

}  // namespace tcpmibd::agent
