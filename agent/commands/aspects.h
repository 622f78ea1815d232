#pragma once

#include <string>
#include <string_view>

#include "tcp/life_cycle.h"
#include "tcp/state.h"

// What is described of a state, in a terminal as in docs/tcp-states.md.

namespace tcpmibd::agent {

// The aspects of a state, in the order in which they are printed.
struct Aspect {
  std::string_view title;
  std::string_view tcp::Stage::*text;
};

inline constexpr Aspect kAspects[] = {
    {"Who", &tcp::Stage::who},         {"How", &tcp::Stage::got_here},
    {"The peer", &tcp::Stage::peer},   {"Waits for", &tcp::Stage::waits_for},
    {"Normal", &tcp::Stage::normal},   {"A fault", &tcp::Stage::fault},
    {"What to do", &tcp::Stage::cure},
};

// Whose name for the states it is.
struct Naming {
  std::string_view whose;
  std::string_view tcp::StateNames::*name;
};

inline constexpr Naming kNamings[] = {
    {"TCP-MIB", &tcp::StateNames::mib},
    {"RFC 9293", &tcp::StateNames::rfc},
    {"ss", &tcp::StateNames::ss},
    {"Linux netstat", &tcp::StateNames::netstat},
    {"Windows netstat", &tcp::StateNames::windows},
};

inline std::string number_of(tcp::State state) { return std::to_string(static_cast<int>(state)); }

// "LAST_ACK", or what there is when the connection is over.
inline std::string next_of(const tcp::Transition& transition) {
  return transition.next ? as_prose(*transition.next) : "gone";
}

}  // namespace tcpmibd::agent
