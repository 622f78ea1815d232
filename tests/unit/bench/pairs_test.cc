#include "bench/pairs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "bench/report.h"

namespace tcpmibd::bench {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Figure paired_figure(const char* what, Samples samples) {
  return {2, what, "tcpmibd", 1'000, "ms", std::move(samples)};
}

// Plays the same round for each build again and again.
std::vector<Pairs> pairs_of(const Round& of_this, const Round& of_that, int count = 1) {
  return measure_in_pairs(count,
                          [&](Build build) { return build == Build::kThis ? of_this : of_that; });
}

Pairs pairs_with(Samples of_this, Samples of_that) {
  return {2, "GET, tcpmibd", 1'000, "ms", std::move(of_this), std::move(of_that)};
}

TEST(MeasureInPairs, EachPairBeginsWithTheOtherBuild) {
  std::string order;
  measure_in_pairs(3, [&](Build build) {
    order += build == Build::kThis ? 'A' : 'B';
    return Round{};
  });
  EXPECT_EQ(order, "ABBAAB");
}

TEST(MeasureInPairs, ABuildKeepsItsSideWhicheverIsMeasuredFirst) {
  double clock = 0;
  const std::vector<Pairs> all = measure_in_pairs(3, [&](Build build) {
    return Round{paired_figure("GET", {++clock + (build == Build::kThis ? 100 : 0)})};
  });
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0].of_this, ElementsAre(101, 104, 105));
  EXPECT_THAT(all[0].of_that, ElementsAre(2, 3, 6));
}

TEST(MeasureInPairs, TheMedianOfARoundIsCompared) {
  const std::vector<Pairs> all =
      pairs_of({paired_figure("GET", {9, 2, 1})}, {paired_figure("GET", {4, 4, 90})});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, "GET, tcpmibd");
  EXPECT_EQ(all[0].unit, "ms");
  EXPECT_EQ(all[0].population, 1'000U);
  EXPECT_THAT(all[0].of_this, ElementsAre(2));
  EXPECT_THAT(all[0].of_that, ElementsAre(4));
}

TEST(MeasureInPairs, AThousandSamplesHaveATailAsWell) {
  Samples samples(1'000);
  std::iota(samples.begin(), samples.end(), 1.0);
  const std::vector<Pairs> all =
      pairs_of({paired_figure("GET", samples)}, {paired_figure("GET", samples)});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].what, "GET, tcpmibd, p99.9");
  EXPECT_THAT(all[1].of_this, ElementsAre(999));
}

TEST(MeasureInPairs, WhatOnlyOneBuildHasIsLeftOut) {
  const std::vector<Pairs> all = pairs_of(
      {paired_figure("GET", {1}), paired_figure("walk", {1}), paired_figure("Set", {})},
      {paired_figure("walk", {2}), paired_figure("count", {2}), paired_figure("Set", {2})});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].what, "walk, tcpmibd");
}

TEST(MeasureInPairs, OfNoRoundsThereIsNothing) {
  EXPECT_THAT(pairs_of({paired_figure("GET", {1})}, {paired_figure("GET", {1})}, 0), IsEmpty());
}

TEST(Ratios, AreOfEachPairForItself) {
  EXPECT_THAT(ratios(pairs_with({2, 30, 1}, {1, 10, 2})), ElementsAre(2, 3, 0.5));
}

TEST(Ratios, APairWhoseDivisorIsZeroHasNone) {
  EXPECT_THAT(ratios(pairs_with({2, 0, 0}, {0, 0, 1})), ElementsAre(0));
  EXPECT_THAT(ratios(pairs_with({1}, {})), IsEmpty());
  EXPECT_THAT(ratios({}), IsEmpty());
}

Findings findings_with(Pairs pairs) {
  Findings findings;
  findings.pairs = {std::move(pairs)};
  return findings;
}

TEST(ReportOfPairs, TheMarkdownHasTheMedianOfRatiosAndTheirSpread) {
  const std::string text = markdown({}, findings_with(pairs_with({10, 22, 40}, {20, 20, 20})));
  EXPECT_THAT(text,
              HasSubstr("| 2 | GET, tcpmibd | 1 000 | ms | 22.0 | 20.0 | 1.10 × | 0.500 … 2.00 | "
                        "0.500 … 2.00 | 3 |"));
  EXPECT_THAT(text, Not(HasSubstr("target")));
}

TEST(ReportOfPairs, WithoutARatioThereIsADashAndNull) {
  const Findings findings = findings_with(pairs_with({1}, {0}));
  EXPECT_THAT(markdown({}, findings), HasSubstr("| 1.00 | 0 | - | - | - | 0 |"));
  const auto pairs = nlohmann::json::parse(json({}, findings))["pairs"][0];
  EXPECT_TRUE(pairs["ratio"].is_null());
  EXPECT_TRUE(pairs["most"].is_null());
}

TEST(ReportOfPairs, TheJsonHoldsBothSidesOfEveryPair) {
  const auto all =
      nlohmann::json::parse(json({}, findings_with(pairs_with({10, 22, 40}, {20, 20, 20}))));
  const auto& pairs = all["pairs"][0];
  EXPECT_EQ(pairs["target"], 2);
  EXPECT_EQ(pairs["what"], "GET, tcpmibd");
  EXPECT_EQ(pairs["this"], 22);
  EXPECT_EQ(pairs["that"], 20);
  EXPECT_THAT(pairs["ratio"].get<double>(), DoubleEq(1.1));
  EXPECT_EQ(pairs["least"], 0.5);
  EXPECT_EQ(pairs["most"], 2);
  EXPECT_EQ(pairs["of_this"].size(), 3U);
}

}  // namespace
}  // namespace tcpmibd::bench
