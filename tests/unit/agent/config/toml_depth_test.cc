#include "agent/config/toml_depth.h"

#include <gtest/gtest.h>

#include <string>

namespace tcpmibd::agent {
namespace {

std::string many(const std::string& part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i)
    text += part;
  return text;
}

// With as many levels as may be, and with one more.
void expect_bound(const std::string& before, const std::string& level, std::size_t levels_before,
                  std::size_t line = 1) {
  const std::size_t most = kDeepestToml - levels_before;
  EXPECT_EQ(line_too_deep(before + many(level, most)), std::nullopt) << before << level;
  EXPECT_EQ(line_too_deep(before + many(level, most + 1)), line) << before << level;
}

TEST(TomlDepth, BracketsAndBracesCount) {
  expect_bound("a = ", "[", 0);
  expect_bound("a = ", "{b=", 0);
  expect_bound("[[", "[", 2);
}

TEST(TomlDepth, SoDoTheDotsOfKeys) {
  expect_bound("", "a.", 0);
  expect_bound("[", "a.", 1);
  expect_bound("\n\nx = {", "a.", 1, 3);
}

TEST(TomlDepth, TheyAddUp) {
  expect_bound("a.b.c = { d.e = [", "[", 5);
  expect_bound("a.b.c = [ 1, 2, { d.e = ", "[", 5);
}

TEST(TomlDepth, WhatHasEndedDoesNotCount) {
  EXPECT_EQ(line_too_deep(many("[a.b.c]\nk = [[1], {x.y = 2}]\n", 1000)), std::nullopt);
  EXPECT_EQ(line_too_deep("a = [" + many("1.5, ", 1000) + "]"), std::nullopt);
  EXPECT_EQ(line_too_deep("a = [" + many("[], {},\n", 1000) + "]"), std::nullopt);
  EXPECT_EQ(line_too_deep(many("]", 100) + many("}", 100)), std::nullopt);
}

TEST(TomlDepth, StringsAndCommentsDoNotCount) {
  const std::string deep = many("[{.", 100);
  for (const std::string& text :
       {"# " + deep, "a = '" + deep + "'", "a = \"\\\"" + deep + "\"", "\"" + deep + "\" = 1",
        "a = '''\n'" + deep + "\n'''", "a = \"\"\"\n\\\"\"\"" + deep + "\n\"\"\"",
        "a = \"" + deep + "\n"})
    EXPECT_EQ(line_too_deep(text), std::nullopt) << text;
}

// Where a string is taken for longer than it is, what follows goes unseen.
TEST(TomlDepth, AStringEndsWhereTomlEndsIt) {
  expect_bound("a = 'b\\', ", "[", 0);
  expect_bound("a = \"b\\\\\", ", "[", 0);
  expect_bound("a = [\"\"\"b\"\"\"\", ", "[", 1);
  expect_bound("a = [\"\"\"b\"\"\"\"\", ", "[", 1);
  expect_bound("a = ['''b''''', ", "[", 1);
  expect_bound("a = [\"\", ", "[", 1);
  expect_bound("a = \"\"\"\n\n\"\"\"\nb = ", "[", 0, 4);
  expect_bound("# '''\n", "a.", 0, 2);
}

}  // namespace
}  // namespace tcpmibd::agent
