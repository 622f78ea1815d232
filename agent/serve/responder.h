#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/serve/ended_connections.h"
#include "agent/serve/request.h"
#include "agent/serve/worker.h"
#include "base/clock.h"
#include "base/log.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// How old an answer may be.
struct Ages {
  Duration snapshot = std::chrono::seconds(1);
  Duration processes = std::chrono::seconds(5);
  bool look_up_processes = true;
};

// What the answers are read from that no PDU's arrival makes new. Referred to, never null.
struct ResponderSources {
  tcp::SocketSource& lookups;
  tcp::CounterSource& counters;
  tcp::PressureSource& pressure;
  tcp::ProcessNames& names;
  const tcp::Alarms& alarms;
  std::function<tables::AgentFigures()> agent;  // what it knows of itself but for its snapshots
};

// Answers single variable bindings from the newest data allowed, and never waits for any.
//
// Thread:  the agent's. Asks the kernel for single sockets and counters itself, in microseconds;
//          snapshots and process maps come from the worker, for which it answers kLater.
// Keeps:   one snapshot a PDU: what a PDU's first binding was answered from serves the others.
//          At most two snapshots are alive, the one being built included.
// Logs:    every failure to get data, once.
class Responder {
 public:
  Responder(ResponderSources sources, Worker& worker, const tcp::AddressForms& forms,
            const Ages& ages);

  void set_ages(const Ages& ages) { ages_ = ages; }

  // `arrived`: when the request came first, unchanged when it is asked again.
  Answer get(const tables::Managed& object, snmp::OidView name, Transaction transaction,
             Time arrived, Effort effort = Effort::kWhatItTakes);
  Answer next(const tables::Managed& object, snmp::OidView name, bool inclusive,
              Transaction transaction, Time arrived, Effort effort = Effort::kWhatItTakes);

  // Takes what the worker has finished. To be called whenever worker.descriptor() is readable,
  // before parked requests are asked again.
  void receive();

  // A connection has been ended by us: nothing from before may show it.
  void forget(const tcp::Socket& ended);

  // The newest process map; null before the first, and when nobody has asked for long.
  std::shared_ptr<const tcp::ProcessMap> processes() const { return processes_; }

  // The processes that the newest map could not look into.
  std::uint32_t processes_denied() const { return processes_denied_; }

  // Has the worker count a snapshot that was begun at `oldest` or later; see survey().
  void ask_for_survey(Time oldest);

  // Forgets what is kept for PDUs that have long been answered, and frees what is too old to be
  // served when nobody has asked for kIdle. To be called at every turn of the loop, and after what
  // it returns at the latest: so long the last of it is kept. None: nothing is.
  std::optional<Duration> tidy(Time now);
  static constexpr Duration kIdle = std::chrono::seconds(10);

  // The newest survey, and the owners' figures, whatever their age; null before the first.
  std::shared_ptr<const tcp::Survey> survey() const { return survey_; }
  std::shared_ptr<const tcp::Owners> owners() const { return owners_; }

  // Whether an attempt at a snapshot that was begun at `oldest` or later has come to nothing.
  bool has_failed_since(Time oldest) const { return failed_at_ >= oldest; }

  // The newest snapshot; null before the first.
  std::shared_ptr<const tcp::Snapshot> newest() const { return current_; }

  // One that was begun at `oldest` or later. Null: there is none yet, and one has been asked for;
  // ask again at the next news. An error if an attempt that was begun since then has failed.
  Result<std::shared_ptr<const tcp::Snapshot>> snapshot_since(Time oldest);

 private:
  using SharedSnapshot = std::shared_ptr<const tcp::Snapshot>;
  using SharedProcesses = std::shared_ptr<const tcp::ProcessMap>;
  using SharedOwners = std::shared_ptr<const tcp::Owners>;

  // The answer to an exact question, kept for the other bindings of the PDU.
  struct Found {
    tcp::Question question;
    SharedSnapshot rows;
  };

  // What was fetched for one PDU.
  struct Pin {
    Transaction transaction{};
    Time arrived{};
    Time last_used{};
    std::weak_ptr<const tcp::Snapshot> snapshot{};  // ends with the limit of two, not with the PDU
    std::shared_ptr<const tcp::Survey> survey{};
    SharedOwners owners{};
    SharedProcesses entered{};  // old, from entering a table
    std::optional<tcp::Counters> counters{};
    std::optional<tcp::Pressure> pressure{};
    std::optional<tables::AgentFigures> agent{};
    std::vector<Found> found{};
  };

  // What an answer is read from, or (kLater, kFailed) why there is nothing to read from.
  struct Rows {
    Answer::Kind kind = Answer::Kind::kValue;
    SharedSnapshot snapshot{};
    bool is_answer = false;  // to an exact question, so the worker has not heard of its sockets
  };

  // A request, as it is put for the first time or again.
  struct Moment {
    Time now;
    Time arrived;
    Effort effort;
    bool entering = false;  // It is asked what follows something before the object.

    // Who enters a table has mostly walked the one before it to its end, and throws the answer
    // away: it is no reason to look into every process of the host.
    bool enters(Time taken_at) const { return entering && now - taken_at <= kMostAgeOnEntering; }
    static constexpr Duration kMostAgeOnEntering = std::chrono::minutes(5);

    bool may_begin() const { return effort == Effort::kWhatItTakes; }
  };

  Pin& pin(Transaction transaction, Moment moment);
  std::size_t number_of_pin(Transaction transaction);

  // Everything that `needs` names, be it in the pin or in the rows.
  Rows gather(const tables::Data::Needs& needs, const tcp::Question& question, Pin& pin,
              Moment moment);
  bool gather_files(const tables::Data::Needs& needs, Pin& pin);
  Answer::Kind gather_survey(Pin& pin, Moment moment);
  Answer::Kind gather_owners(Pin& pin, Moment moment);
  // Whether what has ended since a snapshot can be left out of it, or it has to be a newer one.
  enum class Use : std::uint8_t { kRows, kWhole };
  Rows newest(Use use, Pin& pin, Moment moment);
  Rows rows_for(const tcp::Question& question, Pin& pin, Moment moment);

  tables::Data data_for(const Rows& rows, const Pin& pin, Moment moment) const;
  Answer answered(std::optional<snmp::Cell> cell, Answer::Kind absent, const Rows& rows,
                  Moment moment);
  bool serves(const tcp::Snapshot& snapshot, Use use) const;
  void refresh_ahead(Moment moment);
  // Whether a cell stands for a connection that has ended since `rows` were read.
  bool has_ended(const tables::Managed& object, const std::optional<snmp::Cell>& cell,
                 const Rows& rows) const;
  // Of snapshots and surveys.
  bool young(Time taken_at, Duration took, Moment moment) const;
  Duration most_age(Duration took) const;
  // Of process maps and the owners' figures by them.
  bool knows_processes(Time taken_at, Moment moment) const;
  SharedOwners owners_for(Moment moment) const;
  void enter(Pin& pin, Moment moment) const;
  const tcp::ProcessMap* processes_for(const Pin& pin, Moment moment) const;
  // Who holds the sockets that listen: far less than all of the map.
  SharedProcesses listeners_of(const tcp::ProcessMap& map) const;
  void ask_for_snapshot();
  void retire_previous();
  void note(const tcp::Snapshot& snapshot);
  void tell_of_mptcp(tcp::MptcpSight sight);
  Rows failed(const Error& error);

  ResponderSources sources_;
  Worker& worker_;
  tcp::AddressForms forms_;
  Ages ages_;
  SharedSnapshot current_;
  SharedSnapshot previous_;  // still pinned by PDUs under way
  std::shared_ptr<const tcp::Survey> survey_;
  SharedProcesses processes_;
  SharedOwners owners_;
  // What is kept for some minutes of the last two that were freed, for those who enter a table.
  SharedProcesses last_listeners_;
  SharedOwners last_owners_;
  tables::SnapshotFigures snapshots_;
  std::uint32_t processes_denied_ = 0;
  bool mptcp_hidden_ = false;  // as has been logged
  Time processes_serve_until_{};
  Time failed_at_{};  // when the last attempt at a snapshot began that came to nothing
  Error failure_;     // and why it did
  EndedConnections ended_;
  std::vector<Pin> pins_;
  std::size_t last_pin_ = 0;  // the number of the one used last, if it is still there
  log::Limited failures_;
};

}  // namespace tcpmibd::agent
