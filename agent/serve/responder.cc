#include "agent/serve/responder.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace tcpmibd::agent {

using tables::Data;
using tables::Managed;

namespace {

// No dump takes so long: there is no snapshot under way from before.
constexpr Duration kLongestDump = std::chrono::minutes(1);

// Stands in where rows do not matter: for scalars, and for names that no row can have.
const std::shared_ptr<const tcp::Snapshot>& no_rows() {
  static const auto kNoRows = std::make_shared<const tcp::Snapshot>();
  return kNoRows;
}

// A master begins at the root of an object where a manager has come from before it.
bool enters(const Read& read) {
  if (read.kind == Read::Kind::kGet || !read.object.needs().old_processes_at_entry)
    return false;
  const std::strong_ordering order = snmp::compare(read.name, read.object.root());
  return order < 0 || (order == 0 && read.kind == Read::Kind::kNextInclusive);
}

Answer::Kind absence_of(const Read& read) {
  return read.object.absence(read.name) == snmp::Absence::kNoSuchObject
             ? Answer::Kind::kNoSuchObject
             : Answer::Kind::kNoSuchInstance;
}

const tcp::ProcessMap& nobody() {
  static const tcp::ProcessMap kNobody;
  return kNobody;
}

}  // namespace

Responder::Responder(ResponderSources sources, Worker& worker, const tcp::AddressForms& forms,
                     const Ages& ages)
    : sources_(std::move(sources)), worker_(worker), forms_(forms), freshness_(ages) {}

Answer Responder::read(const Read& read) {
  const bool is_get = read.kind == Read::Kind::kGet;
  const tcp::Question question = is_get ? read.object.question(read.name) : Data::everything();
  if (std::holds_alternative<std::monostate>(question))
    return {absence_of(read)};
  const Moment moment{read.now, read.arrived};
  Reading reading{moment, enters(read), pins_.of(read.transaction, moment)};
  Answer answer = is_get ? get(read, question, reading) : next(read, reading);
  answer.awaits = reading.awaits;
  answer.basis = reading.basis;
  reading.pin.waits = answer.kind == Answer::Kind::kLater;
  return answer;
}

Answer Responder::get(const Read& read, const tcp::Question& question, Reading& reading) {
  const Rows rows = gather(read.object.needs(), question, reading);
  if (rows.kind != Answer::Kind::kValue)
    return {rows.kind};
  Looked looked;
  fill_data(looked, rows, reading);
  std::optional<snmp::Cell> cell = read.object.get(looked.data, read.name);
  if (has_ended(read.object, cell, rows))
    cell.reset();
  return answered(std::move(cell), absence_of(read), rows, looked, reading);
}

Answer Responder::next(const Read& read, Reading& reading) {
  // What a PDU enters with it goes on with: a GETBULK has more rows than the first.
  const Stock::SharedProcesses& known = stock_.newest_listeners();
  if (reading.enters && known != nullptr &&
      read.now - known->taken_at() <= Freshness::kMostAgeOnEntering)
    reading.pin.entered = {known, known->taken_at(), Freshness::kMostAgeOnEntering};
  const Rows rows = gather(read.object.needs(), Data::everything(), reading);
  if (rows.kind != Answer::Kind::kValue)
    return {rows.kind};
  Looked looked;
  fill_data(looked, rows, reading);
  snmp::Oid from(read.name);
  for (bool at = read.kind == Read::Kind::kNextInclusive;; at = false) {
    std::optional<snmp::Cell> cell = read.object.next(looked.data, from.view(), at);
    if (!has_ended(read.object, cell, rows))
      return answered(std::move(cell), Answer::Kind::kEndOfView, rows, looked, reading);
    from = cell->name;
  }
}

bool Responder::has_ended(const Managed& object, const std::optional<snmp::Cell>& cell,
                          const Rows& rows) const {
  return cell && !ended_.empty() &&
         ended_.hides(object.question(cell->name.view()), rows.snapshot->taken_at());
}

Answer::Kind Responder::later(Reading& reading, Awaited awaited) {
  reading.awaits = awaited;
  return Answer::Kind::kLater;
}

// ---- What an object needs

Responder::Rows Responder::gather(const Data::Needs& needs, const tcp::Question& question,
                                  Reading& reading) {
  if (!gather_files(needs, reading))
    return {.kind = Answer::Kind::kFailed};
  if (needs.agent)
    gather_figures(reading);
  if (needs.ends)
    gather_ends(reading);
  Answer::Kind kind = Answer::Kind::kValue;
  if (needs.survey)
    kind = gather_survey(reading);
  if (needs.owners && kind == Answer::Kind::kValue)
    kind = gather_owners(reading);
  if (kind != Answer::Kind::kValue)
    return {.kind = kind};
  if (needs.snapshot)
    return newest(Use::kWhole, reading);
  if (needs.counts)
    return newest_counts(reading);
  return needs.rows ? rows_for(question, reading) : Rows{.snapshot = no_rows()};
}

bool Responder::gather_files(const Data::Needs& needs, Reading& reading) {
  if (needs.counters &&
      !fill(
          reading.pin.counters, [this] { return sources_.counters.read(); }, reading))
    return false;
  return !needs.pressure ||
         fill(
             reading.pin.pressure, [this] { return sources_.pressure.read(); }, reading);
}

template <typename Slot, typename Source>
bool Responder::fill(Slot& slot, Source source, Reading& reading) {
  if (!slot || !slot->serves(reading.moment)) {
    auto fresh = source();
    if (!fresh) {
      slot.reset();
      failed(fresh.error());
      return false;
    }
    slot.emplace(*std::move(fresh), reading.moment.now);
  }
  reading.use(slot->read_at, slot->most_age);
  return true;
}

void Responder::gather_figures(Reading& reading) {
  std::optional<Kept<tables::AgentFigures>>& figures = reading.pin.agent;
  if (figures && figures->serves(reading.moment))
    return;
  figures.emplace(sources_.agent(), reading.moment.now);
  figures->data.snapshots = stock_.figures();
}

void Responder::gather_ends(Reading& reading) const {
  std::optional<Kept<std::shared_ptr<const tcp::EndsFigures>>>& ends = reading.pin.ends;
  if (ends && ends->serves(reading.moment))
    return;
  const Time now = reading.moment.now;
  ends.emplace(sources_.ends ? sources_.ends(now) : nullptr, now);
}

Answer::Kind Responder::gather_survey(Reading& reading) {
  if (find_survey(reading)) {
    reading.use(reading.pin.survey.read_at, reading.pin.survey.most_age);
    return Answer::Kind::kValue;
  }
  if (stock_.has_failed_since(reading.moment.arrived))
    return Answer::Kind::kFailed;
  const SharedSnapshot& newest = stock_.snapshot();
  const Duration took = newest == nullptr ? Duration() : newest->took();
  ask_for_survey(std::max(freshness_.oldest(took, reading.moment), ended_.last()));
  return later(reading, Awaited::kSurvey);
}

// Whether the pin has a survey that serves.
bool Responder::find_survey(Reading& reading) const {
  Kept<Stock::SharedSurvey>& kept = reading.pin.survey;
  if (kept.data != nullptr && kept.serves(reading.moment))
    return true;
  const Stock::SharedSurvey& newest = stock_.survey();
  if (newest == nullptr || newest->taken_at() < ended_.last())
    return false;
  const Duration most_age = freshness_.most_age(newest->took());
  if (!Freshness::is_fresh(newest->taken_at(), most_age, reading.moment))
    return false;
  kept = {newest, newest->taken_at(), most_age};
  return true;
}

Answer::Kind Responder::gather_owners(Reading& reading) {
  if (find_owners(reading)) {
    if (freshness_.ages().look_up_processes)
      reading.use(reading.pin.owners.read_at, reading.pin.owners.most_age);
    return Answer::Kind::kValue;
  }
  if (stock_.has_failed_since(reading.moment.arrived))
    return Answer::Kind::kFailed;
  worker_.want_owners();
  return later(reading, Awaited::kOwners);
}

// Whether the pin has owners that serve. Where processes are not looked up, there are none. An
// empty table says that nothing is there, so it is not entered.
bool Responder::find_owners(Reading& reading) const {
  static const auto kNone = std::make_shared<const tcp::Owners>();
  Kept<Stock::SharedOwners>& kept = reading.pin.owners;
  const Moment moment = reading.moment;
  if (kept.data != nullptr && kept.serves(moment))
    return true;
  if (!freshness_.ages().look_up_processes) {
    kept = {kNone, moment.now};
    return true;
  }
  if (const Stock::SharedOwners& newest = stock_.owners(); newest != nullptr) {
    const Duration most_age =
        freshness_.most_age_of_processes(newest->taken_at(), stock_.processes_serve_until());
    if (Freshness::is_fresh(newest->taken_at(), most_age, moment)) {
      kept = {newest, newest->taken_at(), most_age};
      return true;
    }
  }
  const Stock::SharedOwners& last = stock_.newest_owners();
  if (!reading.enters || last == nullptr || last->rows().empty() ||
      moment.now - last->taken_at() > Freshness::kMostAgeOnEntering)
    return false;
  kept = {last, last->taken_at(), Freshness::kMostAgeOnEntering};
  return true;
}

// A walk reads a snapshot that is fresh, every binding of a PDU the same one.
Responder::Rows Responder::newest(Use use, Reading& reading) {
  if (SharedSnapshot snapshot = find_snapshot(use, reading)) {
    reading.use(reading.pin.snapshot.read_at, reading.pin.snapshot.most_age);
    return {.snapshot = std::move(snapshot)};
  }
  if (stock_.has_failed_since(reading.moment.arrived))
    return {.kind = Answer::Kind::kFailed};
  ask_for_snapshot();
  return {.kind = later(reading, Awaited::kSnapshot)};
}

Responder::SharedSnapshot Responder::find_snapshot(Use use, Reading& reading) {
  Kept<std::weak_ptr<const tcp::Snapshot>>& kept = reading.pin.snapshot;
  if (SharedSnapshot pinned = kept.data.lock();
      pinned != nullptr && serves(*pinned, use) && kept.serves(reading.moment))
    return pinned;
  SharedSnapshot newest = stock_.snapshot();
  if (newest == nullptr || !serves(*newest, use))
    return nullptr;
  const Duration most_age = freshness_.most_age(newest->took());
  if (!Freshness::is_fresh(newest->taken_at(), most_age, reading.moment))
    return nullptr;
  kept = {newest, newest->taken_at(), most_age};
  refresh_ahead(reading.moment.now);
  return newest;
}

Responder::Rows Responder::newest_counts(Reading& reading) {
  if (SharedSnapshot counts = find_counts(reading)) {
    reading.use(reading.pin.counts.read_at, reading.pin.counts.most_age);
    return {.snapshot = std::move(counts)};
  }
  if (stock_.has_failed_since(reading.moment.arrived))
    return {.kind = Answer::Kind::kFailed};
  make_way();  // for a dump of all sockets, which it takes where the gauges will not do
  worker_.want_counts();
  return {.kind = later(reading, Awaited::kSnapshot)};
}

// Those that the PDU was answered from, or the newest that serve. A snapshot has them as well, but
// is not kept for it: it may be large, and whoever asks for counts alone has none made.
Responder::SharedSnapshot Responder::find_counts(Reading& reading) const {
  Kept<SharedSnapshot>& kept = reading.pin.counts;
  if (kept.data != nullptr && serves(*kept.data, Use::kWhole) && kept.serves(reading.moment))
    return kept.data;
  const SharedSnapshot pinned = reading.pin.snapshot.data.lock();
  for (const SharedSnapshot& each : {pinned, stock_.snapshot(), stock_.counts()}) {
    if (each == nullptr || !serves(*each, Use::kWhole))
      continue;
    const Duration most_age = freshness_.most_age(each->took());
    if (!Freshness::is_fresh(each->taken_at(), most_age, reading.moment))
      continue;
    kept = {std::make_shared<const tcp::Snapshot>(each->counts_alone()), each->taken_at(),
            most_age};
    return kept.data;
  }
  return nullptr;
}

bool Responder::serves(const tcp::Snapshot& snapshot, Use use) const {
  return use == Use::kRows ? ended_.can_mend(snapshot.taken_at())
                           : snapshot.taken_at() >= ended_.last();
}

// GET asks the kernel for exactly what the name stands for, and reads the answer as a snapshot of
// its own: the same merging, the same forms and the same search as in a walk.
Responder::Rows Responder::rows_for(const tcp::Question& question, Reading& reading) {
  if (std::holds_alternative<tcp::EverythingQuery>(question))
    return newest(Use::kRows, reading);
  std::vector<Pin::Found>& found = reading.pin.found;
  auto known = std::ranges::find(found, question, &Pin::Found::question);
  if (known == found.end() || !Freshness::keeps(known->rows->taken_at(), {}, reading.moment)) {
    tcp::Coverage coverage = tcp::Coverage::kComplete;
    Result<SharedSnapshot> rows = look_up(question, reading.moment.now, coverage);
    if (!rows)
      return {.kind = failed(rows.error())};
    if ((*rows)->rows() == 0 && coverage == tcp::Coverage::kPartial)
      return newest(Use::kRows, reading);
    if (known == found.end())
      known = found.insert(known, {question, nullptr});
    known->rows = *std::move(rows);
  }
  reading.use(known->rows->taken_at(), {});
  return {.snapshot = known->rows, .is_answer = true};
}

Result<Responder::SharedSnapshot> Responder::look_up(const tcp::Question& question, Time now,
                                                     tcp::Coverage& coverage) {
  std::vector<tcp::Socket> sockets;
  const Result<tcp::Coverage> found = sources_.lookups.find(question, sockets);
  if (!found)
    return tl::unexpected(found.error());
  coverage = *found;
  tcp::SnapshotBuilder builder(forms_, now);
  for (const tcp::Socket& socket : sockets)
    builder.add(socket);
  return std::make_shared<const tcp::Snapshot>(builder.finish(now));
}

// ---- From data to an answer

void Responder::fill_data(Looked& looked, const Rows& rows, const Reading& reading) const {
  const Pin& pin = reading.pin;
  looked.data = {.snapshot = rows.snapshot.get(),
                 .counters = pin.counters ? &pin.counters->data : nullptr,
                 .survey = pin.survey.data.get(),
                 .owners = pin.owners.data.get(),
                 .pressure = pin.pressure ? &pin.pressure->data : nullptr,
                 .names = &sources_.names,
                 .agent = pin.agent ? &pin.agent->data : nullptr,
                 .alarms = &sources_.alarms,
                 .ends = pin.ends ? pin.ends->data.get() : nullptr,
                 .looked_at_processes = &looked.at_processes,
                 .now = reading.moment.now};
  find_processes(looked, reading);
}

// None: they are to be looked up.
void Responder::find_processes(Looked& looked, const Reading& reading) const {
  Data& data = looked.data;
  if (!freshness_.ages().look_up_processes) {
    data.processes = &nobody();
    data.processes_are_final = true;
    return;
  }
  const Stock::SharedProcesses& newest = stock_.processes();
  const Kept<Stock::SharedProcesses>& entered = reading.pin.entered;
  if (newest != nullptr) {
    looked.most_age_of_processes =
        freshness_.most_age_of_processes(newest->taken_at(), stock_.processes_serve_until());
    if (Freshness::is_fresh(newest->taken_at(), looked.most_age_of_processes, reading.moment))
      data.processes = newest.get();
  }
  if (data.processes == nullptr && entered.data != nullptr && entered.serves(reading.moment)) {
    looked.most_age_of_processes = entered.most_age;
    data.processes = entered.data.get();
  }
  data.processes_are_final =
      data.processes != nullptr && data.processes->taken_at() >= reading.moment.arrived;
}

// A row without its value waits for a process map that has heard of its socket.
Answer Responder::answered(std::optional<snmp::Cell> cell, Answer::Kind absent, const Rows& rows,
                           const Looked& looked, Reading& reading) {
  if (!cell)
    return {absent};
  if (!cell->value) {
    // The worker knows the sockets of its last snapshot by itself.
    worker_.want_processes(rows.is_answer ? rows.snapshot->inodes() : std::vector<std::uint32_t>{});
    return {later(reading, Awaited::kProcesses)};
  }
  if (looked.at_processes && freshness_.ages().look_up_processes)
    reading.use(looked.data.processes->taken_at(), looked.most_age_of_processes);
  return {Answer::Kind::kValue, std::move(cell)};
}

Answer::Kind Responder::failed(const Error& error) {
  failures_.write(log::Level::kError, error.text());
  return Answer::Kind::kFailed;
}

// ---- The worker

Result<Responder::SharedSnapshot> Responder::snapshot_since(Time oldest) {
  const SharedSnapshot& newest = stock_.snapshot();
  if (newest != nullptr && newest->taken_at() >= oldest)
    return newest;
  if (stock_.has_failed_since(oldest))
    return tl::unexpected(stock_.failure());
  ask_for_snapshot();
  return SharedSnapshot();
}

void Responder::refresh_ahead(Time now) {
  const tcp::Snapshot& newest = *stock_.snapshot();
  if (freshness_.is_to_be_renewed(newest.taken_at(), newest.took(), now))
    ask_for_snapshot();
}

void Responder::ask_for_snapshot() {
  make_way();
  worker_.want_snapshot();
}

void Responder::ask_for_survey(Time oldest) {
  make_way();
  worker_.want_survey(oldest);
}

// Two snapshots are alive at most.
void Responder::make_way() {
  SharedSnapshot retired = stock_.retire_previous();
  if (retired == nullptr)
    return;
  pins_.let_go(*retired);
  worker_.retire(std::move(retired));
}

void Responder::receive() {
  stock_.receive(worker_.take());
  if (const std::optional<Time> oldest = stock_.oldest())
    ended_.forget_before(*oldest);
}

void Responder::forget(const tcp::Socket& ended, Time now) {
  ended_.add(ended, now);
  pins_.clear();
}

std::optional<Duration> Responder::tidy(Time now) {
  pins_.tidy(now);
  const std::optional<Duration> kept = stock_.tidy(now, freshness_);
  if (stock_.snapshot() == nullptr)
    ended_.forget_before(now - kLongestDump);
  return kept;
}

}  // namespace tcpmibd::agent
