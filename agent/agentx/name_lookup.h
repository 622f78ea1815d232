#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/agentx/socket_address.h"

namespace tcpmibd::agent::agentx {

// The addresses of a host, looked up without waiting: by a thread of the C library's
// (getaddrinfo_a(3)), which is left to itself when nobody wants the answer any more.
class NameLookup {
 public:
  // Begins.
  NameLookup(const std::string& host, const std::string& port);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  // None while it goes on; empty when there is no such host, or nobody to ask.
  std::optional<std::vector<SocketAddress>> addresses() const;

 private:
  struct Request;

  static std::vector<std::unique_ptr<Request>>& abandoned();

  std::unique_ptr<Request> request_;
};

}  // namespace tcpmibd::agent::agentx
