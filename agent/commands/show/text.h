#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tcp/state.h"

// How `show` writes what it shows.

namespace tcpmibd::agent {

// Keys stay in the order in which they were added.
using Json = nlohmann::ordered_json;

// From here on the use of something limited is shown in red.
inline constexpr std::uint32_t kRedPercent = 80;

// In which a state is shown; empty for none.
const char* colour_of(tcp::State state);

// "closeWait", or "8" where numbers are wanted.
std::string state_text(tcp::State state, bool numeric);

// "4711 nginx", or "4711" where only numbers are wanted, or the process has no name any more.
std::string process_text(std::uint32_t pid, const std::string& command, bool numeric);

std::string percent_text(std::uint64_t percent);     // "12 %"
std::string seconds_text(std::uint32_t seconds);     // "59 s", "12 min", "5 h", "3 d"
std::string timer_text(std::uint32_t milliseconds);  // "3.2 s", "43 s"

// "tcpmibdPortCloseWait" without "tcpmibdPort" is "close_wait".
std::string json_key(std::string_view object, std::string_view prefix);

// The whole document. A process name may hold any octets; what is no UTF-8 is replaced rather than
// refused.
std::string dump(const Json& json);

// A line for each element of an array.
std::string lines_of(const Json& rows);

// The whole on one line, without its end.
std::string dump_line(const Json& json);

}  // namespace tcpmibd::agent
