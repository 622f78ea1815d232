#include "agent/serve/responder.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace tcpmibd::agent {

using tables::Data;
using tables::Managed;

namespace {

// A snapshot that took long to make serves longer, or a busy host would do nothing else.
constexpr int kShareOfTime = 5;

// The master drops a subagent that has not answered for six seconds: no PDU is older.
constexpr Duration kPinLifetime = std::chrono::seconds(7);

// PDUs under way at once of which it is remembered what they were answered from.
constexpr std::size_t kMostPins = 64;

// No dump takes so long: there is no snapshot under way from before.
constexpr Duration kLongestDump = std::chrono::minutes(1);

// Stands in where rows do not matter: for scalars, and for names that no row can have.
const std::shared_ptr<const tcp::Snapshot>& no_rows() {
  static const auto kNoRows = std::make_shared<const tcp::Snapshot>();
  return kNoRows;
}

// A master begins at the root of an object where a manager has come from before it.
bool enters(const Managed& object, snmp::OidView name, bool inclusive) {
  const std::strong_ordering order = snmp::compare(name, object.root());
  return object.needs().old_processes_at_entry && (order < 0 || (order == 0 && inclusive));
}

const tcp::ProcessMap& nobody() {
  static const tcp::ProcessMap kNobody;
  return kNobody;
}

}  // namespace

Responder::Responder(ResponderSources sources, Worker& worker, const tcp::AddressForms& forms,
                     const Ages& ages)
    : sources_(std::move(sources)), worker_(worker), forms_(forms), ages_(ages) {}

Answer Responder::get(const Managed& object, snmp::OidView name, Transaction transaction,
                      Time arrived, Effort effort) {
  const Moment moment{Clock::now(), arrived, effort};
  const auto absent = object.absence(name) == snmp::Absence::kNoSuchObject
                          ? Answer::Kind::kNoSuchObject
                          : Answer::Kind::kNoSuchInstance;
  const tcp::Question question = object.question(name);
  if (std::holds_alternative<std::monostate>(question))
    return {absent, {}};
  Pin& pin = this->pin(transaction, moment);
  const Rows rows = gather(object.needs(), question, pin, moment);
  if (rows.kind != Answer::Kind::kValue)
    return {rows.kind, {}};
  std::optional<snmp::Cell> cell = object.get(data_for(rows, pin, moment), name);
  if (has_ended(object, cell, rows))
    cell.reset();
  return answered(std::move(cell), absent, rows, moment);
}

Answer Responder::next(const Managed& object, snmp::OidView name, bool inclusive,
                       Transaction transaction, Time arrived, Effort effort) {
  const Moment moment{Clock::now(), arrived, effort, enters(object, name, inclusive)};
  Pin& pin = this->pin(transaction, moment);
  enter(pin, moment);
  const Rows rows = gather(object.needs(), Data::everything(), pin, moment);
  if (rows.kind != Answer::Kind::kValue)
    return {rows.kind, {}};
  const Data data = data_for(rows, pin, moment);
  snmp::Oid from(name);
  for (bool at = inclusive;; at = false) {
    std::optional<snmp::Cell> cell = object.next(data, from.view(), at);
    if (!has_ended(object, cell, rows))
      return answered(std::move(cell), Answer::Kind::kEndOfView, rows, moment);
    from = cell->name;
  }
}

bool Responder::has_ended(const Managed& object, const std::optional<snmp::Cell>& cell,
                          const Rows& rows) const {
  return cell && !ended_.empty() &&
         ended_.hides(object.question(cell->name.view()), rows.snapshot->taken_at());
}

// Mostly it is the one of the binding before.
Responder::Pin& Responder::pin(Transaction transaction, Moment moment) {
  if (last_pin_ >= pins_.size() || pins_[last_pin_].transaction != transaction)
    last_pin_ = number_of_pin(transaction);
  Pin& pin = pins_[last_pin_];
  // snmpd does not number what it asks for itself: each of those is a PDU of its own.
  if (transaction.id == 0 && pin.arrived != moment.arrived)
    pin = {.transaction = transaction};
  pin.arrived = moment.arrived;
  pin.last_used = moment.now;
  return pin;
}

// The one it has, or a new one, for which the longest unused may have to make room.
std::size_t Responder::number_of_pin(Transaction transaction) {
  auto pin = std::ranges::find(pins_, transaction, &Pin::transaction);
  if (pin == pins_.end() && pins_.size() < kMostPins)
    pin = pins_.insert(pins_.end(), Pin{.transaction = transaction});
  else if (pin == pins_.end())
    *(pin = std::ranges::min_element(pins_, {}, &Pin::last_used)) = {.transaction = transaction};
  return static_cast<std::size_t>(pin - pins_.begin());
}

Responder::Rows Responder::gather(const Data::Needs& needs, const tcp::Question& question, Pin& pin,
                                  Moment moment) {
  if (!gather_files(needs, pin))
    return {.kind = Answer::Kind::kFailed};
  if (needs.agent && !pin.agent) {
    pin.agent = sources_.agent();
    pin.agent->snapshots = snapshots_;
  }
  Answer::Kind kind = Answer::Kind::kValue;
  if (needs.survey)
    kind = gather_survey(pin, moment);
  if (needs.owners && kind == Answer::Kind::kValue)
    kind = gather_owners(pin, moment);
  if (kind != Answer::Kind::kValue)
    return {.kind = kind};
  if (needs.snapshot)
    return newest(Use::kWhole, pin, moment);
  return needs.rows ? rows_for(question, pin, moment) : Rows{.snapshot = no_rows()};
}

bool Responder::gather_files(const Data::Needs& needs, Pin& pin) {
  const auto fill = [this](auto& slot, auto read) {
    auto fresh = read();
    if (!fresh)
      failed(fresh.error());
    else
      slot = *std::move(fresh);
    return slot.has_value();
  };
  if (needs.counters && !pin.counters &&
      !fill(pin.counters, [this] { return sources_.counters.read(); }))
    return false;
  return !needs.pressure || pin.pressure ||
         fill(pin.pressure, [this] { return sources_.pressure.read(); });
}

Answer::Kind Responder::gather_survey(Pin& pin, Moment moment) {
  if (pin.survey != nullptr)
    return Answer::Kind::kValue;
  if (survey_ != nullptr && survey_->taken_at() >= ended_.last() &&
      young(survey_->taken_at(), survey_->took(), moment)) {
    pin.survey = survey_;
    return Answer::Kind::kValue;
  }
  if (failed_at_ >= moment.arrived)
    return Answer::Kind::kFailed;
  if (!moment.may_begin())
    return Answer::Kind::kLater;
  const Duration took = current_ == nullptr ? Duration() : current_->took();
  ask_for_survey(std::max(std::min(moment.now - most_age(took), moment.arrived), ended_.last()));
  return Answer::Kind::kLater;
}

// Where processes are not looked up, there are no owners.
Answer::Kind Responder::gather_owners(Pin& pin, Moment moment) {
  static const auto kNone = std::make_shared<const tcp::Owners>();
  if (pin.owners != nullptr)
    return Answer::Kind::kValue;
  if (SharedOwners known = ages_.look_up_processes ? owners_for(moment) : kNone) {
    pin.owners = std::move(known);
    return Answer::Kind::kValue;
  }
  if (failed_at_ >= moment.arrived)
    return Answer::Kind::kFailed;
  if (moment.may_begin())
    worker_.want_owners();
  return Answer::Kind::kLater;
}

// A walk reads a snapshot no older than allowed, every binding of a PDU the same one.
Responder::Rows Responder::newest(Use use, Pin& pin, Moment moment) {
  if (SharedSnapshot pinned = pin.snapshot.lock(); pinned != nullptr && serves(*pinned, use))
    return {.snapshot = std::move(pinned)};
  if (current_ != nullptr && serves(*current_, use) &&
      young(current_->taken_at(), current_->took(), moment)) {
    pin.snapshot = current_;
    refresh_ahead(moment);
    return {.snapshot = current_};
  }
  if (failed_at_ >= moment.arrived)
    return {.kind = Answer::Kind::kFailed};
  if (moment.may_begin())
    ask_for_snapshot();
  return {.kind = Answer::Kind::kLater};
}

bool Responder::serves(const tcp::Snapshot& snapshot, Use use) const {
  return use == Use::kRows ? ended_.can_mend(snapshot.taken_at())
                           : snapshot.taken_at() >= ended_.last();
}

// A look-up that took long serves longer, for the worker begins no other before.
bool Responder::knows_processes(Time taken_at, Moment moment) const {
  return moment.now - taken_at <= ages_.processes || moment.now <= processes_serve_until_ ||
         taken_at >= moment.arrived;
}

// None: they are to be counted. An empty table tells that nothing is there, so it is not entered.
Responder::SharedOwners Responder::owners_for(Moment moment) const {
  if (owners_ != nullptr && knows_processes(owners_->taken_at(), moment))
    return owners_;
  const SharedOwners& last = owners_ != nullptr ? owners_ : last_owners_;
  const bool serves = last != nullptr && !last->rows().empty() && moment.enters(last->taken_at());
  return serves ? last : nullptr;
}

// What a PDU enters with it goes on with: a GETBULK has more rows than the first.
void Responder::enter(Pin& pin, Moment moment) const {
  const SharedProcesses& last = processes_ != nullptr ? processes_ : last_listeners_;
  if (last != nullptr && moment.enters(last->taken_at()))
    pin.entered = last;
}

// None: they are to be looked up.
const tcp::ProcessMap* Responder::processes_for(const Pin& pin, Moment moment) const {
  if (processes_ != nullptr && knows_processes(processes_->taken_at(), moment))
    return processes_.get();
  return pin.entered.get();
}

// The next snapshot is begun before this one is too old, so that a walk under way finds it made.
void Responder::refresh_ahead(Moment moment) {
  constexpr int kHeadStart = 2;  // times as long as the last one took
  const Duration took = current_->took();
  const Duration age = moment.now - current_->taken_at();
  if (ages_.snapshot > Duration() && age > most_age(took) - kHeadStart * took)
    ask_for_snapshot();
}

// GET asks the kernel for exactly what the name stands for, and reads the answer as a snapshot of
// its own: the same merging, the same forms and the same search as in a walk.
Responder::Rows Responder::rows_for(const tcp::Question& question, Pin& pin, Moment moment) {
  if (std::holds_alternative<tcp::EverythingQuery>(question))
    return newest(Use::kRows, pin, moment);
  const auto known = std::ranges::find(pin.found, question, &Found::question);
  if (known != pin.found.end())
    return {.snapshot = known->rows, .is_answer = true};
  std::vector<tcp::Socket> sockets;
  const Result<tcp::Coverage> coverage = sources_.lookups.find(question, sockets);
  if (!coverage)
    return failed(coverage.error());
  tcp::SnapshotBuilder builder(forms_);
  for (const tcp::Socket& socket : sockets)
    builder.add(socket);
  const auto rows = std::make_shared<const tcp::Snapshot>(builder.finish());
  if (rows->rows() == 0 && *coverage == tcp::Coverage::kPartial)
    return newest(Use::kRows, pin, moment);
  pin.found.push_back({question, rows});
  return {.snapshot = rows, .is_answer = true};
}

Data Responder::data_for(const Rows& rows, const Pin& pin, Moment moment) const {
  Data data{.snapshot = rows.snapshot.get(),
            .counters = pin.counters ? &*pin.counters : nullptr,
            .survey = pin.survey.get(),
            .owners = pin.owners.get(),
            .pressure = pin.pressure ? &*pin.pressure : nullptr,
            .names = &sources_.names,
            .agent = pin.agent ? &*pin.agent : nullptr,
            .alarms = &sources_.alarms,
            .now = moment.now};
  const tcp::ProcessMap* known = ages_.look_up_processes ? processes_for(pin, moment) : &nobody();
  data.processes = known;
  data.processes_are_final =
      !ages_.look_up_processes || (known != nullptr && known->taken_at() >= moment.arrived);
  return data;
}

// A row without its value waits for a process map that has heard of its socket.
Answer Responder::answered(std::optional<snmp::Cell> cell, Answer::Kind absent, const Rows& rows,
                           Moment moment) {
  if (!cell)
    return {absent, {}};
  if (cell->value)
    return {Answer::Kind::kValue, std::move(cell)};
  if (!moment.may_begin())
    return {Answer::Kind::kLater, {}};
  // The worker knows the sockets of its last snapshot by itself.
  worker_.want_processes(rows.is_answer ? rows.snapshot->inodes() : std::vector<std::uint32_t>{});
  return {Answer::Kind::kLater, {}};
}

Duration Responder::most_age(Duration took) const {
  return std::max(ages_.snapshot, took * kShareOfTime);
}

bool Responder::young(Time taken_at, Duration took, Moment moment) const {
  return moment.now - taken_at <= most_age(took) || taken_at >= moment.arrived;
}

Result<Responder::SharedSnapshot> Responder::snapshot_since(Time oldest) {
  if (current_ != nullptr && current_->taken_at() >= oldest)
    return current_;
  if (failed_at_ >= oldest)
    return tl::unexpected(failure_);
  ask_for_snapshot();
  return SharedSnapshot();
}

void Responder::ask_for_snapshot() {
  retire_previous();
  worker_.want_snapshot();
}

void Responder::ask_for_survey(Time oldest) {
  retire_previous();
  worker_.want_survey(oldest);
}

// The one before the current snapshot makes way for the one to be built: two are alive at most.
// PDUs that are being answered from it go on with the current one.
void Responder::retire_previous() {
  if (previous_ == nullptr)
    return;
  for (Pin& pin : pins_) {
    if (pin.snapshot.lock() == previous_)
      pin.snapshot.reset();
  }
  worker_.retire(std::move(previous_));
}

Responder::Rows Responder::failed(const Error& error) {
  failures_.write(log::Level::kError, error.text());
  return {.kind = Answer::Kind::kFailed};
}

void Responder::receive() {
  News news = worker_.take();
  if (news.snapshot != nullptr) {
    note(*news.snapshot);
    previous_ = std::exchange(current_, std::move(news.snapshot));
    ended_.forget_before((previous_ == nullptr ? current_ : previous_)->taken_at());
  }
  if (news.survey != nullptr)
    survey_ = std::move(news.survey);
  if (news.snapshot_failure) {
    failed(news.snapshot_failure->error);
    failed_at_ = news.snapshot_failure->began;
    failure_ = news.snapshot_failure->error;
    ++snapshots_.failures;
  }
  if (news.processes != nullptr) {
    processes_ = std::move(news.processes);
    processes_denied_ = processes_->denied();
    processes_serve_until_ = news.processes_serve_until;
  }
  if (news.owners != nullptr)
    owners_ = std::move(news.owners);
  // Without a look-up every process is unknown, which the MIB writes as 0.
  if (news.processes_failure) {
    failed(news.processes_failure->error);
    processes_ = std::make_shared<const tcp::ProcessMap>(
        tcp::ProcessMap::build({}, {}, 0, news.processes_failure->began));
    owners_ = std::make_shared<const tcp::Owners>(tcp::Owners::none(news.processes_failure->began));
  }
}

void Responder::note(const tcp::Snapshot& snapshot) {
  snapshots_.taken_at = snapshot.taken_at();
  snapshots_.rows = static_cast<std::uint32_t>(snapshot.rows());
  snapshots_.merged = snapshot.merged();
  snapshots_.took = snapshot.took();
  snapshots_.took_most = std::max(snapshots_.took_most, snapshot.took());
  snapshots_.unknown_states += snapshot.unknown_states();
  ++snapshots_.taken;
  tell_of_mptcp(snapshot.mptcp_sight());
}

// Once; where there is nothing to be seen for a while, nothing has changed.
void Responder::tell_of_mptcp(tcp::MptcpSight sight) {
  if (sight == tcp::MptcpSight::kHidden && !mptcp_hidden_)
    log::warning(std::string(tcp::kMptcpHidden) + " (" + tcp::kMptcpCure + ")");
  mptcp_hidden_ =
      sight == tcp::MptcpSight::kHidden || (mptcp_hidden_ && sight != tcp::MptcpSight::kSeen);
}

void Responder::forget(const tcp::Socket& ended) {
  ended_.add(ended, Clock::now());
  pins_.clear();
}

std::optional<Duration> Responder::tidy(Time now) {
  std::erase_if(pins_, [&](const Pin& pin) { return now - pin.last_used > kPinLifetime; });
  std::optional<Duration> longest;
  const auto is_idle = [&](const auto& data, Duration most_age) {
    if (data == nullptr)
      return false;
    const Duration left = data->taken_at() + std::max(kIdle, most_age) - now;
    if (left > Duration())
      longest = std::max(left, longest.value_or(left));
    return left <= Duration();
  };
  for (SharedSnapshot* snapshot : {&previous_, &current_}) {
    if (is_idle(*snapshot, *snapshot == nullptr ? Duration() : most_age((*snapshot)->took())))
      snapshot->reset();
  }
  if (is_idle(processes_, ages_.processes))
    last_listeners_ = listeners_of(*std::exchange(processes_, nullptr));
  if (is_idle(owners_, ages_.processes))
    last_owners_ =
        std::make_shared<const tcp::Owners>(std::exchange(owners_, nullptr)->rows_alone());
  const auto forget_when_old = [&](auto& data) {
    if (data != nullptr && now - data->taken_at() > Moment::kMostAgeOnEntering)
      data.reset();
  };
  forget_when_old(last_listeners_);
  forget_when_old(last_owners_);
  if (current_ == nullptr)
    ended_.forget_before(now - kLongestDump);
  return longest;
}

Responder::SharedProcesses Responder::listeners_of(const tcp::ProcessMap& map) const {
  std::vector<std::uint32_t> inodes;
  if (survey_ != nullptr)
    std::ranges::transform(survey_->listening(), std::back_inserter(inodes),
                           &tcp::ListeningSocket::inode);
  return std::make_shared<const tcp::ProcessMap>(map.only(std::move(inodes)));
}

}  // namespace tcpmibd::agent
