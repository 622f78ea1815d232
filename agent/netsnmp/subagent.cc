#include "agent/netsnmp/subagent.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "agent/netsnmp/loop.h"
#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/sys_or_row.h"
#include "base/log.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// RFC 2741, 6.2.16: somebody else has registered the same with the same priority.
constexpr std::string_view kRefused = "registering pdu failed: ";
constexpr std::string_view kDuplicate = "registering pdu failed: 263";
constexpr std::string_view kNoConnection = "Warning: Failed to connect";

// How long a master may take to answer our last word, in microseconds.
constexpr long kFarewell = 300'000;

// The library counts in whole seconds.
int whole_seconds(Duration duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

// One knob for two things: the period of pings to a master and that of attempts to reach one.
// What counts is its value at the moment when the library starts a timer.
void set_interval(int seconds) {
  netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, seconds);
}

int reconnect_interval(const Config::Agentx& config) {
  return std::max(1, whole_seconds(config.reconnect));
}

Subagent& subagent(void* self) { return *static_cast<Subagent*>(self); }

extern "C" int on_connected(int, int, void* session, void* self) noexcept {
  subagent(self).connected(session);
  return 0;
}

extern "C" int on_lost(int, int, void*, void* self) noexcept {
  subagent(self).lost();
  return 0;
}

extern "C" int before_register(int, int, void* parameters, void* self) noexcept {
  const auto& of = *static_cast<const register_parameters*>(parameters);
  subagent(self).registering(from_library(of.name, of.namelen));
  return 0;
}

extern "C" int after_register(int, int, void*, void* self) noexcept {
  subagent(self).registered();
  return 0;
}

}  // namespace

Subagent::Subagent(const Config::Agentx& config, Registration& registration, Answerer ask,
                   LibraryLog& library_log)
    : config_(config),
      master_(config.address),
      lock_(master_),
      registration_(registration),
      reads_(registration, std::move(ask), config.ping),
      library_log_(library_log) {
  library_log_.set_listener([this](log::Level, std::string_view line) { return hear(line); });
}

// The library's last message is the session's Close; it waits to have it acknowledged.
Subagent::~Subagent() {
  library_log_.set_listener({});
  if (session_ == nullptr)
    return;
  auto& session = *static_cast<netsnmp_session*>(session_);
  session.timeout = kFarewell;
  session.retries = 0;
}

Start Subagent::start() {
  if (const Status status = master_.check(); !status)
    return start_failure(tl::unexpected(status.error()), ExitStatus::kUsage);
  if (Status status = lock_.take(); !status)
    return start_failure(status.error());
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
  netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET,
                        config_.address.c_str());
  init_agent(kApplication);
  set_interval(reconnect_interval(config_));
  watch();
  if (Status status = registration_.announce(); !status)
    return start_failure(status.error());
  announce_capabilities();
  init_snmp(kApplication);  // connects
  if (failure_)
    return start_failure(*failure_);
  if (session_ == nullptr && !cause_)
    report_silence();
  return {};
}

void Subagent::watch() {
  const auto call = [this](int event, Callback::Function* function, int priority) {
    callbacks_.push_back(
        std::make_unique<Callback>(SNMP_CALLBACK_APPLICATION, event, function, this, priority));
  };
  constexpr int kFirst = NETSNMP_CALLBACK_HIGHEST_PRIORITY;
  constexpr int kLast = NETSNMP_CALLBACK_LOWEST_PRIORITY;
  call(SNMPD_CALLBACK_INDEX_START, on_connected, kFirst);
  call(SNMPD_CALLBACK_INDEX_STOP, on_lost, kFirst);
  // Around the library's own, which sends the Register and logs what came of it.
  call(SNMPD_CALLBACK_REGISTER_OID, before_register, kFirst);
  call(SNMPD_CALLBACK_REGISTER_OID, after_register, kLast);
}

void Subagent::settle() {
  set_interval(reconnect_interval(config_));
  if (session_ == nullptr || announced_ || failure_)
    return;
  announced_ = true;
  changes_.write(log::Level::kNotice, "registered with the AgentX master at " + master_.text());
}

Standing Subagent::standing() const {
  if (announced_)
    return {.serving = true, .text = "registered with the AgentX master at " + master_.text()};
  std::string text = "waiting for the AgentX master at " + master_.text();
  if (cause_.value_or(0) != 0)
    text += ": " + std::generic_category().message(*cause_);
  return {.serving = false, .text = std::move(text)};
}

// The session is open, nothing is registered yet, and the library is about to start its timer.
void Subagent::connected(void* session) {
  session_ = session;
  reads_.attach(*static_cast<netsnmp_session*>(session));
  cause_.reset();
  set_interval(whole_seconds(config_.ping));
  if (Status status = lock_.take(); !status) {
    failure_ = status.error();
    // On a session without a version the library registers nothing.
    static_cast<netsnmp_session*>(session)->version = SNMP_DEFAULT_VERSION;
  }
}

void Subagent::lost() {
  session_ = nullptr;
  reads_.forget();
  if (announced_)
    changes_.write(log::Level::kNotice,
                   "lost the AgentX master at " + master_.text() +
                       "; managers see its own TCP-MIB, if any, until it is back");
  announced_ = false;
}

// Whether the library's `line` is dealt with. It tells of some things in no other way.
bool Subagent::hear(std::string_view line) {
  if (line.starts_with(kNoConnection)) {
    report_cause();
    return true;
  }
  if (!line.starts_with(kRefused) || !registering_)
    return false;
  const tables::Managed* object = registration_.object_at(*registering_);
  if (object == nullptr)
    return false;
  refused(*object, line);
  return true;
}

void Subagent::refused(const tables::Managed& object, std::string_view line) {
  const std::string what =
      "register " + std::string(object.name()) + " with the AgentX master at " + master_.text();
  if (!line.starts_with(kDuplicate)) {
    refusals_.write(log::Level::kError,
                    tcpmibd::failure(what, 0, std::string(line)).value().text());
    return;
  }
  if (failure_)
    return;
  failure_ =
      tcpmibd::failure(what + " at priority " + std::to_string(config_.priority) +
                           ": another subagent has registered it at that priority",
                       0, "stop the other one, or set agentx.priority to one it does not use")
          .value();
}

// Once for each cause: an absence may last.
void Subagent::report_cause() {
  const Status status = master_.probe();
  const int code = status ? 0 : status.error().code;
  if (cause_ == code)
    return;
  cause_ = code;
  if (!status)
    absences_.write(log::Level::kWarning, status.error().text() + "; trying again every " +
                                              std::to_string(reconnect_interval(config_)) + " s");
}

void Subagent::report_silence() const {
  log::warning("the AgentX master at " + master_.text() +
               " accepts connections but does not answer; trying again every " +
               std::to_string(reconnect_interval(config_)) + " s");
}

}  // namespace tcpmibd::agent
