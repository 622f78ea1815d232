#include "agent/config/config.h"

#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <utility>

#include "agent/config/alarms.h"
#include "agent/config/keys.h"
#include "agent/config/nearest.h"
#include "agent/config/toml_depth.h"
#include "base/drop_ins.h"
#include "base/input_file.h"
#include "base/printable.h"

namespace tcpmibd::agent {
namespace {

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

  // Reads on after a mistake, so that the one reported is the first in the order of the file, which
  // is not that of the table.
  Status apply(const toml::table& document) {
    for (const auto& [name, node] : document) {
      const toml::table* table = node.as_table();
      if (table != nullptr && name == kAlarm)
        apply_alarms(*table);
      else if (table != nullptr && std::ranges::count(sections(), name.str()) != 0)
        apply_section(name, *table);
      else
        report(name, not_a_section(name, node));
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
      report(name, key == nullptr ? unknown_key(name, section, names_in(section))
                                  : put(*key, node, draft_.config));
    }
  }

  void apply_alarms(const toml::table& alarms) {
    for (const auto& [name, node] : alarms) {
      if (!node.is_table())
        report(name, '\'' + std::string(name) + "' is in no alarm: write [alarm.NAME] above it");
      else if (!AlarmSections::is_name(name))
        report(name, no_alarm_name(name));
      else
        apply_alarm(name, *node.as_table());
    }
  }

  void apply_alarm(const toml::key& alarm, const toml::table& table) {
    draft_.alarms.open(alarm, place(alarm.source().begin.line));
    const std::vector<std::string_view> known = AlarmSections::keys();
    for (const auto& [name, node] : table)
      report(name, std::ranges::count(known, name.str()) == 0
                       ? unknown_key(name, "alarm." + std::string(alarm), known)
                       : draft_.alarms.put(alarm, name, node, place(name.source().begin.line)));
  }

  void report(const toml::key& at, std::string cause) {
    if (!cause.empty())
      mistakes_.push_back({at.source().begin.line, std::move(cause)});
  }

  std::string place(toml::source_index line) const { return file_ + ':' + std::to_string(line); }

  const std::string& file_;
  Draft& draft_;
  std::vector<Mistake> mistakes_;
};

// The document, by the library, once it is known that it cannot lead the library astray.
Result<toml::table> parsed(std::string_view text, const std::string& place) try {
  if (const std::optional<std::size_t> line = line_too_deep(text))
    return mistake(place + ':' + std::to_string(*line),
                   "nested more than " + std::to_string(kDeepestToml) +
                       " deep: no key needs brackets or dots like that");
  return toml::parse(text);
} catch (const toml::parse_error& error) {
  const toml::source_position at = error.source().begin;
  return mistake(place + ':' + std::to_string(at.line) + ':' + std::to_string(at.column),
                 std::string(error.description()));
}

Status apply_file(const std::string& file, Draft& draft) {
  return read_input({.name = file})
      .and_then([&](const std::string& text) { return parsed(text, file); })
      .and_then(
          [&](const toml::table& document) { return FileReader(file, draft).apply(document); });
}

// Far more than anybody has, and few enough to be read at once.
constexpr std::size_t kMostDropIns = 64;

// The *.toml files of conf.d beside `file`, by name.
Result<std::vector<std::string>> drop_ins(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path() / "conf.d";
  if (const Status judged = judge_folder(folder); !judged && judged.error().code != ENOENT)
    return tl::unexpected(judged.error());
  return drop_in_files(folder, ".toml", kMostDropIns).map_error([](Error error) {
    error.cure = error.code == 0 ? "write their keys into fewer"
                                 : "let the user that runs tcpmibd read it, or remove it";
    return error;
  });
}

bool is_utf8(std::string_view text) {
  bool valid = true;
  while (valid && !text.empty())
    valid = take_character(text).code != Character::kInvalid;
  return valid;
}

// `value` as TOML, or as a bare word where it is none: both `true` and `ipv6` need no quotes.
Result<toml::table> override_value(std::string_view value) try {
  const std::string text = "value = " + std::string(value);
  if (line_too_deep(text))
    return mistake("", "nested too deep");
  toml::table parsed = toml::parse(text);
  if (parsed.size() == 1)
    return parsed;
  return mistake("", "more than one key");
} catch (const toml::parse_error& error) {
  if (value.starts_with('"') || value.starts_with('\'') || !is_utf8(value))
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

}  // namespace

Result<std::vector<std::string>> configuration_files(const std::string& file, bool must_exist) {
  std::error_code error;
  Result<std::vector<std::string>> files = drop_ins(file);
  // A link that leads nowhere is there, and a mistake.
  if (files && (must_exist || std::filesystem::symlink_status(file, error).type() !=
                                  std::filesystem::file_type::not_found))
    files->insert(files->begin(), file);
  return files;
}

Result<Config> load_config(const std::string& file, bool must_exist,
                           const std::vector<std::string>& overrides) {
  const Result<std::vector<std::string>> files = configuration_files(file, must_exist);
  if (!files)
    return tl::unexpected(files.error());
  Draft draft;
  for (const std::string& each : *files) {
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

std::vector<std::string> restart_keys(const Config& from, const Config& to) {
  std::vector<std::string> changed;
  for (const Key<Config>& key : keys()) {
    if (key.applies == Applies::kRestart && key.write(from) != key.write(to))
      changed.push_back(key.dotted());
  }
  return changed;
}

}  // namespace tcpmibd::agent
