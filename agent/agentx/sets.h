#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/agentx/objects.h"
#include "agent/agentx/pdu.h"
#include "agent/serve/pdu_trace.h"
#include "agent/serve/request.h"
#include "base/clock.h"

namespace tcpmibd::agent::agentx {

// The Sets of one session, each a transaction of the master's that goes through these phases and
// no others (RFC 2741, 7.2.4):
//
//   TestSet  refused: over
//   TestSet, CleanupSet
//   TestSet, CommitSet, CleanupSet
//   TestSet, CommitSet, UndoSet
//
// What does not fit is answered processingError, or not at all where it is a CleanupSet, and
// changes nothing. A TestSet is made in two passes over its bindings, each complete before the
// next; a refusal in either releases all of them. The same PDU once more is answered as before and
// does nothing.
//
// Each phase can be left and taken up again between any two bindings.
class Sets {
 public:
  // Both outlive it. For `master` see transaction_of().
  Sets(const Objects& objects, WriteTarget& target, std::uint32_t master = 0)
      : objects_(objects), target_(target), master_(master) {}
  ~Sets() { release_all(); }
  Sets(const Sets&) = delete;
  Sets& operator=(const Sets&) = delete;

  // A phase has arrived. Of a TestSet, with its bindings. Appends to `out` what can be said at
  // once.
  void receive(const Header& header, std::vector<Binding> bindings, Time now, Bytes& out);

  // Goes on with the phases under way, until the time is up. Appends the answers to `out`.
  void work(Time until, Bytes& out);

  // The worker has news.
  void retry();

  // When work() has something to do though there is no news; none: never.
  std::optional<Time> wake() const;

  // Whether work() has something to do.
  bool is_busy() const;

  // How many transactions are open. Beyond kMost the oldest that has been answered is released, and
  // a new one refused if none has. One that was begun kKept ago is too old to be committed: its
  // master has forgotten it.
  std::size_t open() const { return sets_.size(); }
  static constexpr std::size_t kMost = 64;
  static constexpr Duration kKept = std::chrono::seconds(60);

  // The session is over.
  void release_all();

 private:
  enum class State : std::uint8_t { kTesting, kTested, kCommitting, kCommitted, kUndoing, kOver };

  struct Set {
    Header asked;  // the phase under way, or the last one
    std::vector<Binding> bindings;
    Time begun;
    State state = State::kTesting;
    Write::Phase pass = Write::Phase::kReserve1;
    std::size_t at = 0;                 // the binding whose turn it is
    Outcome outcome{};                  // of the phase
    std::optional<Time> waits_until{};  // for news, if none come before
    PduTrace trace{Time()};             // of the phase

    bool is_working() const {
      return state == State::kTesting || state == State::kCommitting || state == State::kUndoing;
    }
  };

  void begin(const Header& header, std::vector<Binding> bindings, Time now, Bytes& out);
  static bool go_on(Set& set, const Header& header, Time now);
  void clean_up(const Header& header, Time now);
  void erase_over();
  void work(Set& set, Time until, Bytes& out);
  bool write_next(Set& set);
  static bool begin_next_pass(Set& set);
  static void write_trace(const Set& set, std::string_view outcome);
  void end_phase(Set& set, Bytes& out) const;
  SetAnswer write(const Binding& binding, Write::Phase phase, const Header& header) const;
  void release(Set& set) const;
  bool make_room();
  Set* find(std::uint32_t transaction);

  const Objects& objects_;
  WriteTarget& target_;
  std::uint32_t master_;
  std::deque<Set> sets_;  // in the order of their beginning
};

}  // namespace tcpmibd::agent::agentx
