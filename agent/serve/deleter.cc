#include "agent/serve/deleter.h"

#include <algorithm>
#include <cerrno>
#include <span>
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
    case Refusal::kMptcpListener:
    case Refusal::kMinisock:
    case Refusal::kNameless:
      return SetStatus::kInconsistentValue;
  }
  return SetStatus::kGenErr;
}

// A socket stands behind a row if a snapshot of it alone has that row.
bool stands_behind(const Socket& socket, const Write& write, const tcp::AddressForms& forms) {
  tcp::SnapshotBuilder builder(forms);
  builder.add(socket);
  const tcp::Snapshot alone = builder.finish();
  return write.object.get({.snapshot = &alone}, write.name).has_value();
}

// The same socket answers to several interfaces.
void keep_each_once(std::vector<Socket>& sockets) {
  const auto cookie = [](const Socket& socket) { return socket.id.cookie; };
  std::ranges::sort(sockets, {}, cookie);
  const auto rest = std::ranges::unique(sockets, {}, cookie);
  sockets.erase(rest.begin(), rest.end());
}

// Appends the interfaces of those rows, or twins of rows, that have the key.
template <typename Row>
void add_interfaces(std::span<const Row> rows, std::span<const Row> twins, const Row& like,
                    std::vector<std::uint32_t>& interfaces) {
  const auto key = [](const Row& row) { return row.key; };
  const auto first = std::ranges::lower_bound(rows, like.key, {}, key);
  if (first != rows.end() && first->key == like.key)
    interfaces.push_back(first->details.interface);
  for (const Row& twin : twins) {
    if (twin.key == like.key)
      interfaces.push_back(twin.details.interface);
  }
}

// Those on which a snapshot has connections of this name, ascending. 0, no interface, is not among
// them: whoever is bound to none answers to every question.
std::vector<std::uint32_t> interfaces_of(const tcp::ConnectionQuery& query,
                                         const tcp::Snapshot& snapshot,
                                         const tcp::AddressForms& forms) {
  tcp::SnapshotBuilder builder(forms);
  builder.add({.id = {.family = query.family, .local = query.local, .remote = query.remote},
               .state = tcp::State::kEstablished});
  const tcp::Snapshot alike = builder.finish();
  std::vector<std::uint32_t> interfaces;
  for (const tcp::Ipv4Row& like : alike.ipv4())
    add_interfaces(snapshot.ipv4(), snapshot.ipv4_twins(), like, interfaces);
  for (const tcp::Ipv6Row& like : alike.ipv6())
    add_interfaces(snapshot.ipv6(), snapshot.ipv6_twins(), like, interfaces);
  std::ranges::sort(interfaces);
  const auto rest = std::ranges::unique(interfaces);
  interfaces.erase(rest.begin(), rest.end());
  std::erase(interfaces, 0u);
  return interfaces;
}

tl::unexpected<Error> no_snapshot_in_time(const tcp::ConnectionQuery& query) {
  const Socket socket{.id = {.family = query.family, .local = query.local, .remote = query.remote},
                      .state = tcp::State::kEstablished};
  return failure("end " + tcp::to_text(socket) +
                     ": with so many interfaces only a snapshot has every connection of this "
                     "name, and there was none within 3 s",
                 0, "set it again when the host has less to do");
}

}  // namespace

Deleter::Deleter(const Edges& edges, const tcp::AddressForms& forms, tcp::DeletionRules rules,
                 Audit& audit)
    : edges_(edges), forms_(forms), rules_(std::move(rules)), audit_(audit) {}

SetAnswer Deleter::write(const Write& write) {
  switch (write.phase) {
    case Write::Phase::kReserve1:
      return check(write);
    case Write::Phase::kReserve2:
      return find(write);
    case Write::Phase::kAction:
      return commit(write);
    case Write::Phase::kUndo:
      return undo(write);
    case Write::Phase::kCommit:
    case Write::Phase::kFree:
      release(write);
      return SetStatus::kNoError;
  }
  return SetStatus::kGenErr;
}

SetStatus Deleter::check(const Write& write) {
  if (!write.object.is_writable(write.name))
    return SetStatus::kNotWritable;
  if (const SetStatus able = ability(); able != SetStatus::kNoError)
    return able;
  if (!write.value)
    return SetStatus::kWrongType;
  return write.object.check(write.name, *write.value);
}

SetAnswer Deleter::find(const Write& write) {
  const Result<Behind> behind = sockets_behind(write);
  if (!behind) {
    failures_.write(log::Level::kError, behind.error().text());
    return SetStatus::kResourceUnavailable;
  }
  if (!*behind)
    return SetAnswer::later(waiting_since(write.transaction) + kPatience);
  return judged(write, **behind);
}

SetAnswer Deleter::judged(const Write& write, const std::vector<Socket>& sockets) {
  const Result<std::vector<tcp::Ends>> own = edges_.own_connections();
  if (!own) {
    failures_.write(log::Level::kError, own.error().text());
    return SetStatus::kResourceUnavailable;
  }
  const Refusal refusal =
      tcp::judge(sockets, {.rules = rules_, .own_connections = *own, .lasting = lasting_});
  if (refusal != Refusal::kNone)
    return refuse(sockets, refusal);
  intend(write, sockets.front());
  return SetStatus::kNoError;
}

// The SNMP library makes one Set at a time, and may give one up without a word. A session with a
// master, of which there is one, releases each.
void Deleter::intend(const Write& write, const Socket& socket) {
  std::erase_if(sets_, [&](const auto& other) {
    return other.first.session != nullptr && other.first != write.transaction &&
           !other.second.waits_since;
  });
  sets_[write.transaction].intents.insert_or_assign(snmp::Oid(write.name), Intent{socket});
}

// The library goes on with the other bindings of a Set that has already failed.
SetStatus Deleter::commit(const Write& write) {
  const auto set = sets_.find(write.transaction);
  if (set == sets_.end() || set->second.has_failed)
    return SetStatus::kCommitFailed;
  const auto intent = set->second.intents.find(snmp::Oid(write.name));
  if (intent == set->second.intents.end())
    return SetStatus::kCommitFailed;
  return end(set->second, intent->second);
}

// One connection twice, by whichever of its names, is ended once.
SetStatus Deleter::end(Set& set, Intent& intent) {
  const Socket& socket = intent.socket;
  if (is_gone(socket))
    return SetStatus::kNoError;
  const Result<tcp::Destroyed> destroyed = edges_.destroyer.destroy(socket.id);
  if (!destroyed)
    return failed(set, socket, destroyed.error());
  edges_.on_deleted(socket);
  set.gone.insert(socket.id.cookie);
  intent.was_ended = *destroyed == tcp::Destroyed::kDone;
  audit_.record({.socket = socket,
                 .outcome = intent.was_ended ? "ended" : "had ended by itself",
                 .done = true});
  return SetStatus::kNoError;
}

bool Deleter::is_gone(const Socket& socket) const {
  return std::ranges::any_of(
      sets_, [&](const auto& each) { return each.second.gone.contains(socket.id.cookie); });
}

SetStatus Deleter::undo(const Write& write) {
  const auto set = sets_.find(write.transaction);
  if (set == sets_.end())
    return SetStatus::kNoError;
  const auto intent = set->second.intents.find(snmp::Oid(write.name));
  const bool was_ended = intent != set->second.intents.end() && intent->second.was_ended;
  if (was_ended)
    log::warning(
        "deleteTCB " + tcp::to_text(intent->second.socket) +
        ": another part of the same Set failed, but the connection cannot be brought back");
  release(write);
  return was_ended ? SetStatus::kUndoFailed : SetStatus::kNoError;
}

void Deleter::release(const Write& write) {
  const auto set = sets_.find(write.transaction);
  if (set == sets_.end())
    return;
  set->second.intents.erase(snmp::Oid(write.name));
  set->second.waits_since.reset();
  if (set->second.is_over())
    sets_.erase(set);
}

// Asked of the kernel itself, for each Set: rights can be lost and won while we run. What is merely
// not to be had now, as descriptors, says nothing of rights.
SetStatus Deleter::ability() {
  if (rules_.policy == tcp::DeletionPolicy::kOff)
    return SetStatus::kNotWritable;
  const Status able = edges_.destroyer.can_destroy();
  const bool is_denied = !able && (able.error().code == EPERM || able.error().code == EOPNOTSUPP);
  if (!able && !is_denied) {
    failures_.write(log::Level::kError, able.error().text());
    return SetStatus::kResourceUnavailable;
  }
  if (is_denied && was_able_)
    log::warning("deleteTCB is answered notWritable: " + able.error().text());
  else if (able && !was_able_)
    log::notice("deleteTCB can be obeyed again");
  was_able_ = !is_denied;
  return was_able_ ? SetStatus::kNoError : SetStatus::kNotWritable;
}

Result<Deleter::Behind> Deleter::sockets_behind(const Write& write) {
  const tcp::Question question = write.object.question(write.name);
  std::vector<Socket> sockets;
  const Result<tcp::Coverage> coverage = edges_.sockets.find(question, sockets);
  if (!coverage)
    return tl::unexpected(coverage.error());
  if (*coverage == tcp::Coverage::kPartial) {
    const Result<bool> looked =
        look_everywhere(write.transaction, std::get<tcp::ConnectionQuery>(question), sockets);
    if (!looked)
      return tl::unexpected(looked.error());
    if (!*looked)
      return Behind();
  }
  std::erase_if(sockets,
                [&](const Socket& socket) { return !stands_behind(socket, write, forms_); });
  keep_each_once(sockets);
  return Behind(std::move(sockets));
}

// Whether that could be done already.
Result<bool> Deleter::look_everywhere(Transaction transaction, tcp::ConnectionQuery query,
                                      std::vector<Socket>& sockets) {
  const Time began = waiting_since(transaction);
  const auto snapshot = edges_.snapshot_since(began);
  if (!snapshot)
    return tl::unexpected(snapshot.error());
  if (*snapshot == nullptr && edges_.now() >= began + kPatience)
    return no_snapshot_in_time(query);
  if (*snapshot == nullptr)
    return false;
  for (const std::uint32_t interface : interfaces_of(query, **snapshot, forms_)) {
    query.zone = interface;
    if (const Result<tcp::Coverage> asked = edges_.sockets.find(query, sockets); !asked)
      return tl::unexpected(asked.error());
  }
  return true;
}

// Of one that was never released a master may use the number again.
Time Deleter::waiting_since(Transaction transaction) {
  const Time now = edges_.now();
  for (auto& [other, set] : sets_) {
    if (set.waits_since && now - *set.waits_since > 2 * kPatience)
      set.waits_since.reset();
  }
  std::erase_if(sets_, [](const auto& each) { return each.second.is_over(); });
  std::optional<Time>& since = sets_[transaction].waits_since;
  if (!since)
    since = now;
  return *since;
}

SetStatus Deleter::refuse(const std::vector<Socket>& sockets, Refusal refusal) {
  const SetStatus status = status_of(refusal);
  for (const Socket& socket : sockets)
    audit_.record({.socket = socket,
                   .outcome = "refused, " + std::string(name_of(status)) + ": " +
                              std::string(tcp::reason(refusal))});
  return status;
}

SetStatus Deleter::failed(Set& set, const Socket& socket, const Error& error) {
  set.has_failed = true;
  // Older kernels cannot end every kind of minisock; there is no other way to learn it.
  if (error.code == EOPNOTSUPP && tcp::is_minisock(socket))
    lasting_.push_back(socket.state);
  audit_.record({.socket = socket, .outcome = "failed, commitFailed: " + error.text()});
  return SetStatus::kCommitFailed;
}

}  // namespace tcpmibd::agent
