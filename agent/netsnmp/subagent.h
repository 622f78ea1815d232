#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agentx/instance_lock.h"
#include "agent/agentx/master_address.h"
#include "agent/config/config.h"
#include "agent/netsnmp/callback.h"
#include "agent/netsnmp/direct_reads.h"
#include "agent/netsnmp/log.h"
#include "agent/netsnmp/registration.h"
#include "agent/process/exit_status.h"
#include "agent/process/standing.h"
#include "base/log.h"

namespace tcpmibd::agent {

// The AgentX role: connects to a master, registers with it, and does so again whenever the master
// has been away.
//
// Logs:  registered, lost and each new cause of an absence once, however long it lasts; a few times
//        a minute with a master that comes and goes.
class Subagent {
 public:
  // The registration and the log outlive it. `ask` is the one that answers behind the registration.
  Subagent(const Config::Agentx& config, Registration& registration, Answerer ask,
           LibraryLog& library_log);
  ~Subagent();
  Subagent(const Subagent&) = delete;
  Subagent& operator=(const Subagent&) = delete;

  // A master that is not there is no error: it is waited for.
  Start start();

  // To be called before the loop waits.
  void settle();

  // Set when there is no sense in going on.
  const std::optional<Error>& failure() const { return failure_; }

  bool is_serving() const { return announced_; }
  Standing standing() const;

  // For the library's callbacks:
  void connected(void* session);
  void lost();
  void registering(snmp::OidView name) { registering_.emplace(name); }
  void registered() { registering_.reset(); }

 private:
  void watch();
  bool hear(std::string_view line);
  void refused(const tables::Managed& object, std::string_view line);
  void report_cause();
  void report_silence() const;

  Config::Agentx config_;
  MasterAddress master_;
  InstanceLock lock_;
  Registration& registration_;
  DirectReads reads_;
  LibraryLog& library_log_;

  std::vector<std::unique_ptr<Callback>> callbacks_;
  void* session_ = nullptr;   // the library's, while a master is connected
  bool announced_ = false;    // that we are registered
  std::optional<int> cause_;  // errno of the absence reported last
  std::optional<snmp::Oid> registering_;
  std::optional<Error> failure_;
  log::Limited changes_{std::chrono::minutes(1), 6};
  log::Limited absences_{std::chrono::minutes(1), 3};
  log::LimitedKinds refusals_;
};

}  // namespace tcpmibd::agent
