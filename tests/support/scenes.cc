#include "support/scenes.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <utility>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

std::string on_port(const std::string& address, std::uint16_t port) {
  return address + ":" + std::to_string(port);
}

TcpSocket listen_in_a(const Stage& stage, const ListenOptions& options = {}) {
  return listen_on(stage.a, on_port(stage.address_a, 0), options);
}

TcpSocket listen_in_b(const Stage& stage, const ListenOptions& options = {}) {
  return listen_on(stage.b, on_port(stage.address_b, 0), options);
}

std::string port_rule(const char* direction, const TcpSocket& listener) {
  return std::string("tcp ") + direction + " " + std::to_string(listener.port());
}

// What the client sends no longer arrives.
void silence_client(const Stage& stage, const Connection& connection) {
  stage.b.drop_input(port_rule("dport", connection.listener));
}

Scene watch_client(Connection connection) {
  const Ends ends = connection.client.ends();
  Scene scene{.watched = ends};
  scene.sockets.push_back(std::move(connection.client));
  scene.sockets.push_back(std::move(connection.server));
  scene.sockets.push_back(std::move(connection.listener));
  return scene;
}

// The client's peer as `a` sees it, where `a` is the server's side.
Scene watch_server(TcpSocket listener, TcpSocket client, TcpSocket server = {}) {
  Scene scene{.watched = {.local = listener.local(), .remote = client.local()}};
  scene.sockets.push_back(std::move(server));
  scene.sockets.push_back(std::move(listener));
  scene.sockets.push_back(std::move(client));
  return scene;
}

Scene listening(const Stage& stage) {
  TcpSocket listener = listen_in_a(stage);
  Scene scene{.watched = {.local = listener.local(), .remote = {}}};
  scene.sockets.push_back(std::move(listener));
  return scene;
}

Scene syn_sent(const Stage& stage) {
  TcpSocket listener = listen_in_b(stage);
  stage.b.drop_input(port_rule("dport", listener));
  const std::string to = on_port(stage.address_b, listener.port());
  TcpSocket client = start_connecting(stage.a, to);
  Scene scene{.watched = {.local = client.local(), .remote = end_of(to)}};
  scene.sockets.push_back(std::move(client));
  scene.sockets.push_back(std::move(listener));
  return scene;
}

// The accept queue has room for one more than the backlog says; the next SYN is dropped.
Scene syn_sent_to_full_backlog(const Stage& stage) {
  TcpSocket listener = listen_in_b(stage, {.backlog = 0});
  const std::string to = on_port(stage.address_b, listener.port());
  TcpSocket accepted = connect_to(stage.a, to);
  TcpSocket client = start_connecting(stage.a, to);
  Scene scene{.watched = {.local = client.local(), .remote = end_of(to)}};
  scene.sockets.push_back(std::move(client));
  scene.sockets.push_back(std::move(accepted));
  scene.sockets.push_back(std::move(listener));
  return scene;
}

Scene syn_received_deferred(const Stage& stage) {
  TcpSocket listener = listen_in_a(stage, {.defer_accept = 30});
  TcpSocket client = connect_to(stage.b, on_port(stage.address_a, listener.port()));
  return watch_server(std::move(listener), std::move(client));
}

Scene syn_received_answer_lost(const Stage& stage) {
  TcpSocket listener = listen_in_a(stage);
  stage.b.drop_input(port_rule("sport", listener));
  TcpSocket client = start_connecting(stage.b, on_port(stage.address_a, listener.port()));
  return watch_server(std::move(listener), std::move(client));
}

// A SYN with data: the server has a full socket, and may accept it, before the handshake is over.
Scene syn_received_fast_open(const Stage& stage) {
  stage.a.set_sysctl("net.ipv4.tcp_fastopen", "0x607");
  stage.b.set_sysctl("net.ipv4.tcp_fastopen", "0x607");
  TcpSocket listener = listen_in_a(stage, {.fast_open = true});
  stage.b.drop_input(port_rule("sport", listener));
  TcpSocket client =
      start_fast_connecting(stage.b, on_port(stage.address_a, listener.port()), "hello");
  TcpSocket server = accept_from(listener);
  return watch_server(std::move(listener), std::move(client), std::move(server));
}

// A socket that connects to itself is server and client at once.
Scene syn_received_from_itself(const Stage& stage) {
  const std::string itself = text(bind_only(stage.a, on_port(stage.address_a, 0)).local());
  const std::string port = itself.substr(itself.rfind(':') + 1);
  stage.a.drop_input("tcp dport " + port + " tcp flags & (syn | ack) == (syn | ack)");
  TcpSocket socket = start_connecting(stage.a, itself, {.from = itself});
  Scene scene{.watched = {.local = end_of(itself), .remote = end_of(itself)}};
  scene.sockets.push_back(std::move(socket));
  return scene;
}

Scene established(const Stage& stage) { return watch_client(connected(stage)); }

Scene established_unaccepted(const Stage& stage) {
  TcpSocket listener = listen_in_a(stage);
  TcpSocket client = connect_to(stage.b, on_port(stage.address_a, listener.port()));
  return watch_server(std::move(listener), std::move(client));
}

Scene fin_wait_1(const Stage& stage) {
  Connection connection = connected(stage);
  silence_client(stage, connection);
  connection.client.shutdown_write();
  return watch_client(std::move(connection));
}

Scene fin_wait_1_stopped_up(const Stage& stage) {
  Connection connection = stopped_up(stage);
  connection.client.shutdown_write();
  return watch_client(std::move(connection));
}

Scene fin_wait_2(const Stage& stage) {
  Connection connection = connected(stage);
  connection.client.shutdown_write();
  return watch_client(std::move(connection));
}

// What is left of a closed socket: no inode, no owner, and the kernel's shorter record.
Scene fin_wait_2_minisock(const Stage& stage) {
  Connection connection = connected(stage);
  const Ends ends = connection.client.ends();
  connection.client.close();
  Scene scene{.watched = ends};
  scene.sockets.push_back(std::move(connection.server));
  scene.sockets.push_back(std::move(connection.listener));
  return scene;
}

// With more than 60 s to wait the kernel keeps the whole socket, though nobody has it open.
Scene fin_wait_2_orphan(const Stage& stage) {
  stage.a.set_sysctl("net.ipv4.tcp_fin_timeout", "120");
  return fin_wait_2_minisock(stage);
}

Scene close_wait(const Stage& stage) {
  Connection connection = connected(stage);
  connection.server.shutdown_write();
  connection.client.await_fin();
  return watch_client(std::move(connection));
}

Scene last_ack(const Stage& stage) {
  Connection connection = connected(stage);
  connection.server.shutdown_write();
  connection.client.await_fin();
  silence_client(stage, connection);
  connection.client.shutdown_write();
  return watch_client(std::move(connection));
}

Scene last_ack_stopped_up(const Stage& stage) {
  Connection connection = stopped_up(stage);
  connection.server.shutdown_write();
  connection.client.await_fin();
  connection.client.shutdown_write();
  return watch_client(std::move(connection));
}

Scene closing(const Stage& stage) {
  Connection connection = connected(stage);
  stage.b.drop_input(port_rule("dport", connection.listener) + " tcp flags & fin == fin");
  connection.client.shutdown_write();
  connection.server.shutdown_write();
  return watch_client(std::move(connection));
}

Scene closing_stopped_up(const Stage& stage) {
  Connection connection = stopped_up(stage);
  connection.client.shutdown_write();
  connection.server.shutdown_write();
  return watch_client(std::move(connection));
}

Scene time_wait(const Stage& stage) {
  Connection connection = connected(stage);
  const Ends ends = connection.client.ends();
  connection.client.shutdown_write();
  connection.server.await_fin();
  connection.server.close();
  connection.client.await_fin();
  connection.client.close();
  Scene scene{.watched = ends};
  scene.sockets.push_back(std::move(connection.listener));
  return scene;
}

constexpr std::array kRecipes{
    Recipe{"Listen", "LISTEN", 2, false, listening},
    Recipe{"SynSent", "SYN-SENT", 3, true, syn_sent},
    Recipe{"SynSentToFullBacklog", "SYN-SENT", 3, false, syn_sent_to_full_backlog},
    Recipe{"SynReceivedDeferred", "SYN-RECV", 4, false, syn_received_deferred},
    Recipe{"SynReceivedAnswerLost", "SYN-RECV", 4, true, syn_received_answer_lost},
    Recipe{"SynReceivedFastOpen", "SYN-RECV", 4, true, syn_received_fast_open},
    Recipe{"SynReceivedFromItself", "SYN-RECV", 4, true, syn_received_from_itself},
    Recipe{"Established", "ESTAB", 5, false, established},
    Recipe{"EstablishedUnaccepted", "ESTAB", 5, false, established_unaccepted},
    Recipe{"FinWait1", "FIN-WAIT-1", 6, true, fin_wait_1},
    Recipe{"FinWait1StoppedUp", "FIN-WAIT-1", 6, false, fin_wait_1_stopped_up},
    Recipe{"FinWait2", "FIN-WAIT-2", 7, false, fin_wait_2},
    Recipe{"FinWait2Minisock", "FIN-WAIT-2", 7, false, fin_wait_2_minisock},
    Recipe{"FinWait2Orphan", "FIN-WAIT-2", 7, false, fin_wait_2_orphan},
    Recipe{"CloseWait", "CLOSE-WAIT", 8, false, close_wait},
    Recipe{"LastAck", "LAST-ACK", 9, true, last_ack},
    Recipe{"LastAckStoppedUp", "LAST-ACK", 9, false, last_ack_stopped_up},
    Recipe{"Closing", "CLOSING", 10, true, closing},
    Recipe{"ClosingStoppedUp", "CLOSING", 10, false, closing_stopped_up},
    Recipe{"TimeWait", "TIME-WAIT", 11, false, time_wait},
};

}  // namespace

Stage on_cable(const TwoHosts& hosts, Family family) {
  switch (family) {
    case Family::kV4:
      return {hosts.a, hosts.b, "10.77.1.1", "10.77.1.2"};
    case Family::kV6:
      return {hosts.a, hosts.b, "[fd77::1]", "[fd77::2]"};
    case Family::kMapped:
      break;
  }
  return {hosts.a, hosts.b, "[::ffff:10.77.1.1]", "[::ffff:10.77.1.2]"};
}

Stage on_loopback(const Namespace& space, Family family) {
  switch (family) {
    case Family::kV4:
      return {space, space, "127.0.0.1", "127.0.0.1"};
    case Family::kV6:
      return {space, space, "[::1]", "[::1]"};
    case Family::kMapped:
      break;
  }
  return {space, space, "[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"};
}

Connection connected(const Stage& stage, const ListenOptions& listen,
                     const ConnectOptions& connect) {
  Connection connection;
  connection.listener = listen_in_b(stage, listen);
  connection.client =
      connect_to(stage.a, on_port(stage.address_b, connection.listener.port()), connect);
  connection.server = accept_from(connection.listener);
  return connection;
}

Connection stopped_up(const Stage& stage) {
  Connection connection = connected(stage, {.receive_buffer = 2048}, {.send_buffer = 4096});
  connection.client.fill();
  return connection;
}

std::ostream& operator<<(std::ostream& stream, const Recipe& recipe) {
  return stream << recipe.name;
}

std::span<const Recipe> recipes() { return kRecipes; }

}  // namespace tcpmibd::lab
