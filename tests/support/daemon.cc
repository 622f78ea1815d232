#include "support/daemon.h"

#include <signal.h>

#include <cstdlib>
#include <utility>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

const Oid kTcpHcInSegs{1, 3, 6, 1, 2, 1, 6, 17, 0};
constexpr std::chrono::seconds kStart{15};

std::vector<std::string> command_line(const DaemonOptions& options, const TempFolder& folder,
                                      const std::string& configuration_file) {
  std::vector<std::string> words{options.program, "run", "--config", configuration_file};
  for (const char* setting : {"log.target=stderr", "agentx.reconnect=1s"})
    words.insert(words.end(), {"--set", setting});
  if (options.program == tcpmibd_binary())  // an older one has no such key
    words.insert(words.end(), {"--set", "agentx.module-socket=''"});
  words.insert(words.end(), {"--set", "standalone.state=" + folder.file("state")});
  for (const std::string& setting : options.settings)
    words.insert(words.end(), {"--set", setting});
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  return words;
}

ProcessOptions in_namespace(ProcessOptions options, const Namespace& space) {
  options.in = &space;
  return options;
}

Daemon must_serve(Daemon daemon, const Manager& manager) {
  if (!is_served_by_us(manager, kStart))
    throw Trouble("tcpmibd does not serve its tables; its log: " + daemon.log());
  return daemon;
}

}  // namespace

Daemon::Daemon(const Namespace& space, DaemonOptions options)
    : folder_(std::make_unique<TempFolder>()),
      configuration_file_(folder_->write("tcpmibd.toml", options.configuration)),
      child_(command_line(options, *folder_, configuration_file_),
             in_namespace(options.process, space)) {}

Daemon Daemon::under(const Snmpd& master, DaemonOptions options) {
  options.arguments.insert(options.arguments.end(), {"--agentx", master.agentx()});
  Daemon daemon = must_serve(Daemon(master.space(), std::move(options)), master.manager());
  // It answers for what it has registered while it registers the rest.
  if (!daemon.says("registered with the AgentX master", kStart))
    throw Trouble("tcpmibd does not register all of its tables: " + daemon.log());
  return daemon;
}

Daemon Daemon::standalone(const Namespace& space, DaemonOptions options,
                          const std::string& access) {
  options.arguments.insert(options.arguments.end(), {"--standalone", kAddress});
  if (!access.empty())
    options.arguments.insert(options.arguments.end(), {"--access", access});
  return must_serve(Daemon(space, std::move(options)), Manager::v2c(space, kAddress));
}

void Daemon::configure(std::string_view toml) const { folder_->write("tcpmibd.toml", toml); }

std::optional<int> Daemon::terminate() {
  process().signal(SIGTERM);
  return process().wait(std::chrono::seconds(1));
}

bool is_served_by_us(const Manager& manager, std::chrono::milliseconds timeout) {
  const Manager impatient = manager.patient(std::chrono::milliseconds(300));
  return eventually(
      [&] {
        const Answer answer = impatient.get({kTcpHcInSegs});
        return answer.ok() && answer.only().type == "Counter64";
      },
      timeout);
}

Output run_tcpmibd(const Namespace& space, std::vector<std::string> arguments,
                   ProcessOptions options) {
  arguments.insert(arguments.begin(), tcpmibd_binary());
  return run(arguments, in_namespace(std::move(options), space));
}

std::string tcpmibd_binary() { return TCPMIBD_BINARY; }

}  // namespace tcpmibd::lab
