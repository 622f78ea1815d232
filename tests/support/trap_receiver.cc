#include "support/trap_receiver.h"

#include <sstream>

#include "support/snmp_client.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

constexpr std::chrono::seconds kTrapPatience{30};

std::vector<std::string> command_of(const TempFolder& folder, std::uint16_t port) {
  folder.write("snmptrapd.conf", "disableAuthorization yes\n");
  return {"snmptrapd",
          "-f",
          "-Lo",
          "-n",
          "-C",
          "-c",
          folder.file("snmptrapd.conf"),
          "-OQne",
          "-m",
          "",
          "udp:127.0.0.1:" + std::to_string(port)};
}

}  // namespace

TrapReceiver::TrapReceiver(const Namespace& space, std::uint16_t port)
    : child_(command_of(folder_, port),
             {.in = &space, .environment = isolated_snmp_environment(folder_.path().string())}) {
  if (!child_.says("NET-SNMP version", kTrapPatience))
    throw Trouble("snmptrapd does not start: " + child_.err());
}

long TrapReceiver::count(std::string_view part) const {
  std::istringstream lines(text());
  long count = 0;
  for (std::string line; std::getline(lines, line);)
    count += line.find(part) != std::string::npos ? 1 : 0;
  return count;
}

bool TrapReceiver::hears(std::string_view part) const { return child_.says(part, kTrapPatience); }

const std::optional<std::string>& trap_receiver_skip_reason() {
  static const std::optional<std::string> reason = []() -> std::optional<std::string> {
    try {
      run({"snmptrapd", "-v"});
      return std::nullopt;
    } catch (const Trouble& trouble) {
      return trouble.what();
    }
  }();
  return reason;
}

}  // namespace tcpmibd::lab
