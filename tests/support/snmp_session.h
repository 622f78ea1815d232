#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/netns.h"
#include "support/snmp_client.h"

namespace tcpmibd::lab {

// A manager of SNMPv2c that keeps its socket, for thousands of requests in a row; Manager starts a
// program for each.
class SnmpSession {
 public:
  SnmpSession(const Namespace& space, const std::string& address, const std::string& community);

  // The error as Manager tells it, empty: none. INTEGER only.
  std::string set(const std::vector<SetRequest>& requests);

 private:
  struct Close {
    void operator()(void* session) const;
  };
  std::unique_ptr<void, Close> session_;
};

}  // namespace tcpmibd::lab
