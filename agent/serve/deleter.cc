#include "agent/serve/deleter.h"

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

namespace tcpmibd::agent {

using snmp::SetStatus;
using tcp::Refusal;
using tcp::Socket;

namespace {

// Decided in interface and RFC order: what no value could change is notWritable, what another
// moment could is inconsistentValue.
SetStatus status_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      return SetStatus::kNoError;
    case Refusal::kAbsent:
      return SetStatus::kNoCreation;
    case Refusal::kListener:
    case Refusal::kProtectedPort:
    case Refusal::kProtectedRemotePort:
    case Refusal::kOwnSession:
      return SetStatus::kNotWritable;
    case Refusal::kShared:
    case Refusal::kDualStack:
    case Refusal::kSubflow:
    case Refusal::kMinisock:
    case Refusal::kNameless:
      return SetStatus::kInconsistentValue;
  }
  return SetStatus::kGenErr;
}

// A socket stands behind a row if a snapshot of it alone has that row.
bool stands_behind(const Socket& socket, const SetBinding& binding,
                   const tcp::AddressForms& forms) {
  tcp::SnapshotBuilder builder(forms);
  builder.add(socket);
  const tcp::Snapshot alone = builder.finish();
  return binding.object.get({.snapshot = &alone}, binding.name).has_value();
}

// The same socket answers to several interfaces.
void keep_each_once(std::vector<Socket>& sockets) {
  const auto cookie = [](const Socket& socket) { return socket.id.cookie; };
  std::ranges::sort(sockets, {}, cookie);
  const auto rest = std::ranges::unique(sockets, {}, cookie);
  sockets.erase(rest.begin(), rest.end());
}

// What a snapshot tells of a connection; null where it has no such row.
const tcp::Details* details_in(const tcp::Snapshot& snapshot, const tcp::ConnectionQuery& query,
                               const tcp::AddressForms& forms) {
  tcp::SnapshotBuilder builder(forms);
  builder.add({.id = {.family = query.family, .local = query.local, .remote = query.remote},
               .state = tcp::State::kEstablished});
  const tcp::Snapshot alike = builder.finish();
  const auto find = [](auto rows, auto like) -> const tcp::Details* {
    const auto key = [](const auto& row) { return row.key; };
    const auto row = std::ranges::lower_bound(rows, key(like.front()), {}, key);
    return row != rows.end() && row->key == like.front().key ? &row->details : nullptr;
  };
  return alike.ipv6().empty() ? find(snapshot.ipv4(), alike.ipv4())
                              : find(snapshot.ipv6(), alike.ipv6());
}

}  // namespace

Deleter::Deleter(const Edges& edges, const tcp::AddressForms& forms, tcp::DeletionRules rules,
                 Audit& audit)
    : edges_(edges), forms_(forms), rules_(std::move(rules)), audit_(audit) {}

SetStatus Deleter::check(const SetBinding& binding, const std::optional<snmp::Value>& value) {
  if (!binding.object.is_writable(binding.name) || !is_able())
    return SetStatus::kNotWritable;
  if (!value)
    return SetStatus::kWrongType;
  return binding.object.check(binding.name, *value);
}

SetStatus Deleter::find(const SetBinding& binding) {
  const Result<Behind> behind = sockets_behind(binding);
  if (!behind) {
    failures_.write(log::Level::kError, behind.error().text());
    return SetStatus::kResourceUnavailable;
  }
  const std::vector<tcp::Ends> own = edges_.own_connections();
  Refusal refusal =
      tcp::judge(behind->sockets, {.rules = rules_, .own_connections = own, .lasting = lasting_});
  if (refusal == Refusal::kNone && behind->shared)
    refusal = Refusal::kShared;
  if (refusal != Refusal::kNone)
    return refuse(behind->sockets, refusal);
  // A master that was kept waiting asks a second time; one that vanished never releases.
  std::erase_if(intents_,
                [&](const Intent& intent) { return intent.transaction != binding.transaction; });
  release(binding);
  intents_.push_back({binding.transaction, snmp::Oid(binding.name), behind->sockets.front()});
  return SetStatus::kNoError;
}

SetStatus Deleter::commit(const SetBinding& binding) {
  using Outcome = Intent::Outcome;
  Intent* intent = intent_of(binding);
  // The library goes on with the other bindings of a Set that has already failed.
  if (intent == nullptr ||
      std::ranges::find(intents_, Outcome::kFailed, &Intent::outcome) != intents_.end())
    return SetStatus::kCommitFailed;
  // One connection twice in one Set, by whichever of its names, is ended once.
  const bool already = std::ranges::any_of(intents_, [&](const Intent& other) {
    return other.outcome != Outcome::kOpen && other.socket.id == intent->socket.id;
  });
  if (already)
    return SetStatus::kNoError;
  const Result<tcp::Destroyed> destroyed = edges_.destroyer.destroy(intent->socket.id);
  if (!destroyed)
    return failed(*intent, destroyed.error());
  edges_.on_deleted(intent->socket);
  const bool ended = *destroyed == tcp::Destroyed::kDone;
  intent->outcome = ended ? Outcome::kEnded : Outcome::kGone;
  audit_.record(
      {.socket = intent->socket, .outcome = ended ? "ended" : "had ended by itself", .done = true});
  return SetStatus::kNoError;
}

SetStatus Deleter::undo(const SetBinding& binding) {
  const Intent* intent = intent_of(binding);
  const bool ended = intent != nullptr && intent->outcome == Intent::Outcome::kEnded;
  if (ended)
    log::warning(
        "deleteTCB " + tcp::to_text(intent->socket) +
        ": another part of the same Set failed, but the connection cannot be brought back");
  release(binding);
  return ended ? SetStatus::kUndoFailed : SetStatus::kNoError;
}

void Deleter::release(const SetBinding& binding) {
  std::erase_if(intents_, [&](const Intent& intent) {
    return intent.transaction == binding.transaction &&
           snmp::compare(intent.name, binding.name) == 0;
  });
}

// Asked of the kernel itself, for each Set: rights can be lost and won while we run.
bool Deleter::is_able() {
  if (rules_.policy == tcp::DeletionPolicy::kOff)
    return false;
  const Status able = edges_.destroyer.can_destroy();
  if (!able && was_able_)
    log::warning("deleteTCB is answered notWritable: " + able.error().text());
  else if (able && !was_able_)
    log::notice("deleteTCB can be obeyed again");
  was_able_ = able.has_value();
  return was_able_;
}

Result<Deleter::Behind> Deleter::sockets_behind(const SetBinding& binding) {
  const tcp::Question question = binding.object.question(binding.name);
  Behind behind;
  Result<tcp::Coverage> coverage = edges_.sockets.find(question, behind.sockets);
  if (coverage && *coverage == tcp::Coverage::kPartial)
    coverage = look_further(std::get<tcp::ConnectionQuery>(question), behind);
  if (!coverage)
    return tl::unexpected(coverage.error());
  std::erase_if(behind.sockets,
                [&](const Socket& socket) { return !stands_behind(socket, binding, forms_); });
  keep_each_once(behind.sockets);
  return behind;
}

// Of more interfaces than are asked one by one, the newest snapshot names the one to ask.
Result<tcp::Coverage> Deleter::look_further(tcp::ConnectionQuery query, Behind& behind) {
  const std::shared_ptr<const tcp::Snapshot> newest = edges_.newest();
  const tcp::Details* row = newest == nullptr ? nullptr : details_in(*newest, query, forms_);
  behind.shared = row != nullptr && row->shared;
  if (row == nullptr || row->interface == 0)
    return tcp::Coverage::kPartial;
  query.zone = row->interface;
  return edges_.sockets.find(query, behind.sockets);
}

Deleter::Intent* Deleter::intent_of(const SetBinding& binding) {
  const auto found = std::ranges::find_if(intents_, [&](const Intent& intent) {
    return intent.transaction == binding.transaction &&
           snmp::compare(intent.name, binding.name) == 0;
  });
  return found == intents_.end() ? nullptr : &*found;
}

SetStatus Deleter::refuse(const std::vector<Socket>& sockets, Refusal refusal) {
  const SetStatus status = status_of(refusal);
  for (const Socket& socket : sockets)
    audit_.record({.socket = socket,
                   .outcome = "refused, " + std::string(name_of(status)) + ": " +
                              std::string(tcp::reason(refusal))});
  return status;
}

SetStatus Deleter::failed(Intent& intent, const Error& error) {
  intent.outcome = Intent::Outcome::kFailed;
  // Older kernels cannot end every kind of minisock; there is no other way to learn it.
  if (error.code == EOPNOTSUPP && tcp::is_minisock(intent.socket))
    lasting_.push_back(intent.socket.state);
  audit_.record({.socket = intent.socket, .outcome = "failed, commitFailed: " + error.text()});
  return SetStatus::kCommitFailed;
}

}  // namespace tcpmibd::agent
