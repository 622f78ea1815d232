#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::agent {

// Where an AgentX master listens, as `snmpd -x` takes it: a path, unix:PATH, tcp:HOST:PORT,
// tcp6:[HOST]:PORT, HOST:PORT or PORT.
class MasterAddress {
 public:
  explicit MasterAddress(std::string_view text);

  const std::string& text() const { return text_; }

  // What tells this master from others: "device:inode" of its socket or "host:port". None while
  // there is no socket.
  std::optional<std::string> identity() const;

  // Whether a master can be there at all: an address that nobody can listen on is a mistake.
  Status check() const;

  // None: the master is on a host.
  std::optional<std::string> path() const {
    return is_path() ? std::optional(path_) : std::nullopt;
  }

  // A stream to whoever listens there; the error has its cure. Waits half a second at most.
  Result<FileDescriptor> connect() const;

  // Connects and leaves again: why the library cannot, which it does not say itself, and what to
  // do about it. Waits half a second at most.
  Status probe() const;

 private:
  bool is_path() const { return !path_.empty(); }
  bool is_possible() const;
  Result<FileDescriptor> connect_path() const;
  Result<FileDescriptor> connect_host() const;

  std::string text_;
  std::string path_;  // of a socket; empty: a host
  std::string host_, port_;
};

}  // namespace tcpmibd::agent
