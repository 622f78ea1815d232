#pragma once

#include <toml++/toml.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/values.h"
#include "base/error.h"
#include "survey/alarm.h"

namespace tcpmibd::agent {

// The sections [alarm.NAME] of all files and overrides. Each key may come from elsewhere, so an
// alarm is judged as a whole in the end, and keeps where its keys were written.
//
// A place is "tcpmibd.toml:7" or "--set alarm.leak.raise=100".
class AlarmSections {
 public:
  static bool is_name(std::string_view name);
  static std::vector<std::string_view> keys();

  // An alarm of which nothing else may follow.
  void open(std::string_view name, const std::string& place);

  // Gives one of keys() a value. Returns what is wrong with it; empty: nothing.
  std::string put(std::string_view name, std::string_view key, const toml::node& value,
                  const std::string& place);

  // Ascending by name. The error names the place of the key that is missing or does not fit.
  Result<std::vector<tcp::AlarmRule>> rules() const;

 private:
  struct Section {
    std::string place;
    tcp::AlarmRule rule;
    std::map<std::string, std::string, std::less<>> places;  // of the keys that were written
  };

  static Result<tcp::AlarmRule> complete(const Section& section);

  std::map<std::string, Section, std::less<>> sections_;
};

// A key of every alarm.
struct AlarmKey {
  Key<tcp::AlarmRule> key;
  std::string_view initially;  // Markdown
};

// In the order in which they are written.
const std::vector<AlarmKey>& alarm_keys();

// Its section as TOML, every key written out.
std::string to_toml(const tcp::AlarmRule& rule);

}  // namespace tcpmibd::agent
