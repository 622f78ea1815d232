#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/netns.h"
#include "support/process.h"
#include "support/snmp_client.h"
#include "support/snmpd.h"
#include "support/temp_folder.h"

namespace tcpmibd::lab {

// The program of this build.
std::string tcpmibd_binary();

struct DaemonOptions {
  std::string configuration{};           // its configuration file; empty: the defaults
  std::vector<std::string> settings{};   // "mib.link-local=ipv6", each one a --set
  std::vector<std::string> arguments{};  // further ones
  ProcessOptions process{};
  std::string program = tcpmibd_binary();
};

// A tcpmibd, that of this build unless told otherwise. It reads no configuration of this host, logs
// to standard error and keeps its state in a folder that goes with it.
class Daemon {
 public:
  // Started and no more: for those that refuse to run, or whose master is not there.
  Daemon(const Namespace& space, DaemonOptions options);

  // A subagent of `master`, its tables served on return.
  static Daemon under(const Snmpd& master, DaemonOptions options = {});

  // An agent of its own, answering on return.
  static Daemon standalone(const Namespace& space, DaemonOptions options = {},
                           const std::string& access = {});

  static constexpr const char* kAddress = "udp:127.0.0.1:2161";

  std::string log() const { return child_.err(); }
  bool says(std::string_view text, std::chrono::milliseconds timeout = kPatience) const {
    return child_.says(text, timeout);
  }
  const std::string& configuration_file() const { return configuration_file_; }
  void configure(std::string_view toml) const;  // Rewrites the file; SIGHUP is the caller's.

  Process& process() { return child_.process(); }
  const Process& process() const { return child_.process(); }

  // Asks it to end; the exit status, none when it takes longer than the second it has.
  std::optional<int> terminate();

 private:
  std::unique_ptr<TempFolder> folder_;
  std::string configuration_file_;
  Child child_;
};

// Waits until `master` serves our tables: built-in ones lack tcpHCInSegs.
bool is_served_by_us(const Manager& manager, std::chrono::milliseconds timeout = kPatience);

// `tcpmibd show --json` and the like, run to its end in `space`.
Output run_tcpmibd(const Namespace& space, std::vector<std::string> arguments,
                   ProcessOptions options = {});

}  // namespace tcpmibd::lab
