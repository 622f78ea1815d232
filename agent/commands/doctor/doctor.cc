#include "agent/commands/doctor/doctor.h"

#include <sys/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>
#include <utility>

#include "agent/agentx/master_address.h"
#include "agent/agentx/master_start.h"
#include "agent/commands/colours.h"
#include "agent/commands/show/text.h"
#include "agent/commands/text_table.h"
#include "agent/config/access_file.h"
#include "agent/config/snmpd.h"
#include "base/printable.h"
#include "base/words.h"
#include "snmp/oid.h"
#include "tables/arc.h"

namespace tcpmibd::agent {
namespace {

using Judgement = Finding::State;

Finding ok(std::string point, std::string text) {
  return {.point = std::move(point), .state = Judgement::kOk, .text = std::move(text)};
}
Finding note(std::string point, std::string text, std::string cure = {}) {
  return {std::move(point), Judgement::kNote, std::move(text), std::move(cure)};
}
Finding wrong(std::string point, std::string text, std::string cure) {
  return {std::move(point), Judgement::kWrong, std::move(text), std::move(cure)};
}
Finding wrong(std::string point, const Error& error) {
  Error cause = error;
  cause.cure.clear();
  return wrong(std::move(point), cause.text(), error.cure);
}

bool holds(const Subject& subject, int capability) {
  return (subject.capabilities >> capability & 1) != 0;
}

// ---- the configuration and the kernel -----------------------------------------------------------

Finding configuration(const DoctorFacts& facts) {
  if (facts.configuration)
    return ok("configuration", "valid: " + facts.configuration_files);
  Finding finding = wrong("configuration", facts.configuration.error());
  if (finding.cure.empty())
    finding.cure = "correct that line; tcpmibd.toml(5) has every key";
  return finding;
}

Finding reading(const DoctorFacts& facts) {
  if (facts.reading)
    return ok("sock_diag", "the kernel reports its sockets");
  if (facts.modules_disabled && !facts.tcp_diag_loaded)
    return wrong("sock_diag",
                 "tcp_diag is not loaded and cannot be any more: kernel.modules_disabled is 1",
                 "write tcp_diag into /etc/modules-load.d/tcpmibd.conf and boot again");
  Finding finding = wrong("sock_diag", facts.reading.error());
  if (finding.cure.empty())
    finding.cure = "modprobe tcp_diag";
  return finding;
}

Finding mptcp(const DoctorFacts& facts) {
  constexpr const char* kPoint = "MPTCP";
  if (!facts.mptcp && !facts.reading)
    return note(kPoint, "cannot be looked at without sock_diag");
  if (!facts.mptcp)
    return wrong(kPoint, facts.mptcp.error());
  switch (*facts.mptcp) {
    case tcp::MptcpSight::kAbsent:
      return ok(kPoint, "this kernel has none");
    case tcp::MptcpSight::kUnused:
      return ok(kPoint, "no socket speaks it");
    case tcp::MptcpSight::kSeen:
      return ok(kPoint, "is spoken, and the kernel reports the states of its connections");
    case tcp::MptcpSight::kHidden:
      break;
  }
  return note(kPoint, tcp::kMptcpHidden,
              std::string(tcp::kMptcpCure) +
                  ", of a kernel with CONFIG_INET_MPTCP_DIAG; and a line mptcp_diag in "
                  "/etc/modules-load.d/tcpmibd.conf where modules cannot be loaded later");
}

Finding destroying(const DoctorFacts& facts) {
  constexpr const char* kPoint = "INET_DIAG_DESTROY";
  if (facts.destroying)
    return ok(kPoint, "the kernel can end connections");
  if (facts.destroying.error().code == EOPNOTSUPP)
    return note(kPoint, "this kernel cannot end connections: every Set is notWritable",
                "none but a kernel built with CONFIG_INET_DIAG_DESTROY");
  if (facts.destroying.error().code == EPERM)
    return note(kPoint, "cannot be tried by this user", "run doctor as root");
  return note(kPoint, facts.destroying.error().text());
}

// ---- privileges ---------------------------------------------------------------------------------

Finding process_rights(const DoctorFacts& facts) {
  constexpr const char* kPoint = "process columns";
  if (!facts.process_lookup)
    return ok(kPoint, "switched off: process.lookup = false");
  const std::vector<Privilege> missing = missing_for_lookup(facts.subject.capabilities);
  if (missing.empty())
    return ok(kPoint, facts.subject.name + " has " + joined_names(missing_for_lookup(0), " and "));
  return note(kPoint,
              facts.subject.name + " lacks " + joined_names(missing, " and ") +
                  ": they are 0 for sockets of other users' processes",
              "grant both, or set process.lookup = false");
}

// Never a fault: both ways find the same.
Finding process_lookup(const DoctorFacts& facts) {
  constexpr const char* kPoint = "process look-up";
  if (!facts.bpf)
    return ok(kPoint, "in /proc: " + facts.bpf.error().text());
  if (!may_look_up_by_bpf(facts.subject.capabilities))
    return ok(kPoint, "in /proc: " + facts.subject.name + " lacks CAP_BPF or CAP_PERFMON");
  return ok(kPoint, "by a BPF iterator");
}

Finding ends_watch(const DoctorFacts& facts) {
  constexpr const char* kPoint = "ended connections";
  if (!facts.watches_ends)
    return ok(kPoint, "not watched: ends.watch = \"off\"");
  if (!facts.ends)
    return ok(kPoint, "not watched: " + facts.ends.error().text());
  if (!may_look_up_by_bpf(facts.subject.capabilities))
    return ok(kPoint, "not watched: " + facts.subject.name + " lacks CAP_BPF or CAP_PERFMON");
  return ok(kPoint, "watched by BPF");
}

Finding deletion_rights(const DoctorFacts& facts) {
  constexpr const char* kPoint = "deleteTCB";
  if (facts.deletion == tcp::DeletionPolicy::kOff)
    return ok(kPoint, "switched off: delete-tcb.policy = \"off\"");
  if (may_end_connections(facts.subject.capabilities))
    return ok(kPoint, facts.subject.name + " has CAP_NET_ADMIN: who may write can end connections");
  return note(kPoint, facts.subject.name + " lacks CAP_NET_ADMIN: every Set is notWritable",
              "grant it only if managers shall end connections");
}

Finding hidden_processes(const DoctorFacts& facts) {
  constexpr const char* kPoint = "/proc";
  if (facts.hidepid.empty() || facts.hidepid == "0" || facts.hidepid == "off")
    return ok(kPoint, "shows every process");
  const std::string mounted = "mounted with hidepid=" + facts.hidepid;
  if (!facts.process_lookup || holds(facts.subject, CAP_SYS_PTRACE))
    return ok(kPoint, mounted + ", which does not hide anything from " + facts.subject.name);
  return note(kPoint, mounted + ": the process columns are 0 for other users' sockets",
              "grant CAP_SYS_PTRACE, or mount it with gid= of a group that tcpmibd is in");
}

std::string comma_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

// What nothing needs: a daemon gives it up when it starts.
Finding idle_capabilities(const DoctorFacts& facts) {
  constexpr const char* kPoint = "capabilities";
  const Holdings& holdings = facts.holdings;
  const std::string who = facts.subject.name;
  if (holdings.idle.empty())
    return ok(kPoint, who + (holdings.used.empty() ? " has none" : " has no others"));
  if (!holdings.by_running)
    return ok(kPoint, std::to_string(holdings.idle.size()) + " others of " + who +
                          " would be given up at the start");
  return note(
      kPoint, who + " holds without any use: " + comma_list(holdings.idle),
      "restart it; if that does not help, let SystemCallFilter= of its unit pass capset, or "
      "take them from AmbientCapabilities=");
}

void check_capabilities(const DoctorFacts& facts, std::vector<Finding>& findings) {
  const std::string holder =
      facts.holdings.by_running ? "held" : "kept by a daemon of " + facts.subject.name;
  for (const Privilege& privilege : facts.holdings.used)
    findings.push_back(ok(privilege.name, holder + " to " + privilege.use));
  findings.push_back(idle_capabilities(facts));
}

// ---- rights -------------------------------------------------------------------------------------

// "drwxr-xr-x", as ls prints it.
std::string mode_text(mode_t mode) {
  std::string text = S_ISDIR(mode) ? "d" : "s";
  for (int bit = 8; bit >= 0; --bit)
    text += (mode >> bit & 1) != 0 ? "xwr"[bit % 3] : '-';
  return text;
}

// `wanted` is the bit of others: 1 to enter a folder, 2 to connect to a socket.
bool may(const Subject& subject, const PathStep& step, mode_t wanted) {
  if (holds(subject, CAP_DAC_OVERRIDE) || (wanted == 1 && holds(subject, CAP_DAC_READ_SEARCH)))
    return true;
  if (step.owner == subject.uid)
    return (step.mode >> 6 & wanted) != 0;
  if (std::ranges::count(subject.groups, step.group) != 0)
    return (step.mode >> 3 & wanted) != 0;
  return (step.mode & wanted) != 0;
}

// "the folder /var/agentx (drwx------, user 0, group 0)"
std::string step_text(const PathStep& step) {
  return (S_ISDIR(step.mode) ? "the folder " : "the socket ") + step.name + " (" +
         mode_text(step.mode) + ", user " + std::to_string(step.owner) + ", group " +
         std::to_string(step.group) + ')';
}

// ---- the master ---------------------------------------------------------------------------------

constexpr std::string_view kLoadModule = "dlmod";

std::vector<SnmpdLine> lines_with(const DoctorFacts& facts, std::string_view token) {
  std::vector<SnmpdLine> lines;
  std::ranges::copy_if(facts.snmpd, std::back_inserter(lines),
                       [&](const SnmpdLine& line) { return line.token == token; });
  return lines;
}

std::string places(const std::vector<SnmpdLine>& lines) {
  std::string text;
  for (const SnmpdLine& line : lines)
    text += (text.empty() ? "" : ", ") + line.place + " \"" + line.value + '"';
  return text;
}

// The step where `subject` may not go on; null where it may connect.
const PathStep* closed_step(const SocketPath& path, const Subject& subject) {
  const auto step = std::ranges::find_if(path.steps, [&](const PathStep& each) {
    return !may(subject, each, S_ISDIR(each.mode) ? 1 : 2);
  });
  return step == path.steps.end() ? nullptr : &*step;
}

std::string file_of(const SnmpdLine& line) { return line.place.substr(0, line.place.rfind(':')); }

// A file whose line about the socket came too late for the snmpd that runs; empty: there is none.
std::string file_without_effect(const DoctorFacts& facts, const std::vector<SnmpdLine>& lines) {
  const auto line = std::ranges::find_if(lines, [&](const SnmpdLine& each) {
    return std::ranges::count(facts.too_new, file_of(each)) != 0;
  });
  return line == lines.end() ? "" : file_of(*line);
}

std::string cure_of_closed_folder(const PathStep& folder, const std::string& too_new) {
  return "chmod 755 " + folder.name + ": snmpd gives a mode to none but the folders that it makes" +
         (too_new.empty() ? "" : "; then " + agentx::restart_cure(too_new));
}

std::string cure_of_closed(const DoctorFacts& facts, const PathStep& step) {
  const std::vector<SnmpdLine> lines = lines_with(facts, "agentxperms");
  if (lines.empty())
    return std::string("put \"") + agentx_perms() +
           "\" into snmpd's configuration, "
           "run chmod 755 on the socket's folder, restart snmpd, and run tcpmibd in the "
           "group tcpmibd";
  const std::string too_new = file_without_effect(facts, lines);
  if (S_ISDIR(step.mode))
    return cure_of_closed_folder(step, too_new);
  if (!too_new.empty())
    return agentx::restart_cure(too_new);
  return "run tcpmibd in the group that agentXPerms names, or name its group there and restart "
         "snmpd: " +
         places(lines);
}

Finding socket(const DoctorFacts& facts) {
  constexpr const char* kPoint = "AgentX socket";
  if (!facts.socket)
    return note(kPoint, facts.master + " is no file: every local user may register there",
                "let snmpd listen on a socket with a path");
  if (facts.socket->error == ENOENT)
    return wrong(kPoint, facts.master + " does not exist",
                 "start snmpd with \"master agentx\" in its configuration; without an "
                 "agentXSocket there its socket is /var/agentx/master");
  if (const PathStep* closed = closed_step(*facts.socket, facts.subject))
    return wrong(kPoint, step_text(*closed) + " is closed to " + facts.subject.name,
                 cure_of_closed(facts, *closed));
  if (facts.socket->error != 0)
    return note(kPoint,
                facts.master +
                    " cannot be looked at: " + std::generic_category().message(facts.socket->error),
                "run doctor as root");
  return ok(kPoint, facts.master + " is open to " + facts.subject.name);
}

Finding master(const DoctorFacts& facts) {
  constexpr const char* kPoint = "AgentX master";
  if (facts.ping)
    return ok(kPoint, "answers at " + facts.master);
  return wrong(kPoint, facts.ping.error());
}

Finding instance(const DoctorFacts& facts) {
  constexpr const char* kPoint = "tcpmibd";
  if (facts.instance)
    return ok(kPoint, "one serves this master");
  return note(kPoint, "none serves this master: managers see its own TCP-MIB, if any",
              "systemctl start tcpmibd");
}

// Which way requests come. AgentX alone is no fault: most hosts need no more.
Finding way_of_requests(const DoctorFacts& facts) {
  constexpr const char* kPoint = "snmpd's module";
  const std::string by_agentx = "requests come over AgentX, a row at a time";
  if (facts.module == ModuleSight::kConnected)
    return ok(kPoint, "is connected: snmpd hands over whole requests");
  if (facts.module == ModuleSight::kOff)
    return ok(kPoint, "switched off by agentx.module-socket: " + by_agentx);
  const std::vector<SnmpdLine> lines = lines_with(facts, kLoadModule);
  if (lines.empty())
    return ok(kPoint,
              "not loaded: " + by_agentx + "; for walks of many thousands of rows see module.md");
  return note(kPoint, "not connected: " + by_agentx,
              facts.module == ModuleSight::kAbsent
                  ? "systemctl start tcpmibd; if it runs, its log says why nobody listens"
                  : "restart snmpd, whose log says more, for the line to count: " + places(lines));
}

// ---- the lines of snmpd -------------------------------------------------------------------------

// What snmpd's configuration is to say for our sake.
struct Advice {
  const char* token;   // in lower case
  const char* line;    // as it is written
  const char* absent;  // what its absence costs; null: nothing worth a word
};

const Advice kAdvice[] = {
    {"master", "master agentx", nullptr},
    {"agentxsocket", "agentXSocket", nullptr},
    {"agentxperms", agentx_perms(), nullptr},
    {"agentxtimeout", "agentXTimeout 5",
     "snmpd waits one second for an answer: too short for more than some 100 000 descriptors"},
    {"agentxretries", "agentXRetries 0",
     "snmpd repeats a request five times, and each is answered anew"},
};

// The name of a token as it is written: "agentXPerms".
std::string written(const Advice& advice) {
  const std::string_view line = advice.line;
  return std::string(line.substr(0, line.find(' ')));
}

bool all_alike(const std::vector<SnmpdLine>& lines) {
  return std::ranges::all_of(
      lines, [&](const SnmpdLine& line) { return line.value == lines.front().value; });
}

void check_line(const DoctorFacts& facts, const Advice& advice, std::vector<Finding>& findings) {
  const std::vector<SnmpdLine> lines = lines_with(facts, advice.token);
  const std::string name = written(advice);
  if (lines.empty() && advice.absent != nullptr && facts.unreadable.empty())
    findings.push_back(note(name, advice.absent, "\"" + std::string(advice.line) + '"'));
  else if (!lines.empty() && !all_alike(lines))
    findings.push_back(
        wrong(name, "stands more than once, and the last one counts: " + places(lines),
              "keep one line that serves all subagents of this host; for tcpmibd: \"" +
                  std::string(advice.line) + '"'));
}

// snmpd may listen on several, with commas between.
bool is_one_of(std::string_view addresses, std::string_view wanted) {
  while (!addresses.empty()) {
    if (MasterAddress(take_until(addresses, ',')).is_place_of(MasterAddress(wanted)))
      return true;
  }
  return false;
}

void check_address(const DoctorFacts& facts, std::vector<Finding>& findings) {
  const std::vector<SnmpdLine> lines = lines_with(facts, "agentxsocket");
  if (lines.empty() || !all_alike(lines) || is_one_of(lines.back().value, facts.master))
    return;
  findings.push_back(
      wrong("agentXSocket",
            "snmpd is configured by " + places(lines) + ", tcpmibd asks at " + facts.master,
            "set agentx.address to one of snmpd's"));
}

void check_master_line(const DoctorFacts& facts, std::vector<Finding>& findings) {
  if (facts.ping || !facts.unreadable.empty() || !lines_with(facts, "master").empty())
    return;
  findings.push_back(
      wrong("master", "no line turns AgentX on", "add \"master agentx\" and restart snmpd"));
}

void check_snmpd(const DoctorFacts& facts, std::vector<Finding>& findings) {
  const std::size_t before = findings.size();
  for (const std::string& each : facts.unreadable)
    findings.push_back(note("snmpd's files", each));
  check_master_line(facts, findings);
  check_address(facts, findings);
  for (const Advice& advice : kAdvice)
    check_line(facts, advice, findings);
  if (findings.size() == before)
    findings.push_back(ok("snmpd's files", "no line is in the way of another"));
}

// ---- what managers see --------------------------------------------------------------------------

std::string view_line(std::string_view oid) {
  return "\"view NAME included ." + std::string(oid) +
         "\" in snmpd's configuration, NAME being the view of this community or user (Debian's "
         "is \"systemonly\"); then restart snmpd";
}

Finding tcp_mib(const DoctorFacts& facts, const Seen& seen) {
  constexpr const char* kPoint = "TCP-MIB";
  if (seen.tcp_hc_in_segs)
    return ok(kPoint, "is answered by tcpmibd");
  if (!facts.scalars_served)
    return note(kPoint, "cannot be distinguished: mib.tables leaves out the scalars");
  if (seen.tcp_rto_min && !seen.our_capabilities)
    return wrong(kPoint, "is answered by the agent itself, not by tcpmibd",
                 "start tcpmibd for the master at this address; its log says what it waits for");
  if (seen.our_capabilities)
    return wrong(kPoint, "is hidden by a view, or parts of it are: 1.3.6.1.2.1.6",
                 view_line("1.3.6.1.2.1.6"));
  return wrong(kPoint, "is not there: a view hides 1.3.6.1.2.1.6, or nobody serves it",
               "start tcpmibd if it does not run; else " + view_line("1.3.6.1.2.1.6"));
}

Finding capabilities(const Seen& seen) {
  constexpr const char* kPoint = "sysORTable";
  if (seen.our_capabilities)
    return ok(kPoint, "names tcpmibd");
  return note(kPoint, "does not name tcpmibd, or a view hides it");
}

Finding arc(const Seen& seen) {
  constexpr const char* kPoint = "TCPMIBD-MIB";
  const std::string oid = snmp::to_text(tables::kArc);
  if (seen.our_arc)
    return ok(kPoint, "can be seen");
  return wrong(kPoint, "is hidden by a view: " + oid, view_line(oid));
}

void check_query(const DoctorFacts& facts, std::vector<Finding>& findings) {
  if (!facts.seen)
    return;
  if (!*facts.seen) {
    findings.push_back(wrong("query", facts.seen->error()));
    return;
  }
  const Seen& seen = **facts.seen;
  findings.push_back(ok("query", "an agent answers at " + facts.query));
  findings.push_back(capabilities(seen));
  findings.push_back(tcp_mib(facts, seen));
  if (facts.arc_served && (seen.our_capabilities || seen.tcp_hc_in_segs))
    findings.push_back(arc(seen));
}

const char* word_of(Judgement state) {
  switch (state) {
    case Judgement::kOk:
      return "ok";
    case Judgement::kNote:
      return "note";
    case Judgement::kWrong:
      return "wrong";
  }
  return "";
}

const char* grade_colour(Judgement state) {
  switch (state) {
    case Judgement::kOk:
      return kGreen;
    case Judgement::kNote:
      return kYellow;
    case Judgement::kWrong:
      return kRed;
  }
  return "";
}

std::string lower(std::string_view text) {
  std::string copy(text);
  std::ranges::transform(copy, copy.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return copy;
}

// "0660   0755" with one blank between its words.
std::string evened_out(std::string_view value) {
  std::string words;
  for (std::string_view word = take_word(value); !word.empty(); word = take_word(value))
    words += (words.empty() ? "" : " ") + std::string(word);
  return words;
}

bool is_advised(std::string_view token) {
  return std::ranges::any_of(kAdvice, [&](const Advice& each) { return each.token == token; });
}

// Of the modules that snmpd loads only ours matters.
bool loads_ours(std::string_view token, std::string_view value) {
  return token == kLoadModule && take_word(value) == "tcpmibd_snmpd";
}

}  // namespace

std::vector<Finding> examine(const DoctorFacts& facts) {
  std::vector<Finding> findings{
      configuration(facts), reading(facts),         mptcp(facts),
      destroying(facts),    process_rights(facts),  process_lookup(facts),
      ends_watch(facts),    deletion_rights(facts), hidden_processes(facts),
  };
  check_capabilities(facts, findings);
  if (!facts.standalone) {
    findings.push_back(socket(facts));
    findings.push_back(master(facts));
    findings.push_back(instance(facts));
    findings.push_back(way_of_requests(facts));
    check_snmpd(facts, findings);
  }
  check_query(facts, findings);
  return findings;
}

bool anything_wrong(const std::vector<Finding>& findings) {
  return std::ranges::count(findings, Judgement::kWrong, &Finding::state) != 0;
}

std::string findings_text(const std::vector<Finding>& findings, bool colour) {
  TextTable table({{"POINT"}, {"STATE"}, {"FINDING"}});
  std::string cures;
  for (const Finding& finding : findings) {
    table.add({{finding.point},
               {word_of(finding.state), colour ? grade_colour(finding.state) : ""},
               {finding.text}});
    if (!finding.cure.empty())
      cures += printable(finding.point + ": " + finding.cure) + '\n';
  }
  return table.text() + (cures.empty() ? "" : "\nWhat to do:\n" + cures);
}

std::string findings_json(const std::vector<Finding>& findings) {
  nlohmann::ordered_json points = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    points.push_back({{"point", finding.point},
                      {"state", word_of(finding.state)},
                      {"finding", finding.text},
                      {"cure", finding.cure}});
  const nlohmann::ordered_json all{{"ok", !anything_wrong(findings)}, {"points", points}};
  return dump(all);
}

std::vector<SnmpdLine> snmpd_lines(const std::string& file, std::string_view text) {
  std::vector<SnmpdLine> lines;
  for (const AccessLine& line : conf_lines(text)) {
    if (std::string token = lower(line.word); is_advised(token) || loads_ours(token, line.value))
      lines.push_back(
          {file + ':' + std::to_string(line.number), std::move(token), evened_out(line.value)});
  }
  return lines;
}

std::string barrier(const SocketPath& path, const Subject& subject) {
  const PathStep* closed = closed_step(path, subject);
  return closed == nullptr ? "" : step_text(*closed);
}

}  // namespace tcpmibd::agent
