#include "support/scripted_master.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

using agentx::Bytes;
using agentx::Pdu;
using agentx::Type;
using std::chrono::milliseconds;
using Time = std::chrono::steady_clock::time_point;

constexpr int kBacklog = 64;

Time after(milliseconds timeout) { return std::chrono::steady_clock::now() + timeout; }

// Whether there are `events` before the deadline.
bool await(const FileDescriptor& descriptor, short events, Time deadline) {
  pollfd waiting{.fd = descriptor.get(), .events = events, .revents = 0};
  const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
  return ::poll(&waiting, 1, static_cast<int>(std::max<long>(0, left.count()))) > 0;
}

bool is_closed(int error) { return error == EPIPE || error == ECONNRESET; }

FileDescriptor listening(int family, const sockaddr* address, socklen_t size,
                         const std::string& text) {
  FileDescriptor socket(
      check(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket for a master"));
  check(::bind(socket.get(), address, size), "bind " + text);
  check(::listen(socket.get(), kBacklog), "listen on " + text);
  return socket;
}

FileDescriptor listening_at(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path)
    throw Trouble("the path of a master's socket is too long: " + path);
  std::ranges::copy(path, address.sun_path);
  return listening(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, path);
}

FileDescriptor listening_on_loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return listening(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address,
                   "127.0.0.1");
}

std::string address_of(const FileDescriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  check(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size),
        "read a master's port");
  return "tcp:127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

// Where a receiver that counts on a whole header, or on a whole PDU, is let down.
bool is_a_moment_to_rest(std::size_t sent) { return sent == 10 || sent == agentx::kHeader + 3; }

}  // namespace

// ---- MasterSession: the stream ----

MasterSession::MasterSession(FileDescriptor socket, Manners how)
    : manners(std::move(how)), socket_(std::move(socket)) {}

// Reads once. False at the deadline or at the end of the stream.
bool MasterSession::fill(Time deadline) {
  if (ended_ || !await(socket_, POLLIN, deadline))
    return false;
  std::array<std::uint8_t, 65'536> buffer;
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0)
    received_.insert(received_.end(), buffer.begin(), buffer.begin() + size);
  ended_ = size == 0 || (size < 0 && is_closed(errno));
  return size > 0;
}

std::optional<Pdu> MasterSession::receive(milliseconds timeout) {
  const Time deadline = after(timeout);
  for (;;) {
    if (std::optional<Pdu> pdu = agentx::take_pdu(received_))
      return pdu;
    if (!fill(deadline))
      return std::nullopt;
  }
}

bool MasterSession::ends(milliseconds timeout) {
  const Time deadline = after(timeout);
  while (fill(deadline))
    received_.clear();
  return ended_;
}

bool MasterSession::send(const Bytes& bytes) const {
  const Time deadline = after(kPatience);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    if (!await(socket_, POLLOUT, deadline))
      throw Trouble("the subagent does not read what its master sends");
    const std::optional<std::size_t> more =
        send_what_fits(Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(sent), bytes.end()));
    if (!more)
      return false;
    sent += *more;
  }
  return true;
}

bool MasterSession::send_in_pieces(const Bytes& bytes) const {
  for (std::size_t sent = 0; sent < bytes.size(); ++sent) {
    if (is_a_moment_to_rest(sent))
      pause_briefly();
    if (!send(Bytes{bytes[sent]}))
      return false;
  }
  return true;
}

std::optional<std::size_t> MasterSession::send_what_fits(const Bytes& bytes) const {
  const ssize_t sent =
      ::send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0)
    return static_cast<std::size_t>(sent);
  if (is_closed(errno))
    return std::nullopt;
  check(errno == EAGAIN || errno == EINTR ? 0 : -1, "send to a subagent");
  return 0;
}

void MasterSession::close() {
  socket_ = FileDescriptor();
  received_.clear();  // Nobody is there to be answered.
  ended_ = true;
}

void MasterSession::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

// ---- MasterSession: duties ----

bool MasterSession::serve_until(const std::function<bool()>& done, milliseconds timeout) {
  const Time deadline = after(timeout);
  while (!done()) {
    if (std::chrono::steady_clock::now() >= deadline)
      return done();
    if (!serve_one(milliseconds(10)) && ended_)
      pause_briefly();
  }
  return true;
}

bool MasterSession::serve_one(milliseconds timeout) {
  const std::optional<Pdu> pdu = receive(timeout);
  if (!pdu)
    return false;
  if (pdu->type == Type::kResponse) {
    answers_.emplace(pdu->packet, agentx::response_of(*pdu));
    return true;
  }
  requests_.push_back(*pdu);
  answer(*pdu);
  return true;
}

void MasterSession::answer(const Pdu& request) const {
  const std::optional<std::uint16_t> error =
      manners.verdict ? manners.verdict(request) : std::optional(agentx::kNoError);
  if (!error)
    return;
  if (manners.late.count() > 0)
    await(FileDescriptor(), 0, after(manners.late));
  Pdu response = agentx::response_to(request, uptime(), *error);
  if (request.type == Type::kOpen)
    response.session = manners.session;
  if (manners.in_pieces)
    send_in_pieces(agentx::encode(response));
  else
    send(response);
}

std::uint32_t MasterSession::uptime() const {
  constexpr milliseconds kHundredth{10};
  return manners.uptime +
         static_cast<std::uint32_t>((std::chrono::steady_clock::now() - begun_) / kHundredth);
}

// ---- MasterSession: requests ----

std::uint32_t MasterSession::begin(Pdu request) {
  request.packet = ++last_packet_;
  if (request.session == 0)
    request.session = manners.session;
  send(request);
  return request.packet;
}

std::optional<agentx::Response> MasterSession::answer_to(std::uint32_t packet,
                                                         milliseconds timeout) {
  serve_until([&] { return ended_ || answers_.contains(packet); }, timeout);
  const auto found = answers_.find(packet);
  return found == answers_.end() ? std::nullopt : std::optional(found->second);
}

agentx::Response MasterSession::ask(Pdu request, milliseconds timeout) {
  std::optional<agentx::Response> response = answer_to(begin(std::move(request)), timeout);
  if (!response)
    throw Trouble(ended_ ? "the subagent has closed the connection instead of answering"
                         : "the subagent does not answer");
  return std::move(*response);
}

std::vector<agentx::Response> MasterSession::answers_to(std::uint32_t packet) const {
  std::vector<agentx::Response> all;
  const auto [begin, end] = answers_.equal_range(packet);
  for (auto answer = begin; answer != end; ++answer)
    all.push_back(answer->second);
  return all;
}

// ---- ScriptedMaster ----

ScriptedMaster::ScriptedMaster(FileDescriptor socket, std::string address)
    : socket_(std::move(socket)), address_(std::move(address)) {}

ScriptedMaster::ScriptedMaster(const std::string& path)
    : ScriptedMaster(listening_at(path), path) {}

ScriptedMaster ScriptedMaster::over_tcp(const Namespace& space) {
  FileDescriptor socket = space.run([] { return listening_on_loopback(); });
  std::string address = address_of(socket);
  return {std::move(socket), std::move(address)};
}

std::optional<MasterSession> ScriptedMaster::take(Manners manners, milliseconds timeout) const {
  const Time deadline = after(timeout);
  while (await(socket_, POLLIN, deadline)) {
    FileDescriptor peer(check(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC),
                              "take a subagent that calls"));
    if (!await(peer, POLLRDHUP, after(milliseconds(0))))
      return MasterSession(std::move(peer), std::move(manners));
  }
  return std::nullopt;
}

}  // namespace tcpmibd::lab
