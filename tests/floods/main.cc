#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "floods/load.h"
#include "support/crowd.h"
#include "support/daemon.h"
#include "support/netns.h"
#include "support/scenes.h"
#include "support/snmp_session.h"
#include "support/snmpd.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "support/trap_receiver.h"
#include "support/trouble.h"

// tcpmibd_floods SECONDS: an agent in each role under each flood, while another manager asks it for
// a scalar and for a connection, in turn. Prints what load was held, how that manager fared, and
// the agent's memory, as a table of Markdown. tools/floods builds and starts it.
//
// The exit status is 1 where an answer was lost that the kernel did not drop, or a flood could not
// be made.

namespace tcpmibd::floods {
namespace {

using lab::Daemon;
using lab::DaemonOptions;
using lab::Namespace;
using lab::Oid;
using lab::oid_of;
using lab::Snmpd;
using lab::SnmpSession;
using lab::Trouble;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr unsigned kManagers = 50;
constexpr unsigned kRows = 1'000;
constexpr unsigned kComings = 20'000;  // wanted, a second
constexpr unsigned kDiscoverers = 4;
constexpr unsigned kAlarms = 100;
constexpr unsigned kRaise = 50;
constexpr std::uint16_t kAlonePort = 2161;  // that of Daemon::kAddress
constexpr seconds kPatience{1};             // of a manager, as snmpget has it
constexpr int kTries = 6;
constexpr seconds kPatienceToWalk{5};

const Oid kTcpInSegs = oid_of("1.3.6.1.2.1.6.10.0");
const Oid kSynReceived = oid_of("1.3.6.1.4.1.8072.9999.9999.4022.1.2.1.5.4");

// ---- Agents ----

enum class Role : std::uint8_t { kSubagent, kStandalone };
constexpr const char* kRoles[] = {"subagent", "standalone"};

// A hundred alarms of one measure: all are raised at once, and cleared at once.
std::string many_alarms() {
  std::string text = "[watch]\ninterval = \"1s\"\n";
  for (unsigned i = 0; i < kAlarms; ++i)
    text += "[alarm.a" + std::to_string(i) +
            "]\nmeasure = \"established\"\nraise = " + std::to_string(kRows + kRaise) +
            "\nclear = " + std::to_string(kRows + kRaise / 2) + "\n";
  return text;
}

// An agent of one role in a namespace, a crowd that it shows, and a receiver of its notifications.
class Agent {
 public:
  Agent(Role role, const Namespace& space)
      : space_(space), role_(role), receiver_(space, 1162), crowd_(space, kRows) {
    DaemonOptions options{.configuration = many_alarms()};
    if (role == Role::kSubagent) {
      master_.emplace(space, lab::SnmpdOptions{.lines = {"trap2sink 127.0.0.1:1162 public"}});
      daemon_.emplace(Daemon::under(*master_, options));
    } else {
      daemon_.emplace(Daemon::standalone(
          space, options,
          folder_.write("access",
                        "rocommunity public 127.0.0.1\ntrap2sink 127.0.0.1:1162 public\n")));
    }
  }

  const Namespace& space() const { return space_; }
  Role role() const { return role_; }
  std::string address() const { return master_ ? Snmpd::kAddress : Daemon::kAddress; }
  SnmpSession session() const { return {space_, address(), "public", kPatience, kTries}; }
  long memory() const { return daemon_->process().memory("VmRSS"); }
  Oid some_connection() const {
    return lab::connection_cell(lab::kStateColumn, crowd_.member(kRows / 2).ends);
  }
  long notifications() const { return receiver_.count("4022.0.1") + receiver_.count("4022.0.2"); }

 private:
  const Namespace& space_;
  Role role_;
  lab::TempFolder folder_;
  lab::TrapReceiver receiver_;
  lab::Crowd crowd_;
  std::optional<Snmpd> master_;
  std::optional<Daemon> daemon_;
};

// ---- The other manager ----

struct Fared {
  unsigned answers = 0, lost = 0;
  double median = 0, longest = 0;  // ms
};

// Asks again and again, and looks at the agent's memory now and then.
class Witness {
 public:
  explicit Witness(const Agent& agent)
      : agent_(agent), session_(agent.session()), asked_{kTcpInSegs, agent.some_connection()} {}

  void ask_for(Clock::duration duration) {
    const auto end = Clock::now() + duration;
    while (Clock::now() < end) {
      ask();
      most_memory_ = std::max(most_memory_, agent_.memory());
      lab::pause_briefly();
    }
  }

  long most_memory() const { return most_memory_; }

  Fared fared() const {
    std::vector<double> sorted = times_;
    std::ranges::sort(sorted);
    if (sorted.empty())
      throw Trouble("not one answer");
    return {static_cast<unsigned>(sorted.size()), lost_, sorted[sorted.size() / 2], sorted.back()};
  }

 private:
  void ask() {
    const auto began = Clock::now();
    try {
      const std::optional<long> number = session_.get(asked_[times_.size() % 2]).number;
      if (!number)
        throw Trouble("a number is not shown");
      times_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
    } catch (const Trouble&) {
      ++lost_;
    }
  }

  const Agent& agent_;
  SnmpSession session_;
  std::vector<Oid> asked_;
  std::vector<double> times_{};
  unsigned lost_ = 0;
  long most_memory_ = 0;
};

// ---- Floods ----

// "1234 SYNs/s"
std::string each_second(std::uint64_t count, seconds duration, const std::string& what) {
  return std::to_string(count / static_cast<std::uint64_t>(duration.count())) + " " + what + "/s";
}

// What the flood was, told when it is over.
std::string nothing(const Agent& /*agent*/, Witness& witness, seconds duration) {
  witness.ask_for(duration);
  return "none";
}

std::string many_managers(const Agent& agent, Witness& witness, seconds duration) {
  const Load load = Load::walkers(agent.space(), agent.address(), kManagers, kPatienceToWalk);
  witness.ask_for(duration);
  return each_second(load.made(), duration, "walks") + " of " + std::to_string(kRows) +
         " rows, by " + std::to_string(kManagers) + " managers; " + std::to_string(load.lost()) +
         " broke off";
}

std::string churn(const Agent& agent, Witness& witness, seconds duration) {
  const lab::Churn load(agent.space(), kComings);
  const std::uint64_t before = load.made();
  witness.ask_for(duration);
  return each_second(load.made() - before, duration, "connections");
}

std::string discoveries(const Agent& agent, Witness& witness, seconds duration) {
  if (agent.role() == Role::kSubagent)
    return "";  // its master answers them
  const Load load = Load::discoveries(agent.space(), kAlonePort, kDiscoverers);
  witness.ask_for(duration);
  return each_second(load.made(), duration, "discoveries answered");
}

// All alarms are raised and cleared, as often as the time allows.
std::string notifications(const Agent& agent, Witness& witness, seconds duration) {
  constexpr milliseconds kHalf{2'200};  // longer than a look at the alarms
  const long before = agent.notifications();
  const auto end = Clock::now() + duration;
  while (Clock::now() < end) {
    {
      const lab::Crowd more(agent.space(), 2 * kRaise, /*v6=*/true);
      witness.ask_for(kHalf);
    }
    witness.ask_for(kHalf);
  }
  return std::to_string(agent.notifications() - before) + " received";
}

// The SYN-ACKs never arrive, so that every request is kept.
std::string request_sockets(const Agent& agent, Witness& witness, seconds duration) {
  const Namespace attacker;
  lab::veth_pair(agent.space(), {"flooded", {"10.77.1.1/24"}}, attacker,
                 {"flooding", {"10.77.1.2/24"}});
  attacker.drop_input("tcp flags & (syn|ack) == (syn|ack)");
  for (const auto& [name, value] : {std::pair{"net.core.somaxconn", "65535"},
                                    std::pair{"net.ipv4.tcp_max_syn_backlog", "65535"},
                                    std::pair{"net.ipv4.tcp_syncookies", "0"}})
    agent.space().set_sysctl(name, value);
  const lab::TcpSocket listener =
      lab::listen_on(agent.space(), "10.77.1.1:8080", {.backlog = 65'535});
  const Load load = Load::syns(attacker, "10.77.1.2", "10.77.1.1:8080");
  witness.ask_for(duration);
  const long rows = agent.session().get(kSynReceived).number.value_or(0);
  return each_second(load.made(), duration, "SYNs") + "; " + std::to_string(rows) +
         " rows in synReceived";
}

struct Flood {
  const char* name;
  std::string (*make)(const Agent&, Witness&, seconds);  // empty: not for this role
  bool fills_the_socket = false;  // the kernel then drops questions before the agent sees them
};

constexpr Flood kFloods[] = {{"no flood", nothing},
                             {"managers that walk", many_managers},
                             {"churn", churn},
                             {"request sockets", request_sockets},
                             {"notifications", notifications},
                             {"SNMPv3 discovery", discoveries, true}};

// Its line of the table; whether every answer came that the agent could have given.
bool measure(const Flood& flood, Role role, seconds duration) {
  const Namespace space;
  const Agent agent(role, space);
  Witness witness(agent);
  witness.ask_for(seconds(1));
  const long before = agent.memory();
  const std::string load = flood.make(agent, witness, duration);
  if (load.empty())
    return true;
  Witness(agent).ask_for(seconds(2));
  const Fared fared = witness.fared();
  std::printf("| %s | %s | %s | %u | %u | %.1f ms | %.0f ms | %.1f, %.1f, %.1f MiB |\n", flood.name,
              kRoles[static_cast<std::size_t>(role)], load.c_str(), fared.answers, fared.lost,
              fared.median, fared.longest, static_cast<double>(before) / 1'024,
              static_cast<double>(witness.most_memory()) / 1'024,
              static_cast<double>(agent.memory()) / 1'024);
  std::fflush(stdout);
  return fared.lost == 0 || flood.fills_the_socket;
}

int measure_all(seconds duration) {
  std::puts(
      "| flood | role | load held | answers | lost | median | longest | memory before, most, after "
      "|\n|---|---|---|---|---|---|---|---|");
  bool all_came = true;
  for (const Flood& flood : kFloods) {
    for (const Role role : {Role::kSubagent, Role::kStandalone})
      all_came = measure(flood, role, duration) && all_came;
  }
  return all_came ? 0 : 1;
}

}  // namespace
}  // namespace tcpmibd::floods

int main(int argc, char** argv) {
  const long duration = argc == 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (duration < 1) {
    std::fputs("tcpmibd_floods: it takes the seconds of each flood, 1 or more\n", stderr);
    return 2;
  }
  try {
    return tcpmibd::floods::measure_all(std::chrono::seconds(duration));
  } catch (const std::exception& trouble) {
    std::fprintf(stderr, "tcpmibd_floods: %s\n", trouble.what());
    return 1;
  }
}
