#include "agent/commands/show/topics.h"

#include <algorithm>
#include <cstdint>

#include "agent/commands/show/alarms.h"
#include "agent/commands/show/scalars.h"
#include "agent/commands/show/sockets.h"
#include "agent/commands/show/views.h"

namespace tcpmibd::agent {

namespace {

template <const TableView& view>
std::string print_view(const Options& options, const Evidence& evidence, bool colour) {
  return view_text(view, options, evidence, colour);
}

// ---- why there is less than the agent would print, or might be thought of -----------------------

std::string left_out(std::uint32_t count, const char* what) {
  if (count == 0)
    return "";
  return remark(std::to_string(count) + " more " + what +
                " are left out, those with the least connections");
}

std::string ages_remarks(const Evidence& /*evidence*/) {
  return remark(
      "one look knows the ages of closeWait, timeWait and orphaned finWait2, from the "
      "kernel; all others begin when the running agent first sees them");
}

std::string units_remarks(const Evidence& evidence) {
  return left_out(evidence.survey().units_left_out(), "units");
}

std::string remotes_remarks(const Evidence& evidence) {
  return left_out(evidence.survey().remotes_left_out(), "remote addresses");
}

std::string processes_remarks(const Evidence& evidence) {
  if (!evidence.may_look_up())
    return remark("processes are not looked up, for process.lookup is false");
  return left_out(evidence.owners()->left_out(), "processes");
}

// ---- the table ---------------------------------------------------------------------------------

constexpr Filters kAllFilters{.numeric = true, .state = true, .port = true, .process = true};

// The first is what is shown where nothing is named.
constexpr Topic kTopics[] = {
    {.word = "",
     .meaning = "every listener and every connection",
     .filters = kAllFilters,
     .needs = {.processes = true},
     .write = write_sockets},
    {.word = "connections",
     .meaning = "what connections are there, and what do they wait for?",
     .filters = kAllFilters,
     .needs = {.processes = true},
     .write = write_connections},
    {.word = "listeners",
     .meaning = "who listens, and how full is the accept queue?",
     .filters = kAllFilters,
     .needs = {.processes = true},
     .write = write_listeners},
    {.word = "states",
     .meaning = "how many sockets are in which state?",
     .filters = {.numeric = true, .state = true},
     .needs = {.counts = true},
     .print = print_view<kStateView>},
    {.word = "ages",
     .meaning = "for how long have connections hung in a state?",
     .filters = {.numeric = true, .state = true},
     .needs = {.survey = true},
     .print = print_view<kAgeView>,
     .remarks = ages_remarks},
    {.word = "ports",
     .meaning = "which service leaks, refuses or is busy?",
     .filters = {.numeric = true, .port = true, .process = true},
     .needs = {.processes = true, .survey = true},
     .print = print_view<kPortView>},
    {.word = "units",
     .meaning = "which systemd unit leaks or is busy?",
     .filters = {},
     .needs = {.survey = true},
     .print = print_view<kUnitView>,
     .remarks = units_remarks},
    {.word = "processes",
     .meaning = "which process leaks or is busy?",
     .filters = {.numeric = true, .process = true},
     .needs = {.owners = true},
     .print = print_view<kProcessView>,
     .remarks = processes_remarks},
    {.word = "remotes",
     .meaning = "who is at the other end?",
     .filters = {},
     .needs = {.survey = true},
     .print = print_view<kRemoteView>,
     .remarks = remotes_remarks},
    {.word = "pressure",
     .meaning = "do ports, memory or orphans run out?",
     .filters = {},
     .needs = {.survey = true, .pressure = true},
     .print = pressure_text,
     .remarks = pressure_remarks},
    {.word = "alarms",
     .meaning = "which alarm would be raised now?",
     .filters = {.numeric = true},
     .needs = {.alarms = true},
     .print = alarms_text,
     .remarks = alarms_remarks},
    {.word = "scalars",
     .meaning = "what do the kernel's counters say?",
     .filters = {},
     .needs = {.counters = true},
     .print = scalars_text},
};

}  // namespace

std::span<const Topic> topics() { return std::span(kTopics).subspan<1>(); }

const Topic* topic_named(std::string_view word) {
  const auto* found = std::ranges::find(kTopics, word, &Topic::word);
  return found == std::end(kTopics) ? nullptr : found;
}

}  // namespace tcpmibd::agent
