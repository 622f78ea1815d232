#pragma once

#include <functional>
#include <vector>

#include "agent/config/config.h"
#include "agent/process/exit_status.h"
#include "base/error.h"
#include "tcp/deletion.h"
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
};

// Reads the configuration anew.
using ReadConfig = std::function<Result<Config>()>;

// Serves managers until a signal asks to stop or there is no sense in going on. SIGHUP has the
// configuration read again. Logs why it ends.
//
// Thread: the caller's becomes the agent's; signals are blocked (process/signals.h).
ExitStatus serve(const KernelSide& kernel, Config config, ReadConfig read_config);

// Logs what mib.tables leaves out: snmpd serves that, and a manager cannot tell.
void tell_what_is_left_out(const Config& config);

// Logs why there is no agent.
ExitStatus give_up(const Error& error, ExitStatus status = ExitStatus::kFailed);

}  // namespace tcpmibd::agent
