#pragma once

#include <memory>
#include <string>

#include "agent/commands/show/show.h"
#include "survey/surveyor.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// What one `tcpmibd show` goes by. Each thing is looked at when it is asked for, once, and in the
// way in which the running agent looks.
class Evidence {
 public:
  Evidence(const Options& options, const Config& config, const ShowSources& sources);

  Status take_snapshot();
  Status look_up_processes();  // does nothing where it may not
  Status read_counters();
  Status read_pressure();
  void make_survey();  // of the snapshot
  void find_owners();  // after the survey and the process map

  // Whether the configuration lets processes be looked up, or an option cannot do without.
  bool may_look_up() const { return config_.process.lookup || !options_.process.empty(); }

  const tcp::Snapshot& snapshot() const { return snapshot_; }
  const tcp::ProcessMap& processes() const { return *processes_; }  // empty before the look-up
  const tcp::Survey& survey() const { return *survey_; }
  const tcp::Owners* owners() const { return owners_.get(); }  // null before find_owners()
  const tcp::Pressure& pressure() const { return pressure_; }
  tcp::ProcessNames& names() const { return sources_.names; }

  // For reading objects; valid as long as this.
  tables::Data data() const;

  // What could not be seen, a line each.
  std::string remarks() const;

 private:
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
  tables::AgentFigures agent_;  // There is no agent: nothing is shown of it.
};

// "tcpmibd: TEXT\n".
std::string remark(const std::string& text);

}  // namespace tcpmibd::agent
