#include "agent/agentx/reads.h"

#include <algorithm>
#include <utility>

#include "agent/agentx/transaction.h"

namespace tcpmibd::agent::agentx {
namespace {

using Kind = Read::Kind;

bool ends_before(const SearchRange& range, const snmp::Oid& name) {
  return range.end.size() != 0 && range.end <= name;
}

// A cell that an object finds outside its root, or without a value, is none.
bool is_of(const tables::Managed& object, const Answer& answer) {
  return answer.kind != Answer::Kind::kValue ||
         (answer.cell->value && snmp::starts_with(answer.cell->name, object.root()));
}

Exception exception_of(Answer::Kind kind) {
  switch (kind) {
    case Answer::Kind::kNoSuchObject:
      return Exception::kNoSuchObject;
    case Answer::Kind::kNoSuchInstance:
      return Exception::kNoSuchInstance;
    default:
      return Exception::kEndOfMibView;
  }
}

std::size_t repeaters_from(const Header& header, const ReadPdu& pdu) {
  const std::size_t all = pdu.ranges.size();
  return header.type == PduType::kGetBulk ? std::min<std::size_t>(pdu.non_repeaters, all) : all;
}

}  // namespace

PendingRead::PendingRead(const Header& header, ReadPdu pdu, Time arrived, std::uint32_t master)
    : header_(header),
      master_(master),
      repeaters_from_(repeaters_from(header, pdu)),
      max_repetitions_(pdu.max_repetitions),
      repetitions_left_(pdu.max_repetitions),
      ranges_(std::move(pdu.ranges)),
      trace_(arrived) {
  if (is_bulk() && max_repetitions_ == 0)
    ranges_.resize(repeaters_from_);
  if (is_bulk())
    asked_ = ranges_;
}

PendingRead::Progress PendingRead::work(const Objects& objects, ReadTarget& target, Time until) {
  Time now = Clock::now();
  if (now > trace_.basis().serves_until)
    begin_anew();
  while (!is_finished()) {
    const Answer answer = answer_of(objects, target, now);
    trace_.note(answer, now);
    if (answer.kind == Answer::Kind::kLater)
      return Progress::kWaits;
    take(answer);
    if (is_finished())
      break;
    now = Clock::now();
    if (now >= until)
      return Progress::kGoesOn;
  }
  return Progress::kDone;
}

Answer PendingRead::answer_of(const Objects& objects, ReadTarget& target, Time now) const {
  const SearchRange& range = ranges_[at_];
  if (header_.type != PduType::kGet)
    return next(range, objects, target, now);
  const tables::Managed* object = objects.holding(range.start);
  if (object == nullptr)
    return {.kind = Answer::Kind::kNoSuchObject};
  return target.read(read_of(*object, range.start, Kind::kGet, now));
}

// The first instance of ours in the range, in whichever object (RFC 2741, 7.2.3.2).
Answer PendingRead::next(const SearchRange& range, const Objects& objects, ReadTarget& target,
                         Time now) const {
  const tables::Managed* object = objects.holding(range.start);
  snmp::Oid start = range.start;
  Kind kind = range.include ? Kind::kNextInclusive : Kind::kNext;
  while (true) {
    if (object != nullptr) {
      Answer answer = target.read(read_of(*object, start, kind, now));
      if (answer.kind == Answer::Kind::kValue && ends_before(range, answer.cell->name))
        break;
      if (answer.kind != Answer::Kind::kEndOfView && is_of(*object, answer))
        return answer;
    }
    object = objects.after(object != nullptr ? object->root() : start);
    if (object == nullptr || ends_before(range, object->root()))
      break;
    start = object->root();
    kind = Kind::kNextInclusive;
  }
  return {.kind = Answer::Kind::kEndOfView};
}

Read PendingRead::read_of(const tables::Managed& object, snmp::OidView name, Kind kind,
                          Time now) const {
  return {.kind = kind,
          .object = object,
          .name = name,
          .transaction = transaction_of(master_, header_.transaction),
          .arrived = trace_.arrived(),
          .now = now};
}

// It has waited for so long that its first answers are out of date.
void PendingRead::begin_anew() {
  if (is_bulk())
    ranges_ = asked_;
  repetitions_left_ = max_repetitions_;
  at_ = 0;
  found_any_ = false;
  bindings_.clear();
  trace_.begin_anew();
}

void PendingRead::take(const Answer& answer) {
  if (answer.kind == Answer::Kind::kFailed) {
    fail(ErrorCode::kGenErr);
    return;
  }
  const std::size_t before = bindings_.size();
  add(answer);
  keep_within_limit(before);
  if (!is_finished())
    advance(answer);
}

void PendingRead::add(const Answer& answer) {
  Writer out(bindings_, header_.order());
  if (answer.kind == Answer::Kind::kValue)
    out.add_binding(answer.cell->name, *answer.cell->value);
  else
    out.add_binding(ranges_[at_].start, exception_of(answer.kind));
}

// A GetBulk ends before what does not fit (RFC 3416, 4.2.3); of anything else nothing is sent.
void PendingRead::keep_within_limit(std::size_t before) {
  if (bindings_.size() <= kLongestAnswer)
    return;
  if (!is_bulk() || before == 0) {
    fail(ErrorCode::kTooBig);
    return;
  }
  bindings_.resize(before);
  at_ = ranges_.size();
}

// A GetBulk goes on behind what was found, and ends with a repetition that found nothing.
void PendingRead::advance(const Answer& answer) {
  if (at_ >= repeaters_from_ && answer.kind == Answer::Kind::kValue) {
    ranges_[at_].start = answer.cell->name;
    ranges_[at_].include = false;
    found_any_ = true;
  }
  if (++at_ < ranges_.size() || !is_bulk() || !found_any_ || --repetitions_left_ == 0)
    return;
  at_ = repeaters_from_;
  found_any_ = false;
}

void PendingRead::fail(ErrorCode error) {
  outcome_ = {.error = error, .index = static_cast<std::uint16_t>(at_ + 1)};
  bindings_.clear();
  at_ = ranges_.size();
}

void PendingRead::append_response(Bytes& out) const {
  agentx::append_response(out, header_, outcome_, bindings_);
}

void PendingRead::write_trace(std::string_view outcome) const {
  if (!PduTrace::is_wanted())
    return;
  const std::vector<SearchRange>& asked = is_bulk() ? asked_ : ranges_;
  trace_.write({.kind = kind_of(header_.type),
                .first = asked.empty() ? snmp::OidView() : asked.front().start.view(),
                .bindings = asked.size(),
                .repetitions = is_bulk() ? std::optional(max_repetitions_) : std::nullopt},
               {.error = outcome, .index = outcome_.index}, Clock::now());
}

Reads::~Reads() {
  for (const UnderWay& one : reads_)
    one.read.write_trace("dropped");
}

void Reads::begin(const Header& header, ReadPdu pdu, Time now, Bytes& out) {
  const auto is_again = [&](const UnderWay& one) {
    const Header& other = one.read.header();
    return other.packet == header.packet && other.transaction == header.transaction &&
           other.type == header.type;
  };
  const bool is_too_big = pdu.ranges.size() > kMostBindings;
  PendingRead read(header, std::move(pdu), now, master_);
  if (std::ranges::any_of(reads_, is_again)) {
    read.write_trace("repeated");
  } else if (is_too_big || reads_.size() == kMost) {
    const ErrorCode error = is_too_big ? ErrorCode::kTooBig : ErrorCode::kGenErr;
    append_response(out, header, {.error = error, .index = 0});
    read.write_trace(name_of(error));
  } else {
    reads_.push_back({std::move(read)});
  }
}

void Reads::work(Time until, Bytes& out) {
  for (UnderWay& one : reads_) {
    if (one.waits || Clock::now() >= until)
      continue;
    const PendingRead::Progress progress = one.read.work(objects_, target_, until);
    one.waits = progress == PendingRead::Progress::kWaits;
    one.done = progress == PendingRead::Progress::kDone;
    if (!one.done)
      continue;
    one.read.append_response(out);
    one.read.write_trace();
  }
  std::erase_if(reads_, [](const UnderWay& one) { return one.done; });
}

void Reads::retry() {
  for (UnderWay& one : reads_)
    one.waits = false;
}

bool Reads::is_busy() const { return !std::ranges::all_of(reads_, &UnderWay::waits); }

}  // namespace tcpmibd::agent::agentx
