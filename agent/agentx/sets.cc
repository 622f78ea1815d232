#include "agent/agentx/sets.h"

#include <algorithm>
#include <utility>

#include "agent/agentx/transaction.h"

namespace tcpmibd::agent::agentx {
namespace {

using snmp::SetStatus;
using Phase = Write::Phase;

constexpr Outcome kMisfit{.error = ErrorCode::kProcessingError, .index = 0};

// What became of a phase that is not begun.
void write_refusal(const Header& header, Time arrived, std::string_view outcome) {
  PduTrace(arrived).write({.kind = kind_of(header.type)}, {.error = outcome}, Clock::now());
}

bool is_same(const Header& one, const Header& other) {
  return one.type == other.type && one.packet == other.packet;
}

}  // namespace

void Sets::receive(const Header& header, std::vector<Binding> bindings, Time now, Bytes& out) {
  Set* set = find(header.transaction);
  // A master that was kept waiting sends the same again, every second.
  if (set != nullptr && is_same(set->asked, header)) {
    if (!set->is_working())
      append_response(out, header, set->outcome);
    write_refusal(header, now, "repeated");
    return;
  }
  if (header.type == PduType::kCleanupSet) {
    clean_up(header, now);
  } else if (header.type == PduType::kTestSet && set == nullptr) {
    begin(header, std::move(bindings), now, out);
  } else if (set == nullptr || !go_on(*set, header, now)) {
    append_response(out, header, kMisfit);
    write_refusal(header, now, "processingError");
  }
}

void Sets::begin(const Header& header, std::vector<Binding> bindings, Time now, Bytes& out) {
  if (bindings.size() > kMostBindings || !make_room()) {
    append_response(out, header, {.error = ErrorCode::kResourceUnavailable, .index = 0});
    write_refusal(header, now, "resourceUnavailable");
    return;
  }
  sets_.push_back(
      {.asked = header, .bindings = std::move(bindings), .begun = now, .trace = PduTrace(now)});
}

// Whether the phase fits.
bool Sets::go_on(Set& set, const Header& header, Time now) {
  const bool commits =
      header.type == PduType::kCommitSet && set.state == State::kTested && now - set.begun < kKept;
  const bool undoes = header.type == PduType::kUndoSet && set.state == State::kCommitted;
  if (!commits && !undoes)
    return false;
  set.asked = header;
  set.state = commits ? State::kCommitting : State::kUndoing;
  set.pass = commits ? Phase::kAction : Phase::kUndo;
  set.at = 0;
  set.outcome = {};
  set.trace = PduTrace(now);
  return true;
}

// It is never answered (RFC 2741, 7.2.4.4).
void Sets::clean_up(const Header& header, Time now) {
  Set* set = find(header.transaction);
  if (set == nullptr) {
    write_refusal(header, now, "processingError");
    return;
  }
  if (set->is_working())
    write_trace(*set, "dropped");
  release(*set);
  set->asked = header;
  set->outcome = {};
  set->trace = PduTrace(now);
  write_trace(*set, name_of(set->outcome.error));
  erase_over();
}

void Sets::work(Time until, Bytes& out) {
  for (Set& set : sets_) {
    const Time now = Clock::now();
    if (set.is_working() && now < until && now >= set.waits_until.value_or(now))
      work(set, until, out);
  }
  erase_over();
}

void Sets::erase_over() {
  std::erase_if(sets_, [](const Set& set) { return set.state == State::kOver; });
}

void Sets::work(Set& set, Time until, Bytes& out) {
  do {
    if (set.at < set.bindings.size()) {
      if (!write_next(set))
        return;
    } else if (!begin_next_pass(set)) {
      end_phase(set, out);
      return;
    }
  } while (Clock::now() < until);
}

// False when it has to wait. The first refusal counts; only what takes back goes on to the last.
bool Sets::write_next(Set& set) {
  const SetAnswer answer = write(set.bindings[set.at], set.pass, set.asked);
  set.trace.note(answer, Clock::now());
  set.waits_until = answer.status ? std::nullopt : std::optional(answer.again);
  if (!answer.status)
    return false;
  ++set.at;
  if (*answer.status == SetStatus::kNoError)
    return true;
  if (set.outcome.error == ErrorCode::kNone)
    set.outcome = {.error = static_cast<ErrorCode>(*answer.status),
                   .index = static_cast<std::uint16_t>(set.at)};
  if (set.pass != Phase::kUndo)
    set.at = set.bindings.size();
  return true;
}

bool Sets::begin_next_pass(Set& set) {
  if (set.pass != Phase::kReserve1 || set.outcome.error != ErrorCode::kNone)
    return false;
  set.pass = Phase::kReserve2;
  set.at = 0;
  return true;
}

void Sets::end_phase(Set& set, Bytes& out) const {
  append_response(out, set.asked, set.outcome);
  write_trace(set, name_of(set.outcome.error));
  if (set.state == State::kCommitting)
    set.state = State::kCommitted;
  else if (set.state == State::kTesting && set.outcome.error == ErrorCode::kNone)
    set.state = State::kTested;
  else
    release(set);
}

void Sets::write_trace(const Set& set, std::string_view outcome) {
  if (!PduTrace::is_wanted())
    return;
  set.trace.write({.kind = kind_of(set.asked.type),
                   .first = set.bindings.empty() ? snmp::OidView() : set.bindings[0].name.view(),
                   .bindings = set.bindings.size()},
                  {.error = outcome, .index = set.outcome.index}, Clock::now());
}

SetAnswer Sets::write(const Binding& binding, Phase phase, const Header& header) const {
  const tables::Managed* object = objects_.holding(binding.name);
  if (object == nullptr || !object->has_writable())
    return SetStatus::kNotWritable;
  return target_.write({.phase = phase,
                        .object = *object,
                        .name = binding.name,
                        .value = binding.value,
                        .transaction = transaction_of(master_, header.transaction)});
}

// What an object of ours knows of the Set is forgotten, whichever way it went.
void Sets::release(Set& set) const {
  const bool done = set.state == State::kCommitted && set.outcome.error == ErrorCode::kNone;
  for (const Binding& binding : set.bindings)
    write(binding, done ? Phase::kCommit : Phase::kFree, set.asked);
  set.state = State::kOver;
}

void Sets::release_all() {
  for (Set& set : sets_) {
    if (set.is_working())
      write_trace(set, "dropped");
    release(set);
  }
  sets_.clear();
}

// Whether there is room for one more, if need be in the place of the oldest that has been answered.
bool Sets::make_room() {
  if (sets_.size() < kMost)
    return true;
  const auto oldest = std::ranges::find_if(sets_, [](const Set& set) { return !set.is_working(); });
  if (oldest == sets_.end())
    return false;
  release(*oldest);
  sets_.erase(oldest);
  return true;
}

void Sets::retry() {
  for (Set& set : sets_)
    set.waits_until.reset();
}

bool Sets::is_busy() const {
  return std::ranges::any_of(sets_,
                             [](const Set& set) { return set.is_working() && !set.waits_until; });
}

std::optional<Time> Sets::wake() const {
  std::optional<Time> wake;
  for (const Set& set : sets_) {
    if (set.waits_until)
      wake = std::min(*set.waits_until, wake.value_or(*set.waits_until));
  }
  return wake;
}

Sets::Set* Sets::find(std::uint32_t transaction) {
  const auto found = std::ranges::find_if(
      sets_, [&](const Set& set) { return set.asked.transaction == transaction; });
  return found == sets_.end() ? nullptr : &*found;
}

}  // namespace tcpmibd::agent::agentx
