#include "tcp/header_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tcpmibd::tcp
