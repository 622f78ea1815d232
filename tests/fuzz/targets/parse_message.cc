#include "diag/message.h"
#include "fuzz/targets.h"
#include "tcp/snapshot.h"

namespace tcpmibd::fuzz {

namespace {

// The same of an MPTCP connection.
void as_mptcp(Input input, diag::Parsed of_tcp) {
  tcp::Socket connection;
  require(diag::parse_mptcp_message(std::as_bytes(input), connection) == of_tcp,
          "what is a socket does not depend on who is asked");
  if (of_tcp != diag::Parsed::kSocket)
    return;
  tcp::SnapshotBuilder builder({});
  builder.add(connection);
  builder.add_mptcp(connection);
  builder.add_mptcp(connection);
  const tcp::Snapshot snapshot = builder.finish();
  require(snapshot.mptcp_size() <= 1, "one cookie is one connection");
  std::size_t counted = 0;
  snapshot.for_each_counted([&](const auto&) { ++counted; });
  require(counted == snapshot.mptcp_size(), "and what has its inode is its subflow");
}

}  // namespace

// The input: one answer of sock_diag without its netlink header.
void parse_message(Input input) {
  const tcp::Socket untouched;
  tcp::Socket socket;
  const diag::Parsed parsed = diag::parse_message(std::as_bytes(input), socket);
  as_mptcp(input, parsed);
  if (parsed != diag::Parsed::kSocket) {
    require(socket == untouched, "a message that is no socket leaves the socket alone");
    return;
  }
  require(socket.state == tcp::State::kListen || !socket.v6only, "v6only is told of listeners");
  for (const bool zones : {true, false}) {
    tcp::SnapshotBuilder builder({.zones = zones, .dual_stack_as_unknown = zones});
    builder.add(socket);
    builder.add(socket);
    const tcp::Snapshot snapshot = builder.finish();
    const std::size_t rows = socket.state == tcp::State::kClosed ? 0 : 1;
    require(snapshot.rows() == rows, "one cookie is one row, and none for a closed socket");
    require(snapshot.merged() == 0, "one cookie is one socket");
  }
}

}  // namespace tcpmibd::fuzz
