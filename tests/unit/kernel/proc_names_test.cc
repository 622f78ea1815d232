#include "kernel/proc_names.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string_view>

namespace tcpmibd::kernel {
namespace {

struct CommandCase {
  const char* name;
  std::string_view comm;  // as the kernel writes it
  std::string_view command;
};

std::ostream& operator<<(std::ostream& stream, const CommandCase& c) { return stream << c.name; }

constexpr CommandCase kCommands[] = {
    {"Plain", "nginx\n", "nginx"},
    {"None", "\n", ""},
    {"OfOneThatHasEnded", "", ""},
    {"FifteenLetters", "fifteen_letters\n", "fifteen_letters"},
    {"ALineFeed", "a\nb\n", R"(a\x0ab)"},
    {"ALineFeedAtTheEnd", "a\n\n", R"(a\x0a)"},
    {"AColour", "\x1b[31mred\n", R"(\x1b[31mred)"},
    {"NoUtf8", "caf\xe9\n", R"(caf\xe9)"},
    {"AC1Control",
     "\xc2\x9b"
     "31m\n",
     R"(\xc2\x9b31m)"},
    {"TurnedText",
     "x\xe2\x80\xae"
     "y\n",
     R"(x\xe2\x80\xaey)"},
    {"WholeCharacters", "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\n",
     "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"},
    {"ACutCharacter", "job-\xe5\x90\x8c\xe6\xad\xa5\xe4\xbb\xbb\xe5\x8a\n",
     "job-\xe5\x90\x8c\xe6\xad\xa5\xe4\xbb\xbb"},
    {"AShortOneThatNobodyCut", "job\xe5\x8a\n", R"(job\xe5\x8a)"},
    {"QuotesAndBackslashes", "\"q\"\\\n", R"("q"\)"},
};

class CommandIn : public testing::TestWithParam<CommandCase> {};

TEST_P(CommandIn, IsPrintable) { EXPECT_EQ(command_in(GetParam().comm), GetParam().command); }

INSTANTIATE_TEST_SUITE_P(Names, CommandIn, testing::ValuesIn(kCommands),
                         [](const auto& of) { return of.param.name; });

TEST(CommandInTest, FitsIntoItsColumn) {
  EXPECT_EQ(command_in(std::string(15, '\x80') + "\n").size(), 60u);
  EXPECT_EQ(command_in(std::string(63, '\x80') + "\n").size(), tcp::kCommandMax);
}

}  // namespace
}  // namespace tcpmibd::kernel
