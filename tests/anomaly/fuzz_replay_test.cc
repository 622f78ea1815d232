#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "fuzz/targets.h"
#include "support/golden.h"

// The fuzzers' corpus, and whatever a fuzzer found once, through the same code.

namespace tcpmibd::fuzz {

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

namespace fs = std::filesystem;
using lab::tests_folder;

fs::path corpus_of(const Target& target) { return tests_folder() / "fuzz/corpus" / target.name; }

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, OfTheCorpusHolds) {
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(corpus_of(GetParam()))) {
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> octets{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> input(octets.begin(), octets.end());
    GetParam().run(input);
    ++files;
  }
  EXPECT_GT(files, 0u);
}

TEST_P(Replay, OfNothingHolds) { GetParam().run({}); }

INSTANTIATE_TEST_SUITE_P(Of, Replay, testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(Replay, OfRealMessagesHolds) {
  for (const lab::Recording& recording : lab::recordings()) {
    SCOPED_TRACE(recording.name);
    const auto* data = reinterpret_cast<const std::uint8_t*>(recording.bytes.data());
    parse_message({data, recording.bytes.size()});
  }
}

// Each program of libFuzzer's is made of a file there; each has a corpus, and is known here.
TEST(Replay, KnowsEveryTarget) {
  std::vector<std::string> known;
  for (const Target& target : kTargets)
    known.emplace_back(target.name);
  for (const char* folder : {"fuzz/targets", "fuzz/corpus"}) {
    std::vector<std::string> there;
    for (const auto& entry : fs::directory_iterator(tests_folder() / folder))
      there.push_back(entry.path().stem());
    EXPECT_THAT(there, testing::UnorderedElementsAreArray(known)) << folder;
  }
}

}  // namespace
}  // namespace tcpmibd::fuzz
