#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/access_file.h"
#include "agent/config/config.h"
#include "agent/netsnmp/engine_state.h"
#include "agent/netsnmp/log.h"
#include "agent/netsnmp/manager_ports.h"
#include "agent/netsnmp/pdu_log.h"
#include "agent/netsnmp/receivers.h"
#include "agent/netsnmp/registration.h"
#include "agent/process/exit_status.h"
#include "agent/process/standing.h"

namespace tcpmibd::agent {

// The name under which the library knows us, and its configuration tokens.
inline constexpr const char* kApplication = "tcpmibd";

// The role without a master: an SNMP agent of our own, for v1, v2c and v3, which also serves the
// groups that managers read first (system, snmp, snmpEngine, sysORTable).
//
// Who may read and write what is in the access file, in the language of snmpd.conf. Without
// one the loopback may read, and who can open our socket in the file system, as "public". A reader
// whose line names no view sees the system group, tcp and our own arc.
class Standalone {
 public:
  // The other three outlive it.
  Standalone(const Config::Standalone& config, Registration& registration, LibraryLog& library_log,
             PduLog& pdus);
  ~Standalone();
  Standalone(const Standalone&) = delete;
  Standalone& operator=(const Standalone&) = delete;

  Start start();

  // Of one that has been started.
  Standing standing() const;

  void set_limits(const Config::Connections& limits);

  // At every turn of the loop.
  void settle();

  // For the library's callback, at the one moment when it is known both who it is and who may
  // do what.
  void configure();

 private:
  Status read_access();
  void configure_access();
  Start open_state();
  void serve_discovery();
  bool hear(log::Level level, std::string_view line);
  Start check_access();
  void judge_unix(const std::string& address) const;
  Start listen();

  Config::Standalone config_;
  Registration& registration_;
  LibraryLog& library_log_;
  std::optional<EngineState> engine_;  // none: no SNMPv3
  std::vector<AccessLine> access_;     // as they have been judged
  std::size_t line_ = 0;               // the number of the one that is handed over; 0: none
  std::vector<Error> complaints_;      // about the access file
  Receivers receivers_;
  ManagerPorts ports_;
};

}  // namespace tcpmibd::agent
