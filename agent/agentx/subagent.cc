#include "agent/agentx/subagent.h"

#include <poll.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/message_ids.h"

namespace tcpmibd::agent::agentx {
namespace {

// How long a master may take to answer our last word.
constexpr Duration kFarewell = std::chrono::milliseconds(300);

constexpr std::string_view kDescription = "tcpmibd: TCP-MIB of the kernel's sockets";

std::string in_seconds(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration);
  return std::to_string(std::max<long>(1, seconds.count())) + " s";
}

// Why a session that served has ended, where that is not plain.
std::string reason_of(Session::End end) {
  switch (end) {
    case Session::End::kSilent:
      return ", which does not answer";
    case Session::End::kDeaf:
      return ", which does not read what it is sent";
    case Session::End::kSenseless:
      return ", which sends what is no AgentX";
    default:
      return {};
  }
}

// Why one that never served has.
std::string absence_of(const Session& session) {
  switch (session.end()) {
    case Session::End::kSilent:
      return "accepts connections but does not answer";
    case Session::End::kDeaf:
      return "does not read what it is sent";
    case Session::End::kSenseless:
      return "sends what is no AgentX: does something else listen there?";
    case Session::End::kRefused:
      return "refuses to open a session: it answers " + to_text(session.answer());
    default:
      return "closes the connection before we are registered";
  }
}

// What poll(2) takes.
int in_milliseconds(Duration duration) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(duration);
  return static_cast<int>(std::clamp<long>(left.count(), 0, 3'600'000));
}

// "Permission denied (restart snmpd: …)": with the cure, for the status has room for it.
std::string cause_of(const Error& error) {
  const std::string cause = std::generic_category().message(error.code);
  return error.cure.empty() ? cause : cause + " (" + error.cure + ')';
}

}  // namespace

Subagent::Subagent(Signals& signals, const Config::Agentx& config,
                   std::span<const tables::Managed* const> objects, ReadTarget& reads,
                   WriteTarget& writes)
    : Role(signals),
      config_(config),
      master_(config.address),
      lock_(master_),
      objects_(objects),
      reads_(reads),
      writes_(writes),
      dialer_(master_),
      modules_(config_, objects_, reads_, writes_) {}

Subagent::~Subagent() {
  if (session_)
    session_->close(kFarewell);
}

Start Subagent::start() {
  if (const Status status = master_.check(); !status)
    return start_failure(tl::unexpected(status.error()), ExitStatus::kUsage);
  if (Status status = lock_.take(); !status)
    return start_failure(status.error());
  modules_.open();
  return {};
}

bool Subagent::is_registered() const {
  return session_ && session_->state() == Session::State::kServing;
}

bool Subagent::is_serving() const { return is_registered() || modules_.is_serving(); }

Standing Subagent::standing() const {
  const std::string registered = "registered with the AgentX master at " + master_.text();
  const std::string through = "serving snmpd through its module at " + modules_.path();
  if (modules_.is_serving())
    return {.serving = true, .text = through + "; " + (is_registered() ? registered : waiting())};
  if (is_registered())
    return {.serving = true, .text = registered};
  return {.serving = false, .text = waiting()};
}

std::string Subagent::waiting() const {
  const std::string text = "waiting for the AgentX master at " + master_.text();
  return cause_.empty() ? text : text + ": " + cause_;
}

// Both are of one snmpd, if that has both.
Time Subagent::uptime_zero() const {
  return modules_.is_serving() && !is_registered() ? modules_.uptime_zero() : uptime_.zero();
}

void Subagent::repeat(std::optional<Duration> interval, std::function<void()> act) {
  repeated_ = interval ? Ticks(*interval, std::move(act)) : Ticks();
}

bool Subagent::notify(const tables::Notification& notification) {
  return is_registered() ? session_->notify(notification) : modules_.notify(notification);
}

std::size_t Subagent::unconfirmed() const {
  return is_registered() ? session_->unconfirmed() : modules_.unconfirmed();
}

// ---- The loop

void Subagent::begin(const Events& events) {
  if (events.beat)
    beat_ = Ticks(*events.beat, events.on_beat);
}

void Subagent::end() { beat_ = Ticks(); }

Status Subagent::settle() {
  const Time now = Clock::now();
  return session_ ? look_at_session(now) : dial(now);
}

Time Subagent::wake(Time now, std::optional<Duration> latest) const {
  const Time dial = dialer_.is_under_way() ? dialer_.wake() : dial_at_;
  Time wake = std::min(session_ ? session_->wake() : dial, modules_.wake());
  for (const Ticks* ticks : {&beat_, &repeated_})
    wake = std::min(wake, ticks->due().value_or(wake));
  return latest ? std::min(wake, now + *latest) : wake;
}

// The signals and the worker come first.
std::vector<pollfd> Subagent::descriptors(const Events& events) const {
  std::vector<pollfd> waiting{
      pollfd{.fd = signal_descriptor(), .events = POLLIN, .revents = 0},
      pollfd{.fd = events.news, .events = POLLIN, .revents = 0},
      session_ ? pollfd{.fd = session_->descriptor(), .events = session_->events(), .revents = 0}
               : pollfd{.fd = dialer_.descriptor(), .events = POLLOUT, .revents = 0}};
  modules_.append_to(waiting);
  return waiting;
}

void Subagent::wait(const Events& events, bool busy, std::optional<Duration> latest) {
  const Time before = Clock::now();
  std::vector<pollfd> waiting = descriptors(events);
  busy = busy || (session_ && session_->is_busy()) || modules_.is_busy();
  const int ready = ::poll(waiting.data(), waiting.size(),
                           busy ? 0 : in_milliseconds(wake(before, latest) - before));
  if (ready > 0 && waiting[0].revents != 0)
    on_signal(events);
  if (ready > 0 && waiting[1].revents != 0) {
    events.on_news();
    if (session_)
      session_->retry();
    modules_.retry();
  }
  act(Clock::now());
}

void Subagent::act(Time now) {
  beat_.act(now);
  repeated_.act(now);
  modules_.turn(now);
  if (session_)
    session_->turn(now);
}

// ---- The master

// An error says that there is no sense in going on.
Status Subagent::dial(Time now) {
  if (!dialer_.is_under_way()) {
    if (now < dial_at_)
      return {};
    dialer_.begin(now);
  }
  std::optional<Result<FileDescriptor>> outcome = dialer_.turn(now);
  if (!outcome)
    return {};
  dial_at_ = now + config_.reconnect;
  if (*outcome)
    return open(*std::move(*outcome), now);
  const Error& error = outcome->error();
  log_absence(cause_of(error), error.text());
  return {};
}

// Before we say anything, for another one of us may be there already.
Status Subagent::open(FileDescriptor socket, Time now) {
  if (Status status = lock_.take(); !status) {
    if (!is_scarcity(status.error().code))
      return status;
    log_absence(std::generic_category().message(status.error().code), status.error().text());
    return {};
  }
  session_.emplace(std::move(socket),
                   Session::Settings{.priority = static_cast<std::uint8_t>(config_.priority),
                                     .ping = config_.ping,
                                     .description = std::string(kDescription)},
                   objects_, reads_, writes_, uptime_, now);
  session_->turn(now);
  return {};
}

Status Subagent::look_at_session(Time now) {
  if (const std::optional<Session::Refusal> refusal = session_->take_refusal()) {
    if (session_->end() == Session::End::kDuplicate)
      return duplicate(refusal->what);
    log_refusal(*refusal);
  }
  if (session_->state() == Session::State::kEnded)
    end_session(now);
  else if (is_registered() && !announced_)
    announce();
  return {};
}

void Subagent::announce() {
  announced_ = true;
  cause_.clear();
  changes_.write(log::Level::kNotice, "registered with the AgentX master at " + master_.text(),
                 {log::field_of(log::kRegistered)});
}

void Subagent::end_session(Time now) {
  if (announced_) {
    changes_.write(log::Level::kNotice,
                   "lost the AgentX master at " + master_.text() + reason_of(session_->end()) +
                       "; managers see its own TCP-MIB, if any, until it is back",
                   {log::field_of(log::kMasterLost)});
  } else {
    const std::string absence = absence_of(*session_);
    log_absence("it " + absence, "the AgentX master at " + master_.text() + ' ' + absence);
  }
  announced_ = false;
  session_.reset();
  dial_at_ = now + config_.reconnect;
}

// Once for each cause: an absence may last.
void Subagent::log_absence(const std::string& cause, const std::string& line) {
  if (std::exchange(cause_, cause) == cause)
    return;
  absences_.write(log::Level::kWarning,
                  line + "; trying again every " + in_seconds(config_.reconnect));
}

void Subagent::log_refusal(const Session::Refusal& refusal) {
  refusals_.write(log::Level::kError,
                  failure("register " + std::string(refusal.what) + " with the AgentX master at " +
                          master_.text() + ": it answers " + to_text(refusal.why))
                      .value()
                      .text());
}

Status Subagent::duplicate(std::string_view object) const {
  return failure("register " + std::string(object) + " with the AgentX master at " +
                     master_.text() + " at priority " + std::to_string(config_.priority) +
                     ": another subagent has registered it at that priority",
                 0, "stop the other one, or set agentx.priority to one it does not use");
}

}  // namespace tcpmibd::agent::agentx
