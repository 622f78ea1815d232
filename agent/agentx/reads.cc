#include "agent/agentx/reads.h"

#include <algorithm>
#include <utility>

namespace tcpmibd::agent::agentx {
namespace {

using Kind = Inquiry::Kind;

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

std::size_t repeaters_from(const Header& header, const ReadRequest& request) {
  const std::size_t all = request.ranges.size();
  return header.type == PduType::kGetBulk ? std::min<std::size_t>(request.non_repeaters, all) : all;
}

}  // namespace

Read::Read(const Header& header, ReadRequest request, Time arrived)
    : header_(header),
      repeaters_from_(repeaters_from(header, request)),
      repetitions_left_(request.max_repetitions),
      arrived_(arrived),
      ranges_(std::move(request.ranges)) {
  if (is_bulk() && repetitions_left_ == 0)
    ranges_.resize(repeaters_from_);
}

Read::Progress Read::work(const Objects& objects, const Answerer& ask, Time until) {
  while (!is_finished()) {
    const Answer answer = answer_of(objects, ask);
    if (answer.kind == Answer::Kind::kLater)
      return Progress::kWaits;
    take(answer);
    if (!is_finished() && Clock::now() >= until)
      return Progress::kGoesOn;
  }
  return Progress::kDone;
}

Answer Read::answer_of(const Objects& objects, const Answerer& ask) const {
  const SearchRange& range = ranges_[at_];
  if (header_.type != PduType::kGet)
    return next(range, objects, ask);
  const tables::Managed* object = objects.holding(range.start);
  if (object == nullptr)
    return {.kind = Answer::Kind::kNoSuchObject, .cell = {}};
  return ask_for(*object, range.start, Kind::kGet, ask);
}

// The first instance of ours in the range, in whichever object (RFC 2741, 7.2.3.2).
Answer Read::next(const SearchRange& range, const Objects& objects, const Answerer& ask) const {
  const tables::Managed* object = objects.holding(range.start);
  snmp::Oid start = range.start;
  Kind kind = range.include ? Kind::kNextInclusive : Kind::kNext;
  while (true) {
    if (object != nullptr) {
      Answer answer = ask_for(*object, start, kind, ask);
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
  return {.kind = Answer::Kind::kEndOfView, .cell = {}};
}

Answer Read::ask_for(const tables::Managed& object, snmp::OidView name, Kind kind,
                     const Answerer& ask) const {
  return ask({.kind = kind,
              .object = object,
              .name = name,
              .transaction = {.id = header_.transaction},
              .arrived = arrived_});
}

void Read::take(const Answer& answer) {
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

void Read::add(const Answer& answer) {
  Writer out(bindings_, header_.order());
  if (answer.kind == Answer::Kind::kValue)
    out.add_binding(answer.cell->name, *answer.cell->value);
  else
    out.add_binding(ranges_[at_].start, exception_of(answer.kind));
}

// A GetBulk ends before what does not fit (RFC 3416, 4.2.3); of anything else nothing is sent.
void Read::keep_within_limit(std::size_t before) {
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
void Read::advance(const Answer& answer) {
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

void Read::fail(ErrorCode error) {
  outcome_ = {.error = error, .index = static_cast<std::uint16_t>(at_ + 1)};
  bindings_.clear();
  at_ = ranges_.size();
}

void Read::append_response(Bytes& out) const {
  agentx::append_response(out, header_, outcome_, bindings_);
}

void Reads::begin(const Header& header, ReadRequest request, Time now, Bytes& out) {
  const auto is_again = [&](const UnderWay& one) {
    const Header& other = one.read.header();
    return other.packet == header.packet && other.transaction == header.transaction &&
           other.type == header.type;
  };
  if (std::ranges::any_of(reads_, is_again))
    return;
  if (request.ranges.size() > kMostBindings)
    append_response(out, header, {.error = ErrorCode::kTooBig, .index = 0});
  else if (reads_.size() == kMost)
    append_response(out, header, {.error = ErrorCode::kGenErr, .index = 0});
  else
    reads_.push_back({Read(header, std::move(request), now)});
}

void Reads::work(Time until, Bytes& out) {
  for (UnderWay& one : reads_) {
    if (one.waits || Clock::now() >= until)
      continue;
    const Read::Progress progress = one.read.work(objects_, ask_, until);
    one.waits = progress == Read::Progress::kWaits;
    one.done = progress == Read::Progress::kDone;
    if (one.done)
      one.read.append_response(out);
  }
  std::erase_if(reads_, [](const UnderWay& one) { return one.done; });
}

void Reads::retry() {
  for (UnderWay& one : reads_)
    one.waits = false;
}

bool Reads::is_busy() const { return !std::ranges::all_of(reads_, &UnderWay::waits); }

}  // namespace tcpmibd::agent::agentx
