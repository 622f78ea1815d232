#include "agent/serve/pdu_trace.h"

#include <chrono>

#include "base/log.h"

namespace tcpmibd::agent {

namespace {

// As they stand in the line; see Awaited.
constexpr std::string_view kWords[] = {"nothing", "snapshot", "survey", "processes", "owners"};

// Of a context, which is the sender's to choose.
constexpr std::size_t kLongestContext = 64;

template <typename Unit>
std::string count_of(Duration duration) {
  return std::to_string(std::chrono::duration_cast<Unit>(duration).count());
}

std::string milliseconds_text(Duration duration) {
  return count_of<std::chrono::milliseconds>(duration) + "ms";
}

}  // namespace

void PduTrace::note(const Answer& answer, Time now) {
  if (awaits_ != Awaited::kNothing || answer.awaits != Awaited::kNothing)
    wait(answer.awaits, now);
  if (answer.kind != Answer::Kind::kLater)
    basis_.add(answer.basis);
}

// It waits for nothing but a snapshot.
void PduTrace::note(const SetAnswer& answer, Time now) {
  wait(answer.status ? Awaited::kNothing : Awaited::kSnapshot, now);
}

void PduTrace::wait(Awaited awaited, Time now) {
  if (awaited == awaits_)
    return;
  if (awaits_ != Awaited::kNothing)
    waited_[static_cast<std::size_t>(awaits_)] += now - since_;
  awaits_ = awaited;
  since_ = now;
}

bool PduTrace::is_wanted() { return log::is_written(log::Level::kDebug); }

void PduTrace::write(const PduSummary& pdu, const PduOutcome& outcome, Time now) const {
  if (is_wanted())
    log::debug(line(pdu, outcome, now));
}

std::string PduTrace::line(const PduSummary& pdu, const PduOutcome& outcome, Time now) const {
  PduTrace ended = *this;
  ended.wait(Awaited::kNothing, now);
  std::string line(pdu.kind);
  if (!pdu.first.empty())
    line += ' ' + snmp::to_text(pdu.first);
  line += " bindings=" + std::to_string(pdu.bindings);
  if (pdu.repetitions)
    line += " repetitions=" + std::to_string(*pdu.repetitions);
  line += " context=\"" + std::string(pdu.context.substr(0, kLongestContext)) + '"';
  line += " parked=" + ended.parked() + " age=" + age(now);
  line += " outcome=" + std::string(outcome.error);
  if (outcome.index != 0)
    line += " index=" + std::to_string(outcome.index);
  return line + " us=" + count_of<std::chrono::microseconds>(now - arrived_);
}

// "snapshot:812ms,processes:1004ms"
std::string PduTrace::parked() const {
  std::string text;
  for (std::size_t i = 0; i < kAwaited; ++i) {
    if (waited_[i] != Duration())
      text +=
          (text.empty() ? "" : ",") + std::string(kWords[i]) + ':' + milliseconds_text(waited_[i]);
  }
  return text.empty() ? "no" : text;
}

std::string PduTrace::age(Time now) const {
  return basis_.read_at == Time::max() ? "-" : milliseconds_text(now - basis_.read_at);
}

}  // namespace tcpmibd::agent
