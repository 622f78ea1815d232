#include "tcp/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>

#include "support/random.h"

namespace tcpmibd::tcp {
namespace {

using lab::Random;

std::string respelled(std::string_view name, Random& random) {
  std::string text;
  for (const char c : name) {
    if (c == '-' || c == '_')
      text += random.one_of<std::string>({"", "-", "_"});
    else
      text += static_cast<char>(random.chance(50) ? std::toupper(static_cast<unsigned char>(c))
                                                  : std::tolower(static_cast<unsigned char>(c)));
  }
  return text;
}

TEST(ParseState, ReadsEveryNameInEverySpelling) {
  Random random;
  SCOPED_TRACE(random.text());
  for (const StateNames& names : kStates) {
    for (const std::string_view name :
         {names.mib, names.rfc, names.ss, names.netstat, names.windows}) {
      for (int round = 0; round < 50; ++round) {
        const std::string text = respelled(name, random);
        ASSERT_EQ(parse_state(text), names.state) << text;
      }
    }
    EXPECT_EQ(parse_state(std::to_string(static_cast<int>(names.state))), names.state);
  }
}

TEST(ParseState, OfAnyTextIsAStateOrNone) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::uint32_t length = random.below(16); length > 0; --length)
      text += static_cast<char>(random.below(256));
    if (const auto state = parse_state(text)) {
      ASSERT_GE(static_cast<std::size_t>(*state), 1u) << text;
      ASSERT_LE(static_cast<std::size_t>(*state), kStateCount) << text;
    }
  }
}

TEST(ParseState, RefusesWhatIsNoState) {
  for (const char* text : {"", " ", "-", "__", "0", "12", "05", "1x", "deleteTCB", "establish",
                           "establishedx", "fin wait 1", "finwait", "finwait3"})
    EXPECT_EQ(parse_state(text), std::nullopt) << text;
}

TEST(States, OfTheKernelMapToAllOfOursAndToNoOthers) {
  std::set<State> reached;
  for (unsigned number = 0; number < 256; ++number) {
    const auto state = state_from_kernel(static_cast<std::uint8_t>(number));
    EXPECT_EQ(state.has_value(), number >= 1 && number <= 12) << number;
    if (state)
      reached.insert(*state);
  }
  EXPECT_EQ(reached.size(), kStateCount);
}

}  // namespace
}  // namespace tcpmibd::tcp
