#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "base/clock.h"

namespace tcpmibd::agent {

// Who is connected over a stream, from where and since when silent: how many there may be, and who
// has been idle for too long. It knows no sockets.
//
// One that has ended counts until it is removed, for its descriptor is in use as long.
class StreamPeers {
 public:
  using Key = const void*;  // whatever names a connection to the caller; never looked into

  explicit StreamPeers(const Config::Connections& limits) : limits_(limits) {}

  // Of those who are here, nobody is sent away for being too many.
  void set_limits(const Config::Connections& limits) { limits_ = limits; }

  // Why one more from `address` is one too many; none: it may come.
  std::optional<std::string> refusal(const std::string& address) const;

  void add(Key peer, std::string address, Time now);

  // It has asked for something, or waits for the answer.
  void heard(Key peer, Time now);

  void end(Key peer);
  void remove(Key peer) { peers_.erase(peer); }

  // Whether it is here and has not ended.
  bool is_open(Key peer) const;

  std::vector<Key> idle(Time now) const;
  std::vector<Key> ended() const;

  // When the next of them will have been idle for too long; none: there is nobody.
  std::optional<Time> next_idle() const;

  const std::string& address_of(Key peer) const { return peers_.at(peer).address; }
  std::size_t size() const { return peers_.size(); }

 private:
  struct Peer {
    std::string address;
    Time heard;
    bool is_open = true;
  };

  Config::Connections limits_;
  std::map<Key, Peer> peers_;
};

}  // namespace tcpmibd::agent
