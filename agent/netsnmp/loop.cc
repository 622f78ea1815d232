#include "agent/netsnmp/loop.h"

#include <cstdlib>

#include "agent/netsnmp/standalone.h"
#include "base/log.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// Where it looks for files that it should not find. Below a file that is no folder nothing can be
// made either; some of its parts try regardless of the switches below.
void hide_files() {
  ::setenv("SNMP_PERSISTENT_DIR", "/dev/null", 1);
  ::setenv("SNMPCONFPATH", "/dev/null", 1);
  ::setenv("MIBDIRS", "", 1);
  ::setenv("MIBS", "", 1);
}

// Before init_agent().
void configure() {
  constexpr int kLibrarySwitches[] = {
      NETSNMP_DS_LIB_DONT_READ_CONFIGS,       NETSNMP_DS_LIB_DONT_PERSIST_STATE,
      NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE,
      NETSNMP_DS_LIB_DONT_LOAD_HOST_FILES,
  };
  for (const int which : kLibrarySwitches)
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, which, 1);
  // Otherwise a line for every request.
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_DONT_LOG_TCPWRAPPERS_CONNECTS,
                         1);
}

// A descriptor in the library's loop, for as long as this object lives.
class Watch {
 public:
  Watch(int descriptor, std::function<void()> act) : descriptor_(descriptor), act_(std::move(act)) {
    register_readfd(descriptor_, &Watch::readable, this);
  }
  ~Watch() { unregister_readfd(descriptor_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  static void readable(int, void* self) noexcept { static_cast<Watch*>(self)->act_(); }

  int descriptor_;
  std::function<void()> act_;
};

}  // namespace

Loop::Loop(Signals& signals) : signals_(signals) {
  hide_files();
  configure();
}

Loop::~Loop() {
  repeated_.reset();
  reminder_.cancel();
  subagent_.reset();
  standalone_.reset();
  log_.reset();
  snmp_shutdown(kApplication);
}

Start Loop::start_subagent(const Config& config, std::span<const tables::Managed* const> objects,
                           Answerer answerer, Setter setter) {
  handler_ = std::make_unique<Handler>(answerer, std::move(setter));
  registration_ = std::make_unique<Registration>(objects, config.agentx.priority, *handler_);
  subagent_ = std::make_unique<Subagent>(config.agentx, *registration_, std::move(answerer), *log_);
  return subagent_->start();
}

Start Loop::start_standalone(const Config& config, std::span<const tables::Managed* const> objects,
                             Answerer answerer, Setter setter) {
  handler_ = std::make_unique<Handler>(std::move(answerer), std::move(setter));
  registration_ = std::make_unique<Registration>(objects, std::nullopt, *handler_);
  standalone_ = std::make_unique<Standalone>(config.standalone, *registration_, *log_);
  return standalone_->start();
}

Duration Loop::uptime() {
  constexpr std::chrono::milliseconds kCentisecond{10};
  return netsnmp_get_agent_uptime() * kCentisecond;
}

void Loop::repeat(std::optional<Duration> interval, std::function<void()> act) {
  repeated_.reset();
  if (interval)
    repeated_.emplace(*interval, std::move(act));
}

bool Loop::is_serving() const {
  return subagent_ ? subagent_->is_serving() : standalone_ != nullptr;
}

Standing Loop::standing() const {
  if (subagent_)
    return subagent_->standing();
  return standalone_ ? standalone_->standing() : Standing{};
}

ExitStatus Loop::run(const Events& events) {
  const Watch signals(signals_.descriptor(), [&] { on_signal(events); });
  const Watch news(events.news, [&] { on_news(events); });
  std::optional<Timer> beat;
  if (events.beat)
    beat.emplace(*events.beat, events.on_beat);
  while (!stop_) {
    if (subagent_)
      subagent_->settle();
    if (subagent_ && subagent_->failure()) {
      log::error(subagent_->failure()->text());
      return ExitStatus::kFailed;
    }
    notice_opening(events);
    take_turn(events);
    agent_check_and_process(events.is_busy && events.is_busy() ? 0 : 1);
    handler_->hold_parked();
  }
  return ExitStatus::kAsked;
}

void Loop::take_turn(const Events& events) {
  const std::optional<Duration> again = events.on_turn ? events.on_turn() : std::nullopt;
  if (again)
    reminder_.set(*again);
}

void Loop::notice_opening(const Events& events) {
  const bool opened = is_serving() && !was_serving_;
  was_serving_ = is_serving();
  if (opened && events.on_open)
    events.on_open();
}

// The library sends what has become complete at the end of the turn.
void Loop::on_news(const Events& events) {
  events.on_news();
  handler_->retry();
}

void Loop::on_signal(const Events& events) {
  const Signals::Wishes wishes = signals_.take();
  if (wishes.hang_up)
    events.on_hangup();
  stop_ = wishes.stop;
}

}  // namespace tcpmibd::agent
