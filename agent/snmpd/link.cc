#include "agent/snmpd/link.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "agent/agentx/module_protocol.h"

namespace tcpmibd::agent::snmpd {
namespace {

using agentx::ErrorCode;
using agentx::Header;
using agentx::Packet;
using agentx::PduType;
using agentx::Reader;

// A daemon that comes and goes does not fill snmpd's log.
constexpr Duration kTelling = std::chrono::minutes(1);
constexpr unsigned kMostTold = 6;

// PDUs taken at a turn: an answer is worked at for some ten microseconds a binding.
constexpr unsigned kMostTaken = 64;

constexpr std::size_t kLongestContext = 255;  // SnmpAdminString of RFC 3415's vacmContextName
constexpr std::size_t kShortestRoot = 4;      // nobody serves all of internet(1.3.6.1)
constexpr std::size_t kMostNotified = 256;    // bindings of one notification

constexpr const char* kSenseless = "what it sends makes no sense";

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return std::nullopt;
  std::ranges::copy(path, address.sun_path);
  return address;
}

// A unix socket connects at once or not at all.
FileDescriptor connected(const sockaddr_un& address) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket &&
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return socket;
  return {};
}

}  // namespace

// ---- The connection

void Link::connect(Time now) {
  const std::optional<sockaddr_un> address = address_of(settings_.path);
  if (!address)
    return stay_away("that is no path of a socket", now);
  FileDescriptor socket = connected(*address);
  if (!socket)
    return stay_away(std::generic_category().message(errno), now);
  if (const std::optional<std::string> why = misfit(socket))
    return stay_away(*why, now);
  connection_.emplace(std::move(socket));
}

// Whoever can make a socket at that place could answer in the daemon's name.
std::optional<std::string> Link::misfit(const FileDescriptor& socket) const {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return std::generic_category().message(errno);
  if (peer.uid == 0 || peer.uid == ::geteuid() ||
      std::ranges::find(settings_.trusted, peer.uid) != settings_.trusted.end())
    return std::nullopt;
  return "who listens there runs as user " + std::to_string(peer.uid) + " and not as tcpmibd";
}

// Reports each cause once, for it may last.
void Link::stay_away(const std::string& why, Time now) {
  connect_at_ = now + kRetry;
  if (std::exchange(told_, why) != why)
    report(true, "cannot reach tcpmibd at " + settings_.path + ": " + why + "; trying again", now);
}

void Link::lose(const std::string& why, Time now) {
  const bool was_open = session_.has_value();
  close();
  if (was_open)
    report(true, "lost tcpmibd at " + settings_.path + ": " + why, now);
  else
    stay_away(why, now);
  connect_at_ = now + kRetry;
}

void Link::close() {
  connection_.reset();
  session_.reset();
  silent_ = false;
  probed_ = false;
  broken_ = false;
  for (const Asked& asked : std::exchange(asked_, {}))
    fail(asked.packet);
  owner_.on_lost();
}

void Link::report(bool is_trouble, const std::string& line, Time now) {
  if (now - telling_since_ >= kTelling) {
    telling_since_ = now;
    told_lately_ = 0;
  }
  if (told_lately_++ < kMostTold)
    owner_.report(is_trouble, line);
}

Time Link::wake() const {
  if (!connection_)
    return connect_at_;
  if (broken_ || connection_->has_packet())
    return {};
  if (asked_.empty())
    return Time::max();
  return std::min(asked_.front().at + kLongest,
                  last_sign() + (probed_ ? kPatience : kPatience / 2));
}

void Link::turn(Time now) {
  if (!connection_ && now >= connect_at_)
    connect(now);
  if (!connection_)
    return;
  receive(now);
  if (!connection_)
    return;
  look_at_clock(now);
  send();
  if (broken_)
    lose("it has closed the connection", now);
}

void Link::send() {
  if (connection_->send() == agentx::Connection::Sent::kBroken)
    broken_ = true;
}

// ---- What the daemon says

// A bounded part of it at a turn, so that snmpd has its own.
void Link::receive(Time now) {
  const bool lives = !connection_->may_receive() || connection_->receive();
  for (unsigned taken = 0; taken < kMostTaken; ++taken) {
    const std::optional<Packet> packet = connection_->take();
    if (!packet)
      break;
    heard_ = now;
    probed_ = false;
    silent_ = false;
    if (const std::optional<std::string> why = take(*packet, now)) {
      send();
      return lose(*why, now);
    }
  }
  if (connection_->is_senseless())
    lose("what it sends is no AgentX", now);
  else if (!has_room())
    lose("it does not read what it is sent", now);
  else if (!lives)
    lose("it has closed the connection", now);
}

// Why the connection is to be given up, if it is: what is senseless is not looked at any further.
std::optional<std::string> Link::take(const Packet& packet, Time now) {
  Reader reader = packet.reader();
  std::string context;
  if (packet.header.has_context())
    context = reader.take_octets();
  if (!session_)
    return take_open(packet, reader, now);
  if (packet.header.session != session_)
    return kSenseless;
  switch (packet.header.type) {
    case PduType::kRegister:
      return take_register(packet, std::move(context), reader);
    case PduType::kNotify:
      return take_notification(packet, reader);
    case PduType::kResponse:
      return take_response(packet, reader);
    case PduType::kPing:
      reply(packet.header, ErrorCode::kNone);
      return std::nullopt;
    case PduType::kClose:
      reply(packet.header, ErrorCode::kNone);
      return "it has ended";
    default:
      return kSenseless;
  }
}

std::optional<std::string> Link::take_open(const Packet& packet, Reader& reader, Time now) {
  const std::string_view protocol = agentx::take_open(reader);
  if (packet.header.type != PduType::kOpen || reader.failed())
    return kSenseless;
  if (protocol != agentx::kModuleProtocol) {
    reply(packet.header, ErrorCode::kOpenFailed);
    return "it is of another version: tcpmibd and this module belong together";
  }
  session_ = ++sessions_;
  told_.clear();
  report(false, "takes the objects of tcpmibd at " + settings_.path, now);
  reply(packet.header, ErrorCode::kNone);
  return std::nullopt;
}

std::optional<std::string> Link::take_register(const Packet& packet, std::string context,
                                               Reader& reader) {
  const Served served{.subtree = agentx::take_register(reader), .context = std::move(context)};
  if (reader.failed() || served.subtree.root.size() < kShortestRoot ||
      served.context.size() > kLongestContext)
    return kSenseless;
  reply(packet.header, owner_.register_subtree(served));
  return std::nullopt;
}

std::optional<std::string> Link::take_notification(const Packet& packet, Reader& reader) {
  std::vector<agentx::Found> bindings;
  while (!reader.at_end() && bindings.size() < kMostNotified)
    bindings.push_back(reader.take_found());
  if (reader.failed() || !reader.at_end())
    return kSenseless;
  owner_.on_notification(bindings);
  reply(packet.header, ErrorCode::kNone);
  return std::nullopt;
}

// One that comes too late, or was not asked for, shows only that the daemon is there.
std::optional<std::string> Link::take_response(const Packet& packet, Reader& reader) {
  const agentx::Response response = agentx::take_response(reader);
  if (reader.failed())
    return kSenseless;
  const auto asked = std::ranges::find(asked_, packet.header.packet, &Asked::packet);
  if (asked == asked_.end())
    return std::nullopt;
  asked_.erase(asked);
  if (owner_.on_answer(packet.header.packet, response, reader))
    return std::nullopt;
  return kSenseless;
}

// The session's number is that of the answer to Open (6.2.1, 7.1.1).
void Link::reply(const Header& header, ErrorCode error) {
  Header request = header;
  request.session = session_.value_or(0);
  agentx::append_master_response(connection_->out(), request, owner_.uptime(), error);
}

// ---- What it is asked

std::optional<std::uint32_t> Link::read(PduType type, std::uint32_t transaction,
                                        std::string_view context, const agentx::ReadFields& fields,
                                        Time now) {
  return ask(transaction, now, [&](agentx::Bytes& out, const Header& header) {
    agentx::append_read(out, header, type, context, fields);
  });
}

std::optional<std::uint32_t> Link::test_set(std::uint32_t transaction, std::string_view context,
                                            const agentx::Bytes& bindings, Time now) {
  return ask(transaction, now, [&](agentx::Bytes& out, const Header& header) {
    agentx::append_test_set(out, header, context, bindings);
  });
}

std::optional<std::uint32_t> Link::set_phase(PduType phase, std::uint32_t transaction, Time now) {
  return ask(transaction, now, [&](agentx::Bytes& out, const Header& header) {
    agentx::append_set_phase(out, header, phase);
  });
}

void Link::clean_up_set(std::uint32_t transaction) {
  if (!session_ || !has_room())
    return;
  agentx::append_set_phase(connection_->out(), next_header(transaction), PduType::kCleanupSet);
  send();
}

template <typename Append>
std::optional<std::uint32_t> Link::ask(std::uint32_t transaction, Time now, Append append) {
  if (!takes_requests())
    return std::nullopt;
  const Header header = next_header(transaction);
  append(connection_->out(), header);
  asked_.push_back({.packet = header.packet, .at = now});
  send();
  return header.packet;
}

Header Link::next_header(std::uint32_t transaction) {
  return {.session = session_.value_or(0),
          .transaction = transaction,
          .packet = ++packets_,
          .length = 0};
}

bool Link::takes_requests() const {
  return session_ && !silent_ && !broken_ && asked_.size() < kMost && has_room();
}

bool Link::has_room() const { return connection_->unsent() < agentx::Connection::kMostUnsent; }

// ---- Time

// While nothing is asked it may well be silent.
Time Link::last_sign() const { return std::max(heard_, asked_.front().at); }

void Link::look_at_clock(Time now) {
  while (!asked_.empty() && now >= asked_.front().at + kLongest)
    fail_first();
  if (asked_.empty())
    return;
  if (!probed_ && now >= last_sign() + kPatience / 2)
    probe();
  silent_ = now >= last_sign() + kPatience;
  while (silent_ && !asked_.empty())
    fail_first();
}

void Link::fail_first() {
  const Asked first = asked_.front();
  asked_.pop_front();
  fail(first.packet);
}

void Link::fail(std::uint32_t packet) {
  owner_.on_answer(packet, {.error = ErrorCode::kGenErr}, Reader({}, kOrder));
}

// Asks for nothing, which is answered at once.
void Link::probe() {
  probed_ = true;
  agentx::append_read(connection_->out(), next_header(0), PduType::kGet, {}, {});
}

}  // namespace tcpmibd::agent::snmpd
