#include "tcp/deletion.h"

#include <algorithm>

namespace tcpmibd::tcp {

namespace {

bool contains(const std::vector<std::uint16_t>& ports, std::uint16_t port) {
  return std::ranges::find(ports, port) != ports.end();
}

Ends turned(const Ends& ends) {
  return {ends.remote, ends.local, ends.remote_port, ends.local_port};
}

// Where both ends are on this host, each has a row; ending either ends the session.
bool is_own(const Socket& socket, std::span<const Ends> own) {
  const Ends ends = ends_of(socket);
  return std::ranges::any_of(
      own, [&](const Ends& each) { return each == ends || turned(each) == ends; });
}

Refusal protection(const Socket& socket, const DeletionContext& context) {
  if (socket.state == State::kListen && context.rules.policy != DeletionPolicy::kAll)
    return Refusal::kListener;
  if (contains(context.rules.protected_ports, socket.id.local.port))
    return Refusal::kProtectedPort;
  if (socket.state != State::kListen &&
      contains(context.rules.protected_remote_ports, socket.id.remote.port))
    return Refusal::kProtectedRemotePort;
  if (is_own(socket, context.own_connections))
    return Refusal::kOwnSession;
  return Refusal::kNone;
}

Refusal hindrance(const Socket& socket, const DeletionContext& context) {
  if (socket.state == State::kListen && is_dual_stack_wildcard(socket))
    return Refusal::kDualStack;
  if (socket.mptcp == MptcpRole::kSubflow)
    return socket.state == State::kListen ? Refusal::kMptcpListener : Refusal::kSubflow;
  if (is_minisock(socket) &&
      std::ranges::find(context.lasting, socket.state) != context.lasting.end())
    return Refusal::kMinisock;
  return names_one_socket(socket.id) ? Refusal::kNone : Refusal::kNameless;
}

}  // namespace

Ends ends_of(const Socket& socket) {
  const SocketId& id = socket.id;
  return ends_of(ConnectionQuery{id.family, id.local, id.remote, id.interface});
}

Ends ends_of(const ConnectionQuery& query) {
  return {.local = inet_address(query.family, query.local.address, query.zone, {}),
          .remote = inet_address(query.family, query.remote.address, query.zone, {}),
          .local_port = query.local.port,
          .remote_port = query.remote.port};
}

// A FIN_WAIT_2 may be either kind; only a minisock waits as TIME_WAIT does.
bool is_minisock(const Socket& socket) {
  const bool remnant = socket.state == State::kTimeWait || socket.timer == Timer::kTimeWait;
  return socket.inode == 0 && (remnant || socket.state == State::kSynReceived);
}

std::string to_text(const Socket& socket) {
  if (socket.state == State::kListen)
    return to_text(listener_address(socket, {}), socket.id.local.port) + " *";
  const Ends ends = ends_of(socket);
  return to_text(ends.local, ends.local_port) + " " + to_text(ends.remote, ends.remote_port);
}

std::string_view reason(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return "";
    case Refusal::kAbsent:
      return "there is no such row";
    case Refusal::kListener:
      return "it is a listener, and delete-tcb.policy is not \"all\"";
    case Refusal::kProtectedPort:
      return "delete-tcb.protect-ports names its local port";
    case Refusal::kProtectedRemotePort:
      return "delete-tcb.protect-remote-ports names its remote port";
    case Refusal::kOwnSession:
      return "it carries the session of this agent";
    case Refusal::kShared:
      return "several sockets stand behind the row";
    case Refusal::kDualStack:
      return "its listener serves IPv6 as well";
    case Refusal::kSubflow:
      return "it is a subflow of MPTCP, which would live on";
    case Refusal::kMptcpListener:
      return "it is a listener of MPTCP, which the kernel ends for nobody but its process";
    case Refusal::kMinisock:
      return "this kernel cannot end a connection in this state";
    case Refusal::kNameless:
      return "the kernel gives it no cookie to be named by";
  }
  return "";
}

Refusal judge(std::span<const Socket> sockets, const DeletionContext& context) {
  if (sockets.empty())
    return Refusal::kAbsent;
  for (const Socket& socket : sockets) {
    if (const Refusal refusal = protection(socket, context); refusal != Refusal::kNone)
      return refusal;
  }
  if (sockets.size() > 1)
    return Refusal::kShared;
  return hindrance(sockets.front(), context);
}

}  // namespace tcpmibd::tcp
