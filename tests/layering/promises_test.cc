#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

// docs/promises.md names the tests that keep what it promises.

namespace tcpmibd {
namespace {

const std::filesystem::path kSource = TCPMIBD_SOURCE_DIR;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// All of `pattern`'s two groups in a text, as "first.second".
std::set<std::string> pairs_in(const std::string& text, const std::regex& pattern) {
  std::set<std::string> pairs;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match)
    pairs.insert((*match)[1].str() + '.' + (*match)[2].str());
  return pairs;
}

std::set<std::string> tests_there_are() {
  static const std::regex kTest(R"(\nTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\))");
  std::set<std::string> tests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSource / "tests")) {
    if (entry.path().extension() == ".cc")
      tests.merge(pairs_in(text_of(entry.path()), kTest));
  }
  return tests;
}

TEST(Promises, AreKeptByTestsThatThereAre) {
  static const std::regex kNamed(R"(`([A-Z]\w+)\.([A-Z]\w+)`)");
  const std::set<std::string> named = pairs_in(text_of(kSource / "docs/promises.md"), kNamed);
  const std::set<std::string> tests = tests_there_are();
  EXPECT_GT(named.size(), 20U);
  EXPECT_GT(tests.size(), named.size());
  std::vector<std::string> missing;
  std::ranges::set_difference(named, tests, std::back_inserter(missing));
  EXPECT_THAT(missing, testing::IsEmpty());
}

}  // namespace
}  // namespace tcpmibd
