#include "agent/commands/show/evidence.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "agent/process/privileges.h"

namespace tcpmibd::agent {

namespace {

// Without a look at how long: who asks wants to know what is so now.
tcp::Alarms without_delay(std::vector<tcp::AlarmRule> rules) {
  for (tcp::AlarmRule& rule : rules)
    rule.hold = Duration::zero();
  return tcp::Alarms(std::move(rules));
}

}  // namespace

Evidence::Evidence(const Options& options, const Config& config, const ShowSources& sources)
    : options_(options),
      config_(config),
      sources_(sources),
      surveyor_({sources.sockets, sources.pressure, sources.units}),
      alarms_(without_delay(config.alarms)) {}

Evidence::Needs Evidence::Needs::complete() const {
  Needs all = *this;
  all.survey = survey || owners || alarms;
  all.processes = processes || owners;
  all.pressure = pressure || alarms;
  all.snapshot = snapshot || all.survey || all.processes;
  return all;
}

Status Evidence::look_at(const Needs& needs) {
  const Needs all = needs.complete();
  struct Step {
    bool Needs::*needed;
    Status (Evidence::*take)();
  };
  constexpr Step kSteps[] = {
      {&Needs::counts, &Evidence::take_counts},
      {&Needs::snapshot, &Evidence::take_snapshot},
      {&Needs::processes, &Evidence::look_up_processes},
      {&Needs::counters, &Evidence::read_counters},
      {&Needs::pressure, &Evidence::read_pressure},
      {&Needs::survey, &Evidence::make_survey},
      {&Needs::owners, &Evidence::find_owners},
      {&Needs::alarms, &Evidence::judge_alarms},
  };
  for (const Step& step : kSteps) {
    if (!(all.*step.needed))
      continue;
    if (Status status = (this->*step.take)(); !status)
      return status;
  }
  return {};
}

tcp::SnapshotBuilder Evidence::builder() const {
  return tcp::SnapshotBuilder({.zones = config_.mib.link_local_zones,
                               .dual_stack_as_unknown = config_.mib.dual_stack_as_unknown});
}

// Of a state that few connections are in it costs least to see those alone.
Status Evidence::take_counts() {
  if (!options_.states.empty() &&
      std::ranges::count(options_.states, tcp::State::kEstablished) == 0)
    return take_snapshot();
  tcp::SnapshotBuilder builder = this->builder();
  return sources_.sockets.read_counts(builder).map([&] { snapshot_ = builder.finish(); });
}

Status Evidence::take_snapshot() {
  tcp::SnapshotBuilder builder = this->builder();
  const tcp::Selection wanted{.states = options_.states, .port = options_.port};
  return sources_.sockets.read_some(wanted, builder).map([&] { snapshot_ = builder.finish(); });
}

Status Evidence::look_up_processes() { return look_up(snapshot_.inodes()); }

Status Evidence::look_up(std::vector<std::uint32_t> inodes) {
  if (!may_look_up() || inodes.empty())
    return {};
  return sources_.processes.read(std::move(inodes)).map([&](tcp::ProcessMap map) {
    processes_ = std::make_shared<const tcp::ProcessMap>(std::move(map));
  });
}

Status Evidence::read_counters() {
  return sources_.counters.read().map([&](const tcp::Counters& counters) { counters_ = counters; });
}

Status Evidence::read_pressure() {
  return sources_.pressure.read().map(
      [&](tcp::Pressure pressure) { pressure_ = std::move(pressure); });
}

Status Evidence::make_survey() {
  survey_ = surveyor_.survey(snapshot_, std::nullopt);
  return {};
}

Status Evidence::find_owners() {
  owners_ = surveyor_.owners(snapshot_, processes_);
  return {};
}

// Processes cost more than all the rest, so they are looked up only where an alarm needs them.
Status Evidence::judge_alarms() {
  const Time now = Clock::now();
  if (may_look_up() && alarms_.wants_owners(*survey_, pressure_, now)) {
    if (Status status = look_up_processes().and_then([&] { return find_owners(); }); !status)
      return status;
  }
  alarms_.judge({*survey_, pressure_, owners_.get(), sources_.names}, now);
  return {};
}

tables::Data Evidence::data() const {
  return {.snapshot = &snapshot_,
          .processes = processes_.get(),
          .counters = &counters_,
          .processes_are_final = true,
          .survey = survey_.get(),
          .owners = owners_.get(),
          .pressure = &pressure_,
          .names = &sources_.names,
          .agent = &agent_,
          .alarms = &alarms_,
          .now = Clock::now()};
}

std::string Evidence::remarks() const {
  std::string remarks;
  // A few processes refuse even root; that is not worth a line.
  if (processes_->denied() > 0 && !missing_privileges(true).empty())
    remarks += remark(std::to_string(processes_->denied()) +
                      " processes could not be looked into, so their sockets show none; run as "
                      "root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
  if (snapshot_.unknown_states() > 0)
    remarks += remark(std::to_string(snapshot_.unknown_states()) +
                      " sockets are left out, for this version does not know their state");
  if (snapshot_.mptcp_sight() == tcp::MptcpSight::kHidden)
    remarks += remark(std::string(tcp::kMptcpHidden) + " (" + tcp::kMptcpCure + ")");
  return remarks;
}

std::string remark(const std::string& text) { return "tcpmibd: " + text + "\n"; }

}  // namespace tcpmibd::agent
