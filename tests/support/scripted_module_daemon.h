#pragma once

#include <string>
#include <vector>

#include "base/handle.h"
#include "support/agentx_pdu.h"
#include "support/scripted_master.h"

namespace tcpmibd::lab {

// Where snmpd's module looks for the daemon, in the hands of a test: it says what a daemon never
// would. Modules that connect wait until the test takes them.
class ScriptedModuleDaemon {
 public:
  // On a socket in the file system; that file must not be there yet.
  explicit ScriptedModuleDaemon(const std::string& path) : listener_(path) {}

  // The next connection. Trouble when none comes.
  MasterSession take() const;

  // One that has opened a session and registered `subtree`. Trouble when that is refused.
  MasterSession serve(const Oid& subtree) const;

 private:
  ScriptedMaster listener_;  // takes connections, whoever is to speak first
};

agentx::Pdu open_pdu(std::string_view description);
agentx::Pdu register_pdu(std::uint32_t session, std::uint8_t priority, const Oid& subtree);

// The answer of a subagent.
agentx::Pdu answer_to(const agentx::Pdu& request, std::uint16_t error,
                      const std::vector<SetRequest>& bindings = {});

// What the daemon and its module must agree on (docs/module.md).
inline constexpr const char* kModuleProtocolText = "tcpmibd-module 1";

}  // namespace tcpmibd::lab
