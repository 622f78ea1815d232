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

// Every key but those of alarms: nobody but the operator knows their names.
std::vector<std::string> key_names() {
  std::vector<std::string> keys;
  for (const KeyReference& key : key_references()) {
    if (key.section != kAlarmPattern)
      keys.push_back(key.section + '.' + key.name);
  }
  return keys;
}

// What `show` can show.
std::vector<std::string> shown_names(const CommandLineReference& line) {
  std::vector<std::string> shown;
  for (const CommandLineReference::Shown& each : line.shown)
    shown.push_back(each.word);
  return shown;
}

std::vector<std::string> state_names() {
  std::vector<std::string> states;
  for (const tcp::StateNames& names : tcp::kStates)
    states.emplace_back(names.mib);
  return states;
}

// ---- fish ----

// What fish takes for one word.
std::string fish_word(std::string_view text) {
  std::string word = "'";
  for (const char letter : text)
    word += letter == '\'' || letter == '\\' ? std::string{'\\', letter} : std::string(1, letter);
  return word + "'";
}

// A line that holds where `condition`, a command of fish, succeeds; empty: everywhere.
std::string fish_line(const std::string& condition, const std::string& what,
                      const std::string& meaning) {
  return "complete -c tcpmibd" + (condition.empty() ? "" : " -n " + fish_word(condition)) + what +
         (meaning.empty() ? "" : " -d " + fish_word(meaning)) + '\n';
}

// What may follow an option: nothing, a file, one of some words, or what nobody can guess.
std::string fish_value(const Option& option) {
  if (option.value.empty())
    return "";
  if (option.value == "FILE")
    return " -rF";
  if (option.names.back() == "--set")
    return " -xa " + fish_word(joined(key_names()));
  return option.names.back() == "--state" ? " -xa " + fish_word(joined(state_names())) : " -x";
}

std::string fish_options(const std::string& condition, const std::vector<Option>& options) {
  std::string lines;
  for (const Option& option : options) {
    std::string what;
    for (const std::string& name : option.names)
      what += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    lines += fish_line(condition, what + fish_value(option), option.meaning);
  }
  return lines;
}

}  // namespace

std::string manual_commands() {
  const CommandLineReference line = command_line_reference();
  std::string text = ".Bl -tag -width Ds\n";
  for (const Command& command : line.commands) {
    text += ".It Cm " + command.name + (command.operand.empty() ? "" : " Ar " + command.operand) +
            '\n' + mdoc_text(sentence(command.meaning));
    if (command.name == "show")
      text += mdoc_text("WHAT is one of: " + joined(shown_names(line), ", ") + '.');
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
  std::string own;
  for (const Command& command : line.commands) {
    commands.push_back(command.name);
    if (!command.options.empty())
      own += assignment("options_of_" + command.name, words(command.options));
  }
  return assignment("commands", joined(commands)) + assignment("options", words(line.options)) +
         assignment("agent_options", words(line.agent_options)) + own +
         assignment("with_value", options_with(line, "")) +
         assignment("with_file", options_with(line, "FILE")) +
         assignment("shown", joined(shown_names(line))) +
         assignment("states", joined(state_names())) + assignment("keys", joined(key_names()));
}

std::string completion_lines() {
  const CommandLineReference line = command_line_reference();
  const auto behind = [](const std::string& command) {
    return "__fish_seen_subcommand_from " + command;
  };
  std::string lines = fish_line("", " -f", "") + fish_options("", line.options) +
                      fish_options("not " + behind("show explain"), line.agent_options);
  for (const Command& command : line.commands) {
    lines += fish_line("__fish_use_subcommand", " -a " + command.name, command.meaning) +
             fish_options(behind(command.name), command.options);
  }
  for (const CommandLineReference::Shown& each : line.shown)
    lines += fish_line(behind("show"), " -a " + each.word, each.meaning);
  return lines + fish_line(behind("explain"), " -a " + fish_word(joined(state_names())), "a state");
}

}  // namespace tcpmibd::agent
