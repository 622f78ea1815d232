#include "agent/explain.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <vector>

#include "tcp/life_cycle.h"

namespace tcpmibd::agent {
namespace {

using tcp::Command;
using tcp::Moment;
using tcp::Note;
using tcp::Stage;
using tcp::State;
using tcp::StateNames;
using tcp::Story;
using tcp::Transition;

constexpr std::size_t kWidth = 79;

// What is told of a state, in the order in which it is told.
struct Aspect {
  std::string_view title;
  std::string_view Stage::*text;
};

constexpr Aspect kAspects[] = {
    {"Who", &Stage::who},         {"How", &Stage::got_here},
    {"The peer", &Stage::peer},   {"Waits for", &Stage::waits_for},
    {"Normal", &Stage::normal},   {"A fault", &Stage::fault},
    {"What to do", &Stage::cure},
};

// Whose name for the states it is.
struct Naming {
  std::string_view whose;
  std::string_view StateNames::*name;
};

constexpr Naming kNamings[] = {
    {"TCP-MIB", &StateNames::mib},
    {"RFC 9293", &StateNames::rfc},
    {"ss", &StateNames::ss},
    {"Linux netstat", &StateNames::netstat},
    {"Windows netstat", &StateNames::windows},
};

std::string number_of(State state) { return std::to_string(static_cast<int>(state)); }

// "LAST_ACK", or what there is when the connection is over.
std::string next_of(const Transition& transition) {
  return transition.next ? as_prose(*transition.next) : "gone";
}

// ------------------------------------------------------------------------------------------------
// For a terminal

std::string bold(std::string_view text, bool colour) {
  return colour ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

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

std::string moment_line(const Moment& moment) {
  std::string line = "  " + padded(plain(moment.happens), 39) +
                     padded(std::string(moment.segment), 13) +
                     padded(std::string(moment.client), 13) + std::string(moment.server);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string story(const Story& story, bool colour) {
  std::string text = '\n' + bold(story.title, colour) + '\n';
  if (!story.introduction.empty())
    text += "  " + wrapped(story.introduction, 2);
  text += '\n' + moment_line({"", "", "client", "server"});
  for (const Moment& moment : story.moments)
    text += moment_line(moment);
  return text + "\n  " + wrapped(story.moral, 2);
}

// ------------------------------------------------------------------------------------------------
// For Markdown

// Cells of one line of a table.
template <typename Cells>
std::string table_line(const Cells& cells) {
  std::string line = "|";
  for (const auto& cell : cells)
    line += cell.empty() ? " |" : ' ' + std::string(cell) + " |";
  return line + '\n';
}

std::string table_head(std::initializer_list<std::string_view> titles) {
  std::string rule = "|";
  for (std::size_t i = 0; i < titles.size(); ++i)
    rule += "---|";
  return table_line(titles) + rule + '\n';
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : '`' + std::string(text) + '`';
}

std::string names_table() {
  std::string text =
      table_head({"number", "TCP-MIB", "RFC 9293", "ss", "Linux netstat", "Windows netstat"});
  for (const StateNames& names : tcp::kStates) {
    std::vector<std::string> cells = {number_of(names.state)};
    for (const Naming& naming : kNamings)
      cells.emplace_back(names.*naming.name);
    text += table_line(cells);
  }
  return text;
}

std::string stage_markdown(const Stage& stage) {
  std::string text = "\n### " + as_prose(stage.state) + " (" + number_of(stage.state) + ")\n\n" +
                     std::string(stage.meaning) + "\n\n";
  for (const Aspect& aspect : kAspects)
    text += "- **" + std::string(aspect.title) + ".** " + std::string(stage.*aspect.text) + '\n';
  text += '\n' + table_head({"command", "shows"});
  for (const Command& command : stage.commands)
    text += table_line(std::array{code(command.line), std::string(command.shows)});
  text += '\n' + table_head({"what happens", "next state"});
  for (const Transition& transition : stage.transitions)
    text += table_line(std::array{std::string(transition.event), next_of(transition)});
  return text;
}

std::string story_markdown(const Story& story) {
  std::string text = "\n### " + std::string(story.title) + "\n\n";
  if (!story.introduction.empty())
    text += std::string(story.introduction) + "\n\n";
  text += table_head({"what happens", "segment", "client", "server"});
  for (const Moment& moment : story.moments)
    text += table_line(std::array{std::string(moment.happens), code(moment.segment),
                                  std::string(moment.client), std::string(moment.server)});
  return text + '\n' + std::string(story.moral) + '\n';
}

constexpr std::string_view kMarkdownIntroduction =
    "# The states of a TCP connection\n"
    "\n"
    "This page is generated; `tcpmibd explain` prints the same, `tcpmibd explain CLOSE_WAIT` one\n"
    "state. Wherever tcpmibd takes the name of a state it takes every name of this table, in any\n"
    "case and with `-`, `_` or nothing between the words, and the number.\n"
    "\n"
    "## Names\n"
    "\n";

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

std::string life_cycle_markdown() {
  std::string text(kMarkdownIntroduction);
  text += names_table() + "\n## The picture\n\n```text" + std::string(tcp::life_cycle_diagram()) +
          "```\n";
  for (const Note& note : tcp::life_cycle_notes())
    text += "\n## " + std::string(note.title) + "\n\n" + std::string(note.text) + '\n';
  text += "\n## Each state\n";
  for (const Stage& stage : tcp::life_cycle())
    text += stage_markdown(stage);
  text += "\n## A connection followed through its life\n";
  for (const Story& each : tcp::life_cycle_stories())
    text += story_markdown(each);
  return text;
}

}  // namespace tcpmibd::agent
