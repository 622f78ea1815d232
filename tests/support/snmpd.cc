#include "support/snmpd.h"

#include <signal.h>

#include <utility>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

const Oid kSysUpTime{1, 3, 6, 1, 2, 1, 1, 3, 0};

std::string configuration_of(const SnmpdOptions& options, const std::string& agentx) {
  const User user;
  std::string text =
      "master agentx\n"
      "agentXSocket " +
      agentx +
      "\n"
      "rocommunity public\n"
      "rwcommunity private\n"
      "createUser " +
      user.name + " SHA \"" + user.authentication + "\" AES \"" + user.privacy +
      "\"\n"
      "rwuser " +
      user.name +
      " priv\n"
      "sysServices 72\n";
  if (!options.module_socket.empty())
    text += "dlmod tcpmibd_snmpd " + options.module + "\n";
  for (const std::string& line : options.lines)
    text += line + "\n";
  return text;
}

std::map<std::string, std::string> environment_of(const SnmpdOptions& options,
                                                  const std::string& folder) {
  std::map<std::string, std::string> environment = isolated_snmp_environment(folder);
  if (!options.module_socket.empty())
    environment["TCPMIBD_SNMPD_SOCKET"] = options.module_socket;
  environment.insert(options.environment.begin(), options.environment.end());
  return environment;
}

// As Debian's unit has it: SMUX would listen on a TCP port.
std::string modules_left_out(const SnmpdOptions& options) {
  const std::string always = "-smux,mteTrigger,mteTriggerConf";
  return options.built_in_tables ? always
                                 : always + ",tcp,tcpTable,tcpConnectionTable,tcpListenerTable";
}

}  // namespace

Snmpd::Snmpd(const Namespace& space, SnmpdOptions options)
    : space_(&space),
      options_(std::move(options)),
      agentx_(options_.agentx.empty() ? folder_.file("agentx") : options_.agentx) {
  folder_.write("snmpd.conf", configuration_of(options_, agentx_));
  start();
}

void Snmpd::start() {
  std::vector<std::string> words{
      "snmpd", "-f", "-Lf", folder_.file("log"), "-C", "-c", folder_.file("snmpd.conf")};
  words.insert(words.end(), {"-I", modules_left_out(options_)});
  words.push_back(address());
  child_.emplace(words,
                 ProcessOptions{.in = space_,
                                .environment = environment_of(options_, folder_.path().string())});
  const Manager impatient = manager().patient(std::chrono::milliseconds(200));
  const bool answers =
      eventually([&] { return impatient.get({kSysUpTime}).ok(); }, std::chrono::seconds(20));
  if (!answers)
    throw Trouble("snmpd does not answer; its log: " + log() + child_->err());
}

void Snmpd::stop() {
  process().signal(SIGTERM);
  if (!process().wait())
    throw Trouble("snmpd does not stop");
}

void Snmpd::restart() {
  stop();
  start();
}

const std::optional<std::string>& snmpd_skip_reason() {
  static const std::optional<std::string> reason = []() -> std::optional<std::string> {
    for (const std::vector<std::string>& version :
         {std::vector<std::string>{"snmpd", "-v"}, std::vector<std::string>{"snmpget", "-V"}}) {
      try {
        run(version);
      } catch (const Trouble& trouble) {
        return trouble.what();
      }
    }
    return std::nullopt;
  }();
  return reason;
}

}  // namespace tcpmibd::lab
