#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "fuzz/parse_message.h"
#include "fuzz/table_next.h"
#include "support/golden.h"

// The fuzzers' corpus, and whatever a fuzzer found once, through the same code.

namespace tcpmibd::fuzz {
namespace {

using lab::tests_folder;

struct Target {
  const char* name;
  void (*run)(Input);
};

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, OfTheCorpusHolds) {
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(tests_folder() / "fuzz/corpus" / GetParam().name)) {
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> octets{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> input(octets.begin(), octets.end());
    GetParam().run(input);
    ++files;
  }
  EXPECT_GT(files, 0u);
}

INSTANTIATE_TEST_SUITE_P(Of, Replay,
                         testing::Values(Target{"parse_message", &parse_message},
                                         Target{"table_next", &table_next}),
                         [](const auto& target) { return target.param.name; });

TEST(Replay, OfRealMessagesHolds) {
  for (const lab::Recording& recording : lab::recordings()) {
    SCOPED_TRACE(recording.name);
    const auto* data = reinterpret_cast<const std::uint8_t*>(recording.bytes.data());
    parse_message({data, recording.bytes.size()});
  }
}

}  // namespace
}  // namespace tcpmibd::fuzz
