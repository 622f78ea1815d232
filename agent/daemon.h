#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "agent/config/config.h"
#include "agent/process/exit_status.h"
#include "agent/process/signals.h"
#include "agent/serve/request.h"
#include "agent/serve/role.h"
#include "base/error.h"
#include "tcp/deletion.h"
#include "tcp/ended.h"
#include "tcp/sources.h"

namespace tcpmibd::agent {

// Everything that reads or ends sockets. Referred to, never null; they outlive the daemon.
struct KernelSide {
  tcp::SocketSource& dumps;    // the worker's
  tcp::SocketSource& lookups;  // the agent thread's, as is the destroyer
  tcp::SocketDestroyer& destroyer;
  tcp::ProcessLookup& processes;
  tcp::ProcessNames& names;
  tcp::CounterSource& counters;
  tcp::PressureSource& pressure;
  tcp::UnitLookup& units;
  std::function<Result<std::vector<tcp::Ends>>()> own_connections;
  tcp::EndsSource* ends = nullptr;  // the agent thread's; null: ends are not watched
};

// Reads the configuration anew.
using ReadConfig = std::function<Result<Config>()>;

// A role, and what it does when the configuration has been read again; that may be empty.
struct MadeRole {
  std::unique_ptr<Role> role;
  std::function<void(const Config&)> on_reloaded{};
};

// Makes the role that serves these objects, whose requests are put to the two targets.
using MakeRole = std::function<MadeRole(Signals& signals, const Config& config,
                                        std::span<const tables::Managed* const> objects,
                                        ReadTarget& reads, WriteTarget& writes)>;

// The one that the configuration names: an AgentX subagent, or an SNMP agent of its own.
MadeRole configured_role(Signals& signals, const Config& config,
                         std::span<const tables::Managed* const> objects, ReadTarget& reads,
                         WriteTarget& writes);

// Serves managers until a signal asks to stop or there is no sense in going on. SIGHUP has the
// configuration read again. Logs why it ends.
//
// Thread: the caller's becomes the agent's; signals are blocked (process/signals.h).
ExitStatus serve(const KernelSide& kernel, Config config, ReadConfig read_config,
                 const MakeRole& make_role = configured_role);

// Logs what mib.tables leaves out: snmpd serves that, and a manager cannot see that.
void tell_what_is_left_out(const Config& config);

// Logs why there is no agent.
ExitStatus give_up(const Error& error, ExitStatus status = ExitStatus::kFailed);

}  // namespace tcpmibd::agent
