#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/daemon.h"
#include "support/fault_injector.h"
#include "support/netns.h"
#include "support/snmp_client.h"
#include "system/deleting.h"

// A tcpmibd whose system calls may fail, and who asks it for what it serves; in either role.

namespace tcpmibd::lab {

// How a Set went.
enum class SetOutcome : std::uint8_t {
  kDone,      // all of it
  kRefused,   // nothing of it
  kBrokenOff  // the agent has said that it failed halfway, or nothing at all
};

// Throws: Trouble where it neither does what it should nor has ended.
class FaultyAgent {
 public:
  virtual ~FaultyAgent() = default;

  virtual Daemon& daemon() = 0;

  // Waits until it serves; false when it has ended instead.
  virtual bool attend() = 0;

  // What lies below `root`; an error also where nothing was said.
  virtual Answer walk(const Oid& root) = 0;

  virtual SetOutcome set(const std::vector<SetRequest>& requests) = 0;

  // Its master, where it has one, goes and comes back. False when the agent has ended.
  virtual bool reconnect() = 0;

  // Asks it to end: the exit status, none when it takes too long.
  virtual std::optional<int> terminate() = 0;
};

enum class Role : std::uint8_t { kSubagent, kStandalone };

// Started and no more.
std::unique_ptr<FaultyAgent> start_agent(Role role, const Namespace& space,
                                         const FaultInjector& injector);

}  // namespace tcpmibd::lab
