#include "agent/daemon.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/agentx/subagent.h"
#include "agent/netsnmp/engine_state.h"
#include "agent/netsnmp/loop.h"
#include "agent/process/memory.h"
#include "agent/process/privileges.h"
#include "agent/process/service_manager.h"
#include "agent/process/signals.h"
#include "agent/process/version.h"
#include "agent/serve/alarm_watch.h"
#include "agent/serve/audit.h"
#include "agent/serve/deleter.h"
#include "agent/serve/ends_watch.h"
#include "agent/serve/notification_queue.h"
#include "agent/serve/responder.h"
#include "agent/serve/worker.h"
#include "base/log.h"
#include "tables/registry.h"

namespace tcpmibd::agent {
namespace {

tcp::AddressForms forms_of(const Config& config) {
  return {.zones = config.mib.link_local_zones,
          .dual_stack_as_unknown = config.mib.dual_stack_as_unknown};
}

Ages ages_of(const Config& config) {
  return {.snapshot = config.snapshot.max_age,
          .processes = config.process.max_age,
          .look_up_processes = config.process.lookup};
}

EndsWatch::Options ends_options(const Config& config) {
  return {.history = config.ends.history,
          .state_folder = engine_state_folder(config.standalone.state)};
}

std::vector<const tables::Managed*> served(const tables::Groups& groups) {
  std::vector<const tables::Managed*> objects;
  for (const tables::Entry& entry : tables::registry()) {
    if (groups.contains(entry.group))
      objects.push_back(entry.object);
  }
  return objects;
}

std::optional<Duration> sooner(std::optional<Duration> one, std::optional<Duration> other) {
  return one && other ? std::min(one, other) : (one ? one : other);
}

// SIGHUP: what is live takes effect, or nothing does. Whether it has.
bool reload(const ReadConfig& read, Config& config) {
  const Result<Config> fresh = read();
  if (!fresh) {
    log::error(fresh.error().text() + "; the old configuration stays in force");
    return false;
  }
  std::string keys;
  for (const std::string& key : restart_keys(config, *fresh))
    keys += (keys.empty() ? "" : ", ") + key;
  if (!keys.empty()) {
    log::error("the new configuration is refused whole: only a restart can change " + keys);
    return false;
  }
  if (const Status logging = log::start(fresh->log.target, fresh->log.level); !logging) {
    log::error(logging.error().text() + "; the old configuration stays in force");
    return false;
  }
  config = *fresh;
  log::notice("the configuration has been read again");
  return true;
}

tables::DeletedConnection deleted_connection(const Deletion& deletion, std::uint32_t pid,
                                             const std::string& command) {
  const std::string ends = tcp::to_text(deletion.socket);
  const std::size_t space = ends.find(' ');
  return {.local = ends.substr(0, space),
          .remote = ends.substr(space + 1),
          .state = deletion.socket.state,
          .pid = pid,
          .command = command};
}

// An agent's parts, in the order in which they need one another.
class Agent {
 public:
  Agent(const KernelSide& kernel, Worker& worker, EndsWatch& ends, Signals& signals, Config config,
        ReadConfig read_config, const MakeRole& make_role)
      : kernel_(kernel),
        worker_(worker),
        ends_(ends),
        config_(std::move(config)),
        read_config_(std::move(read_config)),
        made_(make_role(signals, config_, served(config_.mib.tables), responder_, deleter_)) {}

  ExitStatus run() {
    if (const Start started = role().start(); !started)
      return give_up(started.error().error, started.error().status);
    set_watch();
    release_code();
    const ExitStatus ended = role().run({.news = ends_.descriptor(),
                                         .on_news = [this] { on_news(); },
                                         .on_hangup = [this] { on_hangup(); },
                                         .on_turn = [this] { return on_turn(); },
                                         .on_open = [this] { watch_.on_open(); },
                                         .is_busy = [this] { return notifier_.is_busy(); },
                                         .on_beat = [this] { service_.alive(); },
                                         .beat = service_.beat()});
    service_.stopping();
    return ended;
  }

 private:
  Role& role() const { return *made_.role; }

  void on_news() {
    ends_.on_news(Clock::now());
    responder_.receive();
    audit_.settle();
    watch_.on_news();
  }

  // When memory is to be freed, or lines of the log are left to be written, though nobody asks any
  // more.
  std::optional<Duration> on_turn() {
    const Time now = Clock::now();
    const std::optional<Duration> kept = responder_.tidy(now);
    if (kept_ && !kept)
      release_code();
    kept_ = kept.has_value();
    notifier_.on_turn();
    if (service_.listens())
      service_.report(role().standing(), responder_.stock().snapshot().get(), now);
    return sooner(sooner(kept, ends_.on_turn(now)), log::catch_up());
  }

  void on_hangup() {
    service_.reloading();
    if (reload(read_config_, config_)) {
      responder_.set_ages(ages_of(config_));
      deleter_.set_rules(config_.delete_tcb);
      alarms_.configure(config_.alarms);
      if (made_.on_reloaded)
        made_.on_reloaded(config_);
      set_watch();
    }
    service_.reloaded();
  }

  // Without an alarm nothing wakes us.
  void set_watch() {
    const bool watches = !config_.alarms.empty();
    role().repeat(watches ? std::optional(config_.watch.interval) : std::nullopt,
                  [this] { watch_.begin(config_.process.lookup); });
  }

  void on_written(const Deletion& deletion, std::uint32_t pid, const std::string& command) {
    if (deletion.done && config_.notify.deletions)
      notifier_.queue(tables::notification_of(deleted_connection(deletion, pid, command)));
  }

  tables::AgentFigures figures() {
    using std::chrono::seconds;
    const bool watches = !config_.alarms.empty();
    const auto interval = std::chrono::duration_cast<seconds>(config_.watch.interval);
    return {.version = version(),
            .uptime_zero = role().uptime_zero(),
            .started = started_,
            .looks_up_processes = config_.process.lookup && missing_privileges(true).empty(),
            .deletes = deleter_.can_delete(),
            .watches = watches,
            .watch_interval = watches ? static_cast<std::uint32_t>(interval.count()) : 0,
            .deletes_done = audit_.done(),
            .deletes_refused = audit_.refused(),
            .processes_denied = responder_.stock().processes_denied(),
            .notifications_folded = notifier_.folded()};
  }

  KernelSide kernel_;
  Worker& worker_;
  EndsWatch& ends_;
  Config config_;
  ReadConfig read_config_;
  const Time started_ = Clock::now();
  bool kept_ = false;  // Something has been asked, and memory is held for it.
  const tcp::AddressForms forms_ = forms_of(config_);
  tcp::Alarms alarms_{config_.alarms};
  Responder responder_{{.lookups = kernel_.lookups,
                        .counters = kernel_.counters,
                        .pressure = kernel_.pressure,
                        .names = kernel_.names,
                        .alarms = alarms_,
                        .agent = [this] { return figures(); },
                        .ends = [this](Time now) { return ends_.figures(now); }},
                       worker_,
                       forms_,
                       ages_of(config_)};
  NotificationQueue notifier_{
      {.is_open = [this] { return role().is_serving(); },
       .send = [this](const tables::Notification& one) { return role().notify(one); },
       .unconfirmed = [this] { return role().unconfirmed(); }}};
  AlarmWatch watch_{{responder_, worker_, kernel_.pressure, kernel_.names, notifier_}, alarms_};
  Audit audit_{
      {.newest = [this] { return responder_.stock().processes(); },
       .want = [this](std::uint32_t inode) { worker_.want_processes({inode}); },
       .command_of = [this](std::uint32_t pid) { return kernel_.names.identity_of(pid).command; },
       .on_written = [this](const Deletion& deletion, std::uint32_t pid,
                            const std::string& command) { on_written(deletion, pid, command); }}};
  Deleter deleter_{
      {.sockets = kernel_.lookups,
       .destroyer = kernel_.destroyer,
       .own_connections = kernel_.own_connections,
       .snapshot_since = [this](Time oldest) { return responder_.snapshot_since(oldest); },
       .on_deleted = [this](const tcp::Socket& ended) { responder_.forget(ended, Clock::now()); }},
      forms_,
      config_.delete_tcb,
      audit_};
  ServiceManager service_{config_.agentx.reconnect};
  MadeRole made_;  // last: it calls the others to its end
};

}  // namespace

MadeRole configured_role(Signals& signals, const Config& config,
                         std::span<const tables::Managed* const> objects, ReadTarget& reads,
                         WriteTarget& writes) {
  if (config.standalone.addresses.empty())
    return {std::make_unique<agentx::Subagent>(signals, config.agentx, objects, reads, writes)};
  auto standalone = std::make_unique<Loop>(signals, config.standalone, objects, reads, writes);
  Loop& loop = *standalone;
  return {std::move(standalone),
          [&loop](const Config& fresh) { loop.set_limits(fresh.standalone.connections); }};
}

ExitStatus give_up(const Error& error, ExitStatus status) {
  log::error(error.text());
  return status;
}

void tell_what_is_left_out(const Config& config) {
  std::string names;
  for (const tables::Entry& entry : tables::registry()) {
    if (entry.object->is_table() && !config.mib.tables.contains(entry.group))
      names += (names.empty() ? "" : ", ") + std::string(entry.object->name());
  }
  if (!config.mib.tables.contains(tables::Group::kScalars))
    names += (names.empty() ? "" : ", ") + std::string("the scalars of tcp");
  if (!names.empty() && config.standalone.addresses.empty())
    log::notice("mib.tables leaves out " + names +
                ": a master that has rows of its own shows those");
}

ExitStatus serve(const KernelSide& kernel, Config config, ReadConfig read_config,
                 const MakeRole& make_role) {
  const WorkerSources sources{.sockets = kernel.dumps,
                              .processes = kernel.processes,
                              .pressure = kernel.pressure,
                              .units = kernel.units};
  const Result<std::unique_ptr<Worker>> worker = Worker::start(sources, forms_of(config));
  if (!worker)
    return give_up(worker.error());
  const Result<std::unique_ptr<EndsWatch>> ends =
      EndsWatch::start(kernel.ends, (*worker)->descriptor(), ends_options(config));
  if (!ends)
    return give_up(ends.error());
  const Result<std::unique_ptr<Signals>> signals = Signals::open();
  if (!signals)
    return give_up(signals.error());
  return Agent(kernel, **worker, **ends, **signals, std::move(config), std::move(read_config),
               make_role)
      .run();
}

}  // namespace tcpmibd::agent
