#include "agent/netsnmp/hosts_access.h"

#include <dlfcn.h>
#include <strings.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/read_file.h"
#include "base/words.h"

namespace tcpmibd::agent {
namespace {

constexpr std::chrono::minutes kLongestKept{1};

// Whoever sends from a thousand addresses has us ask for some of them again.
constexpr std::size_t kMostVerdicts = 1024;

// Where libwrap looks.
constexpr const char* kAllow = "/etc/hosts.allow";
constexpr const char* kDeny = "/etc/hosts.deny";

bool is_same_time(const timespec& one, const timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

bool is_same(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino && one.st_size == other.st_size &&
         is_same_time(one.st_mtim, other.st_mtim) && is_same_time(one.st_ctim, other.st_ctim);
}

// What stands before the next colon; one within brackets belongs to an address of IPv6.
std::string_view take_field(std::string_view& rule) {
  std::size_t end = 0;
  for (int depth = 0; end < rule.size() && (depth > 0 || rule[end] != ':'); ++end)
    depth += rule[end] == '[' ? 1 : rule[end] == ']' ? -1 : 0;
  const std::string_view field = rule.substr(0, end);
  rule.remove_prefix(std::min(end + 1, rule.size()));
  return field;
}

bool is_verdict(std::string_view field) {
  const std::string word(take_word(field));
  return take_word(field).empty() &&
         (::strcasecmp(word.c_str(), "allow") == 0 || ::strcasecmp(word.c_str(), "deny") == 0);
}

// A list names a file by a word that begins with a slash; a mask has one within a word.
bool names_a_file(std::string_view list) {
  for (std::size_t at = list.find('/'); at != std::string_view::npos; at = list.find('/', at + 1)) {
    if (at == 0 || std::string_view(" \t,").find(list[at - 1]) != std::string_view::npos)
      return true;
  }
  return false;
}

bool is_plain(std::string_view rule) {
  if (rule.starts_with('#'))
    return true;
  if (rule.find_first_of("@\\") != std::string_view::npos)
    return false;
  const std::string_view daemons = take_field(rule);
  const std::string_view clients = take_field(rule);
  if (names_a_file(daemons) || names_a_file(clients))
    return false;
  while (!rule.empty()) {
    if (!is_verdict(take_field(rule)))
      return false;
  }
  return true;
}

// No file has no rules. None: it cannot be read.
std::optional<std::string> rules_in(const std::string& path) {
  Result<std::string> text = read_file(path);
  if (text)
    return *std::move(text);
  return text.error().code == ENOENT ? std::optional<std::string>("") : std::nullopt;
}

bool has_plain_rules(const std::string& path) {
  const std::optional<std::string> rules = rules_in(path);
  return rules && is_of_plain_rules(*rules);
}

}  // namespace

bool is_of_plain_rules(std::string_view text) {
  while (!text.empty()) {
    if (!is_plain(take_until(text, '\n')))
      return false;
  }
  return true;
}

// Notes how the file is now.
bool HostsAccess::is_as_before(File& file) const {
  struct stat now {};
  const bool is_there = ::stat(file.path.c_str(), &now) == 0;
  const bool same =
      is_there ? file.seen && is_same(now, *file.seen) : errno == ENOENT && !file.seen;
  file.seen = is_there ? std::optional(now) : std::nullopt;
  return same;
}

void HostsAccess::begin_anew() {
  verdicts_.clear();
  is_kept_ = has_plain_rules(allow_.path) && has_plain_rules(deny_.path);
}

bool HostsAccess::admits(const std::string& key, const Ask& ask, Time now) {
  const bool is_allow_same = is_as_before(allow_);
  const bool is_deny_same = is_as_before(deny_);
  if (!is_allow_same || !is_deny_same || !since_ || now - *since_ >= kLongestKept ||
      verdicts_.size() >= kMostVerdicts) {
    since_ = now;
    begin_anew();
  }
  const auto known = verdicts_.find(key);
  if (known != verdicts_.end() && known->second.is_confirmed)
    return known->second.admits;
  const bool verdict = ask();
  // Without a descriptor for a moment libwrap has judged without the files.
  if (is_kept_ && has_plain_rules(allow_.path) && has_plain_rules(deny_.path))
    note(key, verdict);
  return verdict;
}

void HostsAccess::note(const std::string& key, bool verdict) {
  const auto [place, is_first] = verdicts_.try_emplace(key, Verdict{.admits = verdict});
  const bool is_same = place->second.admits == verdict;
  place->second = {.admits = verdict, .is_confirmed = !is_first && is_same};
}

}  // namespace tcpmibd::agent

// The SNMP library finds this function before libwrap's (tcpd.h), which is asked by it. Without
// that one nobody is served.
extern "C" [[gnu::visibility("default")]] int hosts_ctl(char* daemon, char* name, char* address,
                                                        char* user) noexcept {
  using tcpmibd::agent::HostsAccess;
  using Original = int (*)(char*, char*, char*, char*);
  static const auto original = reinterpret_cast<Original>(::dlsym(RTLD_NEXT, "hosts_ctl"));
  static HostsAccess access(tcpmibd::agent::kAllow, tcpmibd::agent::kDeny);
  std::string key;
  for (const char* part : {daemon, name, address, user})
    key.append(part).push_back('\n');
  const auto ask = [&] {
    return original != nullptr && original(daemon, name, address, user) != 0;
  };
  return access.admits(key, ask, tcpmibd::Clock::now()) ? 1 : 0;
}
