#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "agent/config/config.h"
#include "agent/netsnmp/handler.h"
#include "agent/netsnmp/log.h"
#include "agent/netsnmp/pdu_log.h"
#include "agent/netsnmp/registration.h"
#include "agent/netsnmp/standalone.h"
#include "agent/netsnmp/timer.h"
#include "agent/serve/role.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// The standalone role: Net-SNMP's agent library as an SNMP agent of its own, in its loop. It reads
// none of Net-SNMP's configuration files, loads no MIB and writes nothing.
//
// One per process. Thread: one, from construction to the end; the library knows no other.
class Loop final : public Role {
 public:
  // What it refers to outlives it, and the objects the library.
  Loop(Signals& signals, const Config::Standalone& config,
       std::span<const tables::Managed* const> objects, ReadTarget& reads, WriteTarget& writes);
  // Closes the ports.
  ~Loop() override;

  Start start() override;

  // Of the connections of managers.
  void set_limits(const Config::Connections& limits);

  bool is_serving() const override { return serving_; }
  Standing standing() const override { return standalone_->standing(); }
  Time uptime_zero() const override { return uptime_zero_; }
  void repeat(std::optional<Duration> interval, std::function<void()> act) override;
  bool notify(const tables::Notification& notification) override;

 private:
  class Readable;

  void begin(const Events& events) override;
  void end() override;
  Status settle() override;
  void wait(const Events& events, bool busy, std::optional<Duration> latest) override;

  std::optional<LibraryLog> log_{std::in_place};
  PduLog pdus_;
  Handler handler_;
  Registration registration_;
  std::unique_ptr<Standalone> standalone_;
  std::unique_ptr<Readable> wishes_;
  std::unique_ptr<Readable> news_;
  std::optional<Timer> beat_;
  std::optional<Timer> repeated_;
  Reminder reminder_;
  Time uptime_zero_{};
  bool serving_ = false;
};

}  // namespace tcpmibd::agent
