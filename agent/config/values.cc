#include "agent/config/values.h"

#include <sstream>

#include "base/words.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Number kPort{1, 65535};

struct Unit {
  std::string_view name;
  milliseconds length;
};

// Longest first: a duration is written in the longest unit that divides it.
constexpr Unit kUnits[] = {{"m", minutes(1)}, {"s", seconds(1)}, {"ms", milliseconds(1)}};

std::string duration_text(Duration duration) {
  if (duration == Duration::zero())
    return "0s";
  const auto* unit = std::ranges::find_if(
      kUnits, [&](const Unit& each) { return duration % each.length == Duration::zero(); });
  if (unit == std::end(kUnits))
    --unit;  // Below what can be configured.
  return std::to_string(duration / unit->length) + std::string(unit->name);
}

// "250ms"; none for what is no duration, or more than `most`.
std::optional<milliseconds> parse_duration(std::string_view text, milliseconds most) {
  const std::optional<std::int64_t> count = take_number<std::int64_t>(text);
  const auto* unit = std::ranges::find(kUnits, text, &Unit::name);
  if (!count || unit == std::end(kUnits) || *count < 0 || *count > most / unit->length)
    return std::nullopt;
  return *count * unit->length;
}

}  // namespace

bool Boolean::read(const toml::node& node, bool& value) const {
  const std::optional<bool> read = node.value_exact<bool>();
  value = read.value_or(value);
  return read.has_value();
}

std::string Number::takes() const {
  return "a number from " + std::to_string(least) + " to " + std::to_string(most);
}

bool Ports::read(const toml::node& node, std::vector<std::uint16_t>& ports) const {
  std::vector<std::uint16_t> read;
  const bool valid = for_each_of(
      node, [&](const toml::node& port) { return kPort.read(port, read.emplace_back()); });
  if (valid)
    ports = std::move(read);
  return valid;
}

std::string Ports::write(const std::vector<std::uint16_t>& ports) const {
  return list_of(ports, [](std::uint16_t port) { return kPort.write(port); });
}

bool Text::read(const toml::node& node, std::string& value) const {
  const std::optional<std::string> read = node.value_exact<std::string>();
  if (!read || (read->empty() && !may_be_empty))
    return false;
  value = *read;
  return true;
}

bool Addresses::read(const toml::node& node, std::vector<std::string>& addresses) const {
  std::vector<std::string> read;
  if (node.value_exact<std::string>() != "" && !for_each_of(node, [&](const toml::node& address) {
        return Text{.may_be_empty = false}.read(address, read.emplace_back());
      }))
    return false;
  addresses = std::move(read);
  return true;
}

std::string Addresses::write(const std::vector<std::string>& addresses) const {
  if (addresses.empty())
    return toml_string("");
  return addresses.size() == 1 ? toml_string(addresses[0]) : list_of(addresses, toml_string);
}

std::string Interval::takes() const {
  return (step == seconds(1) ? "a duration in whole seconds, from \"" : "a duration from \"") +
         duration_text(least) + "\" to \"" + duration_text(most) + '"';
}

bool Interval::read(const toml::node& node, Duration& value) const {
  const std::string text = node.value_exact<std::string>().value_or("");
  const std::optional<milliseconds> read = parse_duration(text, most);
  if (!read || *read < least || *read % step != step.zero())
    return false;
  value = *read;
  return true;
}

std::string Interval::write(Duration value) const { return toml_string(duration_text(value)); }

std::string wrong_value(std::string_view dotted, std::string_view takes, const toml::node& node) {
  std::string text = std::string(dotted) + " takes " + std::string(takes);
  node.visit([&](const auto& value) {
    if constexpr (toml::is_value<decltype(value)>) {
      std::ostringstream written;
      written << value;
      text += ", not " + written.str();
    }
  });
  return text;
}

}  // namespace tcpmibd::agent
