#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "support/builders.h"
#include "support/random.h"
#include "tcp/counters.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;

// The words of /proc/net/snmp that the MIB has an object for, but for the signed MaxConn.
struct Word {
  Counter counter;
  const char* text;
};
constexpr Word kWords[] = {
    {Counter::kRtoAlgorithm, "RtoAlgorithm"},
    {Counter::kRtoMin, "RtoMin"},
    {Counter::kRtoMax, "RtoMax"},
    {Counter::kActiveOpens, "ActiveOpens"},
    {Counter::kPassiveOpens, "PassiveOpens"},
    {Counter::kAttemptFails, "AttemptFails"},
    {Counter::kEstabResets, "EstabResets"},
    {Counter::kCurrEstab, "CurrEstab"},
    {Counter::kInSegs, "InSegs"},
    {Counter::kOutSegs, "OutSegs"},
    {Counter::kRetransSegs, "RetransSegs"},
    {Counter::kInErrs, "InErrs"},
    {Counter::kOutRsts, "OutRsts"},
};

TEST(Counters, InAnyOrderAmongAnyOthersKeepTheirNumbers) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 2000; ++round) {
    std::string words = "Tcp:";
    std::string numbers = "Tcp:";
    std::array<std::optional<std::uint64_t>, kCounterCount> want;
    std::vector<Word> shuffled(std::begin(kWords), std::end(kWords));
    for (std::size_t i = shuffled.size(); i > 1; --i)
      std::swap(shuffled[i - 1], shuffled[random.below(i)]);
    for (const Word& word : shuffled) {
      if (random.chance(20)) {
        words += " New" + std::to_string(random.bits());
        numbers += " " + std::to_string(random.long_bits());
      }
      if (random.chance(20))
        continue;
      const std::uint64_t number = random.chance(50) ? random.bits() : random.long_bits();
      words += std::string(" ") + word.text;
      numbers += " " + std::to_string(number);
      want[static_cast<std::size_t>(word.counter)] = number;
    }
    if (words.size() == 4)
      continue;
    const Counters counters = Counters::parse(words + "\n" + numbers + "\n").value();
    for (const Word& word : kWords)
      ASSERT_EQ(counters.value(word.counter), want[static_cast<std::size_t>(word.counter)])
          << word.text << " of\n"
          << words << "\n"
          << numbers;
  }
}

TEST(Counters, OfAnyTextAreReadOrRefusedAndNeverMore) {
  Random random;
  SCOPED_TRACE(random.text());
  const std::string real = snmp_file(
      {"1", "200", "120000", "-1", "5", "6", "7", "8", "9", "10", "11", "12", "14", "15", "0"});
  for (int round = 0; round < 20'000; ++round) {
    std::string text = real;
    for (std::uint32_t changes = 1 + random.below(8); changes > 0 && !text.empty(); --changes) {
      const std::uint32_t at = random.below(text.size());
      switch (random.below(4)) {
        case 0:
          text.resize(at);
          break;
        case 1:
          text.erase(at, 1 + random.below(20));
          break;
        case 2:
          text[at] = static_cast<char>(random.below(256));
          break;
        default:
          text.insert(at, random.one_of({" ", "\n", "Tcp:", "-", "9", "\t"}));
      }
    }
    // Of just its size, for the address sanitizer to see a read beyond it.
    const std::vector<char> tight(text.begin(), text.end());
    const Result<Counters> counters = Counters::parse({tight.data(), tight.size()});
    if (!counters) {
      EXPECT_FALSE(counters.error().doing.empty());
    }
  }
}

}  // namespace
}  // namespace tcpmibd::tcp
