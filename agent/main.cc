#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/commands/command_line.h"
#include "agent/commands/doctor/doctor.h"
#include "agent/commands/doctor/facts.h"
#include "agent/commands/explain.h"
#include "agent/commands/show/show.h"
#include "agent/commands/watch/watch.h"
#include "agent/config/access_file.h"
#include "agent/config/config.h"
#include "agent/daemon.h"
#include "agent/process/descriptors.h"
#include "agent/process/exit_status.h"
#include "agent/process/memory.h"
#include "agent/process/privileges.h"
#include "agent/process/signals.h"
#include "base/log.h"
#include "kernel/bpf_ends.h"
#include "kernel/cgroup_units.h"
#include "kernel/own_connections.h"
#include "kernel/proc_counters.h"
#include "kernel/proc_names.h"
#include "kernel/proc_pressure.h"
#include "kernel/processes.h"
#include "kernel/sock_diag.h"

// The one place where the kernel's side and the SNMP side meet.

namespace tcpmibd::agent {

namespace {

// How long a reader of the log who is behind may take for the last of it.
constexpr std::chrono::milliseconds kLastLines{200};

void print(std::string_view text, std::FILE* to = stdout) {
  std::fwrite(text.data(), 1, text.size(), to);
}

ExitStatus complain(const Error& error, ExitStatus status) {
  print("tcpmibd: " + error.text() + "\n", stderr);
  return status;
}

bool colour_wanted() { return ::isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

Result<Config> configuration(const Options& options) {
  return load_config(options.config_file, options.config_given, options.overrides);
}

ExitStatus explain_command(const Options& options) {
  print(options.state ? explain(*options.state, colour_wanted()) : explain_all(colour_wanted()));
  return ExitStatus::kAsked;
}

ExitStatus check_command(const Options& options) {
  const Result<Config> config = configuration(options);
  if (!config)
    return complain(config.error(), status_of_mistake(config.error()));
  if (!config->standalone.addresses.empty() && !config->standalone.access.empty()) {
    if (const auto access = read_access_file(config->standalone.access); !access)
      return complain(access.error(), status_of_mistake(access.error()));
  }
  print(to_toml(*config));
  return ExitStatus::kAsked;
}

// Each round is to be read when it is there, by whatever reads a pipe.
ExitStatus watch_command(const Options& options, const Config& config, const ShowSources& sources) {
  const bool terminal = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
  const bool colour = std::getenv("NO_COLOR") == nullptr;
  const Status watched = watch(
      options, config, sources, terminal, colour, [](std::string_view text) { print(text); },
      [](std::string_view text) { print(text, stderr); }, [] { std::fflush(stdout); });
  return watched ? ExitStatus::kAsked : complain(watched.error(), ExitStatus::kFailed);
}

ExitStatus show_command(const Options& options) {
  const Result<Config> config = configuration(options);
  if (!config)
    return complain(config.error(), status_of_mistake(config.error()));
  const Result<std::unique_ptr<kernel::SockDiag>> sockets = kernel::SockDiag::open();
  if (!sockets)
    return complain(sockets.error(), ExitStatus::kFailed);
  kernel::Processes processes;
  kernel::ProcCounters counters;
  kernel::ProcPressure pressure;
  kernel::CgroupUnits units;
  kernel::ProcNames names;
  const ShowSources all{**sockets, processes, counters, pressure, units, names};
  if (options.watch)
    return watch_command(options, *config, all);
  const Result<std::string> remarks =
      show(options, *config, all, colour_wanted(), [](std::string_view text) { print(text); });
  if (!remarks)
    return complain(remarks.error(), ExitStatus::kFailed);
  print(*remarks, stderr);
  return ExitStatus::kAsked;
}

// The listeners alone: they are few, and asking for them needs what asking for all needs.
Status read_listeners(const Result<std::unique_ptr<kernel::SockDiag>>& kernel) {
  if (!kernel)
    return tl::unexpected(kernel.error());
  std::vector<tcp::Socket> found;
  return (*kernel)->find(tcp::ListenersQuery{}, found).transform([](tcp::Coverage) {});
}

ExitStatus doctor_command(const Options& options) {
  const Result<std::unique_ptr<kernel::SockDiag>> kernel = kernel::SockDiag::open();
  kernel::Processes processes;
  const std::vector<Finding> findings = examine(gather_facts(
      options,
      {.read_sockets = [&] { return read_listeners(kernel); },
       .look_at_mptcp = [&]() -> Result<tcp::MptcpSight> {
         return kernel ? (*kernel)->look_at_mptcp() : tl::unexpected(kernel.error());
       },
       .can_destroy =
           [&] { return kernel ? (*kernel)->can_destroy() : tl::unexpected(kernel.error()); },
       .can_use_bpf = [&] { return processes.bpf(); },
       .can_watch_ends = [] { return kernel::BpfEnds::load({}).map([](const auto&) {}); },
       .processes = processes}));
  print(options.json ? findings_json(findings) : findings_text(findings, colour_wanted()));
  return anything_wrong(findings) ? ExitStatus::kFailed : ExitStatus::kAsked;
}

// The kernel's side: everything that reads or ends sockets.
struct Kernel {
  std::unique_ptr<kernel::SockDiag> dumps;
  std::unique_ptr<kernel::SockDiag> lookups;
  kernel::Processes processes;
  kernel::ProcNames names;
  kernel::ProcCounters counters;
  kernel::ProcPressure pressure;
  kernel::CgroupUnits units;
  std::unique_ptr<tcp::EndsSource> ends;  // null: they are not watched

  static Result<std::unique_ptr<Kernel>> open() {
    Result<std::unique_ptr<kernel::SockDiag>> dumps = kernel::SockDiag::open();
    if (!dumps)
      return tl::unexpected(dumps.error());
    Result<std::unique_ptr<kernel::SockDiag>> lookups =
        kernel::SockDiag::open(kernel::SockDiag::kLookUpPatience);
    if (!lookups)
      return tl::unexpected(lookups.error());
    auto kernel = std::make_unique<Kernel>();
    kernel->dumps = *std::move(dumps);
    kernel->lookups = *std::move(lookups);
    return kernel;
  }

  KernelSide side() {
    return {.dumps = *dumps,
            .lookups = *lookups,
            .destroyer = *lookups,
            .processes = processes,
            .names = names,
            .counters = counters,
            .pressure = pressure,
            .units = units,
            .own_connections = kernel::own_connections,
            .ends = ends.get()};
  }

  void watch_ends(const Config::Ends& config) {
    auto loaded = kernel::BpfEnds::load({.records = config.history != 0});
    if (loaded)
      ends = *std::move(loaded);
    else
      log::info("connections that end are not watched: " + loaded.error().text());
  }
};

// One that cannot give them up serves all the same, and says so.
CapabilitySet give_up_privileges(const Config& config, const char* const* argv) {
  const Result<CapabilitySet> dropped = drop_privileges(config, argv);
  if (!dropped)
    log::warning(dropped.error().text());
  return dropped.value_or(0);
}

ExitStatus run_command(const Options& options, const char* const* argv) {
  Result<Config> config = configuration(options);
  if (!config)
    return complain(config.error(), status_of_mistake(config.error()));
  if (const Status logging = log::start(config->log.target, config->log.level); !logging)
    return complain(logging.error(), ExitStatus::kFailed);
  const CapabilitySet dropped = give_up_privileges(*config, argv);
  block_signals();
  map_large_blocks();
  if (const std::string remark = privilege_remark(config->process.lookup); !remark.empty())
    log::warning(remark);
  tell_what_is_left_out(*config);
  const Result<std::unique_ptr<Kernel>> kernel = Kernel::open();
  if (!kernel)
    return give_up(kernel.error());
  if (config->process.lookup)
    (*kernel)->processes.choose();
  if (config->ends.watch && config->mib.tables.contains(tables::Group::kTcpmibd))
    (*kernel)->watch_ends(config->ends);
  return serve((*kernel)->side(), *std::move(config), [&]() -> Result<Config> {
    Result<Config> fresh = configuration(options);
    if (!fresh)
      return fresh;
    return check_privileges(*fresh, dropped).map([&] { return *std::move(fresh); });
  });
}

ExitStatus execute(const Options& options, const char* const* argv) {
  switch (options.command) {
    case Options::Command::kRun:
      return run_command(options, argv);
    case Options::Command::kShow:
      return show_command(options);
    case Options::Command::kExplain:
      return explain_command(options);
    case Options::Command::kCheckConfig:
      return check_command(options);
    case Options::Command::kDoctor:
      return doctor_command(options);
  }
  return ExitStatus::kUsage;
}

int main(int argc, const char* const* argv) {
  fill_standard_descriptors();
  end_without_memory();
  const Parsed parsed = parse_options(argc, argv);
  if (!parsed.options) {
    print(parsed.output, parsed.to_stderr ? stderr : stdout);
    return parsed.exit_status;
  }
  const ExitStatus status = execute(*parsed.options, argv);
  log::finish(kLastLines);
  return static_cast<int>(status);
}

}  // namespace
}  // namespace tcpmibd::agent

int main(int argc, char** argv) { return tcpmibd::agent::main(argc, argv); }
