#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/serve/notification_queue.h"
#include "agent/serve/responder.h"
#include "agent/serve/worker.h"
#include "survey/alarm.h"

namespace tcpmibd::agent {

// Judges the alarms once an interval, from a survey of that moment, and reports what has become of
// them: one log line and one notification each.
//
// Thread:  the agent's; the counting is the worker's.
// Logs:    every alarm raised (warning) and cleared (notice).
class AlarmWatch {
 public:
  struct Parts {
    Responder& responder;
    Worker& worker;
    tcp::PressureSource& pressure;
    tcp::ProcessNames& names;
    NotificationQueue& notifier;
  };

  AlarmWatch(const Parts& parts, tcp::Alarms& alarms) : parts_(parts), alarms_(alarms) {}

  // At every interval. `look_up_processes`: whether culprits may be looked for.
  void begin(bool look_up_processes);

  // Whenever the responder has received news.
  void on_news();

  // Somebody takes notifications again: what is still raised is reported once more, and what was
  // cleared meanwhile is reported at last.
  void on_open();

  // An interval has begun whose alarms have not been judged yet.
  bool is_under_way() const { return waiting_ != Waiting::kNothing; }

 private:
  enum class Waiting { kNothing, kSurvey, kOwners };

  void on_survey();
  void on_owners();
  void judge(const tcp::Owners* owners);
  void report(const tcp::AlarmEvent& event);
  void notify(const tcp::AlarmEvent& event);
  void remember(const tcp::AlarmEvent& event, bool may_be_heard);

  Parts parts_;
  tcp::Alarms& alarms_;
  Waiting waiting_ = Waiting::kNothing;
  Time began_{};
  bool look_up_processes_ = false;
  tcp::Pressure pressure_;  // of the moment of the survey
  // What happened while nobody listened, or what has not been confirmed, by name: alarms cleared
  // that may have been reported as raised, and alarms raised that were reported to nobody.
  std::map<std::string, tcp::AlarmEvent> untold_;
  std::set<std::string> unheard_;
};

}  // namespace tcpmibd::agent
