#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "agent/serve/ended_connections.h"
#include "agent/serve/freshness.h"
#include "agent/serve/pins.h"
#include "agent/serve/request.h"
#include "agent/serve/stock.h"
#include "agent/serve/worker.h"
#include "base/clock.h"
#include "base/log.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// What the answers are read from that no PDU's arrival makes new. Referred to, never null.
struct ResponderSources {
  tcp::SocketSource& lookups;
  tcp::CounterSource& counters;
  tcp::PressureSource& pressure;
  tcp::ProcessNames& names;
  const tcp::Alarms& alarms;
  std::function<tables::AgentFigures()> agent;  // what it knows of itself but for its snapshots
  // What is watched of ends; null where nothing is. May be empty, which says the same.
  std::function<std::shared_ptr<const tcp::EndsFigures>(Time now)> ends{};
};

// Answers single variable bindings from data that is fresh, and never waits for any: gathers what
// an object needs from what the worker has handed over (Stock), from what the PDU was answered
// from before (Pins), or from the kernel itself.
//
// Thread:  the agent's. Asks the kernel for single sockets and counters itself, in microseconds;
//          snapshots and process maps come from the worker, for which it answers kLater.
// Keeps:   one snapshot a PDU: what a PDU's first binding was answered from serves the others.
//          At most two snapshots are alive, the one being built included.
// Logs:    every failure to get data, once.
class Responder final : public ReadTarget {
 public:
  Responder(ResponderSources sources, Worker& worker, const tcp::AddressForms& forms,
            const Ages& ages);

  void set_ages(const Ages& ages) { freshness_ = Freshness(ages); }

  Answer read(const Read& read) override;

  // Takes what the worker has finished. To be called whenever worker.descriptor() is readable,
  // before parked requests are asked again.
  void receive();

  // A connection has been ended by us: nothing from before may show it.
  void forget(const tcp::Socket& ended, Time now);

  // What there is, whatever its age.
  const Stock& stock() const { return stock_; }

  // Has the worker count a snapshot that was begun at `oldest` or later; see Stock::survey().
  void ask_for_survey(Time oldest);

  // One that was begun at `oldest` or later. Null: there is none yet, and one has been asked for;
  // ask again at the next news. An error if an attempt that was begun since then has failed.
  Result<std::shared_ptr<const tcp::Snapshot>> snapshot_since(Time oldest);

  // Forgets what is kept for PDUs that have long been answered, and frees what is too old to be
  // served. To be called at every turn of the loop, and after what it returns at the latest: so
  // long the last of it is kept. None: nothing is.
  std::optional<Duration> tidy(Time now);

 private:
  using SharedSnapshot = Stock::SharedSnapshot;

  // A read under way, and what its answer is made from as that is found.
  struct Reading {
    Moment moment;
    bool enters;  // It is asked what follows something before the object.
    Pin& pin;
    Awaited awaits = Awaited::kNothing;
    Basis basis{};

    void use(Time read_at, Duration most_age) {
      basis.add(Freshness::basis(read_at, most_age, moment.arrived));
    }
  };

  // What an answer is read from, or (kLater, kFailed) why there is nothing to read from.
  struct Rows {
    Answer::Kind kind = Answer::Kind::kValue;
    SharedSnapshot snapshot{};
    bool is_answer = false;  // to an exact question, so the worker has not heard of its sockets
  };

  Answer get(const Read& read, const tcp::Question& question, Reading& reading);
  Answer next(const Read& read, Reading& reading);

  // Everything that `needs` names, be it in the pin or in the rows.
  Rows gather(const tables::Data::Needs& needs, const tcp::Question& question, Reading& reading);
  bool gather_files(const tables::Data::Needs& needs, Reading& reading);
  template <typename Slot, typename Source>
  bool fill(Slot& slot, Source source, Reading& reading);
  void gather_figures(Reading& reading);
  void gather_ends(Reading& reading) const;
  Answer::Kind gather_survey(Reading& reading);
  Answer::Kind gather_owners(Reading& reading);
  bool find_survey(Reading& reading) const;
  bool find_owners(Reading& reading) const;
  // Whether what has ended since a snapshot can be left out of it, or it has to be a newer one.
  enum class Use : std::uint8_t { kRows, kWhole };
  Rows newest(Use use, Reading& reading);
  Rows newest_counts(Reading& reading);
  SharedSnapshot find_counts(Reading& reading) const;
  SharedSnapshot find_snapshot(Use use, Reading& reading);
  Rows rows_for(const tcp::Question& question, Reading& reading);
  Result<SharedSnapshot> look_up(const tcp::Question& question, Time now, tcp::Coverage& coverage);

  // What a value is read from. Of processes it says afterwards whether they were looked at.
  struct Looked {
    tables::Data data;
    bool at_processes = false;
    Duration most_age_of_processes{};
  };
  void fill_data(Looked& looked, const Rows& rows, const Reading& reading) const;
  void find_processes(Looked& looked, const Reading& reading) const;
  Answer answered(std::optional<snmp::Cell> cell, Answer::Kind absent, const Rows& rows,
                  const Looked& looked, Reading& reading);

  bool serves(const tcp::Snapshot& snapshot, Use use) const;
  // Whether a cell stands for a connection that has ended since `rows` were read.
  bool has_ended(const tables::Managed& object, const std::optional<snmp::Cell>& cell,
                 const Rows& rows) const;
  static Answer::Kind later(Reading& reading, Awaited awaited);
  void refresh_ahead(Time now);
  void ask_for_snapshot();
  void make_way();
  Answer::Kind failed(const Error& error);

  ResponderSources sources_;
  Worker& worker_;
  tcp::AddressForms forms_;
  Freshness freshness_;
  Stock stock_;
  Pins pins_;
  EndedConnections ended_;
  log::Limited failures_;
};

}  // namespace tcpmibd::agent
