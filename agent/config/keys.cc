#include "agent/config/keys.h"

#include <algorithm>
#include <utility>

namespace tcpmibd::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A list of words, or one; what is named is served.
struct TableGroups {
  std::string takes() const {
    std::string text;
    for (const tables::NamedGroup& each : tables::kGroups)
      text += (text.empty() ? "a list of at least one of " : ", ") + toml_string(each.word);
    return text;
  }

  bool read(const toml::node& node, tables::Groups& groups) const {
    tables::Groups read;
    const bool known = for_each_of(node, [&](const toml::node& word) {
      const auto* named = std::ranges::find(tables::kGroups, word.value_exact<std::string_view>(),
                                            &tables::NamedGroup::word);
      if (named == std::end(tables::kGroups))
        return false;
      read.insert(named->group);
      return true;
    });
    if (!known || read.empty())
      return false;
    groups = std::move(read);
    return true;
  }

  std::string write(const tables::Groups& groups) const {
    std::vector<std::string_view> words;
    for (const tables::NamedGroup& each : tables::kGroups) {
      if (groups.contains(each.group))
        words.push_back(each.word);
    }
    return list_of(words, toml_string);
  }
};

template <typename Kind, typename Field>
Key<Config> key(std::string_view section, std::string_view name, Applies applies, Kind kind,
                Field field, std::string_view meaning) {
  return key_of<Config>(section, name, applies, kind, field, meaning);
}

}  // namespace

// clang-format off
// A table. NOLINTNEXTLINE(readability-function-size)
const std::vector<Key<Config>>& keys() {
  using enum Applies;
  static const std::vector<Key<Config>> keys = {
      key("agentx", "address", kRestart, Text{.may_be_empty = false},
          [](auto& config) -> auto& { return config.agentx.address; },
          "The AgentX address of the master agent, as `snmpd -x` takes it: a socket's path or "
          "`tcp:localhost:705`. Not used in the standalone role."),
      key("agentx", "priority", kRestart, Number{1, 255},
          [](auto& config) -> auto& { return config.agentx.priority; },
          "The priority of our registrations; where two agents serve the same objects the lower "
          "number answers. Those built into snmpd have 127."),
      key("agentx", "reconnect", kRestart, Interval{seconds(1), minutes(60), seconds(1)},
          [](auto& config) -> auto& { return config.agentx.reconnect; },
          "How long to wait before another attempt to reach a master that is away."),
      key("agentx", "ping", kRestart, Interval{seconds(1), minutes(60), seconds(1)},
          [](auto& config) -> auto& { return config.agentx.ping; },
          "After how long a silence a master is asked whether it is still there."),
      key("agentx", "module-socket", kRestart, Text{.may_be_empty = true},
          [](auto& config) -> auto& { return config.agentx.module_socket; },
          "The socket at which the module `tcpmibd_snmpd` in snmpd reaches us, by which walks are many "
          "times faster than over AgentX. Its folder must be there and open to snmpd. Empty: no such "
          "socket. The module looks for it at the default, or where `TCPMIBD_SNMPD_SOCKET` in snmpd's "
          "environment says."),
      key("agentx", "module-users", kRestart, Addresses{},
          [](auto& config) -> auto& { return config.agentx.module_users; },
          "As whom an snmpd may run that comes to `agentx.module-socket`, besides root and our own "
          "user: it can read and write all that we serve. Empty: the user that snmpd has on this "
          "system."),

      key("standalone", "address", kRestart, Addresses{},
          [](auto& config) -> auto& { return config.standalone.addresses; },
          "Where to serve SNMP without a master, one address or several: "
          "`\"udp:127.0.0.1:1161\"`, `\"udp6:[::1]:1161\"`, also `tcp:`, `tcp6:` and "
          "`unix:PATH`. Empty: be a subagent."),
      key("standalone", "access", kRestart, Text{.may_be_empty = true},
          [](auto& config) -> auto& { return config.standalone.access; },
          "A file of access lines as in snmpd.conf (`rocommunity`, `createUser`, `view`, "
          "`trap2sink` and so on), read at start. Words that mean nothing here, run programs or "
          "name other files are mistakes. Empty: only this host may read, by the community `public`: "
          "over the loopback, and who can open a `unix:` socket. Nothing may be written then."),
      key("standalone", "state", kRestart, Text{.may_be_empty = true},
          [](auto& config) -> auto& { return config.standalone.state; },
          "The folder that keeps the SNMP engine's id and its count of starts, which SNMPv3 needs, and "
          "the number of the last connection that ended. "
          "Empty: `$STATE_DIRECTORY`, else `/var/lib/tcpmibd`, else `$XDG_STATE_HOME/tcpmibd`."),
      key("standalone", "tcp-idle", kLive, Interval{seconds(1), minutes(60)},
          [](auto& config) -> auto& { return config.standalone.connections.idle; },
          "A `tcp:`, `tcp6:` or `unix:` connection on which no request has come for so long is "
          "ended."),
      key("standalone", "tcp-connections", kLive, Number{1, 500},
          [](auto& config) -> auto& { return config.standalone.connections.most; },
          "How many such connections there may be at once. One more is closed as it comes, with a "
          "line in the log."),
      key("standalone", "tcp-connections-each", kLive, Number{1, 500},
          [](auto& config) -> auto& { return config.standalone.connections.each; },
          "How many of them from one address; all `unix:` ones count as one."),

      key("mib", "tables", kRestart, TableGroups{},
          [](auto& config) -> auto& { return config.mib.tables; },
          "What is served. `legacy` is tcpConnTable, `tcpmibd` is TCPMIBD-MIB. snmpd answers with "
          "rows of its own for a TCP-MIB table that is left out."),
      key("mib", "link-local", kRestart,
          Choice<bool>{{{"ipv6z", true}, {"ipv6", false}}},
          [](auto& config) -> auto& { return config.mib.link_local_zones; },
          "The address type of IPv6 link-local addresses: `ipv6z` carries the interface, as RFC "
          "4022 wants it; `ipv6` is for managers that cannot read that."),
      key("mib", "dual-stack-listener", kRestart,
          Choice<bool>{{{"unknown", true}, {"ipv6", false}}},
          [](auto& config) -> auto& { return config.mib.dual_stack_as_unknown; },
          "The address type of a listener that accepts IPv4 and IPv6 on any address: `unknown`, as "
          "RFC 4022 wants it, or `ipv6` for managers that cannot read that."),

      key("snapshot", "max-age", kLive, Interval{milliseconds(10), minutes(60)},
          [](auto& config) -> auto& { return config.snapshot.max_age; },
          "The greatest age of the rows that a walk sees. A host with very many sockets is read "
          "less often: at least five times the duration of the last reading lies between two."),

      key("process", "lookup", kLive, Boolean{},
          [](auto& config) -> auto& { return config.process.lookup; },
          "Whether to find the processes that own sockets. `false` saves reading `/proc` and makes "
          "every process column 0; the log line of a deletion names the owner where that can be "
          "seen. If it is `false` at the start, CAP_DAC_READ_SEARCH and the like are given up, and "
          "only a restart makes it `true` again."),
      key("process", "max-age", kLive, Interval{milliseconds(100), minutes(60)},
          [](auto& config) -> auto& { return config.process.max_age; },
          "The greatest age of what is known about the owners of sockets."),

      key("delete-tcb", "policy", kLive,
          Choice<tcp::DeletionPolicy>{{{"connections", tcp::DeletionPolicy::kConnections},
                                       {"all", tcp::DeletionPolicy::kAll},
                                       {"off", tcp::DeletionPolicy::kOff}}},
          [](auto& config) -> auto& { return config.delete_tcb.policy; },
          "What a manager may end by writing deleteTCB(12): connections, also listeners "
          "(`all`), or nothing. Whatever this says, it needs CAP_NET_ADMIN. If it is `off` at the "
          "start, that is given up, and only a restart makes it anything else."),
      key("delete-tcb", "protect-ports", kLive, Ports{},
          [](auto& config) -> auto& { return config.delete_tcb.protected_ports; },
          "Local ports whose connections and listeners are never deleted."),
      key("delete-tcb", "protect-remote-ports", kLive, Ports{},
          [](auto& config) -> auto& { return config.delete_tcb.protected_remote_ports; },
          "Remote ports to which connections are never deleted."),

      key("ends", "watch", kRestart, Choice<bool>{{{"auto", true}, {"off", false}}},
          [](auto& config) -> auto& { return config.ends.watch; },
          "Whether to watch connections end, and why. `auto`: where BPF may be used, which takes "
          "CAP_BPF and CAP_PERFMON; elsewhere one line of the log says what is missing."),
      key("ends", "history", kRestart, Number{0, 65536},
          [](auto& config) -> auto& { return config.ends.history; },
          "How many of the newest ends are kept for managers, of all network namespaces. Each takes "
          "136 octets: 1024 are 136 KiB, 65536 are 8.5 MiB. 0: ends are counted only."),

      key("watch", "interval", kLive, Interval{seconds(1), minutes(60), seconds(1)},
          [](auto& config) -> auto& { return config.watch.interval; },
          "How often the alarms are judged. Without an alarm nothing is watched."),

      key("notify", "deletions", kLive, Boolean{},
          [](auto& config) -> auto& { return config.notify.deletions; },
          "Whether to send a notification for each deletion done."),

      key("log", "level", kLive,
          Choice<log::Level>{{{"debug", log::Level::kDebug},
                              {"info", log::Level::kInfo},
                              {"notice", log::Level::kNotice},
                              {"warning", log::Level::kWarning},
                              {"error", log::Level::kError}}},
          [](auto& config) -> auto& { return config.log.level; },
          "The least important messages that are written."),
      key("log", "target", kLive,
          Choice<log::Target>{{{"auto", log::Target::kAuto},
                               {"journal", log::Target::kJournal},
                               {"syslog", log::Target::kSyslog},
                               {"stderr", log::Target::kStderr}}},
          [](auto& config) -> auto& { return config.log.target; },
          "Where messages go. `auto` is the journal under systemd, else standard error."),
  };
  return keys;
}
// clang-format on

const Key<Config>* find_key(std::string_view section, std::string_view name) {
  const auto found = std::ranges::find_if(
      keys(), [&](const Key<Config>& key) { return key.section == section && key.name == name; });
  return found == keys().end() ? nullptr : &*found;
}

// In the order of the table, each once.
std::vector<std::string_view> sections() {
  std::vector<std::string_view> names;
  for (const Key<Config>& key : keys()) {
    if (names.empty() || names.back() != key.section)
      names.push_back(key.section);
  }
  return names;
}

std::vector<std::string_view> names_in(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key<Config>& key : keys()) {
    if (key.section == section)
      names.push_back(key.name);
  }
  return names;
}

}  // namespace tcpmibd::agent
