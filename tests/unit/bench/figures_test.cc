#include "bench/figures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <numeric>

#include "bench/chart.h"
#include "bench/report.h"

namespace tcpmibd::bench {
namespace {

using testing::DoubleEq;
using testing::HasSubstr;
using testing::Not;

Figure figure(const char* subject, Samples samples, int target = 1, unsigned population = 95'000) {
  return {target, "snapshot", subject, population, "ms", std::move(samples)};
}

Samples up_to(int last) {
  Samples samples(static_cast<std::size_t>(last));
  std::iota(samples.begin(), samples.end(), 1.0);
  return samples;
}

TEST(Percentile, IsASampleThatSoManyDoNotExceed) {
  EXPECT_THAT(percentile(up_to(1000), 0.5), DoubleEq(500));
  EXPECT_THAT(percentile(up_to(1000), 0.99), DoubleEq(990));
  EXPECT_THAT(percentile(up_to(1000), 0.999), DoubleEq(999));
  EXPECT_THAT(percentile(up_to(1000), 1), DoubleEq(1000));
  EXPECT_THAT(percentile(up_to(1000), 0), DoubleEq(1));
  EXPECT_THAT(percentile({3, 1, 2}, 0.5), DoubleEq(2));
  EXPECT_THAT(percentile({}, 0.5), DoubleEq(0));
}

TEST(ShortNumber, HasThreeDigitsThatMatter) {
  EXPECT_EQ(short_number(0.0712), "0.071");
  EXPECT_EQ(short_number(3.414), "3.41");
  EXPECT_EQ(short_number(95), "95.0");
  EXPECT_EQ(short_number(1'234'567.4), "1 234 567");
  EXPECT_EQ(short_number(0), "0");
}

TEST(Findings, ARatioIsOfMediansAndJudgedByItsBound) {
  Findings findings;
  findings.set_against(figure("tcpmibd", {9, 3, 2}), figure("bare dump", {2, 2, 50}), 1.5);
  findings.set_ahead_of(figure("tcpmibd", {3}), figure("ss", {30}), 11);
  ASSERT_EQ(findings.comparisons.size(), 2U);
  EXPECT_THAT(findings.comparisons[0].value, DoubleEq(1.5));
  EXPECT_TRUE(met(findings.comparisons[0]));
  EXPECT_THAT(findings.comparisons[1].value, DoubleEq(10));
  EXPECT_FALSE(met(findings.comparisons[1]));
}

TEST(Findings, TheAdvantageIsTheirsOverOursWhicheverWayTheTargetIsPut) {
  Findings findings;
  findings.set_against(figure("tcpmibd", {2}), figure("bare dump", {1}));
  findings.set_ahead_of(figure("tcpmibd", {2}), figure("ss", {8}));
  EXPECT_THAT(findings.comparisons[0].advantage, DoubleEq(0.5));
  EXPECT_THAT(findings.comparisons[1].advantage, DoubleEq(4));
}

TEST(Findings, ATailIsHeldAgainstItsLimit) {
  Findings findings;
  findings.set_limit(figure("tcpmibd", up_to(1000), 8, 1'000'000), 998.5, 0.999);
  EXPECT_FALSE(met(findings.comparisons[0]));
}

TEST(Findings, APopulationThatNoTargetNamesIsNotJudged) {
  Findings findings;
  findings.set_against(figure("tcpmibd", {2}, 1, 300), figure("bare dump", {1}, 1, 300), 1.25);
  EXPECT_FALSE(findings.comparisons[0].demand.has_value());
  EXPECT_TRUE(met(findings.comparisons[0]));
}

Findings some_findings() {
  Findings findings;
  findings.figures = {figure("tcpmibd", {30, 10, 20})};
  findings.set_against(findings.figures[0], figure("bare <dump>", {10}), 1.25);
  findings.skipped = {"nothing is installed"};
  return findings;
}

TEST(Report, TheMarkdownSaysWhatIsMissed) {
  const std::string text = markdown({{"kernel", "Linux"}}, some_findings());
  EXPECT_THAT(text, HasSubstr("- kernel: Linux\n"));
  EXPECT_THAT(text, HasSubstr("| 95 000 | 2.00 × | ≤ 1.25 × | **missed** |"));
  EXPECT_THAT(text, HasSubstr("- nothing is installed\n"));
}

TEST(Report, TheJsonHoldsEveryFigureAndVerdict) {
  const auto all = nlohmann::json::parse(json({{"kernel", "Linux"}}, some_findings()));
  EXPECT_EQ(all["host"]["kernel"], "Linux");
  EXPECT_EQ(all["figures"][0]["median"], 20);
  EXPECT_EQ(all["figures"][0]["samples"].size(), 3U);
  EXPECT_EQ(all["comparisons"][0]["limit"], 1.25);
  EXPECT_EQ(all["comparisons"][0]["met"], false);
}

TEST(Chart, HasABarForEachPeerAndEscapesItsName) {
  const std::string svg = chart(some_findings());
  EXPECT_THAT(svg, HasSubstr("bare &lt;dump> (95 000)"));
  EXPECT_THAT(svg, HasSubstr("class=\"behind\""));
  EXPECT_THAT(svg, Not(HasSubstr("class=\"ahead\"")));
  EXPECT_THAT(svg, HasSubstr("0.500 ×"));
}

}  // namespace
}  // namespace tcpmibd::bench
