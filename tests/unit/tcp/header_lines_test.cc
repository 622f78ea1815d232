#include "tcp/header_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace tcpmibd::tcp {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

TEST(WordsUnderHeader, PairsNamesWithValues) {
  EXPECT_THAT(words_under_header("Ip: a\nIp: 9\nTcp: a b\nTcp: 1 2\nTcp: c\n", "Tcp:"),
              ElementsAre(FieldsAre("a", "1"), FieldsAre("b", "2")));
  EXPECT_THAT(words_under_header("Tcp:\ta   b \nTcp: 1\t\t2", "Tcp:"),
              ElementsAre(FieldsAre("a", "1"), FieldsAre("b", "2")));
}

TEST(WordsUnderHeader, LeavesNamesWithoutAValueEmpty) {
  EXPECT_THAT(words_under_header("Tcp: a b\nTcp: 1\n", "Tcp:"),
              ElementsAre(FieldsAre("a", "1"), FieldsAre("b", "")));
}

TEST(WordsUnderHeader, AreNoneWithoutBothLines) {
  for (const char* text : {"", "\n", "Tcp: a", "Tcp: a\n", "Tcp: a\nTcp:\n", "Tcp:\nTcp: 1\n"})
    EXPECT_THAT(words_under_header(text, "Tcp:"), IsEmpty()) << text;
}

TEST(Number, IsTheWholeWordOrNone) {
  EXPECT_EQ(number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(number<std::int64_t>("-1"), -1);
  for (const char* word : {"", "x", "1x", "x1", " 1", "1 ", "+1", "-1", "65536", "0x1"})
    EXPECT_EQ(number<std::uint16_t>(word), std::nullopt) << word;
}

}  // namespace
}  // namespace tcpmibd::tcp
