#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/netns.h"
#include "support/process.h"
#include "support/snmp_client.h"
#include "support/temp_folder.h"

namespace tcpmibd::lab {

struct SnmpdOptions {
  bool built_in_tables = true;  // false: snmpd's own TCP-MIB is switched off
  std::string agentx{};         // its AgentX address; a socket of its own folder unless told
  std::string module_socket{};  // given: our module is loaded, and looks for the daemon there
  std::string module = TCPMIBD_MODULE;
  std::map<std::string, std::string> environment{};
  std::vector<std::string> lines{};  // added to its configuration: "agentXPerms 0660 0755"
  std::string address = "udp:127.0.0.1:1161";  // another one for a second snmpd of a namespace
};

// A real snmpd as AgentX master: "public" reads, "private" and User{} write, on a UDP port of
// the loopback of its namespace. It reads only its own configuration and keeps its state in a
// folder that goes with it.
class Snmpd {
 public:
  explicit Snmpd(const Namespace& space, SnmpdOptions options = {});

  // Ready to answer on return; on the same addresses as before.
  void start();
  void stop();  // as `systemctl stop` does
  void kill() { process().kill(); }
  void restart();

  Process& process() { return child_->process(); }
  const Namespace& space() const { return *space_; }
  const std::string& agentx() const { return agentx_; }
  std::string log() const { return read_file(folder_.file("log")); }

  const std::string& address() const { return options_.address; }
  Manager manager() const { return Manager::v2c(*space_, address()); }
  Manager writer() const { return Manager::v2c(*space_, address(), "private"); }
  Manager v1_manager() const { return Manager::v1(*space_, address()); }
  Manager v3_manager() const { return Manager::v3(*space_, address()); }

  static constexpr const char* kAddress = "udp:127.0.0.1:1161";  // unless told otherwise

 private:
  const Namespace* space_;
  SnmpdOptions options_;
  TempFolder folder_;
  std::string agentx_;
  std::optional<Child> child_;
};

// "snmpd is not installed" and the like; none where it can be run.
const std::optional<std::string>& snmpd_skip_reason();

}  // namespace tcpmibd::lab
