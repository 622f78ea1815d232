#include "agent/reference/configuration.h"

#include <utility>

#include "agent/config/alarms.h"
#include "agent/config/keys.h"

namespace tcpmibd::agent {
namespace {

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
    "log line that names it, and the configuration stays as it was. So is a reload that needs a\n"
    "capability that was given up at the start ([security.md](security.md#privileges)).\n"
    "\n"
    "A file has at most 256 KiB and `conf.d` at most 64 of them. What is no text file is refused,\n"
    "and so is a file, or the folder `conf.d`, that others can write: everybody, a group that is\n"
    "neither root's nor that of the process, an owner who is neither root nor its user. The\n"
    "process that reads it is the one that counts: `sudo -u tcpmibd tcpmibd check-config` judges\n"
    "as the service does. The access file is judged in the same way.\n";

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
  for (const auto& [key, initially] : alarm_keys())
    text += reference_row(key.name, initially, key.takes, Applies::kLive, key.meaning);
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
  for (const auto& [key, markdown] : alarm_keys()) {
    std::string initially(markdown);
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

}  // namespace tcpmibd::agent
