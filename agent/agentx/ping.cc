#include "agent/agentx/ping.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "agent/agentx/pdu.h"
#include "base/clock.h"
#include "base/handle.h"

namespace tcpmibd::agent {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr Duration kAnswerWithin = std::chrono::seconds(2);

// RFC 2741, 6.1: what begins every PDU, and where in it a field lies.
constexpr std::size_t kHeader = 20;
constexpr std::size_t kSession = 4;
constexpr std::size_t kPayloadLength = 16;
constexpr std::size_t kErrorInPayload = 4;  // of a Response (6.2.16), after sysUpTime
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kLongest = 65536;  // more than any answer to these has

constexpr std::uint8_t kReasonShutdown = 5;

std::uint32_t number_at(const Bytes& bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return ntohl(number);
}

void append(Bytes& bytes, std::uint32_t number) {
  for (const int shift : {24, 16, 8, 0})
    bytes.push_back(static_cast<std::uint8_t>(number >> shift));
}

Bytes pdu(PduType type, std::uint32_t session, const Bytes& payload) {
  const auto number = static_cast<std::uint8_t>(type);
  Bytes bytes{kVersion, number, kNetworkByteOrder, 0};
  append(bytes, session);
  append(bytes, 0);                                           // transaction
  append(bytes, number);                                      // packet: each type is sent once
  append(bytes, static_cast<std::uint32_t>(payload.size()));  // a multiple of four
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

// With the timeout of the master's choice, a null identifier and a description.
Bytes open_pdu() {
  constexpr std::string_view kDescription = "tcpmibd doctor";
  Bytes payload(8, 0);
  append(payload, kDescription.size());
  payload.insert(payload.end(), kDescription.begin(), kDescription.end());
  payload.resize((payload.size() + 3) / 4 * 4, 0);
  return pdu(PduType::kOpen, 0, payload);
}

Bytes close_pdu(std::uint32_t session) {
  return pdu(PduType::kClose, session, Bytes{kReasonShutdown, 0, 0, 0});
}

bool send_all(const FileDescriptor& socket, const Bytes& bytes) {
  return ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

// Appends until there are `wanted` bytes. False, and errno, when the peer ends or is silent.
bool receive(const FileDescriptor& socket, std::size_t wanted, Time deadline, Bytes& bytes) {
  std::array<std::uint8_t, 512> buffer;
  while (bytes.size() < wanted) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      errno = ETIMEDOUT;
      return false;
    }
    const ssize_t size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (size == 0)
      errno = ECONNRESET;
    if (size <= 0)
      return false;
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + size);
  }
  return true;
}

// A whole PDU; empty, and errno, when none comes.
Bytes receive_pdu(const FileDescriptor& socket, Time deadline) {
  Bytes bytes;
  if (!receive(socket, kHeader, deadline, bytes))
    return {};
  const std::size_t payload = number_at(bytes, kPayloadLength);
  if (payload > kLongest) {
    errno = EPROTO;
    return {};
  }
  return receive(socket, kHeader + payload, deadline, bytes) ? bytes : Bytes{};
}

// Of a Response.
int error_of(const Bytes& answer) {
  const std::size_t at = kHeader + kErrorInPayload;
  return answer[at] * 256 + answer[at + 1];
}

Status refused(const MasterAddress& master, int code) {
  const std::string doing = "open an AgentX session with the master at " + master.text();
  if (code == ETIMEDOUT)
    return failure(doing, code, "the master is stopped or stuck: look at snmpd");
  return failure(doing, code, "is it an AgentX master that listens there?");
}

}  // namespace

Status ping_master(const MasterAddress& master) {
  const Result<FileDescriptor> socket = master.connect();
  if (!socket)
    return tl::unexpected(socket.error());
  const Time deadline = Clock::now() + kAnswerWithin;
  const Bytes answer = send_all(*socket, open_pdu()) ? receive_pdu(*socket, deadline) : Bytes{};
  if (answer.empty())
    return refused(master, errno);
  if (answer[1] != static_cast<std::uint8_t>(PduType::kResponse) ||
      answer.size() < kHeader + kErrorInPayload + 2)
    return refused(master, EPROTO);
  if (const int error = error_of(answer); error != 0)
    return failure("open an AgentX session with the master at " + master.text() +
                   ": it answers error " + std::to_string(error));
  // The master's answer is waited for, so that it does not write to a socket that is gone.
  if (send_all(*socket, close_pdu(number_at(answer, kSession))))
    receive_pdu(*socket, deadline);
  return {};
}

}  // namespace tcpmibd::agent
