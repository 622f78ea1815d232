#include "agent/config/alarms.h"

#include <algorithm>
#include <optional>

#include "tcp/state.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using tcp::AlarmRule;
using tcp::Measure;

constexpr std::size_t kLongestName = 32;  // tcpmibdAlarmName

// A value that no host reaches, so that a mistyped number is an error.
constexpr int kMost = 1'000'000'000;

// A state under any name, also as the number that a bare word on the command line may be; or one
// of kMeasureWords.
struct MeasureWord {
  std::string takes() const {
    std::string text = "a state such as \"closeWait\"";
    for (const auto& [word, kind] : tcp::kMeasureWords)
      text += " or " + toml_string(word);
    return text;
  }

  bool read(const toml::node& node, Measure& measure) const {
    const std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
    const std::string text =
        number ? std::to_string(*number) : node.value_exact<std::string>().value_or("");
    const auto* known =
        std::ranges::find(tcp::kMeasureWords, text, [](const auto& word) { return word.first; });
    const std::optional<tcp::State> state = tcp::parse_state(text);
    if (known == tcp::kMeasureWords.end() && !state)
      return false;
    measure.kind = state ? Measure::Kind::kState : known->second;
    measure.state = state.value_or(Measure().state);
    return true;
  }

  std::string write(const Measure& measure) const { return toml_string(word_of(measure)); }
};

template <typename Words>
auto choice_of(const Words& words) {
  return Choice<typename Words::value_type::second_type>{{words.begin(), words.end()}};
}

// clang-format off
template <typename Kind, typename Field>
AlarmKey key(std::string_view name, std::string_view initially, Kind kind, Field field,
             std::string_view meaning) {
  return {key_of<AlarmRule>("alarm", name, Applies::kLive, kind, field, meaning), initially};
}

}  // namespace

const std::vector<AlarmKey>& alarm_keys() {
  static const std::vector<AlarmKey> keys = {
      key("measure", "must be given", MeasureWord{},
          [](auto& rule) -> auto& { return rule.measure; },
          "What is looked at: the connections in a state, which goes by any common name "
          "(`\"CLOSE-WAIT\"`, `\"close_wait\"`, `\"8\"`), or one of the words."),
      key("per", "`\"host\"`; of `queue-percent` and `drops` `\"port\"`",
          choice_of(tcp::kPerWords),
          [](auto& rule) -> auto& { return rule.measure.per; },
          "Whose count it is; the worst one decides. A port is one that something listens on, a "
          "unit a service of systemd, a container or a machine."),
      key("older-than", "`\"0s\"`", choice_of(tcp::kAgeWords),
          [](auto& rule) -> auto& { return rule.measure.older_than; },
          "Counts only connections that have been in the state for so long. Of synSent, finWait2, "
          "closeWait, lastAck and timeWait, for the whole host."),
      key("raise", "must be given", Number{1, kMost},
          [](auto& rule) -> auto& { return rule.raise_at; },
          "Raised at this value or above: connections, a percentage, or drops in an interval."),
      key("clear", "four fifths of `raise`, rounded down", Number{0, kMost - 1},
          [](auto& rule) -> auto& { return rule.clear_at; },
          "Cleared at this value or below; less than `raise`."),
      key("for", "`\"0s\"`", Interval{seconds(0), minutes(24 * 60)},
          [](auto& rule) -> auto& { return rule.hold; },
          "Raised only after the value was at `raise` or above in every observation for so long."),
  };
  return keys;
}
// clang-format on

namespace {

const Key<AlarmRule>& key_named(std::string_view name) {
  return std::ranges::find(alarm_keys(), name, [](const AlarmKey& each) { return each.key.name; })
      ->key;
}

std::string dotted(std::string_view alarm, std::string_view key) {
  return "alarm." + std::string(alarm) + '.' + std::string(key);
}

tl::unexpected<Error> missing(const AlarmRule& rule, const std::string& place,
                              const std::string& key, const std::string& example) {
  return tl::unexpected(Error{.doing = "[alarm." + rule.name + "] has no '" + key + '\'',
                              .code = 0,
                              .cure = "write " + key + " = " + example,
                              .place = place});
}

tl::unexpected<Error> misfit(const AlarmRule& rule, const std::string& place,
                             const tcp::Objection& objection) {
  return tl::unexpected(Error{.doing = dotted(rule.name, objection.key) + " = " +
                                       key_named(objection.key).write(rule) +
                                       " does not fit: " + std::string(objection.cause),
                              .code = 0,
                              .cure = std::string(objection.cure),
                              .place = place});
}

}  // namespace

bool AlarmSections::is_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  return !name.empty() && name.size() <= kLongestName &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

std::vector<std::string_view> AlarmSections::keys() {
  std::vector<std::string_view> names;
  for (const AlarmKey& each : alarm_keys())
    names.push_back(each.key.name);
  return names;
}

void AlarmSections::open(std::string_view name, const std::string& place) {
  const auto [section, is_new] = sections_.try_emplace(std::string(name));
  if (is_new)
    section->second.place = place;
  section->second.rule.name = name;
}

std::string AlarmSections::put(std::string_view name, std::string_view key, const toml::node& value,
                               const std::string& place) {
  open(name, place);
  Section& section = sections_.find(name)->second;
  section.places.insert_or_assign(std::string(key), place);
  const Key<AlarmRule>& known = key_named(key);
  return known.read(value, section.rule) ? "" : wrong_value(dotted(name, key), known.takes, value);
}

Result<AlarmRule> AlarmSections::complete(const Section& section) {
  const auto lacks = [&](std::string_view key) { return !section.places.contains(key); };
  AlarmRule rule = section.rule;
  if (lacks("measure"))
    return missing(rule, section.place, "measure", "\"closeWait\" or what else it looks at");
  if (lacks("raise"))
    return missing(rule, section.place, "raise", "100 or the value that is too much");
  if (lacks("per"))
    rule.measure.per = tcp::usual_per(rule.measure.kind);
  if (lacks("clear"))
    rule.clear_at = tcp::usual_clear_at(rule.raise_at);
  const std::optional<tcp::Objection> objection = objection_to(rule);
  if (!objection)
    return rule;
  const auto place = section.places.find(objection->key);
  return misfit(rule, place == section.places.end() ? section.place : place->second, *objection);
}

Result<std::vector<AlarmRule>> AlarmSections::rules() const {
  std::vector<AlarmRule> rules;
  for (const auto& [name, section] : sections_) {
    Result<AlarmRule> rule = complete(section);
    if (!rule)
      return tl::unexpected(rule.error());
    rules.push_back(std::move(*rule));
  }
  return rules;
}

std::string to_toml(const AlarmRule& rule) {
  std::string text = "[alarm." + rule.name + "]\n";
  for (const AlarmKey& each : alarm_keys())
    text += std::string(each.key.name) + " = " + each.key.write(rule) + '\n';
  return text;
}

}  // namespace tcpmibd::agent
