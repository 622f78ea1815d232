#pragma once

#include <toml++/toml.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/config/toml_string.h"
#include "base/clock.h"

// Kinds of values in the configuration. Each says what it takes, in words that follow "takes";
// reads a TOML node or refuses it; and writes a value as the TOML that it reads.

namespace tcpmibd::agent {

struct Boolean {
  std::string takes() const { return "true or false"; }
  bool read(const toml::node& node, bool& value) const;
  std::string write(bool value) const { return value ? "true" : "false"; }
};

struct Number {
  int least;
  int most;

  std::string takes() const;

  template <typename Integer>
  bool read(const toml::node& node, Integer& value) const {
    const std::optional<std::int64_t> read = node.value_exact<std::int64_t>();
    if (!read || *read < least || *read > most)
      return false;
    value = static_cast<Integer>(*read);
    return true;
  }

  template <typename Integer>
  std::string write(Integer value) const {
    return std::to_string(value);
  }
};

struct Ports {
  std::string takes() const { return "a list of port numbers from 1 to 65535"; }
  bool read(const toml::node& node, std::vector<std::uint16_t>& ports) const;
  std::string write(const std::vector<std::uint16_t>& ports) const;
};

struct Text {
  bool may_be_empty;

  std::string takes() const { return may_be_empty ? "a string" : "a string that is not empty"; }
  bool read(const toml::node& node, std::string& value) const;
  std::string write(const std::string& value) const { return toml_string(value); }
};

// A list or one; the empty string is none.
struct Addresses {
  std::string takes() const { return "a string or a list of strings"; }
  bool read(const toml::node& node, std::vector<std::string>& addresses) const;
  std::string write(const std::vector<std::string>& addresses) const;
};

// "debug" or "info" or …
template <typename Value>
struct Choice {
  std::vector<std::pair<std::string_view, Value>> choices;

  std::string takes() const {
    std::string text;
    for (const auto& [word, value] : choices)
      text += (text.empty() ? "" : " or ") + toml_string(word);
    return text;
  }

  bool read(const toml::node& node, Value& value) const {
    const auto chosen = std::ranges::find(choices, node.value_exact<std::string_view>(),
                                          [](const auto& choice) { return choice.first; });
    if (chosen == choices.end())
      return false;
    value = chosen->second;
    return true;
  }

  std::string write(Value value) const {
    return toml_string(
        std::ranges::find(choices, value, [](const auto& choice) { return choice.second; })->first);
  }
};

struct Interval {
  std::chrono::milliseconds least;
  std::chrono::milliseconds most;
  std::chrono::milliseconds step = std::chrono::milliseconds(1);

  std::string takes() const;
  bool read(const toml::node& node, Duration& value) const;
  std::string write(Duration value) const;
};

// Calls `each` with every node of a list, or with the one node that stands for a list of one.
// False as soon as `each` is.
template <typename Each>
bool for_each_of(const toml::node& node, Each each) {
  const toml::array* list = node.as_array();
  return list == nullptr ? each(node) : std::ranges::all_of(*list, each);
}

template <typename Values, typename Write>
std::string list_of(const Values& values, Write write) {
  std::string text;
  for (const auto& value : values)
    text += (text.empty() ? "" : ", ") + write(value);
  return '[' + text + ']';
}

// ------------------------------------------------------------------------------------------------

enum class Applies : std::uint8_t { kLive, kRestart };

// A key of a section, and how its value gets into a `Target` and out of it.
template <typename Target>
struct Key {
  std::string_view section;
  std::string_view name;  // within its section
  Applies applies;
  std::string takes;
  std::function<bool(const toml::node&, Target&)> read;
  std::function<std::string(const Target&)> write;
  std::string_view meaning;  // Markdown; a sentence or two.

  std::string dotted() const { return std::string(section) + '.' + std::string(name); }
};

// `field` finds the value in a Target.
template <typename Target, typename Kind, typename Field>
Key<Target> key_of(std::string_view section, std::string_view name, Applies applies, Kind kind,
                   Field field, std::string_view meaning) {
  return {
      .section = section,
      .name = name,
      .applies = applies,
      .takes = kind.takes(),
      .read = [=](const toml::node& node, Target& to) { return kind.read(node, field(to)); },
      .write = [=](const Target& from) { return kind.write(field(from)); },
      .meaning = meaning,
  };
}

// "agentx.priority takes a number from 1 to 255, not 300".
std::string wrong_value(std::string_view dotted, std::string_view takes, const toml::node& node);

}  // namespace tcpmibd::agent
