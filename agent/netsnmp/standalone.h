#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/config.h"
#include "agent/netsnmp/engine_state.h"
#include "agent/netsnmp/log.h"
#include "agent/netsnmp/registration.h"
#include "agent/process/exit_status.h"
#include "agent/process/standing.h"

namespace tcpmibd::agent {

// The role without a master: an SNMP agent of our own, for v1, v2c and v3, which also serves the
// groups that managers read first (system, snmp, snmpEngine, sysORTable).
//
// Who may read and write what is told by the access file, in the language of snmpd.conf. Without
// one the loopback may read, as "public". A reader whose line names no view sees the system group,
// tcp and our own arc.
class Standalone {
 public:
  // The other two outlive it.
  Standalone(const Config::Standalone& config, Registration& registration, LibraryLog& library_log);
  ~Standalone();
  Standalone(const Standalone&) = delete;
  Standalone& operator=(const Standalone&) = delete;

  Start start();

  // Of one that has been started.
  Standing standing() const;

  // For the library's callback, at the one moment when it can be told both who it is and who may
  // do what.
  void configure();

 private:
  Start open_state();
  void serve_discovery();
  bool hear(log::Level level, std::string_view line);
  Start check_access();
  Start listen();

  Config::Standalone config_;
  Registration& registration_;
  LibraryLog& library_log_;
  std::optional<EngineState> engine_;  // none: no SNMPv3
  std::vector<Error> complaints_;      // about the access file
};

}  // namespace tcpmibd::agent
