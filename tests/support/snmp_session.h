#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/netns.h"
#include "support/snmp_client.h"

namespace tcpmibd::lab {

// One variable of an answer. Only whole numbers are told; an exception has none.
struct NumberBinding {
  Oid oid;
  std::optional<long> number;  // of INTEGER, Counter32, Gauge32 and TimeTicks
};

// A manager of SNMPv2c that keeps its socket, for thousands of requests in a row; Manager starts a
// program for each.
class SnmpSession {
 public:
  SnmpSession(const Namespace& space, const std::string& address, const std::string& community,
              std::chrono::milliseconds patience = std::chrono::seconds(60), int tries = 1);

  // Trouble where there is no answer, or an answer with an error.
  NumberBinding get(const Oid& oid);
  NumberBinding next(const Oid& oid);
  std::vector<NumberBinding> bulk(const Oid& oid, int repetitions);

  // The error as Manager tells it, empty: none. INTEGER only.
  std::string set(const std::vector<SetRequest>& requests);

 private:
  struct Close {
    void operator()(void* session) const;
  };
  std::unique_ptr<void, Close> session_;
};

}  // namespace tcpmibd::lab
