#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/netsnmp/query.h"
#include "agent/process/privileges.h"
#include "base/error.h"
#include "tcp/deletion.h"
#include "tcp/mptcp.h"

// `tcpmibd doctor`: what it judges, and how. All of this is pure; facts.h goes and looks.

namespace tcpmibd::agent {

// The process whose rights are judged.
struct Subject {
  std::string name;  // "tcpmibd (pid 812)", "this user"
  uid_t uid = 0;
  std::vector<gid_t> groups{};     // the primary one included
  std::uint64_t capabilities = 0;  // the effective ones, bit n = capability n
};

// What is held of capabilities, and what for.
struct Holdings {
  bool by_running =
      false;  // by the daemon that runs; else by what one of this user would start with
  std::vector<Privilege> used{};
  std::vector<std::string> idle{};  // "CAP_SYS_TIME": nothing needs them
};

// One step on the way to a socket: a folder, or the socket at the end.
struct PathStep {
  std::string name;
  mode_t mode;
  uid_t owner;
  gid_t group;
};

// What was found on the way to the master's socket.
struct SocketPath {
  std::vector<PathStep> steps{};  // from / on; complete where `error` is 0
  int error = 0;                  // errno of the step that could not be looked at
};

// A line of snmpd's configuration that decides about AgentX.
struct SnmpdLine {
  std::string place;  // "/etc/snmp/snmpd.conf:12"
  std::string token;  // in lower case: "agentxperms"
  std::string value;
};

// Who is at the socket for snmpd's module.
enum class ModuleSight : std::uint8_t {
  kOff,        // there is to be no such socket
  kAbsent,     // nobody listens
  kAlone,      // the daemon does, and nobody has come
  kConnected,  // a module has
};

// What is there, before any judgement.
struct DoctorFacts {
  Status configuration{};
  std::string configuration_files{};  // that were read, as text for people

  Status reading{};  // of the kernel's sockets
  Result<tcp::MptcpSight> mptcp = tcp::MptcpSight::kUnused;
  Status destroying{};  // whether this process could end any
  Status bpf{};         // whether it could look processes up by BPF
  Status ends{};        // whether it could watch connections end
  bool tcp_diag_loaded = true;
  bool modules_disabled = false;
  std::string hidepid{};  // the option of /proc's mount: "2", "invisible"; empty: none

  bool process_lookup = true;  // process.lookup
  bool watches_ends = true;    // ends.watch
  tcp::DeletionPolicy deletion = tcp::DeletionPolicy::kConnections;
  bool scalars_served = true;  // by mib.tables
  bool arc_served = true;

  bool standalone = false;  // no master is asked for
  std::string master{};     // its address
  bool instance = false;    // a tcpmibd serves it
  Subject subject{};
  Holdings holdings{};                 // of the subject
  std::optional<SocketPath> socket{};  // none: the master is on a host
  Status ping{};
  ModuleSight module = ModuleSight::kAbsent;

  std::vector<SnmpdLine> snmpd{};
  std::vector<std::string> unreadable{};  // files of snmpd, each with the reason
  std::vector<std::string> too_new{};     // those that were written after snmpd was started

  std::optional<Result<Seen>> seen{};  // none: --query was not given
  std::string query{};                 // its address
};

struct Finding {
  enum class State : std::uint8_t {
    kOk,
    kNote,  // as it may be meant to be; says what it costs
    kWrong,
  };

  std::string point;
  State state;
  std::string text;
  std::string cure{};  // of a note: how to have it otherwise
};

// In the order in which one would look.
std::vector<Finding> examine(const DoctorFacts& facts);

bool anything_wrong(const std::vector<Finding>& findings);

// A table, and below it the cure of each point that has one.
std::string findings_text(const std::vector<Finding>& findings, bool colour);
std::string findings_json(const std::vector<Finding>& findings);

// The lines about AgentX in one file of snmpd's.
std::vector<SnmpdLine> snmpd_lines(const std::string& file, std::string_view text);

// Where `subject` may not go on: "the folder /var/agentx (drwx------ root root)"; empty where it
// may connect. Access control lists are not looked at.
std::string barrier(const SocketPath& path, const Subject& subject);

}  // namespace tcpmibd::agent
