#include "bench/peers.h"

#include <endian.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "support/programs.h"
#include "support/sockets.h"
#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::Trouble;

constexpr std::chrono::seconds kLongest{120};  // for one list of a million sockets

constexpr const char* kNodeExporter = "prometheus-node-exporter";
constexpr const char* kNodeExporterAddress = "127.0.0.1:19100";
constexpr const char* kZabbixAgent = "zabbix_agent2";
constexpr const char* kZabbixAddress = "127.0.0.1:19050";

// As the key net.tcp.socket.count names them.
constexpr const char* kZabbixStates[] = {"established", "syn_sent",  "syn_recv", "fin_wait1",
                                         "fin_wait2",   "time_wait", "close",    "close_wait",
                                         "last_ack",    "listen",    "closing"};

// Sends `request` on a connection of its own; all that comes before the other end closes. It is
// reset then: the end that closes first would stay in TIME_WAIT for a minute, and be a row more in
// every table that is walked meanwhile.
std::string asked(const lab::Namespace& space, const std::string& address,
                  std::string_view request) {
  lab::TcpSocket socket = lab::connect_to(space, address);
  socket.send(request);
  std::string answer;
  for (std::string piece = socket.receive(4096); !piece.empty(); piece = socket.receive(4096))
    answer += piece;
  socket.reset();
  return answer;
}

template <typename Ask>
void await(const char* program, const lab::Child& child, Ask ask) {
  const auto answers = [&] {
    try {
      ask();
      return true;
    } catch (const Trouble&) {
      return false;
    }
  };
  if (!lab::eventually(answers, std::chrono::seconds(20)))
    throw Trouble(std::string(program) + " does not answer: " + child.err());
}

std::vector<std::string> node_exporter_command() {
  return {*lab::find_program(kNodeExporter),
          "--web.listen-address=" + std::string(kNodeExporterAddress),
          "--collector.disable-defaults", "--collector.tcpstat", "--log.level=error"};
}

std::string zabbix_configuration(const lab::TempFolder& folder) {
  return "Server=127.0.0.1\n"
         "ListenIP=127.0.0.1\n"
         "ListenPort=19050\n"
         "LogType=console\n"
         "DebugLevel=2\n"
         "PluginSocket=" +
         folder.file("plugin") + "\nControlSocket=" + folder.file("control") + "\n";
}

// "ZBXD", the protocol's version, the length in two little-endian halves: Zabbix manual, "Header".
std::string framed(std::string_view key) {
  const std::uint64_t length = htole64(key.size());
  std::string request = "ZBXD\x01";
  request.append(reinterpret_cast<const char*>(&length), sizeof length);
  return request.append(key);
}

}  // namespace

long Ss::count() const {
  const char* options = processes_ == Processes::kYes ? "-Htanp" : "-Htan";
  lab::Child child({"ss", options}, {.in = space_});
  if (child.process().wait(kLongest) != 0)
    throw Trouble("ss failed: " + child.err());
  return std::ranges::count(child.out(), '\n');
}

bool NodeExporter::is_installed() { return lab::is_installed(kNodeExporter); }

NodeExporter::NodeExporter(const lab::Namespace& space)
    : space_(&space), child_(node_exporter_command(), {.in = &space}) {
  await(kNodeExporter, child_, [&] { return count(); });
}

long NodeExporter::count() const {
  constexpr std::string_view kFigure = "node_tcp_connection_states{state=\"established\"} ";
  const std::string page =
      asked(*space_, kNodeExporterAddress,
            "GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
  const std::size_t at = page.find(kFigure);
  if (at == std::string::npos)
    throw Trouble("node_exporter tells no states: " + page.substr(0, 200));
  return static_cast<long>(std::stod(page.substr(at + kFigure.size())));
}

bool ZabbixAgent::is_installed() { return lab::is_installed(kZabbixAgent); }

ZabbixAgent::ZabbixAgent(const lab::Namespace& space)
    : space_(&space),
      child_({*lab::find_program(kZabbixAgent), "-f", "-c",
              folder_.write("agent.conf", zabbix_configuration(folder_))},
             {.in = &space}) {
  await(kZabbixAgent, child_, [&] { return check("agent.ping"); });
}

long ZabbixAgent::count() const {
  long established = 0;
  for (const std::string state : kZabbixStates) {
    const std::string answer = check("net.tcp.socket.count[,,,," + state + "]");
    if (state == kZabbixStates[0])
      established = std::stol(answer);
  }
  return established;
}

std::string ZabbixAgent::check(std::string_view key) const {
  constexpr std::size_t kHeader = 13;
  const std::string answer = asked(*space_, kZabbixAddress, framed(key));
  if (answer.size() <= kHeader || answer.find("ZBX_NOTSUPPORTED") != std::string::npos)
    throw Trouble("Zabbix agent does not tell " + std::string(key) + ": " + answer);
  return answer.substr(kHeader);
}

}  // namespace tcpmibd::bench
