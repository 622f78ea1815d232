#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/serve/audit.h"
#include "agent/serve/request.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "snmp/set.h"
#include "tables/data.h"
#include "tcp/deletion.h"
#include "tcp/sources.h"

namespace tcpmibd::agent {

// One variable binding of a Set.
struct SetBinding {
  const tables::Managed& object;
  snmp::OidView name;
  Transaction transaction;
};

// Obeys a Set of deleteTCB(12), phase by phase (RFC 2741, 7.2.4; docs/architecture.md).
//
// Every check is made in check() and find(), against the kernel as it is then; the act in commit(),
// by the socket's cookie, and never without it: where a connection is gone the kernel would take
// the listener on its port instead, and report success.
//
// A look-up that has not looked everywhere ends nothing. Where there are more interfaces than are
// asked one by one, find() has to wait for a snapshot that was begun after the Set, which names
// every interface that has a connection of this name; the kernel is then asked on each of them.
//
// Thread:  the agent's. Each call takes microseconds.
// Rights:  CAP_NET_ADMIN, at the moment of the act and when the destroyer was opened.
// Logs:    each deletion, done or refused, once (see Audit); the loss and the return of the
//          ability to delete, once each.
class Deleter {
 public:
  struct Edges {
    tcp::SocketSource& sockets;
    tcp::SocketDestroyer& destroyer;
    std::function<Result<std::vector<tcp::Ends>>()> own_connections;
    // One begun at that moment or later; null: not yet, and it has been asked for.
    std::function<Result<std::shared_ptr<const tcp::Snapshot>>(Time)> snapshot_since;
    std::function<void(const tcp::Socket&)> on_deleted;  // no row may show it any more
    std::function<Time()> now = Clock::now;
  };

  // So long a Set waits for a snapshot; then it is resourceUnavailable.
  static constexpr Duration kPatience = std::chrono::seconds(3);

  Deleter(const Edges& edges, const tcp::AddressForms& forms, tcp::DeletionRules rules,
          Audit& audit);

  void set_rules(tcp::DeletionRules rules) { rules_ = std::move(rules); }

  // Whether any deletion would be tried: by policy, and by the rights held at this moment.
  bool can_delete() { return ability() == snmp::SetStatus::kNoError; }

  // RESERVE1: what can be said without looking at any row. `value` is none for a type that is no
  // syntax of ours.
  snmp::SetStatus check(const SetBinding& binding, const std::optional<snmp::Value>& value);

  // RESERVE2: whether the row exists now and may go; remembers its socket. May have to wait.
  SetAnswer find(const SetBinding& binding);

  // ACTION. "Gone already" is what was asked for.
  snmp::SetStatus commit(const SetBinding& binding);

  // UNDO: what has been ended cannot be brought back.
  snmp::SetStatus undo(const SetBinding& binding);

  // COMMIT and FREE, the end of a Set that fared well or ill.
  void release(const SetBinding& binding);

 private:
  // What a Set is about to do, and what came of it.
  struct Intent {
    enum class Outcome : std::uint8_t { kOpen, kEnded, kGone, kFailed };

    Transaction transaction;
    snmp::Oid name;
    tcp::Socket socket;
    Outcome outcome = Outcome::kOpen;
  };

  // A Set that has to wait for a snapshot, or had to.
  struct Wait {
    Transaction transaction;
    Time began;
  };

  // Each socket that a row stands for, once; none while it is not known.
  using Behind = std::optional<std::vector<tcp::Socket>>;

  snmp::SetStatus ability();
  Result<Behind> sockets_behind(const SetBinding& binding);
  Result<bool> look_everywhere(Transaction transaction, tcp::ConnectionQuery query,
                               std::vector<tcp::Socket>& sockets);
  SetAnswer judged(const SetBinding& binding, const std::vector<tcp::Socket>& sockets);
  void intend(const SetBinding& binding, const tcp::Socket& socket);
  const Wait& wait_of(Transaction transaction);
  bool waits(Transaction transaction) const;
  void forget(const SetBinding& binding);
  Intent* intent_of(const SetBinding& binding);
  snmp::SetStatus refuse(const std::vector<tcp::Socket>& sockets, tcp::Refusal refusal);
  snmp::SetStatus failed(Intent& intent, const Error& error);

  Edges edges_;
  tcp::AddressForms forms_;
  tcp::DeletionRules rules_;
  Audit& audit_;
  std::vector<Intent> intents_;  // of the Sets under way
  std::vector<Wait> waits_;
  bool was_able_ = true;
  std::vector<tcp::State> lasting_;  // in which the kernel has refused to end a minisock
  log::Limited failures_;
};

}  // namespace tcpmibd::agent
