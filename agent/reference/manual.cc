#include "agent/reference/manual.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <vector>

#include "agent/commands/command_line.h"
#include "agent/reference/configuration.h"
#include "tcp/state.h"

namespace tcpmibd::agent {
namespace {

using Option = CommandLineReference::Option;
using Command = CommandLineReference::Command;

constexpr std::size_t kLineLength = 78;

// One word of running text. What Markdown has between backticks is bold.
std::string mdoc_word(std::string_view word, bool& bold) {
  std::string text;
  for (const char c : word) {
    if (c == '`') {
      bold = !bold;
      text += bold ? "\\fB" : "\\fR";
    } else {
      text += c == '\\' ? "\\e" : std::string(1, c);
    }
  }
  return text;
}

// Running text: each sentence begins a line, as mdoc wants it, and no line is long.
std::string mdoc_text(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string lines;
  std::string line;
  bool bold = false;
  const auto end_line = [&] {
    if (!line.empty())
      lines += (line[0] == '.' || line[0] == '\'' ? "\\&" : "") + line + '\n';
    line.clear();
  };
  for (std::string word; words >> word;) {
    word = mdoc_word(word, bold);
    if (line.size() + 1 + word.size() > kLineLength)
      end_line();
    line += (line.empty() ? "" : " ") + word;
    if (word.ends_with('.') && !bold)
      end_line();
  }
  end_line();
  return lines;
}

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + '.';
}

// An argument of a macro, in quotes.
std::string argument(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text)
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

// ".It Fl c , Fl -config Ar FILE"
std::string item(const Option& option) {
  std::string line = ".It";
  for (const std::string& name : option.names)
    line += (&name == option.names.data() ? " Fl " : " , Fl ") + name.substr(1);
  return line + (option.value.empty() ? "" : " Ar " + argument(option.value)) + '\n';
}

std::string option_list(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    if (text.empty())
      text = ".Ss " + option.group + "\n.Bl -tag -width Ds\n";
    text += item(option) + mdoc_text(sentence(option.meaning));
  }
  return text.empty() ? "" : text + ".El\n";
}

std::string words(const std::vector<Option>& options) {
  std::string text;
  for (const Option& option : options) {
    for (const std::string& name : option.names)
      text += (text.empty() ? "" : " ") + name;
  }
  return text;
}

std::string assignment(std::string name, const std::string& value) {
  std::ranges::replace(name, '-', '_');
  return "_tcpmibd_" + name + "='" + value + "'\n";
}

// Every option, whatever it belongs to.
std::vector<Option> all_options(const CommandLineReference& line) {
  std::vector<Option> all = line.options;
  all.insert(all.end(), line.agent_options.begin(), line.agent_options.end());
  for (const Command& command : line.commands)
    all.insert(all.end(), command.options.begin(), command.options.end());
  return all;
}

// Those that take a value; `value`, if it is not empty, is what they take.
std::string options_with(const CommandLineReference& line, std::string_view value) {
  std::vector<Option> chosen;
  for (const Option& option : all_options(line)) {
    if (!option.value.empty() && (value.empty() || option.value == value))
      chosen.push_back(option);
  }
  return words(chosen);
}

std::string joined(const std::vector<std::string>& each, const char* between = " ") {
  std::string text;
  for (const std::string& word : each)
    text += (text.empty() ? "" : between) + word;
  return text;
}

}  // namespace

std::string manual_commands() {
  const CommandLineReference line = command_line_reference();
  std::string text = ".Bl -tag -width Ds\n";
  for (const Command& command : line.commands) {
    text += ".It Cm " + command.name + (command.operand.empty() ? "" : " Ar " + command.operand) +
            '\n' + mdoc_text(sentence(command.meaning));
    if (command.name == "show")
      text += mdoc_text("WHAT is one of: " + joined(line.shown, ", ") + '.');
  }
  return text + ".El\n";
}

std::string manual_options() {
  const CommandLineReference line = command_line_reference();
  std::string text = option_list(line.options) + option_list(line.agent_options);
  for (const Command& command : line.commands)
    text += option_list(command.options);
  return text;
}

std::string manual_keys() {
  std::string text;
  std::string section;
  for (const KeyReference& key : key_references()) {
    if (key.section != section) {
      text += (section.empty() ? "" : ".El\n") + std::string(".Ss [") + key.section +
              "]\\&\n.Bl -tag -width Ds\n";
      section = key.section;
    }
    text += ".It Va " + key.name + " No = " + argument(key.initial) + '\n' +
            mdoc_text(key.meaning) + mdoc_text(sentence("Takes " + key.takes)) +
            mdoc_text(key.live ? "Live." : "Restart.");
  }
  return text + ".El\n";
}

std::string completion_words() {
  const CommandLineReference line = command_line_reference();
  std::vector<std::string> commands;
  std::vector<std::string> states;
  std::vector<std::string> keys;
  std::string own;
  for (const Command& command : line.commands) {
    commands.push_back(command.name);
    if (!command.options.empty())
      own += assignment("options_of_" + command.name, words(command.options));
  }
  for (const tcp::StateNames& names : tcp::kStates)
    states.emplace_back(names.mib);
  for (const KeyReference& key : key_references()) {
    if (key.section != kAlarmPattern)  // Nobody but the operator knows the names.
      keys.push_back(key.section + '.' + key.name);
  }
  return assignment("commands", joined(commands)) + assignment("options", words(line.options)) +
         assignment("agent_options", words(line.agent_options)) + own +
         assignment("with_value", options_with(line, "")) +
         assignment("with_file", options_with(line, "FILE")) +
         assignment("shown", joined(line.shown)) + assignment("states", joined(states)) +
         assignment("keys", joined(keys));
}

}  // namespace tcpmibd::agent
