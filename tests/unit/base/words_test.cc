#include "base/words.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpmibd {
namespace {

TEST(Number, IsTheWholeWordOrNone) {
  EXPECT_EQ(number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(number<std::int64_t>("-1"), -1);
  for (const char* word : {"", "x", "1x", "x1", " 1", "1 ", "+1", "-1", "65536", "0x1"})
    EXPECT_EQ(number<std::uint16_t>(word), std::nullopt) << word;
}

TEST(Number, IsOfTheBaseThatIsAskedFor) {
  EXPECT_EQ(number<unsigned>("2d", 16), 0x2du);
  EXPECT_EQ(number<unsigned>("2d"), std::nullopt);
  EXPECT_EQ(number<unsigned>("0x2d", 16), std::nullopt);
}

TEST(TakeNumber, LeavesWhatFollows) {
  std::string_view text = "250ms";
  EXPECT_EQ(take_number<int>(text), 250);
  EXPECT_EQ(text, "ms");
}

TEST(TakeNumber, CutsNothingWhereThereIsNone) {
  for (const char* whole : {"", "ms", " 1", "70000 more"}) {
    std::string_view text = whole;
    EXPECT_EQ(take_number<std::uint16_t>(text), std::nullopt) << whole;
    EXPECT_EQ(text, whole);
  }
}

TEST(TakeUntil, CutsBehindTheEndOrTakesAll) {
  std::string_view text = "a,b";
  EXPECT_EQ(take_until(text, ','), "a");
  EXPECT_EQ(take_until(text, ','), "b");
  EXPECT_EQ(take_until(text, ','), "");
}

TEST(TakeWord, PassesOverBlanks) {
  std::string_view line = " a\t b ";
  EXPECT_EQ(take_word(line), "a");
  EXPECT_EQ(take_word(line), "b");
  EXPECT_EQ(take_word(line), "");
}

TEST(TakeLine, IsTheFirstThatBeginsSo) {
  std::string_view text = "Ip: 1\nTcp: 2\nTcp: 3\n";
  EXPECT_EQ(take_line(text, "Tcp:"), " 2");
  EXPECT_EQ(take_line(text, "Tcp:"), " 3");
  EXPECT_EQ(take_line(text, "Tcp:"), "");
}

}  // namespace
}  // namespace tcpmibd
