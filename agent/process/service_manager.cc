#include "agent/process/service_manager.h"

#include <systemd/sd-daemon.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>

#include "base/printable.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::seconds;

// Nobody reads faster, be it of rows or that we are still waiting. Snapshots lie further apart than
// this unless the configuration wants them very fresh; what is left out is reported at a later
// turn.
constexpr Duration kRowsApart = std::chrono::milliseconds(500);

// A master that accepts connections and does not answer holds an attempt up for six seconds.
constexpr Duration kAttempt = seconds(30);

// Two beats in the time allowed, so that one may come late.
std::optional<Duration> beat_asked_for() {
  std::uint64_t usec = 0;
  if (::sd_watchdog_enabled(0, &usec) <= 0)
    return std::nullopt;
  return duration_cast<Duration>(microseconds(usec / 2));
}

std::string usec(Duration duration) {
  return std::to_string(duration_cast<microseconds>(duration).count());
}

// A moment of the monotonic clock as text for people.
std::string time_of_day(Time moment, Time now) {
  const auto when = std::chrono::system_clock::now() - (now - moment);
  const std::time_t time = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(when));
  std::tm local{};
  ::localtime_r(&time, &local);
  std::array<char, sizeof "2026-12-31 23:59:59"> text{};
  std::strftime(text.data(), text.size(), "%F %T", &local);
  return text.data();
}

}  // namespace

ServiceManager::ServiceManager(Duration attempts_apart)
    : listens_(std::getenv("NOTIFY_SOCKET") != nullptr),
      beat_(listens_ ? beat_asked_for() : std::nullopt),
      patience_(attempts_apart + kAttempt) {}

// Whether it has reached somebody.
bool ServiceManager::say(std::string_view message) const {
  return listens_ && ::sd_notify(0, std::string(message).c_str()) > 0;
}

void ServiceManager::alive() const { say("WATCHDOG=1"); }

void ServiceManager::stopping() const { say("STOPPING=1"); }

// Before we are ready there is nothing to come back to, and "ready" would be a lie.
void ServiceManager::reloading() const {
  if (ready_)
    say("RELOADING=1\nMONOTONIC_USEC=" + usec(Clock::now().time_since_epoch()));
}

void ServiceManager::reloaded() { owes_ready_ = ready_ && !say("READY=1"); }

std::string ServiceManager::status(const Standing& standing, Time now) const {
  if (!rows_)
    return standing.text + "; no rows read yet";
  return standing.text + "; " + std::to_string(rows_->count) + " rows read at " +
         time_of_day(rows_->taken_at, now);
}

void ServiceManager::report(const Standing& standing, const tcp::Snapshot* newest, Time now) {
  if (!listens_)
    return;
  if (newest != nullptr)
    rows_ = {newest->rows(), newest->taken_at()};
  if (now < next_ && standing.text == standing_ && !owes_ready_)
    return;
  const std::string status = printable(this->status(standing, now));  // one line, whoever worded it
  const bool becomes_ready = owes_ready_ || (standing.serving && !ready_);
  bool reported = true;
  if (!ready_ && !becomes_ready)
    reported = say("EXTEND_TIMEOUT_USEC=" + usec(patience_) + "\nSTATUS=" + status);
  else if (becomes_ready || status != status_)
    reported = say((becomes_ready ? "READY=1\nSTATUS=" : "STATUS=") + status);
  if (!reported)
    return;  // All of it is reported at the next turn.
  owes_ready_ = false;
  ready_ = ready_ || standing.serving;
  standing_ = standing.text;
  status_ = status;
  next_ = rows_ || !ready_ ? now + kRowsApart : Time{};  // the first rows are reported at once
}

}  // namespace tcpmibd::agent
