#include "base/printable.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

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

TEST(Plain, IsWhatTakesAColumnAnOctet) {
  EXPECT_TRUE(is_plain("") && is_plain(" ~0aZ"));
  for (const char* text : {"\x1f", "a\x7f", "\xc3\xa4", "\xff"})
    EXPECT_FALSE(is_plain(text)) << text;
}

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

TEST(Printable, EndsWithAWholeCharacterOrEscape) {
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable("abcd", 3), "abc");
  EXPECT_EQ(printable("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
  EXPECT_EQ(printable("ab\xe2\x82\xac", 4), "ab");
  EXPECT_EQ(printable("\x1b", 4), "\\x1b");
  EXPECT_EQ(printable("\x1b", 3), "");
  EXPECT_EQ(printable("a\xc2\x9b", 8), "a") << "both octets are one character";
  EXPECT_EQ(printable("abc", 0), "");
}

TEST(Printable, IsNotChangedByBeingMadePrintableAgain) {
  for (const Shown& each : kShown)
    EXPECT_EQ(printable(each.shown), each.shown);
}

struct CutName {
  const char* name;
  std::string_view cut;
  std::string_view whole;
};

std::ostream& operator<<(std::ostream& stream, const CutName& cut) { return stream << cut.name; }

constexpr CutName kCutNames[] = {
    {"Nothing", "", ""},
    {"Ascii", "ab", "ab"},
    {"WholeCharacters", "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f",
     "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9f"},
    {"OneOfTwo", "a\xc3", "a"},
    {"OneOfThree", "a\xe2", "a"},
    {"TwoOfThree", "a\xe2\x82", "a"},
    {"ThreeOfFour", "a\xf0\x9f\x90", "a"},
    {"OneOfFour", "\xf0", ""},
    {"ContinuedWithoutABeginning", "\x82\x82", "\x82\x82"},
    {"MoreThanACharacterHas", "\xe2\x82\xac\x82", "\xe2\x82\xac\x82"},
};

class WithoutCutCharacter : public testing::TestWithParam<CutName> {};

TEST_P(WithoutCutCharacter, LosesNothingElse) {
  EXPECT_EQ(without_cut_character(GetParam().cut), GetParam().whole);
}

INSTANTIATE_TEST_SUITE_P(Names, WithoutCutCharacter, testing::ValuesIn(kCutNames),
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
