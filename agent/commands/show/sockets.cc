#include "agent/commands/show/sockets.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/commands/colours.h"
#include "agent/commands/show/text.h"
#include "agent/commands/text_table.h"

namespace tcpmibd::agent {

namespace {

using tcp::State;

struct Process {
  std::uint32_t pid;
  std::string command;
};

// Which sockets are shown.
struct Kinds {
  bool listeners;
  bool connections;
  const char* none;  // said where there are none
};

constexpr Kinds kBoth{true, true, "there are no listeners and no connections\n"};
constexpr Kinds kConnections{false, true, "there are no connections\n"};
constexpr Kinds kListeners{true, false, "no socket listens\n"};

// One row as people see it.
struct Line {
  tcp::InetAddress local;
  std::uint16_t local_port;
  std::optional<tcp::InetAddress> remote;  // none: a listener
  std::uint16_t remote_port;
  const tcp::Details* details;     // belongs to the snapshot
  std::vector<Process> processes;  // every holder, ascending by pid
  tcp::AcceptQueues accepting{};   // of a listener
  // The MPTCP connection that this one is, or is a subflow of; null: neither.
  const tcp::Details* mptcp = nullptr;

  bool is_mptcp() const { return mptcp == details; }

  // Of a listener the connections that wait, and how many may; of all sockets that share the row.
  std::uint32_t receive_queue() const { return remote ? details->receive_queue : accepting.queue; }
  std::uint32_t send_queue() const { return remote ? details->send_queue : accepting.backlog; }
};

// ---- what is there -------------------------------------------------------------------------

// Names processes once each, however many sockets they hold.
class Commands {
 public:
  explicit Commands(tcp::ProcessNames& names) : names_(names) {}

  const std::string& of(std::uint32_t pid) {
    const auto [known, added] = known_.try_emplace(pid);
    if (added)
      known->second = names_.identity_of(pid).command;
    return known->second;
  }

 private:
  tcp::ProcessNames& names_;
  std::map<std::uint32_t, std::string> known_;
};

// Finds what stands behind the rows of one snapshot.
class Finder {
 public:
  explicit Finder(const Evidence& evidence)
      : snapshot_(evidence.snapshot()), map_(evidence.processes()), commands_(evidence.names()) {
    for (const tcp::ListeningSocket& socket : snapshot_.listening())
      listening_.emplace(socket.inode, &socket);
  }

  std::vector<Process> holders_of(const tcp::Details& details) {
    std::set<std::uint32_t> pids;
    for_each_inode(details, [&](std::uint32_t inode) {
      for (const tcp::Holder& holder : map_.holders(inode))
        pids.insert(holder.pid);
    });
    std::vector<Process> processes;
    for (const std::uint32_t pid : pids)
      processes.push_back({pid, commands_.of(pid)});
    return processes;
  }

  tcp::AcceptQueues queues_of(const tcp::Details& listener) const {
    std::vector<tcp::ListeningSocket> sockets;
    for_each_inode(listener, [&](std::uint32_t inode) {
      if (const auto found = listening_.find(inode); found != listening_.end())
        sockets.push_back(*found->second);
    });
    return tcp::queues_of(sockets, snapshot_.taken_at());
  }

 private:
  template <typename Visit>
  void for_each_inode(const tcp::Details& details, Visit visit) const {
    visit(details.inode);
    for (const tcp::Sibling& sibling : snapshot_.siblings(details))
      visit(sibling.inode);
  }

  const tcp::Snapshot& snapshot_;
  const tcp::ProcessMap& map_;
  Commands commands_;
  std::unordered_map<std::uint32_t, const tcp::ListeningSocket*> listening_;  // by inode
};

bool is_process(const Process& process, const std::string& wanted) {
  return std::to_string(process.pid) == wanted || process.command == wanted;
}

bool is_wanted(const Line& line, const Options& options) {
  const bool state = options.states.empty() ||
                     std::ranges::find(options.states, line.details->state) != options.states.end();
  const bool port = !options.port || line.local_port == *options.port ||
                    (line.remote && line.remote_port == *options.port);
  const bool process =
      options.process.empty() || std::ranges::any_of(line.processes, [&](const Process& holder) {
        return is_process(holder, options.process);
      });
  return state && port && process;
}

Line line_of(const tcp::Connection& row) {
  return {row.local, row.local_port, row.remote, row.remote_port, row.details, {}, {}, nullptr};
}
Line line_of(const tcp::Listener& row) {
  return {row.address, row.port, std::nullopt, 0, row.details, {}, {}, nullptr};
}

// Connections as they are shown: the MPTCP ones first, each with its subflows below it.
std::vector<Line> connections_in(const tcp::Snapshot& snapshot) {
  std::unordered_map<const tcp::Details*, std::vector<Line>> subflows;
  std::vector<Line> others;
  const auto sort_out = [&](const auto& row) {
    Line line = line_of(decoded(row));
    line.mptcp = snapshot.mptcp_of(row);
    (line.mptcp == nullptr ? others : subflows[line.mptcp]).push_back(std::move(line));
  };
  std::ranges::for_each(snapshot.ipv4(), sort_out);
  std::ranges::for_each(snapshot.ipv6(), sort_out);
  std::vector<Line> lines;
  snapshot.for_each_mptcp([&](const auto& row) {
    Line line = line_of(decoded(row));
    line.mptcp = &row.details;
    lines.push_back(std::move(line));
    std::ranges::move(subflows[&row.details], std::back_inserter(lines));
  });
  std::ranges::move(others, std::back_inserter(lines));
  return lines;
}

// Listeners first: they are few, and they say what this host offers.
std::vector<Line> lines(const Kinds& kinds, const Options& options, const Evidence& evidence) {
  Finder finder(evidence);
  std::vector<Line> lines;
  const auto add = [&](Line line) {
    line.processes = finder.holders_of(*line.details);
    if (!line.remote)
      line.accepting = finder.queues_of(*line.details);
    if (is_wanted(line, options))
      lines.push_back(std::move(line));
  };
  const tcp::Snapshot& snapshot = evidence.snapshot();
  if (kinds.listeners)
    std::ranges::for_each(snapshot.listeners(),
                          [&](const tcp::ListenerRow& row) { add(line_of(decoded(row))); });
  if (kinds.connections) {
    for (Line& line : connections_in(snapshot))
      add(std::move(line));
  }
  return lines;
}

// ---- for people ----------------------------------------------------------------------------

// What the connection waits for, where there is more to say than the state does.
std::string waiting(const Line& line) {
  const tcp::Details& details = *line.details;
  if (details.timer == tcp::Timer::kTimeWait)
    return timer_text(details.expires_ms) + " left";
  if (!line.is_mptcp() && tcp::keeps_its_syn(details.state, details.timer))
    return "data to send with the SYN";
  if (details.state == State::kCloseWait && line.is_mptcp())
    return details.receive_queue > 0 ? "data not read" : "not closed";
  // The FIN counts as one octet of the receive queue until the program reads to the end.
  if (details.state == State::kCloseWait)
    return details.receive_queue > 0 ? "end not read" : "end read, not closed";
  if (details.timer == tcp::Timer::kZeroWindow)
    return "zero window, probe in " + timer_text(details.expires_ms);
  if (details.timer == tcp::Timer::kRetransmit && details.retransmits > 0)
    return "resent " + std::to_string(details.retransmits) + "x, next in " +
           timer_text(details.expires_ms);
  return "";
}

std::string processes_text(const std::vector<Process>& processes, bool numeric) {
  std::string text;
  for (const Process& process : processes)
    text += (text.empty() ? "" : ", ") + process_text(process.pid, process.command, numeric);
  return text.empty() ? "-" : text;
}

TextTable::Cell state_cell(State state, const Options& options, bool colour) {
  return {state_text(state, options.numeric), colour ? colour_of(state) : ""};
}

const char* protocol_of(const Line& line) {
  if (line.mptcp == nullptr)
    return "tcp";
  return line.is_mptcp() ? "mptcp" : "  subflow";
}

// The protocol is told only where there is more than one.
std::string table_of(const std::vector<Line>& lines, const Options& options, bool colour) {
  using Align = TextTable::Align;
  const bool any_mptcp =
      std::ranges::any_of(lines, [](const Line& line) { return line.mptcp != nullptr; });
  std::vector<TextTable::Heading> headings{
      {"STATE"},   {"LOCAL"},  {"REMOTE"}, {"RECV-Q", Align::kRight}, {"SEND-Q", Align::kRight},
      {"WAITING"}, {"PROCESS"}};
  if (any_mptcp)
    headings.insert(headings.begin() + 1, TextTable::Heading{"PROTOCOL"});
  TextTable table(std::move(headings));
  for (const Line& line : lines) {
    const tcp::Details& details = *line.details;
    std::vector<TextTable::Cell> row{state_cell(details.state, options, colour),
                                     {to_text(line.local, line.local_port)},
                                     {line.remote ? to_text(*line.remote, line.remote_port) : "*"},
                                     {std::to_string(line.receive_queue())},
                                     {std::to_string(line.send_queue())},
                                     {waiting(line)},
                                     {processes_text(line.processes, options.numeric)}};
    if (any_mptcp)
      row.insert(row.begin() + 1, TextTable::Cell{protocol_of(line)});
    table.add(std::move(row));
  }
  return table.text();
}

// What the kernel tells of a listener as its two queues are the accept queue and its limit.
std::string listeners_table(const std::vector<Line>& lines, const Options& options, bool colour) {
  using Align = TextTable::Align;
  TextTable table({{"STATE"},
                   {"LOCAL"},
                   {"QUEUE", Align::kRight},
                   {"LIMIT", Align::kRight},
                   {"FULL", Align::kRight},
                   {"DISCARDS", Align::kRight},
                   {"PROCESS"}});
  const auto red_if = [&](bool red) { return colour && red ? kRed : ""; };
  for (const Line& line : lines) {
    const tcp::AcceptQueues& accepting = line.accepting;
    table.add({state_cell(line.details->state, options, colour),
               {to_text(line.local, line.local_port)},
               {std::to_string(accepting.queue)},
               {std::to_string(accepting.backlog)},
               {percent_text(accepting.percent), red_if(accepting.percent >= kRedPercent)},
               {std::to_string(accepting.discards)},
               {processes_text(line.processes, options.numeric)}});
  }
  return table.text();
}

bool any_filter(const Options& options) {
  return !options.states.empty() || options.port || !options.process.empty();
}

std::string text_of(const std::vector<Line>& lines, const Kinds& kinds, const Options& options,
                    bool colour) {
  if (lines.empty())
    return any_filter(options) ? "nothing matches the options\n" : kinds.none;
  return kinds.connections ? table_of(lines, options, colour)
                           : listeners_table(lines, options, colour);
}

// ---- for programs --------------------------------------------------------------------------

Json end_json(const tcp::InetAddress& address, std::uint16_t port) {
  Json end{{"type", static_cast<int>(address.type)}};
  end["address"] = address.type == tcp::AddressType::kUnknown ? "" : to_text(address);
  end["port"] = port;
  return end;
}

// By the names that these figures have in tcpmibdPortTable.
Json accepting_json(const tcp::AcceptQueues& accepting) {
  return {{"sockets", accepting.sockets},
          {"queue", accepting.queue},
          {"queue_limit", accepting.backlog},
          {"queue_percent", accepting.percent},
          {"discards", accepting.discards}};
}

Json json_of(const Line& line) {
  const tcp::Details& details = *line.details;
  Json row{{"state", tcp::names_of(details.state).mib},
           {"code", static_cast<int>(details.state)},
           {"local", end_json(line.local, line.local_port)}};
  if (line.remote) {
    row["remote"] = end_json(*line.remote, line.remote_port);
    row["protocol"] = line.is_mptcp() ? "mptcp" : "tcp";
  }
  if (line.mptcp != nullptr && !line.is_mptcp())
    row["mptcp_cookie"] = line.mptcp->cookie();
  row["receive_queue"] = line.receive_queue();
  row["send_queue"] = line.send_queue();
  if (!line.remote)
    row.update(accepting_json(line.accepting));
  row["interface"] = details.interface;
  row["inode"] = details.inode;
  row["uid"] = details.uid;
  row["cookie"] = details.cookie();
  row["shared"] = static_cast<bool>(details.shared);
  if (details.timer != tcp::Timer::kNone)
    row["expires_ms"] = details.expires_ms;
  row["processes"] = Json::array();
  for (const Process& process : line.processes)
    row["processes"].push_back({{"pid", process.pid}, {"command", process.command}});
  return row;
}

Json lines_json(const std::vector<Line>& lines, const Kinds& kinds) {
  Json rows = Json::object();
  if (kinds.listeners)
    rows["listeners"] = Json::array();
  if (kinds.connections)
    rows["connections"] = Json::array();
  for (const Line& line : lines)
    rows[line.remote ? "connections" : "listeners"].push_back(json_of(line));
  return rows;
}

std::string print(const Kinds& kinds, const Options& options, const Evidence& evidence,
                  bool colour) {
  const std::vector<Line> rows = lines(kinds, options, evidence);
  return options.json ? dump(lines_json(rows, kinds)) : text_of(rows, kinds, options, colour);
}

}  // namespace

std::string sockets_text(const Options& options, const Evidence& evidence, bool colour) {
  return print(kBoth, options, evidence, colour);
}

std::string connections_text(const Options& options, const Evidence& evidence, bool colour) {
  return print(kConnections, options, evidence, colour);
}

std::string listeners_text(const Options& options, const Evidence& evidence, bool colour) {
  return print(kListeners, options, evidence, colour);
}

}  // namespace tcpmibd::agent
