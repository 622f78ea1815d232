#include "agent/agentx/session.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "tables/capabilities.h"

namespace tcpmibd::agent::agentx {
namespace {

// How much a master may have to read yet before it is sent more.
constexpr std::size_t kMostNotified = std::size_t{16} << 10;

// Of a master that answers none it is not remembered for ever.
constexpr std::size_t kMostUnconfirmed = 1000;

bool is_set(PduType type) {
  return type == PduType::kTestSet || type == PduType::kCommitSet || type == PduType::kUndoSet ||
         type == PduType::kCleanupSet;
}

bool is_read(PduType type) {
  return type == PduType::kGet || type == PduType::kGetNext || type == PduType::kGetBulk;
}

ReadPdu take_read(PduType type, Reader& reader) {
  ReadPdu request;
  if (type == PduType::kGetBulk) {
    request.non_repeaters = reader.take16();
    request.max_repetitions = reader.take16();
  }
  // One more than is answered: that is then refused, and the rest needs no memory.
  while (!reader.at_end() && request.ranges.size() <= kMostBindings)
    request.ranges.push_back(reader.take_range());
  return request;
}

std::vector<Binding> take_bindings(Reader& reader) {
  std::vector<Binding> bindings;
  while (!reader.at_end() && bindings.size() <= kMostBindings)
    bindings.push_back(reader.take_binding());
  return bindings;
}

}  // namespace

Session::Session(FileDescriptor socket, Settings settings, const Objects& objects,
                 ReadTarget& reads, WriteTarget& writes, UptimeOrigin& uptime, Time now)
    : settings_(std::move(settings)),
      objects_(objects),
      uptime_(uptime),
      connection_(std::move(socket)),
      reads_(objects, reads, settings_.master),
      sets_(objects, writes, settings_.master),
      heard_(now) {
  ask(Step::kOpen, now);
}

short Session::events() const {
  const int wanted =
      (connection_.may_receive() ? POLLIN : 0) | (connection_.unsent() > 0 ? POLLOUT : 0);
  return static_cast<short>(wanted);
}

Time Session::wake() const {
  if (state_ == State::kEnded)
    return {};
  Time wake = asked_ ? asked_->answer_until() : heard_ + settings_.ping;
  if (unread_since_)
    wake = std::min(wake, *unread_since_ + kPatience);
  return std::min(wake, sets_.wake().value_or(wake));
}

// Answers are worked at for kTurn from when all that has come is taken.
void Session::turn(Time now) {
  send(now);
  receive(now);
  if (state_ == State::kEnded)
    return;
  const Time until = Clock::now() + kTurn;
  sets_.work(until, connection_.out());
  reads_.work(until, connection_.out());
  look_at_clock(now);
  send(now);
}

bool Session::is_busy() const {
  return state_ != State::kEnded &&
         ((connection_.has_packet() && may_answer()) || reads_.is_busy() || sets_.is_busy());
}

void Session::retry() {
  sets_.retry();
  reads_.retry();
}

// ---- What we ask of the master

Header Session::header() {
  return {.session = id_.value_or(0), .transaction = 0, .packet = ++packets_, .length = 0};
}

void Session::ask(Step step, Time now) {
  const Header mine = header();
  Bytes& out = connection_.out();
  switch (step) {
    case Step::kOpen:
      append_open(out, mine, settings_.description);
      break;
    case Step::kCapabilities:
      append_capabilities(out, mine, tables::capability_statement(),
                          tables::kCapabilityDescription);
      break;
    case Step::kRegister:
      append_register(out, mine, objects_.all()[registered_++]->root(), settings_.priority);
      break;
    case Step::kPing:
      append_ping(out, mine);
      break;
  }
  asked_ = {.step = step, .packet = mine.packet, .at = now};
}

void Session::ask_next(Time now) {
  if (registered_ < objects_.all().size())
    ask(Step::kRegister, now);
  else
    state_ = State::kServing;
}

void Session::receive_response(const Packet& packet, Time now) {
  Reader reader = packet.reader();
  const Response response = take_response(reader);
  // A notification is mostly answered alone, and nothing depends on how.
  std::erase(notified_, packet.header.packet);
  if (reader.failed() || !asked_ || asked_->packet != packet.header.packet)
    return;
  on_answer(*std::exchange(asked_, std::nullopt), packet, response, now);
}

void Session::on_answer(const Asked& asked, const Packet& packet, Response response, Time now) {
  switch (asked.step) {
    case Step::kOpen:
      if (response.error != ErrorCode::kNone) {
        answer_ = response.error;
        finish(End::kRefused);
        return;
      }
      id_ = packet.header.session;
      uptime_.open(response.uptime, now);
      state_ = State::kRegistering;
      if (settings_.has_capabilities)
        ask(Step::kCapabilities, now);
      else
        ask_next(now);
      return;
    case Step::kCapabilities:
      if (response.error != ErrorCode::kNone)
        refusal_ = {.what = "the row in sysORTable", .why = response.error};
      ask_next(now);
      return;
    case Step::kRegister:
      on_registered(response.error);
      if (state_ == State::kRegistering)
        ask_next(now);
      return;
    case Step::kPing:
      on_pinged(asked, response, now);
      return;
  }
}

// A late answer says that the master is there, and nothing of the time: it may have been late on
// its way to us, or have waited until we read it.
void Session::on_pinged(const Asked& asked, Response response, Time now) {
  if (response.error != ErrorCode::kNone)
    finish(End::kGone);
  else if (now - asked.at <= UptimeOrigin::kJitter)
    uptime_.follow(response.uptime, now);
}

void Session::on_registered(ErrorCode error) {
  if (error == ErrorCode::kNone)
    return;
  refusal_ = {.what = objects_.all()[registered_ - 1]->name(), .why = error};
  if (error == ErrorCode::kDuplicateRegistration)
    finish(End::kDuplicate);
}

// ---- What the master asks of us

// A master that does not read its answers gets no more of them: what it asks stays in the buffer,
// and then in the socket.
void Session::receive(Time now) {
  if (state_ != State::kEnded && connection_.may_receive() && !connection_.receive())
    finish(End::kGone);
  const Time until = now + kTurn;
  while (state_ != State::kEnded && may_answer()) {
    const std::optional<Packet> packet = connection_.take();
    if (!packet)
      break;
    heard_ = now;
    take(*packet, now);
    if (Clock::now() >= until)
      break;
  }
  if (state_ != State::kEnded && connection_.is_senseless())
    finish(End::kSenseless);
}

void Session::take(const Packet& packet, Time now) {
  switch (packet.header.type) {
    case PduType::kResponse:
      receive_response(packet, now);
      return;
    case PduType::kClose:
      append_response(connection_.out(), packet.header, {});
      connection_.send();
      finish(End::kGone);
      return;
    default:
      receive_request(packet, now);
  }
}

// Why a request cannot be looked at any further (RFC 2741, 7.2.2).
std::optional<ErrorCode> Session::misfit(const Header& header, bool is_malformed) const {
  if (is_malformed)
    return ErrorCode::kParseError;
  if (header.session != id_)
    return ErrorCode::kNotOpen;
  if (header.has_context())
    return ErrorCode::kUnsupportedContext;
  return std::nullopt;
}

void Session::receive_request(const Packet& packet, Time now) {
  Reader reader = packet.reader();
  std::string_view context;
  if (packet.header.has_context() && !reader.at_end())
    context = reader.take_octets();
  if (const std::optional<ErrorCode> error = misfit(packet.header, reader.failed()))
    refuse(packet.header, *error, context, now);
  else
    begin(packet, reader, now);
}

// A CleanupSet is never answered.
void Session::refuse(const Header& header, ErrorCode error, std::string_view context, Time now) {
  if (header.type != PduType::kCleanupSet)
    append_response(connection_.out(), header, {.error = error, .index = 0});
  PduTrace(now).write({.kind = kind_of(header.type), .context = context}, {.error = name_of(error)},
                      now);
}

void Session::begin(const Packet& packet, Reader& reader, Time now) {
  const Header& header = packet.header;
  Bytes& out = connection_.out();
  ReadPdu read;
  std::vector<Binding> bindings;
  if (is_read(header.type))
    read = take_read(header.type, reader);
  if (header.type == PduType::kTestSet)
    bindings = take_bindings(reader);
  if (reader.failed())
    refuse(header, ErrorCode::kParseError, {}, now);
  else if (is_read(header.type))
    reads_.begin(header, std::move(read), now, out);
  else if (is_set(header.type))
    sets_.receive(header, std::move(bindings), now, out);
  else
    refuse(header, ErrorCode::kProcessingError, {}, now);
}

// ---- Notifications, time, the end

bool Session::notify(const tables::Notification& notification) {
  if (state_ != State::kServing || connection_.unsent() > kMostNotified)
    return false;
  const Header mine = header();
  Bytes bindings;
  Writer out(bindings, mine.order());
  out.add_binding(tables::kSnmpTrapOid, notification.name);
  for (const snmp::Cell& object : notification.objects)
    out.add_binding(object.name, object.value.value());
  append_notify(connection_.out(), mine, bindings);
  notified_.push_back(mine.packet);
  if (notified_.size() > kMostUnconfirmed)
    notified_.pop_front();
  return true;
}

void Session::send(Time now) {
  if (state_ == State::kEnded)
    return;
  const Connection::Sent sent = connection_.send();
  if (sent == Connection::Sent::kBroken)
    finish(End::kGone);
  if (connection_.unsent() == 0)
    unread_since_.reset();
  else if (!unread_since_ || sent == Connection::Sent::kSomething)
    unread_since_ = now;
}

void Session::look_at_clock(Time now) {
  if (asked_ && now >= asked_->answer_until())
    finish(End::kSilent);
  else if (unread_since_ && now >= *unread_since_ + kPatience)
    finish(End::kDeaf);
  else if (!asked_ && now >= heard_ + settings_.ping)
    ask(Step::kPing, now);
}

void Session::finish(End end) {
  state_ = State::kEnded;
  end_ = end;
  sets_.release_all();
}

void Session::close(Duration patience) {
  if (!id_)
    return;
  const Header mine = header();
  append_close(connection_.out(), mine, CloseReason::kShutdown);
  const Time deadline = Clock::now() + patience;
  while (connection_.send() != Connection::Sent::kBroken && wait_until(deadline)) {
    if (!connection_.receive())
      return;
    while (const std::optional<Packet> packet = connection_.take()) {
      if (packet->header.type == PduType::kResponse && packet->header.packet == mine.packet)
        return;
    }
  }
}

// Whether the connection is ready for something before the deadline.
bool Session::wait_until(Time deadline) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  pollfd waiting{.fd = descriptor(), .events = events(), .revents = 0};
  return left.count() > 0 && ::poll(&waiting, 1, static_cast<int>(left.count())) > 0;
}

}  // namespace tcpmibd::agent::agentx
