#include "agent/config/access_file.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "agent/config/nearest.h"
#include "base/input_file.h"
#include "base/words.h"

namespace tcpmibd::agent {
namespace {

// The library's buffers for a word of a line have 1024 octets.
constexpr std::size_t kLongestLine = 1000;

constexpr std::string_view kBlank = " \t\r\v\f";

constexpr std::string_view kAllowed[] = {
    // who may do what
    "com2sec", "com2sec6", "com2secunix", "group", "access", "setaccess", "view", "rocommunity",
    "rocommunity6", "rwcommunity", "rwcommunity6", "rouser", "rwuser", "createUser",
    "authcommunity", "authuser", "authgroup", "authaccess", "sourceFilterType",
    "sourceFilterAddress",
    // the system group
    "sysdescr", "syslocation", "syscontact", "sysname", "sysservices", "sysobjectid",
    // who receives notifications
    "trapsink", "trap2sink", "informsink", "trapsess", "trapcommunity", "v1trapaddress",
    "authtrapenable",
    // how much is answered at once
    "maxGetbulkRepeats", "maxGetbulkResponses", "avgBulkVarbindSize"};

struct Refused {
  std::string_view word;
  std::string_view why;
};

constexpr std::string_view kOneFile =
    "no other file is read from here: write its lines in its place";
constexpr std::string_view kNoProgram = "tcpmibd runs no programs and loads no modules";
constexpr std::string_view kNoMaster =
    "tcpmibd is no AgentX master; [agentx] in tcpmibd.toml is "
    "for the role of a subagent";
constexpr std::string_view kNoSmux = "tcpmibd has no SMUX";
constexpr std::string_view kUser = "tcpmibd does not change its user: User= of its unit says it";
constexpr std::string_view kEngine = "the engine is kept in the folder standalone.state";
constexpr std::string_view kLog = "set log.target and log.level in tcpmibd.toml";
constexpr std::string_view kTls = "tcpmibd serves UDP and TCP without TLS";
constexpr std::string_view kNothing = "it means nothing to tcpmibd";

// Words of snmpd.conf(5) and snmp.conf(5) that somebody may bring along.
constexpr Refused kRefused[] = {
    {"include", kOneFile},
    {"includeFile", kOneFile},
    {"includeDir", kOneFile},
    {"includeSearch", kOneFile},
    {"perlInitFile", kOneFile},
    {"mibfile", kOneFile},
    {"mibdirs", kOneFile},
    {"mibs", kOneFile},
    {"persistentDir", kOneFile},
    {"agentaddress", "set standalone.address in tcpmibd.toml"},
    {"agentuser", kUser},
    {"agentgroup", kUser},
    {"master", kNoMaster},
    {"agentXSocket", kNoMaster},
    {"agentXPerms", kNoMaster},
    {"agentXTimeout", kNoMaster},
    {"agentXRetries", kNoMaster},
    {"agentXPingInterval", kNoMaster},
    {"smuxpeer", kNoSmux},
    {"smuxsocket", kNoSmux},
    {"proxy", "tcpmibd asks no other agent"},
    {"pass", kNoProgram},
    {"pass_persist", kNoProgram},
    {"exec", kNoProgram},
    {"execfix", kNoProgram},
    {"extend", kNoProgram},
    {"extendfix", kNoProgram},
    {"sh", kNoProgram},
    {"procfix", kNoProgram},
    {"dlmod", kNoProgram},
    {"perl", kNoProgram},
    {"disablePerl", kNoProgram},
    {"injectHandler", kNoProgram},
    {"engineID", kEngine},
    {"engineIDType", kEngine},
    {"engineIDNic", kEngine},
    {"exactEngineID", kEngine},
    {"oldEngineID", kEngine},
    {"engineBoots", kEngine},
    {"usmUser", "snmpd writes it for itself: name the user with createUser"},
    {"logOption", kLog},
    {"logTimestamp", kLog},
    {"doDebugging", kLog},
    {"debugTokens", kLog},
    {"dontLogTCPWrappersConnects", kLog},
    {"certSecName", kTls},
    {"trustCert", kTls},
    {"localCert", kTls},
    {"peerCert", kTls},
    {"snmpTlstmParams", kTls},
    {"snmpTlstmAddr", kTls},
    {"x509CRLFile", kTls},
    {"extraX509SubDir", kTls},
    {"quit", kNothing},
    {"leave_pidfile", kNothing},
    {"pduStatsMax", kNothing},
    {"pduStatsThreshold", kNothing},
    {"table", kNothing},
    {"add_row", kNothing},
    {"override", kNothing},
    {"agentSecName", kNothing},
    {"iquerySecName", kNothing},
    {"iqueryVersion", kNothing},
    {"iquerySecLevel", kNothing},
    {"defDomain", kNothing},
    {"defTarget", kNothing},
    {"defSecurityName", kNothing},
    {"defVersion", kNothing},
    {"monitor", "alarms are [alarm.NAME] sections of tcpmibd.toml"},
    {"defaultMonitors", kNothing},
    {"linkUpDownNotifications", kNothing},
    {"notificationEvent", kNothing},
    {"setEvent", kNothing},
    {"proc", kNothing},
    {"disk", kNothing},
    {"includeAllDisks", kNothing},
    {"load", kNothing},
    {"file", kNothing},
    {"logmatch", kNothing},
    {"swap", kNothing},
    {"interface", kNothing},
    {"ignoredisk", kNothing},
    {"cron", kNothing},
    {"at", kNothing},
    {"repeat", kNothing},
};

// Case does not count, as in the library.
bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool is_allowed(std::string_view word) {
  return std::ranges::any_of(kAllowed,
                             [&](std::string_view each) { return same_word(each, word); });
}

// Why this word is not allowed.
std::string why_not(std::string_view word) {
  const std::string quoted = '\'' + std::string(word) + '\'';
  if (word.starts_with('['))
    return quoted + " begins a section, which is for other programs: write its lines without it";
  for (const Refused& refused : kRefused) {
    if (same_word(refused.word, word))
      return quoted + " is refused: " + std::string(refused.why);
  }
  return "unknown word " + quoted + did_you_mean(word, kAllowed);
}

// The next word of a value, as the library takes it: quotes hold blanks, a backslash the next
// octet.
std::string take_quoted_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const char quote = text.starts_with('"') || text.starts_with('\'') ? text.front() : '\0';
  if (quote != '\0')
    text.remove_prefix(1);
  std::string word;
  while (!text.empty()) {
    const char sign = text.front();
    text.remove_prefix(1);
    if (quote != '\0' ? sign == quote : kBlank.find(sign) != std::string_view::npos)
      break;
    if (sign != '\\') {
      word += sign;
    } else if (!text.empty()) {
      word += text.front();
      text.remove_prefix(1);
    }
  }
  return word;
}

// Whether trapsess may have this word. Others of the tools' options open log files, read MIBs, or
// say words of configuration once more.
bool is_trapsess_word(std::string_view word) {
  constexpr std::string_view kOptions = "3aAcCeElnrstuvxXZ";
  if (!word.starts_with('-') || word == "-profile" || word == "-name" || word == "-tag")
    return true;
  return word.size() > 1 && kOptions.find(word[1]) != std::string_view::npos;
}

std::string wrong_with_trapsess(std::string_view value) {
  while (!value.empty()) {
    const std::string word = take_quoted_word(value);
    if (!is_trapsess_word(word))
      return "'trapsess' takes no '" + word +
             "': it takes -v, -c, -u, -l, -a, -A, -x, -X, -3, -n, -e, -E, -C, -r, -s, -t and -Z";
  }
  return {};
}

std::string_view trimmed_blank(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  return text.substr(0, text.find_last_not_of(kBlank) + 1);
}

// What is wrong with the line; empty: nothing.
std::string wrong_with(const AccessLine& line) {
  if (line.word.size() + line.value.size() > kLongestLine)
    return "the line is longer than " + std::to_string(kLongestLine) + " octets";
  if (!is_allowed(line.word))
    return why_not(line.word);
  // As the library has it, where a comment begins with the first word of a value.
  if (line.value.empty() || line.value.starts_with('#'))
    return '\'' + line.word + "' says nothing: its value is missing";
  return same_word(line.word, "trapsess") ? wrong_with_trapsess(line.value) : std::string();
}

AccessLine line_of(std::string_view text, std::size_t number) {
  const std::size_t end = std::min(text.find_first_of(kBlank), text.size());
  return {number, std::string(text.substr(0, end)), std::string(trimmed_blank(text.substr(end)))};
}

}  // namespace

std::vector<AccessLine> conf_lines(std::string_view text) {
  std::vector<AccessLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view said = trimmed_blank(take_until(text, '\n'));
    if (!said.empty() && !said.starts_with('#'))
      lines.push_back(line_of(said, number));
  }
  return lines;
}

Result<std::vector<AccessLine>> access_lines(const std::string& file, std::string_view text) {
  std::vector<AccessLine> lines = conf_lines(text);
  for (const AccessLine& line : lines) {
    if (std::string cause = wrong_with(line); !cause.empty())
      return mistake(file + ':' + std::to_string(line.number), std::move(cause));
  }
  return lines;
}

Result<std::vector<AccessLine>> read_access_file(const std::string& file) {
  return read_input({.name = file, .role = "the access file "})
      .and_then([&](const std::string& text) { return access_lines(file, text); });
}

// rocommunity and its like distinguish readers by their address.
bool admit_without_address(const std::vector<AccessLine>& lines) {
  constexpr std::string_view kAdmitting[] = {"com2secunix", "rouser", "rwuser", "authuser"};
  return std::ranges::any_of(lines, [&](const AccessLine& line) {
    return std::ranges::any_of(kAdmitting,
                               [&](std::string_view word) { return same_word(word, line.word); });
  });
}

}  // namespace tcpmibd::agent
