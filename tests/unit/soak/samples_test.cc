#include "soak/samples.h"

#include <gtest/gtest.h>

namespace tcpmibd::lab {
namespace {

constexpr long kNoise = 100;

std::vector<Sample> level(std::size_t count) {
  return std::vector<Sample>(count, {.memory = 10'000, .descriptors = 12, .threads = 5});
}

TEST(Samples, OfAWarmUpAndALevelAreFlat) {
  std::vector<Sample> all = level(16);
  all[0] = {.memory = 1'000, .descriptors = 3, .threads = 1};
  EXPECT_TRUE(is_flat(growth_of(all), kNoise));
}

TEST(Samples, OfMemoryThatGrowsAreNotFlat) {
  std::vector<Sample> all = level(16);
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i].memory += 50 * static_cast<long>(i);
  EXPECT_FALSE(is_flat(growth_of(all), kNoise));
}

TEST(Samples, OfADescriptorOrAThreadThatStaysAreNotFlat) {
  for (const auto part : {&Sample::descriptors, &Sample::threads}) {
    std::vector<Sample> all = level(16);
    for (std::size_t i = 11; i < all.size(); ++i)
      ++(all[i].*part);
    EXPECT_FALSE(is_flat(growth_of(all), kNoise));
  }
}

TEST(Samples, OfADescriptorForAWhileAreFlat) {
  std::vector<Sample> all = level(16);
  for (std::size_t i = 1; i < all.size(); i += 2)
    ++all[i].descriptors;
  EXPECT_TRUE(is_flat(growth_of(all), kNoise));
}

}  // namespace
}  // namespace tcpmibd::lab
