#include "agent/netsnmp/loop.h"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "agent/netsnmp/trap.h"

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

}  // namespace

// A descriptor in the library's loop, for as long as this object lives.
class Loop::Readable {
 public:
  Readable(int descriptor, std::function<void()> act)
      : descriptor_(descriptor), act_(std::move(act)) {
    register_readfd(descriptor_, &Readable::readable, this);
  }
  ~Readable() { unregister_readfd(descriptor_); }
  Readable(const Readable&) = delete;
  Readable& operator=(const Readable&) = delete;

 private:
  static void readable(int, void* self) noexcept { static_cast<Readable*>(self)->act_(); }

  int descriptor_;
  std::function<void()> act_;
};

Loop::Loop(Signals& signals, const Config::Standalone& config,
           std::span<const tables::Managed* const> objects, ReadTarget& reads, WriteTarget& writes)
    : Role(signals),
      handler_(reads, writes, pdus_),
      registration_(objects, handler_),
      standalone_(std::make_unique<Standalone>(config, registration_, *log_, pdus_)) {
  hide_files();
  configure();
}

Loop::~Loop() {
  repeated_.reset();
  reminder_.cancel();
  standalone_.reset();
  log_.reset();
  snmp_shutdown(kApplication);
}

void Loop::set_limits(const Config::Connections& limits) { standalone_->set_limits(limits); }

// The library counts sysUpTime from the moment when it is started.
Start Loop::start() {
  constexpr std::chrono::milliseconds kCentisecond{10};
  Start started = standalone_->start();
  serving_ = started.has_value();
  uptime_zero_ = Clock::now() - netsnmp_get_agent_uptime() * kCentisecond;
  return started;
}

void Loop::repeat(std::optional<Duration> interval, std::function<void()> act) {
  repeated_.reset();
  if (interval)
    repeated_.emplace(*interval, std::move(act));
}

bool Loop::notify(const tables::Notification& notification) {
  send_notification(notification);
  return true;
}

// The library sends what has become complete at the end of the turn.
void Loop::begin(const Events& events) {
  wishes_ = std::make_unique<Readable>(signal_descriptor(), [&] { on_signal(events); });
  news_ = std::make_unique<Readable>(events.news, [&] {
    events.on_news();
    handler_.retry();
  });
  if (events.beat)
    beat_.emplace(*events.beat, events.on_beat);
}

void Loop::end() {
  beat_.reset();
  news_.reset();
  wishes_.reset();
}

Status Loop::settle() {
  standalone_->settle();
  return {};
}

void Loop::wait(const Events&, bool busy, std::optional<Duration> latest) {
  if (latest)
    reminder_.set(*latest);
  agent_check_and_process(busy ? 0 : 1);
  handler_.hold_parked();
}

}  // namespace tcpmibd::agent
