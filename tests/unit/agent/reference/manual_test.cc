#include "agent/reference/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "agent/commands/command_line.h"
#include "agent/reference/configuration.h"
#include "tcp/state.h"

namespace tcpmibd::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A part of a page under docs that comes from the program. Its marks are comments of the page.
struct Part {
  const char* test_name;
  const char* file;
  const char* comment;
  const char* name;
  std::string (*generate)();
};

const Part kParts[] = {
    {"Commands", "docs/man/tcpmibd.8", ".\\\" ", "commands", manual_commands},
    {"Options", "docs/man/tcpmibd.8", ".\\\" ", "options", manual_options},
    {"Keys", "docs/man/tcpmibd.toml.5", ".\\\" ", "keys", manual_keys},
    {"Completion", "docs/completion/tcpmibd.bash", "# ", "words", completion_words},
    {"CompletionForZsh", "docs/completion/_tcpmibd", "# ", "words", completion_words},
    {"CompletionForFish", "docs/completion/tcpmibd.fish", "# ", "lines", completion_lines},
};

std::string file_of(const Part& part) { return std::string(TCPMIBD_SOURCE_DIR) + '/' + part.file; }

std::string read_text(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// The page with `text` between the marks of the part.
std::string page_with(const Part& part, const std::string& page, const std::string& text) {
  const std::string begin = part.comment + std::string("generated: ") + part.name + '\n';
  const std::string end = part.comment + std::string("end\n");
  const std::size_t from = page.find(begin);
  const std::size_t to = page.find(end, from);
  if (from == std::string::npos || to == std::string::npos)
    return "the page has no marks for " + std::string(part.name);
  return page.substr(0, from + begin.size()) + text + page.substr(to);
}

class GeneratedPart : public testing::TestWithParam<Part> {};

// Run with TCPMIBD_REGENERATE=1 to write the page anew.
TEST_P(GeneratedPart, IsThePageInDocs) {
  const std::string file = file_of(GetParam());
  const std::string wanted = page_with(GetParam(), read_text(file), GetParam().generate());
  if (std::getenv("TCPMIBD_REGENERATE") != nullptr)
    std::ofstream(file) << wanted;
  EXPECT_EQ(read_text(file), wanted);
}

INSTANTIATE_TEST_SUITE_P(Manual, GeneratedPart, testing::ValuesIn(kParts),
                         [](const auto& part) { return part.param.test_name; });

TEST(Manual, NamesEveryCommandAndOption) {
  const CommandLineReference line = command_line_reference();
  for (const CommandLineReference::Command& command : line.commands) {
    EXPECT_THAT(manual_commands(), HasSubstr(".It Cm " + command.name));
    for (const CommandLineReference::Option& option : command.options)
      EXPECT_THAT(manual_options(), HasSubstr("Fl " + option.names.back().substr(1)));
  }
  EXPECT_THAT(manual_options(), AllOf(HasSubstr(".It Fl c , Fl -config Ar \"FILE\"\n"),
                                      HasSubstr(".It Fl x , Fl -agentx Ar \"ADDRESS\"\n"),
                                      HasSubstr(".Ss Options of doctor\n")));
}

TEST(Manual, HasEveryKeyWithItsDefault) {
  for (const KeyReference& key : key_references())
    EXPECT_THAT(manual_keys(), HasSubstr(".It Va " + key.name + " No = "));
  EXPECT_THAT(manual_keys(),
              AllOf(HasSubstr(".Ss [delete-tcb]\\&\n"),
                    HasSubstr(".It Va max-age No = \"\"\"1s\"\"\"\n"), Not(HasSubstr("`"))));
}

TEST(Manual, BeginsEverySentenceOnALineAndKeepsLinesShort) {
  std::istringstream lines(manual_keys() + manual_options());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("."))
      continue;
    EXPECT_LE(line.size(), 80u) << line;
    EXPECT_THAT(line, Not(HasSubstr(". "))) << line;
  }
}

TEST(Completion, KnowsCommandsStatesAndKeys) {
  const std::string words = completion_words();
  EXPECT_THAT(words,
              AllOf(HasSubstr("_tcpmibd_commands='run show "), HasSubstr(" closeWait "),
                    HasSubstr(" snapshot.max-age "), HasSubstr("_tcpmibd_shown='connections"),
                    HasSubstr("_tcpmibd_with_file='-c --config --access --snmpd-conf'")));
}

}  // namespace
}  // namespace tcpmibd::agent
