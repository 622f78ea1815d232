#include "agent/commands/show/show.h"

#include <cstdint>
#include <string>

#include "agent/commands/show/alarms.h"
#include "agent/commands/show/evidence.h"
#include "agent/commands/show/scalars.h"
#include "agent/commands/show/sockets.h"
#include "agent/commands/show/views.h"

namespace tcpmibd::agent {

namespace {

Result<Shown> show_scalars(const Options& options, Evidence& evidence) {
  return evidence.read_counters().map([&] { return Shown{scalars_text(options, evidence), ""}; });
}

Result<Shown> show_sockets(const Options& options, Evidence& evidence, bool colour) {
  return evidence.take_snapshot().and_then([&] { return evidence.look_up_processes(); }).map([&] {
    return Shown{sockets_text(options, evidence, colour), evidence.remarks()};
  });
}

// What a view needs beside the snapshot. Ports name a process too, but that is all of it.
Status look(const View& view, Evidence& evidence) {
  const tables::Data::Needs needs = needs_of(view);
  return evidence.take_snapshot()
      .and_then([&] {
        return needs.owners || view.word == "ports" ? evidence.look_up_processes() : Status();
      })
      .map([&] {
        if (needs.survey)
          evidence.make_survey();
        if (needs.owners)
          evidence.find_owners();
      });
}

std::string left_out(std::uint32_t count, const char* what) {
  if (count == 0)
    return "";
  return remark(std::to_string(count) + " more " + what +
                " are left out, those with the least connections");
}

// Why there is less than the agent would tell, or might be thought of.
std::string remarks_on(const View& view, const Evidence& evidence) {
  if (view.word == "ages")
    return remark(
        "one look knows the ages of closeWait, timeWait and orphaned finWait2, from the "
        "kernel; all others begin when the running agent first sees them");
  if (view.word == "units")
    return left_out(evidence.survey().units_left_out(), "units");
  if (view.word == "remotes")
    return left_out(evidence.survey().remotes_left_out(), "remote addresses");
  if (view.word == "processes" && !evidence.may_look_up())
    return remark("processes are not looked up, for process.lookup is false");
  if (view.word == "processes")
    return left_out(evidence.owners()->left_out(), "processes");
  return "";
}

Result<Shown> show_view(const View& view, const Options& options, Evidence& evidence, bool colour) {
  return look(view, evidence).map([&] {
    return Shown{view_text(view, options, evidence, colour),
                 evidence.remarks() + remarks_on(view, evidence)};
  });
}

Status look_at_limits(Evidence& evidence) {
  return evidence.take_snapshot().and_then([&] { return evidence.read_pressure(); }).map([&] {
    evidence.make_survey();
  });
}

}  // namespace

Result<Shown> show(const Options& options, const Config& config, const ShowSources& sources,
                   bool colour) {
  Evidence evidence(options, config, sources);
  if (options.what == "scalars")
    return show_scalars(options, evidence);
  if (options.what == "pressure")
    return look_at_limits(evidence).map([&] { return show_pressure(options, evidence, colour); });
  if (options.what == "alarms")
    return look_at_limits(evidence).and_then(
        [&] { return show_alarms(options, config, evidence, colour); });
  if (const View* view = view_named(options.what))
    return show_view(*view, options, evidence, colour);
  return show_sockets(options, evidence, colour);
}

}  // namespace tcpmibd::agent
