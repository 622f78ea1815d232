#pragma once

#include <functional>

#include "agent/commands/command_line.h"
#include "agent/commands/doctor/doctor.h"
#include "tcp/mptcp.h"
#include "tcp/sources.h"

namespace tcpmibd::agent {

// What the doctor finds on the kernel's side.
struct DoctorSources {
  std::function<Status()> read_sockets;
  std::function<Result<tcp::MptcpSight>()> look_at_mptcp;
  std::function<Status()> can_destroy;
  std::function<Status()> can_use_bpf;
  std::function<Status()> can_watch_ends;
  tcp::ProcessLookup& processes;
};

// Goes and looks. Changes nothing; a master is asked to open a session and to close it, an agent is
// queried where the options say so.
DoctorFacts gather_facts(const Options& options, const DoctorSources& sources);

// Of the text of /proc/PID/status: whose process it is and what it may do.
Subject subject_of(std::string_view status, std::string name);

// The value of hidepid in the text of /proc/self/mountinfo; empty where /proc has none.
std::string hidepid_of(std::string_view mountinfo);

// The inode of the abstract socket `name` in the text of /proc/net/unix; 0 where it has none.
std::uint32_t inode_of(std::string_view sockets, std::string_view name);

// Who is at the socket at `path`, by the same text.
ModuleSight module_at(std::string_view sockets, std::string_view path);

}  // namespace tcpmibd::agent
