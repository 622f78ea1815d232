#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "agent/config/config.h"
#include "agent/netsnmp/handler.h"
#include "agent/netsnmp/log.h"
#include "agent/netsnmp/registration.h"
#include "agent/netsnmp/subagent.h"
#include "agent/netsnmp/timer.h"
#include "agent/process/exit_status.h"
#include "agent/process/signals.h"
#include "agent/process/standing.h"
#include "tables/data.h"

namespace tcpmibd::agent {

class Standalone;

// The name under which the library knows us, and its configuration tokens.
inline constexpr const char* kApplication = "tcpmibd";

// What the loop does for the rest of the program. All on the thread that runs it.
struct Events {
  int news;                         // a descriptor; readable: on_news(), then parked requests
  std::function<void()> on_news;    // must make it unreadable again
  std::function<void()> on_hangup;  // SIGHUP
  // At every turn of the loop, before it waits; may be empty. Tells when another turn is needed at
  // the latest, if one is.
  std::function<std::optional<Duration>()> on_turn;
  std::function<void()> on_open;  // there are managers again; may be empty
  // After on_turn(): whether there is more to do at the next turn, so that the loop must not wait
  // for events; may be empty.
  std::function<bool()> is_busy;
  std::function<void()> on_beat;  // every `beat`, if that is set, by a loop that is not stuck
  std::optional<Duration> beat;
};

// Net-SNMP's agent library in one of two roles: a subagent of a master, or an SNMP agent itself.
// It reads none of Net-SNMP's configuration files, loads no MIB and writes nothing.
//
// One per process. Thread: one, from construction to the end; the library knows no other.
class Loop {
 public:
  // `signals` outlive the loop.
  explicit Loop(Signals& signals);
  // Closes the session with the master, or the ports.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // One of the two, once. The objects outlive the library.
  Start start_subagent(const Config& config, std::span<const tables::Managed* const> objects,
                       Answerer answerer, Setter setter);
  Start start_standalone(const Config& config, std::span<const tables::Managed* const> objects,
                         Answerer answerer, Setter setter);

  // sysUpTime: ours, or that of the master we are connected with.
  static Duration uptime();

  // Calls `act` at every turn of an interval, in the loop; none: never again.
  void repeat(std::optional<Duration> interval, std::function<void()> act);

  // Whether managers are served now.
  bool is_serving() const;

  // The same in words.
  Standing standing() const;

  // Until a signal asks to stop or there is no sense in going on; logs why.
  ExitStatus run(const Events& events);

 private:
  void on_news(const Events& events);
  void take_turn(const Events& events);
  void notice_opening(const Events& events);
  void on_signal(const Events& events);

  std::optional<LibraryLog> log_{std::in_place};
  Signals& signals_;
  std::unique_ptr<Handler> handler_;
  std::unique_ptr<Registration> registration_;
  std::unique_ptr<Subagent> subagent_;
  std::unique_ptr<Standalone> standalone_;
  std::optional<Timer> repeated_;
  Reminder reminder_;
  bool was_serving_ = false;
  bool stop_ = false;
};

}  // namespace tcpmibd::agent
