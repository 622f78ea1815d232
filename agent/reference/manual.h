#pragma once

#include <string>

// The parts of the manual pages and of the shell's completion that repeat what the program knows.
// The files under docs hold them between marks; a test compares, and writes them anew.

namespace tcpmibd::agent {

// Lists in mdoc(7): the commands, the options by groups, the keys by sections.
std::string manual_commands();
std::string manual_options();
std::string manual_keys();

// Assignments in the shell's language: commands, options, states, keys.
std::string completion_words();

// The same as commands of fish, with what each word means.
std::string completion_lines();

}  // namespace tcpmibd::agent
