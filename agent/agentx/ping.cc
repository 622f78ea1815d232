#include "agent/agentx/ping.h"

#include <poll.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "agent/agentx/connection.h"
#include "agent/agentx/dialer.h"
#include "base/clock.h"

namespace tcpmibd::agent {
namespace {

using agentx::Connection;
using agentx::PduType;

constexpr Duration kReachWithin = std::chrono::milliseconds(500);
constexpr Duration kAnswerWithin = std::chrono::seconds(2);

// A Response: its session, and what it says.
struct Said {
  std::uint32_t session;
  agentx::ErrorCode error;
};

// None, and errno, where what comes is no Response.
std::optional<Said> said_in(const agentx::Packet& packet) {
  agentx::Reader reader = packet.reader();
  const agentx::Response response = agentx::take_response(reader);
  errno = EPROTO;
  if (packet.header.type != PduType::kResponse || reader.failed())
    return std::nullopt;
  return Said{.session = packet.header.session, .error = response.error};
}

// The peer's next Response; none, and errno, when none comes.
std::optional<Said> hear(Connection& connection, Time deadline) {
  while (connection.send() != Connection::Sent::kBroken) {
    if (const std::optional<agentx::Packet> packet = connection.take())
      return said_in(*packet);
    errno = EPROTO;
    if (connection.is_senseless())
      return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{.fd = connection.descriptor(), .events = POLLIN, .revents = 0};
    errno = ETIMEDOUT;
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0)
      return std::nullopt;
    errno = ECONNRESET;
    if (!connection.receive())
      return std::nullopt;
  }
  return std::nullopt;
}

Status refused(const MasterAddress& master, int code) {
  const std::string doing = "open an AgentX session with the master at " + master.text();
  if (code == ETIMEDOUT)
    return failure(doing, code, "the master is stopped or stuck: look at snmpd");
  return failure(doing, code, "is it an AgentX master that listens there?");
}

}  // namespace

Status ping_master(const MasterAddress& master) {
  Result<FileDescriptor> socket = agentx::connect_to(master, kReachWithin);
  if (!socket)
    return tl::unexpected(socket.error());
  Connection connection(*std::move(socket));
  const Time deadline = Clock::now() + kAnswerWithin;
  agentx::append_open(connection.out(), {.packet = 1}, "tcpmibd doctor");
  const std::optional<Said> opened = hear(connection, deadline);
  if (!opened)
    return refused(master, errno);
  if (opened->error != agentx::ErrorCode::kNone)
    return failure("open an AgentX session with the master at " + master.text() + ": it answers " +
                   to_text(opened->error));
  // The master's answer is waited for, so that it does not write to a socket that is gone.
  agentx::append_close(connection.out(), {.session = opened->session, .packet = 2},
                       agentx::CloseReason::kShutdown);
  hear(connection, deadline);
  return {};
}

}  // namespace tcpmibd::agent
