#include "agent/commands/show/sockets.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/commands/colours.h"
#include "agent/commands/show/json_row.h"
#include "agent/commands/show/text.h"
#include "agent/commands/text_table.h"

namespace tcpmibd::agent {

namespace {

using tcp::State;

struct Process {
  std::uint32_t pid;
  const std::string* command;  // never null; belongs to the Finder
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
  const tcp::Details* details;  // belongs to the snapshot
  // The MPTCP connection that this one is, or is a subflow of; null: neither.
  const tcp::Details* mptcp = nullptr;
  std::vector<Process> processes{};  // every holder, ascending by pid
  tcp::AcceptQueues accepting{};     // of a listener

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
    std::vector<Process> processes;
    for_each_inode(details, [&](std::uint32_t inode) {
      for (const tcp::Holder& holder : map_.holders(inode))
        processes.push_back({holder.pid, &commands_.of(holder.pid)});
    });
    if (details.shared) {
      std::ranges::sort(processes, {}, &Process::pid);
      const auto again = std::ranges::unique(processes, {}, &Process::pid);
      processes.erase(again.begin(), again.end());
    }
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
  return std::to_string(process.pid) == wanted || *process.command == wanted;
}

// By what it is itself, and by who holds it.
bool is_asked_for(const Line& line, const Options& options) {
  const bool state = options.states.empty() ||
                     std::ranges::find(options.states, line.details->state) != options.states.end();
  const bool port = !options.port || line.local_port == *options.port ||
                    (line.remote && line.remote_port == *options.port);
  return state && port;
}

bool is_held_as_asked(const Line& line, const Options& options) {
  return options.process.empty() || std::ranges::any_of(line.processes, [&](const Process& holder) {
           return is_process(holder, options.process);
         });
}

Line line_of(const tcp::Connection& row) {
  return {row.local, row.local_port, row.remote, row.remote_port, row.details};
}
Line line_of(const tcp::Listener& row) {
  return {row.address, row.port, std::nullopt, 0, row.details};
}

// Connections as they are shown where MPTCP is spoken: those by it first, each with its subflows
// below it.
std::vector<Line> connections_by_mptcp(const tcp::Snapshot& snapshot) {
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

// The lines that the options ask for, one after the other: nothing is kept of them.
class Lines {
 public:
  Lines(const Options& options, const Evidence& evidence)
      : options_(options), snapshot_(evidence.snapshot()), finder_(evidence) {}

  // Listeners first: they are few, and they say what this host offers.
  template <typename Visit>
  void visit(const Kinds& kinds, Visit visit) {
    if (kinds.listeners)
      visit_listeners(visit);
    if (kinds.connections)
      visit_connections(visit);
  }

  template <typename Visit>
  void visit_listeners(Visit visit) {
    for (const tcp::ListenerRow& row : snapshot_.listeners())
      take(line_of(decoded(row)), visit);
  }

  template <typename Visit>
  void visit_connections(Visit visit) {
    const auto take_row = [&](const auto& row) { take(line_of(decoded(row)), visit); };
    if (snapshot_.mptcp_size() == 0) {
      std::ranges::for_each(snapshot_.ipv4(), take_row);
      std::ranges::for_each(snapshot_.ipv6(), take_row);
      return;
    }
    for (Line& line : connections_by_mptcp(snapshot_))
      take(std::move(line), visit);
  }

  // Whether any of the lines is of MPTCP.
  bool any_mptcp(const Kinds& kinds) {
    bool any = false;
    if (snapshot_.mptcp_size() > 0)
      visit(kinds, [&](const Line& line) { any = any || line.mptcp != nullptr; });
    return any;
  }

 private:
  template <typename Visit>
  void take(Line line, Visit& visit) {
    if (!is_asked_for(line, options_))
      return;
    line.processes = finder_.holders_of(*line.details);
    if (!line.remote)
      line.accepting = finder_.queues_of(*line.details);
    if (is_held_as_asked(line, options_))
      visit(std::as_const(line));
  }

  const Options& options_;
  const tcp::Snapshot& snapshot_;
  Finder finder_;
};

// ---- for people ----------------------------------------------------------------------------

// Where TCP and MPTCP wait for the same.
std::string waiting_of_any(const tcp::Details& details) {
  if (details.timer == tcp::Timer::kTimeWait)
    return timer_text(details.expires_ms) + " left";
  if (details.timer == tcp::Timer::kZeroWindow)
    return "zero window, probe in " + timer_text(details.expires_ms);
  if (details.timer == tcp::Timer::kRetransmit && details.retransmits > 0)
    return "resent " + std::to_string(details.retransmits) + "x, next in " +
           timer_text(details.expires_ms);
  return "";
}

std::string waiting(const Line& line) {
  const tcp::Details& details = *line.details;
  if (details.state == State::kCloseWait && line.is_mptcp())
    return details.receive_queue > 0 ? "data not read" : "not closed";
  return line.is_mptcp() ? waiting_of_any(details) : waiting_text(details);
}

std::string processes_text(const std::vector<Process>& processes, bool numeric) {
  std::string text;
  for (const Process& process : processes)
    text += (text.empty() ? "" : ", ") + process_text(process.pid, *process.command, numeric);
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

void add_row(const Line& line, bool with_protocol, const Options& options, bool colour,
             TextTable& table) {
  const tcp::Details& details = *line.details;
  std::vector<TextTable::Cell> row{state_cell(details.state, options, colour),
                                   {to_text(line.local, line.local_port)},
                                   {line.remote ? to_text(*line.remote, line.remote_port) : "*"},
                                   {std::to_string(line.receive_queue())},
                                   {std::to_string(line.send_queue())},
                                   {waiting(line)},
                                   {processes_text(line.processes, options.numeric)}};
  if (with_protocol)
    row.insert(row.begin() + 1, TextTable::Cell{protocol_of(line)});
  table.add(row);
}

// The protocol is printed only where there is more than one.
TextTable table_of(Lines& lines, const Kinds& kinds, const Options& options, bool colour) {
  using Align = TextTable::Align;
  const bool with_protocol = lines.any_mptcp(kinds);
  std::vector<TextTable::Heading> headings{
      {"STATE"},   {"LOCAL"},  {"REMOTE"}, {"RECV-Q", Align::kRight}, {"SEND-Q", Align::kRight},
      {"WAITING"}, {"PROCESS"}};
  if (with_protocol)
    headings.insert(headings.begin() + 1, TextTable::Heading{"PROTOCOL"});
  TextTable table(std::move(headings));
  lines.visit(kinds,
              [&](const Line& line) { add_row(line, with_protocol, options, colour, table); });
  return table;
}

// What the kernel reports as a listener's two queues are the accept queue and its limit.
TextTable listeners_table(Lines& lines, const Options& options, bool colour) {
  using Align = TextTable::Align;
  TextTable table({{"STATE"},
                   {"LOCAL"},
                   {"QUEUE", Align::kRight},
                   {"LIMIT", Align::kRight},
                   {"FULL", Align::kRight},
                   {"DISCARDS", Align::kRight},
                   {"PROCESS"}});
  const auto red_if = [&](bool red) { return colour && red ? kRed : ""; };
  lines.visit_listeners([&](const Line& line) {
    const tcp::AcceptQueues& accepting = line.accepting;
    table.add({state_cell(line.details->state, options, colour),
               {to_text(line.local, line.local_port)},
               {std::to_string(accepting.queue)},
               {std::to_string(accepting.backlog)},
               {percent_text(accepting.percent), red_if(accepting.percent >= kRedPercent)},
               {std::to_string(accepting.discards)},
               {processes_text(line.processes, options.numeric)}});
  });
  return table;
}

bool any_filter(const Options& options) {
  return !options.states.empty() || options.port || !options.process.empty();
}

void write_text(Lines& lines, const Kinds& kinds, const Options& options, bool colour,
                const Writer& write) {
  const TextTable table = kinds.connections ? table_of(lines, kinds, options, colour)
                                            : listeners_table(lines, options, colour);
  if (table.rows() > 0)
    table.write(write);
  else
    write(any_filter(options) ? "nothing matches the options\n" : kinds.none);
}

// ---- for programs --------------------------------------------------------------------------

void add_end(std::string_view key, const tcp::InetAddress& address, std::uint16_t port,
             JsonRow& row) {
  row.open_object(key);
  row.number("type", static_cast<int>(address.type));
  row.text("address", address.type == tcp::AddressType::kUnknown ? "" : to_text(address));
  row.number("port", port);
  row.close_object();
}

// By the names that these figures have in tcpmibdPortTable.
void add_accepting(const tcp::AcceptQueues& accepting, JsonRow& row) {
  row.number("sockets", accepting.sockets);
  row.number("queue", accepting.queue);
  row.number("queue_limit", accepting.backlog);
  row.number("queue_percent", accepting.percent);
  row.number("discards", accepting.discards);
}

void add_processes(const std::vector<Process>& processes, JsonRow& row) {
  row.open_array("processes");
  for (const Process& process : processes) {
    row.open_object();
    row.number("pid", process.pid);
    row.text("command", *process.command);
    row.close_object();
  }
  row.close_array();
}

void add_ends(const Line& line, JsonRow& row) {
  add_end("local", line.local, line.local_port, row);
  if (line.remote) {
    add_end("remote", *line.remote, line.remote_port, row);
    row.text("protocol", line.is_mptcp() ? "mptcp" : "tcp");
  }
  if (line.mptcp != nullptr && !line.is_mptcp())
    row.number("mptcp_cookie", line.mptcp->cookie());
}

std::string_view json_of(const Line& line, JsonRow& row) {
  const tcp::Details& details = *line.details;
  row.begin();
  row.text("state", tcp::names_of(details.state).mib);
  row.number("code", static_cast<int>(details.state));
  add_ends(line, row);
  row.number("receive_queue", line.receive_queue());
  row.number("send_queue", line.send_queue());
  if (!line.remote)
    add_accepting(line.accepting, row);
  row.number("interface", details.interface);
  row.number("inode", details.inode);
  row.number("uid", details.uid);
  row.number("cookie", details.cookie());
  row.flag("shared", details.shared);
  if (details.timer != tcp::Timer::kNone)
    row.number("expires_ms", details.expires_ms);
  add_processes(line.processes, row);
  return row.finish();
}

void write_lines(Lines& lines, const Kinds& kinds, const Writer& write) {
  JsonRow row;
  lines.visit(kinds, [&](const Line& line) {
    write(json_of(line, row));
    write("\n");
  });
}

// Rows, each on a line of its own, as an array of this key. `visit` gives them.
template <typename Visit>
void write_array(std::string_view key, const Visit& visit, const Writer& write) {
  JsonRow row;
  write("  \"" + std::string(key) + "\": [");
  std::string_view before = "\n    ";
  visit([&](const Line& line) {
    write(before);
    write(json_of(line, row));
    before = ",\n    ";
  });
  write(before.front() == ',' ? "\n  ]" : "]");
}

void write_document(Lines& lines, const Kinds& kinds, const Writer& write) {
  write("{\n");
  if (kinds.listeners)
    write_array(
        "listeners", [&](auto visit) { lines.visit_listeners(visit); }, write);
  if (kinds.listeners && kinds.connections)
    write(",\n");
  if (kinds.connections)
    write_array(
        "connections", [&](auto visit) { lines.visit_connections(visit); }, write);
  write("\n}\n");
}

void write_kinds(const Kinds& kinds, const Options& options, const Evidence& evidence, bool colour,
                 const Writer& write) {
  Lines lines(options, evidence);
  if (options.json)
    write_document(lines, kinds, write);
  else if (options.jsonl)
    write_lines(lines, kinds, write);
  else
    write_text(lines, kinds, options, colour, write);
}

}  // namespace

// The FIN counts as one octet of the receive queue until the program reads to the end.
std::string waiting_text(const tcp::Details& details) {
  if (details.timer != tcp::Timer::kTimeWait && tcp::keeps_its_syn(details.state, details.timer))
    return "data to send with the SYN";
  if (details.timer != tcp::Timer::kTimeWait && details.state == State::kCloseWait)
    return details.receive_queue > 0 ? "end not read" : "end read, not closed";
  return waiting_of_any(details);
}

void write_sockets(const Options& options, const Evidence& evidence, bool colour,
                   const Writer& write) {
  write_kinds(kBoth, options, evidence, colour, write);
}

void write_connections(const Options& options, const Evidence& evidence, bool colour,
                       const Writer& write) {
  write_kinds(kConnections, options, evidence, colour, write);
}

void write_listeners(const Options& options, const Evidence& evidence, bool colour,
                     const Writer& write) {
  write_kinds(kListeners, options, evidence, colour, write);
}

}  // namespace tcpmibd::agent
