#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "agent/agentx/connection.h"
#include "agent/agentx/objects.h"
#include "agent/agentx/pdu.h"
#include "agent/agentx/reads.h"
#include "agent/agentx/sets.h"
#include "agent/agentx/uptime_origin.h"
#include "agent/serve/request.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"
#include "tables/notifications.h"

namespace tcpmibd::agent::agentx {

// One session with a master (RFC 2741), from Open to Close, over a connection of its own.
//
// It opens, announces what we can, registers each object at its root, one after the other, and
// then serves; requests are answered from the moment when it is open. It waits for nothing: the
// owner's loop calls turn() when the descriptor is ready or wake() has come, and throws the session
// away when it has ended. No PDU of a master makes one turn longer than kTurn and one binding.
class Session {
 public:
  struct Settings {
    std::uint8_t priority = 127;               // of the registrations; the lower one serves
    Duration ping = std::chrono::seconds(30);  // how long a master may be silent
    std::string description;                   // of the session, for people
    std::uint32_t master = 0;                  // see transaction_of()
    bool has_capabilities = true;              // whether it gets a row for its sysORTable
  };

  // How long a master may take to answer us, and to read what it is sent.
  static constexpr Duration kPatience = std::chrono::seconds(6);
  static constexpr Duration kTurn = std::chrono::milliseconds(20);

  // What it refers to outlives it; `uptime` knows the sessions before. The socket does not block.
  Session(FileDescriptor socket, Settings settings, const Objects& objects, ReadTarget& reads,
          WriteTarget& writes, UptimeOrigin& uptime, Time now);

  enum class State : std::uint8_t { kOpening, kRegistering, kServing, kEnded };
  State state() const { return state_; }

  // Why it has ended.
  enum class End : std::uint8_t {
    kGone,       // the master closed the session, the connection, or itself
    kSilent,     // it did not answer
    kDeaf,       // it does not read what it is sent
    kSenseless,  // what it sends is no AgentX
    kRefused,    // it does not open a session
    kDuplicate   // another subagent has registered refused() at our priority
  };
  End end() const { return end_; }
  ErrorCode answer() const { return answer_; }  // of kRefused: the master's

  // What it refused to register, and why; none since the last call.
  struct Refusal {
    std::string_view what;
    ErrorCode why;
  };
  std::optional<Refusal> take_refusal() { return std::exchange(refusal_, std::nullopt); }

  // What poll(2) is to wait for.
  int descriptor() const { return connection_.descriptor(); }
  short events() const;

  // When turn() is to be called at the latest. Of one that has ended: at once, to be thrown away.
  Time wake() const;

  // Does what can be done now.
  void turn(Time now);

  // Whether there is more to do at once.
  bool is_busy() const;

  // The worker has news.
  void retry();

  // Sends a notification. False while the master has much to read yet, or we are not registered.
  bool notify(const tables::Notification& notification);

  // Notifications that the master has not answered yet (RFC 2741, 7.1.10).
  std::size_t unconfirmed() const { return notified_.size(); }

  // Takes leave of a master that has opened the session, and waits `patience` at most for its
  // answer: it must not write to a socket that is gone.
  void close(Duration patience);

 private:
  // What is asked of the master, one after the other.
  enum class Step : std::uint8_t { kOpen, kCapabilities, kRegister, kPing };

  struct Asked {
    Step step;
    std::uint32_t packet;
    Time at;

    Time answer_until() const { return at + kPatience; }
  };

  Header header();
  void ask(Step step, Time now);
  void ask_next(Time now);
  void receive(Time now);
  void take(const Packet& packet, Time now);
  void receive_response(const Packet& packet, Time now);
  void on_answer(const Asked& asked, const Packet& packet, Response response, Time now);
  void on_pinged(const Asked& asked, Response response, Time now);
  void on_registered(ErrorCode error);
  void receive_request(const Packet& packet, Time now);
  void begin(const Packet& packet, Reader& reader, Time now);
  void refuse(const Header& header, ErrorCode error, std::string_view context, Time now);
  std::optional<ErrorCode> misfit(const Header& header, bool is_malformed) const;
  void send(Time now);
  bool may_answer() const { return connection_.unsent() < Connection::kMostUnsent; }
  void look_at_clock(Time now);
  bool wait_until(Time deadline) const;
  void finish(End end);

  Settings settings_;
  const Objects& objects_;
  UptimeOrigin& uptime_;
  Connection connection_;
  Reads reads_;
  Sets sets_;

  State state_ = State::kOpening;
  End end_ = End::kGone;
  ErrorCode answer_ = ErrorCode::kNone;
  std::optional<Refusal> refusal_;
  std::optional<std::uint32_t> id_;     // once it is open
  std::uint32_t packets_ = 0;           // sent by us so far, which numbers them
  std::optional<Asked> asked_;          // of the master, not answered yet
  std::deque<std::uint32_t> notified_;  // packets of notifications it has not answered
  std::size_t registered_ = 0;          // objects whose registration was asked
  Time heard_;                          // when the master was heard last
  std::optional<Time> unread_since_;    // when the master last took something, while there is more
};

}  // namespace tcpmibd::agent::agentx
