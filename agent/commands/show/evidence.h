#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/commands/show/show.h"
#include "survey/surveyor.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// What one `tcpmibd show` goes by. Each thing is looked at when it is asked for, once, and in the
// way in which the running agent looks.
class Evidence {
 public:
  Evidence(const Options& options, const Config& config, const ShowSources& sources);

  // What is to be looked at, and with it all that it is made from (complete()): counts are a
  // snapshot's, which may be of no more; a survey is made from a snapshot, owners from a survey and
  // processes, alarms from a survey and the pressure; they look processes up themselves, where one
  // is about them.
  struct Needs {
    bool counts = false;
    bool snapshot = false;
    bool processes = false;
    bool survey = false;
    bool owners = false;
    bool counters = false;
    bool pressure = false;
    bool alarms = false;

    Needs complete() const;
  };

  Status look_at(const Needs& needs);

  // The holders of these sockets alone, in place of those that were looked up before. Does nothing
  // where processes may not be looked up.
  Status look_up(std::vector<std::uint32_t> inodes);

  // Whether the configuration lets processes be looked up, or an option cannot do without.
  bool may_look_up() const { return config_.process.lookup || !options_.process.empty(); }

  const tcp::Snapshot& snapshot() const { return snapshot_; }
  const tcp::ProcessMap& processes() const { return *processes_; }  // empty before the look-up
  const tcp::Survey& survey() const { return *survey_; }
  const tcp::Owners* owners() const { return owners_.get(); }  // null where not looked for
  const tcp::Pressure& pressure() const { return pressure_; }
  const tcp::Alarms& alarms() const { return alarms_; }  // judged once, without their `hold`
  tcp::ProcessNames& names() const { return sources_.names; }

  // For reading objects; valid as long as this.
  tables::Data data() const;

  // What could not be seen, a line each.
  std::string remarks() const;

 private:
  tcp::SnapshotBuilder builder() const;
  Status take_counts();
  Status take_snapshot();
  Status look_up_processes();  // does nothing where it may not
  Status make_survey();
  Status find_owners();
  Status read_counters();
  Status read_pressure();
  Status judge_alarms();

  const Options& options_;
  const Config& config_;
  ShowSources sources_;
  tcp::Surveyor surveyor_;

  tcp::Snapshot snapshot_;
  std::shared_ptr<const tcp::ProcessMap> processes_ = std::make_shared<const tcp::ProcessMap>();
  std::shared_ptr<const tcp::Survey> survey_;
  std::shared_ptr<const tcp::Owners> owners_;
  tcp::Counters counters_;
  tcp::Pressure pressure_;
  tcp::Alarms alarms_;
  tables::AgentFigures agent_;  // There is no agent: nothing is shown of it.
};

// "tcpmibd: TEXT\n".
std::string remark(const std::string& text);

}  // namespace tcpmibd::agent
