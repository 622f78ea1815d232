#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/config/config.h"
#include "tcp/state.h"

namespace tcpmibd::agent {

// What the command line asks for.
struct Options {
  enum class Command : std::uint8_t { kRun, kShow, kExplain, kCheckConfig, kDoctor };

  Command command = Command::kRun;
  std::string config_file = kDefaultConfigFile;
  bool config_given = false;  // A file that was asked for must exist.

  // For load_config(). --agentx, --standalone and --access are overrides of their keys, after
  // those of --set: there is one way for a value to arrive.
  std::vector<std::string> overrides{};

  // show
  std::string what{};  // "connections", "listeners", "states", …; empty: the first two
  bool json = false;
  bool jsonl = false;        // a line a row; not with json
  bool openmetrics = false;  // one format at most, and no filters with these two
  bool prometheus = false;
  std::optional<std::chrono::seconds> watch{};  // between two looks; none: one look
  bool numeric = false;
  std::vector<tcp::State> states{};  // Empty: all.
  std::optional<std::uint16_t> port{};
  std::string process{};  // Number or name, printable; empty: all.

  // doctor; --json as well
  std::string query{};                     // an agent's address; empty: nobody is asked
  std::optional<std::string> community{};  // none: as snmp.conf says
  std::string snmpd_conf = "/etc/snmp/snmpd.conf";

  // explain
  std::optional<tcp::State> state{};  // None: the whole life cycle.
};

// Options; or, where there are none, what to print and the status to exit with.
struct Parsed {
  std::optional<Options> options;
  int exit_status = 0;
  std::string output;
  bool to_stderr = false;
};

Parsed parse_options(int argc, const char* const* argv);

// The command line as data, as it is registered: for the manual and the shell's completion.
struct CommandLineReference {
  struct Option {
    std::vector<std::string> names;  // "-c", "--config"
    std::string value;               // "FILE"; empty: takes none
    std::string meaning;
    std::string group;  // "Options of show"
  };
  struct Command {
    std::string name;
    std::string operand;  // "[WHAT]"; empty: takes none
    std::string meaning;
    std::vector<Option> options;  // of this command alone
  };
  std::vector<Option> options;        // of every command
  std::vector<Option> agent_options;  // of those that run an agent, or look at one's configuration
  std::vector<Command> commands;
  struct Shown {
    std::string word;
    std::string meaning;
  };
  std::vector<Shown> shown;  // what `show` can show
};

CommandLineReference command_line_reference();

}  // namespace tcpmibd::agent
