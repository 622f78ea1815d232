#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/agentx/socket_address.h"
#include "base/error.h"

namespace tcpmibd::agent {

// Where an AgentX master listens, as `snmpd -x` takes it: a path, which has a slash, unix:PATH,
// tcp:HOST:PORT, tcp6:[HOST]:PORT, HOST:PORT or PORT.
class MasterAddress {
 public:
  explicit MasterAddress(std::string_view text);

  const std::string& text() const { return text_; }

  // Whether both name one place, perhaps in other words: "705" and "tcp:localhost:705".
  bool is_place_of(const MasterAddress& other) const {
    return path_ == other.path_ && host_ == other.host_ && port_ == other.port_;
  }

  // What distinguishes this master from others: "device:inode" of its socket or "host:port". None
  // while there is no socket.
  std::optional<std::string> identity() const;

  // Whether a master can be there at all: an address that nobody can listen on is a mistake.
  Status check() const;

  // None: the master is on a host.
  std::optional<std::string> path() const {
    return is_path() ? std::optional(path_) : std::nullopt;
  }

  // Where to connect to, if that is known without asking anybody: of a path and of a host that is
  // given as an address. Of an address that check() has found possible.
  std::optional<agentx::SocketAddress> socket_address() const;

  // Of a master on a host.
  const std::string& host() const { return host_; }
  const std::string& port() const { return port_; }

 private:
  bool is_path() const { return !path_.empty(); }
  bool is_possible() const;

  std::string text_;
  std::string path_;  // of a socket; empty: a host
  std::string host_, port_;
};

}  // namespace tcpmibd::agent
