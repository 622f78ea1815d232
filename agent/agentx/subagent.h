#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agentx/dialer.h"
#include "agent/agentx/instance_lock.h"
#include "agent/agentx/master_address.h"
#include "agent/agentx/module_socket.h"
#include "agent/agentx/objects.h"
#include "agent/agentx/session.h"
#include "agent/agentx/uptime_origin.h"
#include "agent/config/config.h"
#include "agent/process/ticks.h"
#include "agent/serve/role.h"
#include "base/log.h"

namespace tcpmibd::agent::agentx {

// The AgentX role: connects to a master, registers with it, and does so again whenever the master
// has been away; and serves snmpd's module, if one comes. The loop is poll(2) over a few
// descriptors.
//
// Logs:  registered, lost and each new cause of an absence once, however long it lasts; a few times
//        a minute with a master that comes and goes.
class Subagent final : public Role {
 public:
  // What it refers to outlives it.
  Subagent(Signals& signals, const Config::Agentx& config,
           std::span<const tables::Managed* const> objects, ReadTarget& reads, WriteTarget& writes);
  // Takes leave of the master.
  ~Subagent() override;

  // A master that is not there is no error: it is waited for.
  Start start() override;

  bool is_serving() const override;
  Standing standing() const override;
  Time uptime_zero() const override;
  void repeat(std::optional<Duration> interval, std::function<void()> act) override;
  bool notify(const tables::Notification& notification) override;
  std::size_t unconfirmed() const override;

 private:
  void begin(const Events& events) override;
  void end() override;
  Status settle() override;
  void wait(const Events& events, bool busy, std::optional<Duration> latest) override;

  bool is_registered() const;  // with the master
  std::string waiting() const;
  std::vector<pollfd> descriptors(const Events& events) const;
  void act(Time now);

  Status dial(Time now);
  Status open(FileDescriptor socket, Time now);
  Status look_at_session(Time now);
  void announce();
  void end_session(Time now);
  void log_absence(const std::string& cause, const std::string& line);
  void log_refusal(const Session::Refusal& refusal);
  Status duplicate(std::string_view object) const;
  Time wake(Time now, std::optional<Duration> latest) const;

  Config::Agentx config_;
  MasterAddress master_;
  InstanceLock lock_;
  Objects objects_;
  ReadTarget& reads_;
  WriteTarget& writes_;

  Dialer dialer_;
  UptimeOrigin uptime_{Clock::now()};
  std::optional<Session> session_;
  ModuleSocket modules_;
  Time dial_at_{};  // when the next attempt is due

  Ticks beat_;
  Ticks repeated_;

  bool announced_ = false;  // that we are registered
  std::string cause_;       // of the absence logged last
  log::Limited changes_{std::chrono::minutes(1), 6};
  log::Limited absences_{std::chrono::minutes(1), 3};
  log::LimitedKinds refusals_;
};

}  // namespace tcpmibd::agent::agentx
