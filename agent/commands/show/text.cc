#include "agent/commands/show/text.h"

#include <cctype>

#include "agent/commands/colours.h"
#include "base/printable.h"

namespace tcpmibd::agent {

using tcp::State;

namespace {

// In a document all that is not ASCII stands in strings. The library itself escapes what JSON
// demands, and lets through what a terminal obeys all the same.
std::string json_escaped(std::string_view document) {
  std::string text;
  for (std::string_view rest = document; !rest.empty();) {
    const Character character = take_character(rest);
    const bool escaped = character.steers() && character.code != '\n';
    text += escaped ? unicode_escape(character.code) : std::string(character.octets);
  }
  return text;
}

}  // namespace

const char* colour_of(State state) {
  switch (state) {
    case State::kEstablished:
      return kGreen;
    case State::kCloseWait:
      return kRed;
    case State::kListen:
      return "";
    case State::kTimeWait:
      return kDim;
    default:
      return kYellow;
  }
}

std::string state_text(State state, bool numeric) {
  return numeric ? std::to_string(static_cast<int>(state)) : std::string(tcp::names_of(state).mib);
}

std::string process_text(std::uint32_t pid, const std::string& command, bool numeric) {
  return std::to_string(pid) + (numeric || command.empty() ? "" : " " + command);
}

std::string percent_text(std::uint64_t percent) { return std::to_string(percent) + " %"; }

// Two of the larger unit are still printed in the lesser, so that little is lost by rounding down.
std::string seconds_text(std::uint32_t seconds) {
  struct Unit {
    const char* name;
    std::uint32_t seconds;
  };
  constexpr Unit kUnits[] = {{" d", 86'400}, {" h", 3'600}, {" min", 60}};
  for (const Unit& unit : kUnits) {
    if (seconds >= 2 * unit.seconds)
      return std::to_string(seconds / unit.seconds) + unit.name;
  }
  return std::to_string(seconds) + " s";
}

std::string timer_text(std::uint32_t milliseconds) {
  if (milliseconds >= 10'000)
    return std::to_string(milliseconds / 1000) + " s";
  return std::to_string(milliseconds / 1000) + "." + std::to_string(milliseconds / 100 % 10) + " s";
}

std::string json_key(std::string_view object, std::string_view prefix) {
  std::string key;
  for (const char letter : object.substr(prefix.size())) {
    const auto octet = static_cast<unsigned char>(letter);
    if (std::isupper(octet) != 0 && !key.empty())
      key += '_';
    key += static_cast<char>(std::tolower(octet));
  }
  return key;
}

std::string dump(const Json& json) {
  return json_escaped(json.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

std::string lines_of(const Json& rows) {
  std::string lines;
  for (const Json& row : rows)
    lines += dump_line(row) + "\n";
  return lines;
}

std::string dump_line(const Json& json) {
  return json_escaped(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace tcpmibd::agent
