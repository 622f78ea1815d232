#include "agent/reference/life_cycle.h"

#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "agent/commands/aspects.h"
#include "tcp/life_cycle.h"

namespace tcpmibd::agent {
namespace {

using tcp::Note;
using tcp::Stage;
using tcp::StateNames;
using tcp::Story;
using tcp::StoryStep;
using tcp::Transition;

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
  for (const tcp::Command& command : stage.commands)
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
  for (const StoryStep& step : story.steps)
    text += table_line(std::array{std::string(step.happens), code(step.segment),
                                  std::string(step.client), std::string(step.server)});
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

std::string life_cycle_markdown() {
  std::string text(kMarkdownIntroduction);
  text += names_table() +
          "\n## The picture\n\n![The life of a TCP connection](life-cycle.svg)\n\n" +
          "As `tcpmibd explain` prints it:\n\n```text" + std::string(tcp::life_cycle_diagram()) +
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
