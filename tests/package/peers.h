#pragma once

#include <iomanip>
#include <sstream>
#include <string>

#include "package/machine.h"
#include "support/trouble.h"

namespace tcpmibd::lab {

// Two services of the machine, each run by a user of its own, and the connection between them:
// 127.0.0.1:50312 to 127.0.0.1:PORT.
class Peers {
 public:
  explicit Peers(const Machine& machine, int port = 8080)
      : machine_(machine),
        server_("server-" + std::to_string(port)),
        client_("client-" + std::to_string(port)),
        port_(std::to_string(port)) {
    run(server_, "Listen => 5, LocalPort => " + port_,
        "while (my $peer = $end->accept) { push @peers, $peer }");
    await(listening());
    run(client_, "LocalPort => 50312, PeerAddr => q(127.0.0.1), PeerPort => " + port_,
        "sysread $end, my $byte, 1");
    await(connected());
  }

  // Whether the kernel still has the connection.
  bool connection_lives() const { return !machine_.must(connected()).empty(); }

  std::string listener_process() const { return "1.3.6.1.2.1.6.20.1.4.1.4.127.0.0.1." + port_; }
  std::string connection_state() const {
    return "1.3.6.1.2.1.6.19.1.7.1.4.127.0.0.1.50312.1.4.127.0.0.1." + port_;
  }
  // The same connection as the server's end sees it.
  std::string connection_state_of_server() const {
    return "1.3.6.1.2.1.6.19.1.7.1.4.127.0.0.1." + port_ + ".1.4.127.0.0.1.50312";
  }
  std::string server_pid() const {
    return machine_.must("systemctl show --property=MainPID --value " + server_);
  }

 private:
  void await(const std::string& rows) const {
    if (!machine_.eventually("[[ -n $(" + rows + ") ]]"))
      throw Trouble("the peers do not meet: " +
                    machine_.must("cat /proc/net/tcp; journalctl -n 5"));
  }

  void run(const std::string& name, const std::string& socket, const std::string& then) const {
    machine_.must("systemd-run --quiet --unit=" + name +
                  " --property=DynamicUser=yes "
                  "--property=AmbientCapabilities=CAP_NET_BIND_SERVICE "
                  "perl -MIO::Socket::INET -e 'my @peers; my $end = IO::Socket::INET->new("
                  "Proto => q(tcp), LocalAddr => q(127.0.0.1), ReuseAddr => 1, " +
                  socket + ") or die $@; " + then + "'");
  }

  // Lines of /proc/net/tcp: the kernel's own account, in no code of ours. 0A is listen, 01
  // established; ports are hexadecimal.
  std::string listening() const { return rows("$2 ~ /:" + hex() + "$/ && $4 == \"0A\""); }
  std::string connected() const {
    return rows("$2 ~ /:C488$/ && $3 ~ /:" + hex() + "$/ && $4 == \"01\"");
  }
  std::string rows(const std::string& condition) const {
    return "awk '" + condition + "' /proc/net/tcp";
  }
  std::string hex() const {
    std::ostringstream text;
    text << std::hex << std::uppercase << std::setw(4) << std::setfill('0') << std::stoi(port_);
    return text.str();
  }

  const Machine& machine_;
  std::string server_;
  std::string client_;
  std::string port_;
};

}  // namespace tcpmibd::lab
