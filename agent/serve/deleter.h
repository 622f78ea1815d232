#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
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

// Obeys a Set of deleteTCB(12), phase by phase (RFC 2741, 7.2.4; docs/architecture.md).
//
// Every check is made in RESERVE1 and RESERVE2, against the kernel as it is then; the act in
// ACTION, by the socket's cookie, and never without it: where a connection is gone the kernel would
// take the listener on its port instead, and report success.
//
// A look-up that has not looked everywhere ends nothing. Where there are more interfaces than are
// asked one by one, RESERVE2 has to wait for a snapshot that was begun after the Set, which names
// every interface that has a connection of this name; the kernel is then asked on each of them.
//
// Thread:  the agent's. Each call takes microseconds.
// Rights:  CAP_NET_ADMIN, at the moment of the act and when the destroyer was opened.
// Logs:    each deletion, done or refused, once (see Audit); the loss and the return of the
//          ability to delete, once each.
class Deleter final : public WriteTarget {
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

  SetAnswer write(const Write& write) override;

 private:
  // What a Set is about to do to one socket.
  struct Intent {
    tcp::Socket socket;
    bool was_ended = false;
  };

  // A Set under way.
  struct Set {
    std::map<snmp::Oid, Intent> intents{};  // by the names of its bindings
    std::set<std::uint64_t> gone{};         // the cookies of what it has ended, or found ended
    bool has_failed = false;                // in commit()
    std::optional<Time> waits_since{};      // for a snapshot

    bool is_over() const { return intents.empty() && !waits_since; }
  };

  // Each socket that a row stands for, once; none while it is not known.
  using Behind = std::optional<std::vector<tcp::Socket>>;

  // RESERVE1: what can be said without looking at any row.
  snmp::SetStatus check(const Write& write);
  // RESERVE2: whether the row exists now and may go; remembers its socket. May have to wait.
  SetAnswer find(const Write& write);
  // ACTION. "Gone already" is what was asked for.
  snmp::SetStatus commit(const Write& write);
  // UNDO: what has been ended cannot be brought back.
  snmp::SetStatus undo(const Write& write);
  // COMMIT and FREE, the end of a Set that fared well or ill.
  void release(const Write& write);

  snmp::SetStatus ability();
  Result<Behind> sockets_behind(const Write& write);
  Result<bool> look_everywhere(Transaction transaction, tcp::ConnectionQuery query,
                               std::vector<tcp::Socket>& sockets);
  SetAnswer judged(const Write& write, const std::vector<tcp::Socket>& sockets);
  void intend(const Write& write, const tcp::Socket& socket);
  Time waiting_since(Transaction transaction);
  bool is_gone(const tcp::Socket& socket) const;
  snmp::SetStatus end(Set& set, Intent& intent);
  snmp::SetStatus refuse(const std::vector<tcp::Socket>& sockets, tcp::Refusal refusal);
  snmp::SetStatus failed(Set& set, const tcp::Socket& socket, const Error& error);

  Edges edges_;
  tcp::AddressForms forms_;
  tcp::DeletionRules rules_;
  Audit& audit_;
  std::map<Transaction, Set> sets_;
  bool was_able_ = true;
  std::vector<tcp::State> lasting_;  // in which the kernel has refused to end a minisock
  log::Limited failures_;
};

}  // namespace tcpmibd::agent
