#include "agent/commands/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "agent/commands/show/metrics.h"
#include "agent/commands/show/topics.h"
#include "agent/config/nearest.h"
#include "agent/config/toml_string.h"
#include "agent/process/version.h"
#include "base/printable.h"
#include "base/words.h"

namespace tcpmibd::agent {
namespace {

constexpr int kWrongUsage = 2;

constexpr const char* kCommonGroup = "Options of every command";
constexpr const char* kAgentGroup = "Options of run, check-config and doctor";
constexpr const char* kShowGroup = "Options of show";
constexpr const char* kDoctorGroup = "Options of doctor";

// The command line as it was typed.
struct Typed {
  bool help = false;
  bool version = false;
  std::string config;
  std::vector<std::string> set;
  std::string agentx;
  std::vector<std::string> standalone;
  std::string access;
  std::string what;
  bool json = false;
  bool jsonl = false;
  bool openmetrics = false;
  bool prometheus = false;
  std::string watch;
  bool numeric = false;
  std::vector<std::string> states;
  std::string port;
  std::string process;
  std::string state;
  std::string query;
  std::vector<std::string> community;
  std::string snmpd_conf;
};

// An option that takes one value each time it is given, and no argument beyond.
template <typename Value>
CLI::Option* add_option(CLI::App& app, const char* names, const char* type, Value& value,
                        const char* group, const char* meaning) {
  return app.add_option(names, value, meaning)
      ->type_name(type)
      ->multi_option_policy(std::is_same_v<Value, std::string> ? CLI::MultiOptionPolicy::TakeLast
                                                               : CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->group(group);
}

struct CommandLine {
  explicit CommandLine(Typed& typed);

  void add_common(Typed& typed);
  void add_agent(Typed& typed);
  void add_show(Typed& typed);
  void add_doctor(Typed& typed);

  CLI::App app{"The TCP-MIB of this host's kernel, over AgentX or as an SNMP agent of its own."};
  CLI::App* run = nullptr;
  CLI::App* show = nullptr;
  CLI::App* explain = nullptr;
  CLI::App* check_config = nullptr;
  CLI::App* doctor = nullptr;
};

CommandLine::CommandLine(Typed& typed) {
  app.set_help_flag();  // Ours below: one page for all commands.
  app.require_subcommand(0, 1);
  app.fallthrough();   // Subcommands inherit both: common options may follow the command,
  app.allow_extras();  // and what is left over is explained by unknown_argument().
  add_common(typed);
  add_agent(typed);
  run = app.add_subcommand("run", "the agent, in the foreground (default)");
  add_show(typed);
  explain = app.add_subcommand("explain", "the life cycle of connections, or one state of it");
  explain->add_option("state", typed.state)->type_name("[STATE]");
  check_config = app.add_subcommand("check-config", "print the configuration that is in effect");
  add_doctor(typed);
}

void CommandLine::add_common(Typed& typed) {
  app.add_flag("-h,--help", typed.help, "print this page")->group(kCommonGroup);
  app.add_flag("-V,--version", typed.version, "print the version")->group(kCommonGroup);
  add_option(app, "-c,--config", "FILE", typed.config, kCommonGroup,
             "configuration (default: /etc/tcpmibd/tcpmibd.toml, if present)");
  add_option(app, "--set", "KEY=VALUE", typed.set, kCommonGroup,
             "override one configuration key; may repeat");
}

void CommandLine::add_agent(Typed& typed) {
  add_option(app, "-x,--agentx", "ADDRESS", typed.agentx, kAgentGroup,
             "the master's AgentX address, as snmpd -x takes it");
  add_option(app, "--standalone", "ADDRESS", typed.standalone, kAgentGroup,
             "serve SNMP here, without a master; may repeat");
  add_option(app, "--access", "FILE", typed.access, kAgentGroup,
             "who may do what in the standalone role, as in snmpd.conf");
}

void CommandLine::add_show(Typed& typed) {
  show = app.add_subcommand("show", "what the agent would serve now, without SNMP");
  show->add_option("what", typed.what)->type_name("[WHAT]");
  show->add_flag("--json", typed.json, "print JSON")->group(kShowGroup);
  show->add_flag("--jsonl", typed.jsonl, "print JSON, a line a row")->group(kShowGroup);
  show->add_flag("--watch{2}", typed.watch,
                 "again every 2 seconds, in place on a terminal; --watch=5 every 5")
      ->group(kShowGroup);
  show->add_flag("--openmetrics", typed.openmetrics, "print metrics in OpenMetrics 1.0")
      ->group(kShowGroup);
  show->add_flag("--prometheus", typed.prometheus,
                 "print metrics as node_exporter's textfile collector reads them")
      ->group(kShowGroup);
  show->add_flag("--numeric", typed.numeric, "print numbers instead of names")->group(kShowGroup);
  add_option(*show, "--state", "NAME[,NAME]", typed.states, kShowGroup,
             "only these states, by any of their names")
      ->delimiter(',');
  add_option(*show, "--port", "N", typed.port, kShowGroup, "only this port, at either end");
  add_option(*show, "--process", "PID|NAME", typed.process, kShowGroup,
             "only sockets of this process");
}

void CommandLine::add_doctor(Typed& typed) {
  doctor = app.add_subcommand("doctor", "look for what is in the way, and say what to do about it");
  doctor->add_flag("--json", typed.json, "print JSON")->group(kDoctorGroup);
  add_option(*doctor, "--query", "ADDRESS", typed.query, kDoctorGroup,
             "ask this SNMP agent what managers see");
  add_option(*doctor, "--community", "NAME", typed.community, kDoctorGroup,
             "the community for that (default: as snmp.conf says)");
  add_option(*doctor, "--snmpd-conf", "FILE", typed.snmpd_conf, kDoctorGroup,
             "snmpd's configuration (default: /etc/snmp/snmpd.conf)");
}

// ------------------------------------------------------------------------------------------------
// The help page; commands and options as they were registered above.

constexpr std::string_view kHelpClosing =
    R"(
STATE is any common name in any case, or the MIB's number: timeWait, TIME-WAIT,
TIME_WAIT, 11.

Examples:
  tcpmibd --standalone udp:127.0.0.1:1161   an SNMP agent of its own, on loopback
  tcpmibd run -x tcp:localhost:705          a subagent of the snmpd on this port
  tcpmibd show listeners                    who listens, and on what
  tcpmibd show --state closeWait            which connections were never closed
  tcpmibd show processes                    whose they are; the worst first
  tcpmibd show ports                        which accept queue is full
  tcpmibd show pressure                     whether ephemeral ports run out
  tcpmibd show --port 443 --json            one service, for a script
  tcpmibd show --watch                      what hurts now, live; ? says more
  tcpmibd show --prometheus                 figures for node_exporter
  tcpmibd explain CLOSE_WAIT                what that state means and what to do
  tcpmibd check-config --set log.level=debug
  tcpmibd doctor --query localhost --community public

Exit status: 0 asked to stop; 1 could not go on; 2 wrong usage or configuration.
doctor ends with 0 if nothing is wrong, with 1 if anything is.
SIGHUP rereads the configuration. See tcpmibd(8) and tcpmibd.toml(5).
)";

std::string help_line(const std::string& name, const std::string& meaning) {
  constexpr std::size_t kColumn = 28;
  std::string line = "  " + name;
  line.resize(std::max(kColumn, line.size() + 2), ' ');
  return line + meaning + '\n';
}

// "-c, --config FILE".
std::string option_name(const CLI::Option& option) {
  std::string name = option.get_snames().empty() ? "    " : '-' + option.get_snames()[0] + ", ";
  name += "--" + option.get_lnames()[0];
  return option.get_type_size() == 0 ? name : name + ' ' + option.get_type_name();
}

// The command and the operand it takes: "show [WHAT]".
std::string command_name(const CLI::App& command) {
  std::string name = command.get_name();
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional())
      name += ' ' + option->get_type_name();
  }
  return name;
}

std::string option_lines(const CLI::App& app, const char* group) {
  std::string text = std::string("\n") + group + ":\n";
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group() == group)
      text += help_line(option_name(*option), option->get_description());
  }
  return text;
}

std::string what_lines() {
  std::string text = "\nWHAT to show (default: connections and listeners):\n";
  for (const Topic& topic : topics())
    text += help_line(std::string(topic.word), std::string(topic.meaning));
  return text;
}

std::string help(const CommandLine& line) {
  std::string text =
      "Usage: tcpmibd [OPTION...] [COMMAND]\n\n" + line.app.get_description() + "\n\nCommands:\n";
  for (const CLI::App* command : line.app.get_subcommands({}))
    text += help_line(command_name(*command), command->get_description());
  text += option_lines(line.app, kCommonGroup);
  text += option_lines(line.app, kAgentGroup);
  text += option_lines(*line.show, kShowGroup);
  text += option_lines(*line.doctor, kDoctorGroup);
  text += what_lines();
  return text + std::string(kHelpClosing);
}

CommandLineReference::Option described(const CLI::Option& option) {
  CommandLineReference::Option described{
      .names = {},
      .value = option.get_type_size() == 0 ? "" : option.get_type_name(),
      .meaning = option.get_description(),
      .group = option.get_group()};
  for (const std::string& name : option.get_snames())
    described.names.push_back('-' + name);
  for (const std::string& name : option.get_lnames())
    described.names.push_back("--" + name);
  return described;
}

// Without its operand.
std::vector<CommandLineReference::Option> described_options(const CLI::App& app) {
  std::vector<CommandLineReference::Option> options;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional())
      options.push_back(described(*option));
  }
  return options;
}

CommandLineReference::Command described(const CLI::App& command) {
  const std::string name = command_name(command);
  const std::size_t end = name.find(' ');
  return {.name = name.substr(0, end),
          .operand = end == std::string::npos ? "" : name.substr(end + 1),
          .meaning = command.get_description(),
          .options = described_options(command)};
}

// ------------------------------------------------------------------------------------------------
// What is wrong with a command line, each as an error whose `doing` is the cause.

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      names.push_back("--" + name);
  }
  return names;
}

std::string unknown_option(const std::string& text, const CommandLine& line) {
  const std::string name = text.substr(0, text.find('='));
  std::vector<std::string> names = option_names(line.app);
  for (const CLI::App* command : line.app.get_subcommands({})) {
    const std::vector<std::string> theirs = option_names(*command);
    if (std::ranges::count(theirs, name) != 0)
      return "option '" + name + "' belongs behind the command '" + command->get_name() + '\'';
    names.insert(names.end(), theirs.begin(), theirs.end());
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return "unknown option '" + name + '\'' + did_you_mean(name, known);
}

std::string unknown_argument(const std::string& text, const CommandLine& line) {
  if (text.starts_with('-') && text != "-" && text != "--")
    return unknown_option(text, line);
  if (!line.app.get_subcommands().empty())
    return "unexpected argument '" + text + '\'';
  std::vector<std::string_view> known;
  for (const CLI::App* command : line.app.get_subcommands({}))
    known.push_back(command->get_name());
  return "unknown command '" + text + '\'' + did_you_mean(text, known);
}

Result<tcp::State> state_named(const std::string& text) {
  if (const std::optional<tcp::State> state = tcp::parse_state(text))
    return *state;
  std::vector<std::string_view> known;
  for (const tcp::StateNames& names : tcp::kStates)
    known.push_back(names.mib);
  return failure("unknown state '" + text + '\'' + did_you_mean(text, known));
}

Result<std::uint16_t> port_of(const std::string& text) {
  const std::uint16_t port = number<std::uint16_t>(text).value_or(0);
  if (port == 0)
    return failure("'" + text + "' is no port: --port takes a number from 1 to 65535");
  return port;
}

// ------------------------------------------------------------------------------------------------
// From what was typed to what is meant.

std::vector<std::string> overrides_of(const Typed& typed) {
  std::vector<std::string> overrides = typed.set;
  if (!typed.agentx.empty())
    overrides.push_back("agentx.address=" + toml_string(typed.agentx));
  std::string addresses;
  for (const std::string& address : typed.standalone)
    addresses += (addresses.empty() ? "" : ", ") + toml_string(address);
  if (!addresses.empty())
    overrides.push_back("standalone.address=[" + addresses + ']');
  if (!typed.access.empty())
    overrides.push_back("standalone.access=" + toml_string(typed.access));
  return overrides;
}

Options::Command command_of(const CommandLine& line) {
  if (line.show->parsed())
    return Options::Command::kShow;
  if (line.explain->parsed())
    return Options::Command::kExplain;
  if (line.doctor->parsed())
    return Options::Command::kDoctor;
  return line.check_config->parsed() ? Options::Command::kCheckConfig : Options::Command::kRun;
}

// A format of metrics has everything, so that a figure means the same in each: the query chooses.
Status check_metrics(const Typed& typed) {
  if (!typed.openmetrics && !typed.prometheus)
    return {};
  const std::string option = typed.openmetrics ? "--openmetrics" : "--prometheus";
  if (!has_metrics(typed.what))
    return failure(option + " has nothing of 'show " + typed.what +
                   "', for there may be any number of them: ports, units and states count them");
  if (typed.numeric || !typed.states.empty() || !typed.port.empty() || !typed.process.empty())
    return failure(option + " prints all figures: choose in the query, not by an option");
  return {};
}

constexpr std::uint16_t kLongestWatch = 3600;  // seconds

Result<std::chrono::seconds> watch_of(const std::string& text) {
  const std::uint16_t seconds = number<std::uint16_t>(text).value_or(0);
  if (seconds == 0 || seconds > kLongestWatch)
    return failure("'" + text + "' is no interval: --watch takes seconds from 1 to 3600");
  return std::chrono::seconds(seconds);
}

// One at most; JSON alone has two.
Status check_formats(const Typed& typed) {
  const int formats = typed.json + typed.jsonl + typed.openmetrics + typed.prometheus;
  if (formats <= 1)
    return {};
  if (typed.json && typed.jsonl)
    return failure("--json and --jsonl exclude each other: one document, or a line a row");
  return failure("--json, --jsonl, --openmetrics and --prometheus exclude each other");
}

// An option that would change nothing is a mistake, and is reported.
Status check_meaning(const Typed& typed, const Topic& topic) {
  struct Use {
    std::string_view option;
    bool given;
    bool means_something;
  };
  const Use uses[] = {{"--numeric", typed.numeric, topic.filters.numeric},
                      {"--state", !typed.states.empty(), topic.filters.state},
                      {"--port", !typed.port.empty(), topic.filters.port},
                      {"--process", !typed.process.empty(), topic.filters.process}};
  for (const Use& use : uses) {
    if (use.given && !use.means_something)
      return failure(std::string(use.option) + " means nothing to 'show " +
                     std::string(topic.word) + '\'');
  }
  return {};
}

Status check_what(const Typed& typed) {
  if (const Topic* topic = topic_named(typed.what))
    return check_meaning(typed, *topic);
  std::vector<std::string_view> known;
  for (const Topic& each : topics())
    known.push_back(each.word);
  return failure("cannot show '" + typed.what + '\'' + did_you_mean(typed.what, known));
}

Status fill_show(const Typed& typed, Options& options) {
  if (Status status = check_what(typed); !status)
    return status;
  if (Status status = check_formats(typed).and_then([&] { return check_metrics(typed); }); !status)
    return status;
  options.what = typed.what;
  options.json = typed.json;
  options.jsonl = typed.jsonl;
  options.openmetrics = typed.openmetrics;
  options.prometheus = typed.prometheus;
  if (!typed.watch.empty()) {
    const Result<std::chrono::seconds> interval = watch_of(typed.watch);
    if (!interval)
      return tl::unexpected(interval.error());
    options.watch = *interval;
  }
  options.numeric = typed.numeric;
  options.process = printable(typed.process);  // As names are shown, and so may be typed.
  for (const std::string& name : typed.states) {
    const Result<tcp::State> state = state_named(name);
    if (!state)
      return tl::unexpected(state.error());
    options.states.push_back(*state);
  }
  if (typed.port.empty())
    return {};
  return port_of(typed.port).map([&](std::uint16_t port) { options.port = port; });
}

Status fill_explain(const Typed& typed, Options& options) {
  if (typed.state.empty())
    return {};
  return state_named(typed.state).map([&](tcp::State state) { options.state = state; });
}

void fill_doctor(const Typed& typed, Options& options) {
  options.query = typed.query;
  if (!typed.community.empty())
    options.community = typed.community.back();
  if (!typed.snmpd_conf.empty())
    options.snmpd_conf = typed.snmpd_conf;
}

Result<Options> meant(const Typed& typed, const CommandLine& line) {
  if (const auto left_over = line.app.remaining(true); !left_over.empty())
    return failure(unknown_argument(left_over[0], line));
  const bool for_agent =
      !typed.agentx.empty() || !typed.standalone.empty() || !typed.access.empty();
  if (for_agent && (line.show->parsed() || line.explain->parsed()))
    return failure(
        "--agentx, --standalone and --access are options of run, check-config and doctor");
  if (!typed.agentx.empty() && !typed.standalone.empty())
    return failure("--agentx and --standalone exclude each other: with a master or without");
  if (!typed.community.empty() && typed.query.empty())
    return failure("--community says by what name --query asks: give both");

  Options options;
  options.command = command_of(line);
  options.config_given = !typed.config.empty();
  if (options.config_given)
    options.config_file = typed.config;
  options.overrides = overrides_of(typed);
  fill_doctor(typed, options);
  Status status = fill_show(typed, options).and_then([&] { return fill_explain(typed, options); });
  return std::move(status).map([&] { return options; });
}

Parsed wrong_usage(std::string cause) {
  std::ranges::replace(cause, '\n', ' ');
  return {.options = std::nullopt,
          .exit_status = kWrongUsage,
          .output = "tcpmibd: " + printable(cause) + "\ntry 'tcpmibd --help'\n",
          .to_stderr = true};
}

Parsed just_print(std::string text) {
  return {.options = std::nullopt, .exit_status = 0, .output = std::move(text), .to_stderr = false};
}

}  // namespace

CommandLineReference command_line_reference() {
  Typed typed;
  const CommandLine line(typed);
  CommandLineReference reference;
  for (const CommandLineReference::Option& option : described_options(line.app))
    (option.group == kAgentGroup ? reference.agent_options : reference.options).push_back(option);
  for (const CLI::App* command : line.app.get_subcommands({}))
    reference.commands.push_back(described(*command));
  for (const Topic& topic : topics())
    reference.shown.push_back({std::string(topic.word), std::string(topic.meaning)});
  return reference;
}

Parsed parse_options(int argc, const char* const* argv) try {
  Typed typed;
  CommandLine line(typed);
  line.app.parse(argc, argv);
  Result<Options> options = meant(typed, line);
  if (!options)
    return wrong_usage(options.error().doing);
  if (typed.help)
    return just_print(help(line));
  if (typed.version)
    return just_print("tcpmibd " + std::string(version()) + "\n");
  return {.options = *std::move(options), .exit_status = 0, .output = {}, .to_stderr = false};
} catch (const CLI::ParseError& error) {
  return wrong_usage(error.what());
}

}  // namespace tcpmibd::agent
