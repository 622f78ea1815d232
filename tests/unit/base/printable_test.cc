#include "base/printable.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace tcpmibd {
namespace {

using namespace std::string_literals;

struct Shown {
  const char* name;
  std::string text;
  std::string shown;
};

std::ostream& operator<<(std::ostream& stream, const Shown& shown) { return stream << shown.name; }

class Printable : public testing::TestWithParam<Shown> {};

TEST_P(Printable, SteersNoTerminal) { EXPECT_EQ(printable(GetParam().text), GetParam().shown); }

const Shown kShown[] = {
    {"Plain", "a b~", "a b~"},
    {"Nothing", "", ""},
    {"AnEscapeSequence", "a\x1b[2Jb", "a\\x1b[2Jb"},
    {"AForgedLine", "a\nerror: b\r", "a\\x0aerror: b\\x0d"},
    {"TheFirstAndTheLastControl", "\0\x1f\x7f"s, "\\x00\\x1f\\x7f"},
    {"LettersOfOtherScripts", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f",
     "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9f"},
    {"AC1ControlInUtf8", "\xc2\x9b[2J\xc2\xa0", "\\xc2\\x9b[2J\xc2\xa0"},
    {"AC1ControlAlone", "\x9b[2J", "\\x9b[2J"},
    {"TurnedText",
     "a\xe2\x80\xae"
     "b",
     "a\\xe2\\x80\\xaeb"},
    {"ALineSeparator", "\xe2\x80\xa8", "\\xe2\\x80\\xa8"},
    {"CutCharacter", "a\xe2\x82", "a\\xe2\\x82"},
    {"LongerThanItHasToBe", "\xc0\x9b\xe0\x82\x9b", "\\xc0\\x9b\\xe0\\x82\\x9b"},
    {"HalfOfAPair", "\xed\xa0\x80", "\\xed\\xa0\\x80"},
    {"BeyondTheLast", "\xf4\x90\x80\x80\xff", "\\xf4\\x90\\x80\\x80\\xff"},
    {"ABackslashStays", "dev-\\x2d.mount", "dev-\\x2d.mount"},
};

INSTANTIATE_TEST_SUITE_P(Texts, Printable, testing::ValuesIn(kShown),
                         [](const auto& of) { return of.param.name; });

TEST(Printable, WhateverTheOctetsNothingThatSteersIsLeft) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string shown =
          printable({std::string{static_cast<char>(first), static_cast<char>(second)}});
      for (std::string_view rest = shown; !rest.empty();)
        ASSERT_FALSE(take_character(rest).steers()) << first << ' ' << second;
    }
  }
}

}  // namespace
}  // namespace tcpmibd
