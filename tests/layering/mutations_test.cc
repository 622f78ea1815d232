#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

// The rules that tools/mutations breaks still stand where it looks for them.

namespace tcpmibd {
namespace {

namespace fs = std::filesystem;

const fs::path kTree = TCPMIBD_SOURCE_DIR;

struct BrokenRule {
  std::string sentence, file, old_text, new_text, test;
};

std::string whole_text(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<BrokenRule> broken_rules() {
  std::ifstream in(kTree / "tests/mutations/rules");
  std::vector<BrokenRule> rules;
  for (std::string line; std::getline(in, line);) {
    const std::string word = line.substr(0, 5);
    const std::string rest = line.size() < 5 ? "" : line.substr(5);
    if (word == "rule ")
      rules.emplace_back().sentence = rest;
    else if (word == "file ")
      rules.back().file = rest;
    else if (word == "old  ")
      rules.back().old_text = rest;
    else if (word == "new  ")
      rules.back().new_text = rest;
    else if (word == "test ")
      rules.back().test = rest;
  }
  return rules;
}

std::size_t times_in(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(Mutations, FindEachRuleInOnePlace) {
  for (const BrokenRule& rule : broken_rules()) {
    SCOPED_TRACE(rule.sentence);
    EXPECT_EQ(times_in(whole_text(kTree / rule.file), rule.old_text), 1U)
        << rule.file << ": " << rule.old_text;
    EXPECT_NE(rule.old_text, rule.new_text);
    EXPECT_FALSE(rule.test.empty());
  }
}

TEST(Mutations, AreTwentyAtLeastAndToldInTheDocs) {
  const std::vector<BrokenRule> rules = broken_rules();
  EXPECT_GE(rules.size(), 20U);
  const std::string page = whole_text(kTree / "docs/testing.md");
  for (const BrokenRule& rule : rules)
    EXPECT_EQ(times_in(page, rule.sentence), 1U) << rule.sentence;
}

}  // namespace
}  // namespace tcpmibd
