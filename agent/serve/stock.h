#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "agent/serve/freshness.h"
#include "agent/serve/worker.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// What the worker has handed over, whatever its age. Of snapshots two at most, the one being built
// included.
//
// Logs:  every failure to get data, once.
class Stock {
 public:
  using SharedSnapshot = std::shared_ptr<const tcp::Snapshot>;
  using SharedSurvey = std::shared_ptr<const tcp::Survey>;
  using SharedProcesses = std::shared_ptr<const tcp::ProcessMap>;
  using SharedOwners = std::shared_ptr<const tcp::Owners>;

  void receive(News news);

  // The newest of each; null before the first, and when nobody has asked for long.
  const SharedSnapshot& snapshot() const { return current_; }
  const SharedSnapshot& counts() const { return counts_; }  // without a row
  const SharedSurvey& survey() const { return survey_; }
  const SharedProcesses& processes() const { return processes_; }
  const SharedOwners& owners() const { return owners_; }

  // However old it is, the newest process map serves until then.
  Time processes_serve_until() const { return processes_serve_until_; }

  // What is kept of those that were freed, for some minutes and for who enters a table: the holders
  // of the sockets that listen, and the rows of owners.
  const SharedProcesses& newest_listeners() const {
    return processes_ != nullptr ? processes_ : last_listeners_;
  }
  const SharedOwners& newest_owners() const { return owners_ != nullptr ? owners_ : last_owners_; }

  // The processes that the newest map could not look into.
  std::uint32_t processes_denied() const { return processes_denied_; }

  const tables::SnapshotFigures& figures() const { return figures_; }

  // Whether an attempt at a snapshot that was begun at `oldest` or later has come to nothing; and
  // why the last one has.
  bool has_failed_since(Time oldest) const { return failed_at_ >= oldest; }
  const Error& failure() const { return failure_; }

  // When the oldest snapshot that may still be read was begun; none: there is no such snapshot.
  std::optional<Time> oldest() const;

  // The one before the current snapshot makes way for the one to be built; null where there is
  // none. PDUs that are being answered from it go on with the current one.
  SharedSnapshot retire_previous() { return std::exchange(previous_, nullptr); }

  // Frees what nobody has asked for in Freshness::kIdle and is not fresh any more. After what it
  // returns it is to be called again: so long the last of it is kept. None: nothing is.
  std::optional<Duration> tidy(Time now, const Freshness& freshness);

 private:
  void receive_processes(News& news);
  void note(const tcp::Snapshot& snapshot);
  void warn_of_mptcp(tcp::MptcpSight sight);
  void note_gauges(tcp::GaugeDoubt doubt);
  void fail(const Failure& failure);
  SharedProcesses listeners() const;

  SharedSnapshot current_;
  SharedSnapshot previous_;  // still pinned by PDUs under way
  SharedSnapshot counts_;
  SharedSurvey survey_;
  SharedProcesses processes_;
  SharedOwners owners_;
  SharedProcesses last_listeners_;
  SharedOwners last_owners_;
  tables::SnapshotFigures figures_;
  std::uint32_t processes_denied_ = 0;
  bool mptcp_hidden_ = false;                   // as has been logged
  std::optional<tcp::GaugeDoubt> gauge_doubt_;  // likewise
  Time processes_serve_until_{};
  Time failed_at_{};  // when the last attempt at a snapshot began that came to nothing
  Error failure_;     // and why it did
  log::Limited failures_;
};

}  // namespace tcpmibd::agent
