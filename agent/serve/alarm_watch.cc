#include "agent/serve/alarm_watch.h"

#include <memory>

#include "base/log.h"
#include "base/message_ids.h"
#include "tables/notifications.h"

namespace tcpmibd::agent {

namespace {

constexpr Duration kLongestLookUp = std::chrono::minutes(1);

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

// "alarm leak raised: closeWait per port is 620 (port 443, pid 812 nginx), raised at 500; 2 so"
std::string raised_text(const tcp::Alarm& alarm) {
  std::string culprit = alarm.worst;
  if (alarm.pid != 0)
    culprit += (culprit.empty() ? "pid " : ", pid ") + std::to_string(alarm.pid) +
               (alarm.command.empty() ? "" : " ") + alarm.command;
  return "alarm " + alarm.rule.name + " raised: " + to_text(alarm.rule.measure) + " is " +
         std::to_string(alarm.value) + (culprit.empty() ? "" : " (" + culprit + ")") +
         ", the alarm is raised at " + std::to_string(alarm.rule.raise_at) +
         (alarm.offenders > 1 ? "; " + std::to_string(alarm.offenders) + " are that high" : "");
}

std::string cleared_text(const tcp::AlarmEvent& event) {
  const tcp::Alarm& alarm = event.alarm;
  return "alarm " + alarm.rule.name + " cleared after " + seconds_text(event.lasted) + ": " +
         to_text(alarm.rule.measure) + " is " + std::to_string(alarm.value);
}

bool is_raised(const tcp::Alarm& alarm) { return alarm.state == tcp::AlarmState::kRaised; }

}  // namespace

// A look-up of processes may take longer than an interval; it is waited for, or alarms that need
// one would never be judged.
void AlarmWatch::begin(bool look_up_processes) {
  const Time now = Clock::now();
  if (waiting_ == Waiting::kOwners && now - began_ < kLongestLookUp)
    return;
  began_ = now;
  look_up_processes_ = look_up_processes;
  waiting_ = Waiting::kSurvey;
  parts_.responder.ask_for_survey(began_);
}

void AlarmWatch::on_news() {
  if (waiting_ == Waiting::kSurvey && parts_.responder.stock().survey() != nullptr &&
      parts_.responder.stock().survey()->taken_at() >= began_)
    on_survey();
  else if (waiting_ == Waiting::kOwners)
    on_owners();
}

// Those of a look-up that had been under way are not of this moment.
void AlarmWatch::on_owners() {
  const std::shared_ptr<const tcp::Owners> owners = parts_.responder.stock().owners();
  if (owners != nullptr && owners->taken_at() >= began_)
    judge(owners->map() == nullptr ? nullptr : owners.get());
  else if (parts_.responder.stock().has_failed_since(began_))
    judge(nullptr);
  else
    parts_.worker.want_owners();
}

// Processes cost more than all the rest, so they are looked up only where an alarm needs them.
void AlarmWatch::on_survey() {
  pressure_ = parts_.pressure.read().value_or(tcp::Pressure());
  if (!look_up_processes_ ||
      !alarms_.wants_owners(*parts_.responder.stock().survey(), pressure_, Clock::now())) {
    judge(nullptr);
    return;
  }
  waiting_ = Waiting::kOwners;
  parts_.worker.want_owners();
}

void AlarmWatch::judge(const tcp::Owners* owners) {
  waiting_ = Waiting::kNothing;
  const std::shared_ptr<const tcp::Survey> survey = parts_.responder.stock().survey();
  for (const tcp::AlarmEvent& event :
       alarms_.judge({*survey, pressure_, owners, parts_.names}, Clock::now()))
    report(event);
}

void AlarmWatch::report(const tcp::AlarmEvent& event) {
  const bool raised = is_raised(event.alarm);
  log::write(raised ? log::Level::kWarning : log::Level::kNotice,
             raised ? raised_text(event.alarm) : cleared_text(event),
             {log::field_of(raised ? log::kAlarmRaised : log::kAlarmCleared),
              {"TCP_ALARM", event.alarm.rule.name},
              {"TCP_ALARM_STATE", raised ? "raised" : "clear"},
              {"TCP_ALARM_VALUE", std::to_string(event.alarm.value)}});
  if (parts_.notifier.is_open())
    notify(event);
  else
    remember(event, false);
}

void AlarmWatch::notify(const tcp::AlarmEvent& event) {
  parts_.notifier.queue(tables::notification_of(event),
                        [this, event](bool was_sent) { remember(event, was_sent); });
}

// One raised that may have been heard of is reported as cleared later, in any case.
void AlarmWatch::remember(const tcp::AlarmEvent& event, bool may_be_heard) {
  const std::string& name = event.alarm.rule.name;
  if (!is_raised(event.alarm)) {
    if (unheard_.erase(name) == 0)
      untold_.insert_or_assign(name, event);
  } else if (untold_.erase(name) == 0 && !may_be_heard) {
    unheard_.insert(name);
  }
}

void AlarmWatch::on_open() {
  unheard_.clear();
  for (const auto& [name, event] : std::exchange(untold_, {}))
    notify(event);
  for (const tcp::Alarm& alarm : alarms_.all()) {
    if (is_raised(alarm))
      notify(tcp::AlarmEvent{.alarm = alarm});
  }
}

}  // namespace tcpmibd::agent
