#include "agent/config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "agent/config_alarms.h"
#include "agent/config_values.h"
#include "agent/nearest.h"
#include "base/handle.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::pair<std::string_view, bool Config::Mib::*> kTables[] = {
    {"scalars", &Config::Mib::scalars},     {"connections", &Config::Mib::connections},
    {"listeners", &Config::Mib::listeners}, {"legacy", &Config::Mib::legacy},
    {"tcpmibd", &Config::Mib::tcpmibd},
};

// The tables that are served; the names stand for one switch each.
struct Tables {
  std::string takes() const {
    std::string text;
    for (const auto& [name, served] : kTables)
      text += (text.empty() ? "a list of at least one of " : ", ") + toml_string(name);
    return text;
  }

  bool read(const toml::node& node, Config::Mib& mib) const {
    Config::Mib read = mib;
    for (const auto& [name, served] : kTables)
      read.*served = false;
    bool any = false;
    const bool known = for_each_of(node, [&](const toml::node& word) {
      const auto* table = std::ranges::find(kTables, word.value_exact<std::string_view>(),
                                            [](const auto& each) { return each.first; });
      any = table != std::end(kTables);
      if (any)
        read.*table->second = true;
      return any;
    });
    if (known && any)
      mib = read;
    return known && any;
  }

  std::string write(const Config::Mib& mib) const {
    std::vector<std::string_view> names;
    for (const auto& [name, served] : kTables) {
      if (mib.*served)
        names.push_back(name);
    }
    return list_of(names, toml_string);
  }
};

// ------------------------------------------------------------------------------------------------
// The keys: the one list from which reading, writing, suggestions and the manual derive.

template <typename Kind, typename Field>
Key<Config> key(std::string_view section, std::string_view name, Applies applies, Kind kind,
                Field field, std::string_view meaning) {
  return key_of<Config>(section, name, applies, kind, field, meaning);
}

// clang-format off
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
          "How long to wait before another attempt to reach a master that is away. Whole seconds, "
          "for the SNMP library counts in them."),
      key("agentx", "ping", kRestart, Interval{seconds(1), minutes(60), seconds(1)},
          [](auto& config) -> auto& { return config.agentx.ping; },
          "How often to ask a silent master whether it is still there. Whole seconds, for the SNMP "
          "library counts in them."),

      key("standalone", "address", kRestart, Addresses{},
          [](auto& config) -> auto& { return config.standalone.addresses; },
          "Where to serve SNMP without a master, one address or several: "
          "`\"udp:127.0.0.1:1161\"`, `\"udp6:[::1]:1161\"`. Empty: be a subagent."),
      key("standalone", "access", kRestart, Text{.may_be_empty = true},
          [](auto& config) -> auto& { return config.standalone.access; },
          "A file of access lines as in snmpd.conf (`rocommunity`, `createUser`, `view`, "
          "`trap2sink` and so on), read at start. Empty: only loopback may read, by the community "
          "`public`, and nothing may be written."),
      key("standalone", "state", kRestart, Text{.may_be_empty = true},
          [](auto& config) -> auto& { return config.standalone.state; },
          "The folder that keeps the SNMP engine's id and its count of starts, which SNMPv3 needs. "
          "Empty: `$STATE_DIRECTORY`, else `/var/lib/tcpmibd`, else `$XDG_STATE_HOME/tcpmibd`."),

      key("mib", "tables", kRestart, Tables{},
          [](auto& config) -> auto& { return config.mib; },
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
          "every process column 0; the log line of a deletion names the owner all the same."),
      key("process", "max-age", kLive, Interval{milliseconds(100), minutes(60)},
          [](auto& config) -> auto& { return config.process.max_age; },
          "The greatest age of what is known about the owners of sockets."),

      key("delete-tcb", "policy", kLive,
          Choice<tcp::DeletionPolicy>{{{"connections", tcp::DeletionPolicy::kConnections},
                                       {"all", tcp::DeletionPolicy::kAll},
                                       {"off", tcp::DeletionPolicy::kOff}}},
          [](auto& config) -> auto& { return config.delete_tcb.policy; },
          "What a manager may end by writing deleteTCB(12): connections, also listeners "
          "(`all`), or nothing. Whatever this says, it needs CAP_NET_ADMIN."),
      key("delete-tcb", "protect-ports", kLive, Ports{},
          [](auto& config) -> auto& { return config.delete_tcb.protected_ports; },
          "Local ports whose connections and listeners are never deleted."),
      key("delete-tcb", "protect-remote-ports", kLive, Ports{},
          [](auto& config) -> auto& { return config.delete_tcb.protected_remote_ports; },
          "Remote ports to which connections are never deleted."),

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

// ------------------------------------------------------------------------------------------------
// Reading

// Alarms have any number of sections, [alarm.NAME]; AlarmSections knows their keys.
constexpr std::string_view kAlarm = "alarm";

// What has been read so far.
struct Draft {
  Config config;
  AlarmSections alarms;
};

// Gives the key a value. Returns what is wrong with that; empty: nothing.
std::string put(const Key<Config>& key, const toml::node& value, Config& config) {
  return key.read(value, config) ? "" : wrong_value(key.dotted(), key.takes, value);
}

std::string unknown_key(std::string_view name, std::string_view section,
                        const std::vector<std::string_view>& keys) {
  return "unknown key '" + std::string(name) + "' in [" + std::string(section) + ']' +
         did_you_mean(name, keys);
}

std::string no_alarm_name(std::string_view name) {
  return '\'' + std::string(name) +
         "' cannot name an alarm: write 1 to 32 letters, digits, '-' and '_'";
}

std::vector<std::string_view> known_sections() {
  std::vector<std::string_view> names = sections();
  names.push_back(kAlarm);
  return names;
}

// For what stands at the top of a file and is no known section.
std::string not_a_section(std::string_view name, const toml::node& node) {
  const auto quoted = '\'' + std::string(name) + '\'';
  if (name == kAlarm)
    return quoted + " is a section for each alarm: write [alarm.NAME]";
  if (std::ranges::count(sections(), name) != 0)
    return quoted + " is a section: write [" + std::string(name) + ']';
  if (node.is_table() || node.is_array_of_tables())
    return "unknown section [" + std::string(name) + ']' + did_you_mean(name, known_sections());
  for (const Key<Config>& key : keys()) {
    if (key.name == name)
      return "key " + quoted + " outside a section; did you mean '" + key.dotted() + "'?";
  }
  return "unknown key " + quoted + " outside a section";
}

// Puts what stands in a file into a draft.
class FileReader {
 public:
  FileReader(const std::string& file, Draft& draft) : file_(file), draft_(draft) {}

  // Reads on after a mistake, so that the one told is the first in the order of the file, which is
  // not that of the table.
  Status apply(const toml::table& document) {
    for (const auto& [name, node] : document) {
      const toml::table* table = node.as_table();
      if (table != nullptr && name == kAlarm)
        apply_alarms(*table);
      else if (table != nullptr && std::ranges::count(sections(), name.str()) != 0)
        apply_section(name, *table);
      else
        tell(name, not_a_section(name, node));
    }
    const auto first = std::ranges::min_element(mistakes_, {}, &Mistake::line);
    return first == mistakes_.end() ? Status() : mistake(place(first->line), first->cause);
  }

 private:
  struct Mistake {
    toml::source_index line;
    std::string cause;
  };

  void apply_section(std::string_view section, const toml::table& table) {
    for (const auto& [name, node] : table) {
      const Key<Config>* key = find_key(section, name);
      tell(name, key == nullptr ? unknown_key(name, section, names_in(section))
                                : put(*key, node, draft_.config));
    }
  }

  void apply_alarms(const toml::table& alarms) {
    for (const auto& [name, node] : alarms) {
      if (!node.is_table())
        tell(name, '\'' + std::string(name) + "' is in no alarm: write [alarm.NAME] above it");
      else if (!AlarmSections::is_name(name))
        tell(name, no_alarm_name(name));
      else
        apply_alarm(name, *node.as_table());
    }
  }

  void apply_alarm(const toml::key& alarm, const toml::table& table) {
    draft_.alarms.open(alarm, place(alarm.source().begin.line));
    const std::vector<std::string_view> known = AlarmSections::keys();
    for (const auto& [name, node] : table)
      tell(name, std::ranges::count(known, name.str()) == 0
                     ? unknown_key(name, "alarm." + std::string(alarm), known)
                     : draft_.alarms.put(alarm, name, node, place(name.source().begin.line)));
  }

  void tell(const toml::key& at, std::string cause) {
    if (!cause.empty())
      mistakes_.push_back({at.source().begin.line, std::move(cause)});
  }

  std::string place(toml::source_index line) const { return file_ + ':' + std::to_string(line); }

  const std::string& file_;
  Draft& draft_;
  std::vector<Mistake> mistakes_;
};

Result<std::string> contents(const std::string& file) {
  const UniqueHandle<std::FILE, std::fclose> stream(std::fopen(file.c_str(), "re"));
  std::string text;
  std::array<char, 4096> buffer;
  while (stream && std::feof(stream.get()) == 0) {
    const std::size_t read = std::fread(buffer.data(), 1, buffer.size(), stream.get());
    if (std::ferror(stream.get()) != 0)
      break;
    text.append(buffer.data(), read);
  }
  if (stream && std::ferror(stream.get()) == 0)
    return text;
  const int code = errno;
  const char* cure = code == EACCES   ? "let the user that runs tcpmibd read it"
                     : code == ENOENT ? "name a file that exists, or none for the defaults"
                     : code == EISDIR ? "name a file, not a folder"
                                      : "";
  return failure("read " + file, code, cure);
}

Status apply_file(const std::string& file, Draft& draft) try {
  const Result<std::string> text = contents(file);
  if (!text)
    return tl::unexpected(text.error());
  return FileReader(file, draft).apply(toml::parse(*text));
} catch (const toml::parse_error& error) {
  const toml::source_position at = error.source().begin;
  return mistake(file + ':' + std::to_string(at.line) + ':' + std::to_string(at.column),
                 std::string(error.description()));
}

// The *.toml files of conf.d beside `file`, by name; hidden ones are an editor's.
Result<std::vector<std::string>> drop_ins(const std::string& file) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(file).parent_path() / "conf.d";
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name.extension() == ".toml" && name.native().front() != '.')
      files.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return failure("list " + folder.string(), error.value(),
                   "let the user that runs tcpmibd read it, or remove it");
  std::ranges::sort(files);
  return files;
}

// `value` as TOML, or as a bare word where it is none: both `true` and `ipv6` need no quotes.
Result<toml::table> override_value(std::string_view value) try {
  toml::table parsed = toml::parse("value = " + std::string(value));
  if (parsed.size() == 1)
    return parsed;
  return mistake("", "more than one key");
} catch (const toml::parse_error& error) {
  if (value.starts_with('"') || value.starts_with('\''))
    return mistake("", std::string(error.description()));
  return toml::table{{"value", value}};
}

// "leak" and "raise" of "alarm.leak.raise".
struct AlarmKeyName {
  std::string_view alarm;
  std::string_view key;
};

std::optional<AlarmKeyName> alarm_key(std::string_view dotted) {
  const std::size_t first = dotted.find('.');
  const std::size_t last = dotted.rfind('.');
  if (first == last || dotted.substr(0, first) != kAlarm)
    return std::nullopt;
  return AlarmKeyName{dotted.substr(first + 1, last - first - 1), dotted.substr(last + 1)};
}

std::string unknown_override(std::string_view name) {
  std::vector<std::string> dotted;
  for (const Key<Config>& key : keys())
    dotted.push_back(key.dotted());
  const std::optional<AlarmKeyName> alarm = alarm_key(name);
  for (const std::string_view key : AlarmSections::keys())
    dotted.push_back("alarm." + std::string(alarm ? alarm->alarm : "NAME") + '.' +
                     std::string(key));
  const std::vector<std::string_view> known(dotted.begin(), dotted.end());
  return "unknown key '" + std::string(name) + '\'' + did_you_mean(name, known);
}

// As the other put(), by the dotted name that an override has.
std::string put(std::string_view name, const toml::node& value, const std::string& place,
                Draft& draft) {
  const auto key =
      std::ranges::find_if(keys(), [&](const Key<Config>& each) { return each.dotted() == name; });
  if (key != keys().end())
    return put(*key, value, draft.config);
  const std::optional<AlarmKeyName> alarm = alarm_key(name);
  if (!alarm || std::ranges::count(AlarmSections::keys(), alarm->key) == 0)
    return unknown_override(name);
  if (!AlarmSections::is_name(alarm->alarm))
    return no_alarm_name(alarm->alarm);
  return draft.alarms.put(alarm->alarm, alarm->key, value, place);
}

Status apply_override(std::string_view text, Draft& draft) {
  const std::string place = "--set " + std::string(text);
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    return mistake(place, "no '=' between key and value");
  const Result<toml::table> value = override_value(text.substr(equals + 1));
  if (!value)
    return mistake(place, value.error().doing);
  const std::string cause = put(text.substr(0, equals), *value->get("value"), place, draft);
  return cause.empty() ? Status() : mistake(place, cause);
}

// ------------------------------------------------------------------------------------------------
// Writing

// In a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text)
    escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

constexpr std::string_view kReferenceHead =
    "| key | default | takes | applied | meaning |\n"
    "|---|---|---|---|---|\n";

std::string reference_row(std::string_view name, std::string_view initially, std::string_view takes,
                          Applies applies, std::string_view meaning) {
  return "| `" + std::string(name) + "` | " + cell(initially) + " | " + cell(takes) + " | " +
         (applies == Applies::kLive ? "live" : "restart") + " | " + cell(meaning) + " |\n";
}

constexpr std::string_view kReferenceIntroduction =
    "# Configuration\n"
    "\n"
    "This page is generated from the daemon's table of keys; `tcpmibd check-config` prints the\n"
    "values in effect.\n"
    "\n"
    "tcpmibd reads `/etc/tcpmibd/tcpmibd.toml`, or the file named by `--config`, then every\n"
    "`conf.d/*.toml` beside it in the order of their names, then each `--set KEY=VALUE`. What "
    "comes\n"
    "later wins, key by key; a list replaces a list. A missing key has its default, and without\n"
    "any file every key has. An unknown key or section, and a value that is not allowed, is an\n"
    "error that names file and line, and the daemon ends with status 2.\n"
    "\n"
    "The format is [TOML 1.0](https://toml.io). Durations are strings of a whole number and `ms`,\n"
    "`s` or `m`: `\"250ms\"`, `\"2s\"`, `\"5m\"`. On the command line a key is dotted and a value "
    "may be\n"
    "a bare word: `--set mib.link-local=ipv6`, `--set snapshot.max-age=5s`,\n"
    "`--set 'delete-tcb.protect-ports=[22, 443]'`.\n"
    "\n"
    "A *live* key is applied when SIGHUP makes the daemon read its configuration again. A\n"
    "*restart* key is read at start only: a reload that changes one is refused as a whole, with a\n"
    "log line that names it, and the configuration stays as it was.\n";

constexpr std::string_view kAlarmIntroduction =
    "\n## [alarm.NAME]\n"
    "\n"
    "Any number of sections, each an alarm. NAME is its name in the log, in TCPMIBD-MIB and in\n"
    "notifications: 1 to 32 letters, digits, `-` and `_`. There is none by default.\n"
    "[alarms.md](alarms.md) explains them, [alarms.toml](alarms.toml) has the usual ones. Keys of\n"
    "one alarm may stand in several files; it is judged as a whole when all are read. On the\n"
    "command line: `--set alarm.NAME.raise=100`.\n"
    "\n";

}  // namespace

Result<Config> load_config(const std::string& file, bool must_exist,
                           const std::vector<std::string>& overrides) {
  std::error_code error;
  std::vector<std::string> files;
  if (must_exist || std::filesystem::exists(file, error) || error)
    files.push_back(file);
  const Result<std::vector<std::string>> later = drop_ins(file);
  if (!later)
    return tl::unexpected(later.error());
  files.insert(files.end(), later->begin(), later->end());

  Draft draft;
  for (const std::string& each : files) {
    if (const Status status = apply_file(each, draft); !status)
      return tl::unexpected(status.error());
  }
  for (const std::string& each : overrides) {
    if (const Status status = apply_override(each, draft); !status)
      return tl::unexpected(status.error());
  }
  return draft.alarms.rules().map([&](std::vector<tcp::AlarmRule> alarms) {
    draft.config.alarms = std::move(alarms);
    return std::move(draft.config);
  });
}

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, sizeof "\\u0000"> escape;
      std::snprintf(escape.data(), escape.size(), "\\u%04x", static_cast<unsigned>(c));
      quoted += escape.data();
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string to_toml(const Config& config) {
  std::string text;
  for (const std::string_view section : sections()) {
    text += (text.empty() ? "[" : "\n[") + std::string(section) + "]\n";
    for (const Key<Config>& key : keys()) {
      if (key.section == section)
        text += std::string(key.name) + " = " + key.write(config) + '\n';
    }
  }
  for (const tcp::AlarmRule& alarm : config.alarms)
    text += '\n' + to_toml(alarm);
  return text;
}

std::string config_reference() {
  std::string text(kReferenceIntroduction);
  for (const std::string_view section : sections()) {
    text += "\n## [" + std::string(section) + "]\n\n" + std::string(kReferenceHead);
    for (const Key<Config>& key : keys()) {
      if (key.section == section)
        text += reference_row(key.name, '`' + key.write(Config()) + '`', key.takes, key.applies,
                              key.meaning);
    }
  }
  text += kAlarmIntroduction;
  text += kReferenceHead;
  for (const AlarmKeyReference& key : alarm_reference())
    text += reference_row(key.name, key.initially, key.takes, Applies::kLive, key.meaning);
  return text;
}

std::vector<KeyReference> key_references() {
  std::vector<KeyReference> references;
  for (const Key<Config>& key : keys())
    references.push_back({.section = std::string(key.section),
                          .name = std::string(key.name),
                          .initial = key.write(Config()),
                          .takes = key.takes,
                          .meaning = std::string(key.meaning),
                          .live = key.applies == Applies::kLive});
  for (const AlarmKeyReference& key : alarm_reference()) {
    std::string initially(key.initially);
    std::erase(initially, '`');
    references.push_back({.section = kAlarmPattern,
                          .name = std::string(key.name),
                          .initial = std::move(initially),
                          .takes = key.takes,
                          .meaning = std::string(key.meaning),
                          .live = true});
  }
  return references;
}

std::vector<std::string> restart_keys(const Config& from, const Config& to) {
  std::vector<std::string> changed;
  for (const Key<Config>& key : keys()) {
    if (key.applies == Applies::kRestart && key.write(from) != key.write(to))
      changed.push_back(key.dotted());
  }
  return changed;
}

}  // namespace tcpmibd::agent
