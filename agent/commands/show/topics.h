#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/commands/show/evidence.h"

namespace tcpmibd::agent {

// Which of the options beside --json mean something to what is shown.
struct Filters {
  bool numeric = false;
  bool state = false;
  bool port = false;
  bool process = false;
};

// One thing that `tcpmibd show` shows: its line on the help page, what it takes, what it goes by
// and how it is printed.
struct Topic {
  std::string_view word;  // the command line's
  std::string_view meaning;
  Filters filters;
  Evidence::Needs needs;
  std::string (*print)(const Options& options, const Evidence& evidence, bool colour) = nullptr;
  // In place of `print`, for what may be long.
  void (*write)(const Options& options, const Evidence& evidence, bool colour,
                const Writer& write) = nullptr;
  // What is to be said beside Evidence::remarks(); null: nothing.
  std::string (*remarks)(const Evidence& evidence) = nullptr;
};

// All that have a word, in the order of the help page.
std::span<const Topic> topics();

// What is shown by that word, or by none; null for a word that nothing has.
const Topic* topic_named(std::string_view word);

}  // namespace tcpmibd::agent
