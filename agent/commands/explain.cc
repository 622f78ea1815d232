#include "agent/commands/explain.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <vector>

#include "agent/commands/aspects.h"
#include "agent/commands/colours.h"
#include "tcp/life_cycle.h"

namespace tcpmibd::agent {
namespace {

using tcp::Command;
using tcp::Note;
using tcp::Stage;
using tcp::State;
using tcp::Story;
using tcp::StoryStep;
using tcp::Transition;

constexpr std::size_t kWidth = 79;

std::string bold(std::string_view text, bool colour) { return coloured(text, colour ? kBold : ""); }

// Text that is marked up for Markdown, plain.
std::string plain(std::string_view text) {
  std::string result(text);
  std::erase(result, '`');
  return result;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

// Words in lines that begin at column `indent`; the first continues a line that is there already.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::istringstream words{plain(text)};
  std::string result;
  std::size_t column = indent;
  for (std::string word; words >> word;) {
    if (column != indent && column + 1 + word.size() > kWidth) {
      result += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column != indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result + '\n';
}

std::string entry(std::string_view title, std::string_view text, bool colour) {
  constexpr std::size_t kColumn = 14;
  const std::string lead = "  " + bold(title, colour);
  return lead + std::string(kColumn - 2 - title.size(), ' ') + wrapped(text, kColumn);
}

std::string names_in_words(State state) {
  std::string text;
  for (const Naming& naming : kNamings)
    text += (text.empty() ? "" : ", ") + std::string(names_of(state).*naming.name) + " (" +
            std::string(naming.whose) + ')';
  return text;
}

std::string step_line(const StoryStep& step) {
  std::string line = "  " + padded(plain(step.happens), 39) +
                     padded(std::string(step.segment), 13) + padded(std::string(step.client), 13) +
                     std::string(step.server);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string story(const Story& story, bool colour) {
  std::string text = '\n' + bold(story.title, colour) + '\n';
  if (!story.introduction.empty())
    text += "  " + wrapped(story.introduction, 2);
  text += '\n' + step_line({"", "", "client", "server"});
  for (const StoryStep& step : story.steps)
    text += step_line(step);
  return text + "\n  " + wrapped(story.moral, 2);
}

}  // namespace

std::string explain_all(bool colour) {
  std::string text = bold("The life of a TCP connection", colour) + '\n';
  text += std::string(tcp::life_cycle_diagram()) + '\n' + bold("The states", colour) + '\n';
  for (const Stage& stage : tcp::life_cycle()) {
    const std::string name = as_prose(stage.state) + " (" + number_of(stage.state) + ')';
    text += "  " + padded(name, 18) + wrapped(stage.meaning, 20);
  }
  for (const Note& note : tcp::life_cycle_notes())
    text += '\n' + bold(note.title, colour) + "\n  " + wrapped(note.text, 2);
  for (const Story& each : tcp::life_cycle_stories())
    text += story(each, colour);
  return text + "\nAll about one state, under any of its names: tcpmibd explain CLOSE_WAIT\n";
}

std::string explain(State state, bool colour) {
  const Stage& stage = tcp::stage_of(state);
  std::string text = bold(as_prose(state) + " (" + number_of(state) + ')', colour) + "\n  " +
                     wrapped(stage.meaning, 2) + '\n' +
                     entry("Names", names_in_words(state), colour);
  for (const Aspect& aspect : kAspects)
    text += entry(aspect.title, stage.*aspect.text, colour);
  text += "\n  " + bold("Try", colour) + '\n';
  for (const Command& command : stage.commands)
    text += "    " + std::string(command.line) + "\n        " + std::string(command.shows) + '\n';
  text += "\n  " + bold("What comes next", colour) + '\n';
  for (const Transition& transition : stage.transitions)
    text += "    " + padded(next_of(transition), 14) + wrapped(transition.event, 18);
  return text;
}

}  // namespace tcpmibd::agent
