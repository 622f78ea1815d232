#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/snmpd.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "survey/alarm.h"
#include "tables/groups.h"
#include "tcp/deletion.h"

namespace tcpmibd::agent {

// The effective configuration; the initial values are the documented defaults.
struct Config {
  struct Agentx {
    std::string address = "/var/agentx/master";  // as `snmpd -x` takes it
    int priority = 100;                          // 1..255, the lower one serves
    Duration reconnect = std::chrono::seconds(2);
    Duration ping = std::chrono::seconds(30);
    std::string module_socket{kModuleSocket};  // where snmpd's module reaches us; empty: not at all
    std::vector<std::string> module_users{};   // besides root and us; none: snmpd_user()
  } agentx;

  // Of the connections that managers hold over `tcp:` and the like.
  struct Connections {
    Duration idle = std::chrono::seconds(60);  // without a request; then it is ended
    unsigned most = 64;                        // at once
    unsigned each = 8;                         // from one address
  };

  struct Standalone {
    std::vector<std::string> addresses;  // not empty: serve SNMP ourselves, without a master
    std::string access;                  // file of access lines; empty: loopback reads only
    std::string state;                   // folder for engine id and boots; empty: chosen
    Connections connections;
  } standalone;

  struct Mib {
    tables::Groups tables = tables::every_group();  // not empty; what is served
    bool link_local_zones = true;                   // false: link-local = "ipv6"
    bool dual_stack_as_unknown = true;              // false: dual-stack-listener = "ipv6"
  } mib;

  struct Snapshot {
    Duration max_age = std::chrono::seconds(1);
  } snapshot;

  struct Process {
    bool lookup = true;
    Duration max_age = std::chrono::seconds(5);
  } process;

  tcp::DeletionRules delete_tcb;

  // Connections that end, as the kernel reports them at that moment.
  struct Ends {
    bool watch = true;        // where BPF may be used
    unsigned history = 1024;  // of the newest ones; 0: they are counted only
  } ends;

  // When alarms are judged; nothing is watched where none is configured.
  struct Watch {
    Duration interval = std::chrono::seconds(10);
  } watch;

  struct Notify {
    bool deletions = false;
  } notify;

  struct Log {
    log::Level level = log::Level::kInfo;
    log::Target target = log::Target::kAuto;
  } log;

  std::vector<tcp::AlarmRule> alarms;  // ascending by name
};

inline constexpr const char* kDefaultConfigFile = "/etc/tcpmibd/tcpmibd.toml";

// The files that load_config() reads, in this order: `file`, if it exists or must, and the *.toml
// ones of conf.d beside it. An error if that folder cannot be listed, or others can write to it.
Result<std::vector<std::string>> configuration_files(const std::string& file, bool must_exist);

// Reads `file`, then conf.d/*.toml beside it in the order of their names, then `overrides`
// ("mib.link-local=ipv6", the value as TOML or as a bare word). `must_exist` is false for the
// default file, whose absence means the defaults. The error names file, line, the key and the
// nearest known one: "tcpmibd.toml:7: unknown key 'max-aeg' in [snapshot]; did you mean
// 'max-age'?"
Result<Config> load_config(const std::string& file, bool must_exist,
                           const std::vector<std::string>& overrides);

// The effective configuration as TOML that load_config() reads back to the same values.
std::string to_toml(const Config& config);

// The dotted names of keys that differ and that only a restart can apply; empty: all that
// differs can be applied to a running agent.
std::vector<std::string> restart_keys(const Config& from, const Config& to);

}  // namespace tcpmibd::agent
