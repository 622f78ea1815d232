#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tcp/state.h"

namespace tcpmibd::tcp {

// The life of a connection after RFC 9293, section 3.3.2, and as Linux lives it, described for
// people.
//
// The texts are plain sentences. In them a state has the RFC's name in capitals, words joined by
// '_' (as_prose()), and what can be typed stands between `backquotes`.

struct Transition {
  std::string_view event;     // What happens and what is sent in answer.
  std::optional<State> next;  // None: the connection is gone, and its row with it.
};

struct Command {
  std::string_view line;  // Can be copied to a shell.
  std::string_view shows;
};

// One state.
struct Stage {
  State state;
  std::string_view meaning;    // A sentence.
  std::string_view who;        // Which end is in it: client or server, first or second to close.
  std::string_view got_here;   // What was sent and received.
  std::string_view peer;       // Where the other end is meanwhile.
  std::string_view waits_for;  // What ends it, and how long that may take.
  std::string_view normal;     // When it is as it should be.
  std::string_view fault;      // When it is not.
  std::string_view cure;       // What to do then.
  std::vector<Command> commands;
  std::vector<Transition> transitions;
};

// All states, in the order of the MIB's numbers.
const std::vector<Stage>& life_cycle();

const Stage& stage_of(State state);

// "FIN_WAIT_1".
std::string as_prose(State state);

// Something that concerns several states.
struct Note {
  std::string_view title;
  std::string_view text;
};

std::span<const Note> life_cycle_notes();

// One moment of a connection followed through its life, seen at both ends.
struct StoryStep {
  std::string_view happens;
  std::string_view segment;  // "SYN -->", client on the left; empty: nothing is sent.
  std::string_view client;
  std::string_view server;
};

struct Story {
  std::string_view title;
  std::string_view introduction;
  std::span<const StoryStep> steps;
  std::string_view moral;
};

// An HTTP keep-alive connection: up to the server's close, then with a client that closes and
// with one that forgets to.
std::span<const Story> life_cycle_stories();

// Lines of at most 79 columns.
std::string_view life_cycle_diagram();

}  // namespace tcpmibd::tcp
