#include "agent/commands/watch/screen.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "agent/commands/text_table.h"

namespace tcpmibd::agent {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

constexpr ScreenSize kUsual{.rows = 24, .columns = 100};

std::string text_of(const ScreenLine& line) {
  std::string text;
  for (const ScreenSpan& span : line)
    text += span.text;
  return text.erase(text.find_last_not_of(' ') + 1);
}

LiveRow program(const std::string& name, std::int64_t established, std::uint32_t unclosed) {
  return {.key = name,
          .cells = {{.text = name},
                    {.text = std::to_string(established), .number = established},
                    {.text = std::to_string(unclosed), .number = unclosed, .hurts = unclosed > 0}},
          .badness = {unclosed}};
}

LiveTable table_of(std::vector<LiveRow> rows) {
  return {.word = "processes",
          .columns = {{"PROCESS"}, {"ESTAB", true}, {"CLOSE-WAIT", true}},
          .rows = std::move(rows)};
}

// What is shown of two readings that are two seconds apart.
class Screen : public testing::Test {
 protected:
  Screen() {
    before_.at = Time{} + std::chrono::seconds(10);
    now_.at = before_.at + std::chrono::seconds(2);
    wish_.word = "processes";
  }

  std::vector<ScreenLine> lines(const LiveTable& table, const LiveTable* before = nullptr,
                                const ScreenSize& size = kUsual) const {
    return screen_lines({.host = now_,
                         .host_before = first_ ? nullptr : &before_,
                         .table = table,
                         .table_before = before,
                         .wish = wish_,
                         .interval = std::chrono::seconds(2)},
                        size);
  }

  std::vector<std::string> texts(const LiveTable& table, const LiveTable* before = nullptr,
                                 const ScreenSize& size = kUsual) const {
    std::vector<std::string> texts;
    for (const ScreenLine& line : lines(table, before, size))
      texts.push_back(text_of(line));
    return texts;
  }

  // The rows below their headings, without what stands around.
  std::vector<std::string> rows(const LiveTable& table, const LiveTable* before = nullptr) const {
    std::vector<std::string> all = texts(table, before);
    std::vector<std::string> rows(all.begin() + 6, all.end() - 1);
    std::erase(rows, "");
    return rows;
  }

  LiveHost before_;
  LiveHost now_;
  Wish wish_;
  bool first_ = false;
};

TEST_F(Screen, ShowsTheWorstFirst) {
  EXPECT_THAT(rows(table_of({program("web", 90, 0), program("leaker", 3, 25)})),
              ElementsAre("  leaker       3          25", "  web         90           0"));
}

TEST_F(Screen, MarksWhatIsNewAndWhatHasChangedAndByHowMuch) {
  const LiveTable before = table_of({program("web", 90, 0), program("leaker", 3, 22)});
  EXPECT_THAT(
      rows(table_of({program("web", 90, 0), program("leaker", 2, 25), program("born", 1, 0)}),
           &before),
      ElementsAre("* leaker       2 -1          25 +3", "  web         90              0",
                  "+ born         1              0"));
}

TEST_F(Screen, OfCountersTellsTheRate) {
  const auto drops = [](std::int64_t count) {
    return LiveTable{
        .word = "pressure",
        .columns = {{"FIGURE"}, {"VALUE", true}},
        .rows = {{.key = "drops",
                  .cells = {{.text = "drops"},
                            {.text = std::to_string(count), .number = count, .counter = true}},
                  .badness = {}}}};
  };
  const LiveTable before = drops(100);
  EXPECT_THAT(rows(drops(107), &before), ElementsAre("* drops     107 3.5/s"));
}

TEST_F(Screen, NothingIsMadeOfWhatChangesWithTime) {
  const auto hung = [](std::int64_t seconds) {
    LiveTable table = table_of({program("leaker", 1, 1)});
    table.rows[0].cells[1].number = seconds;
    table.rows[0].cells[1].drifts = true;
    return table;
  };
  const LiveTable before = hung(5);
  EXPECT_THAT(rows(hung(7), &before), ElementsAre(StartsWith("  leaker")));
}

TEST_F(Screen, SortsByChangeAndByColumnAndTheOtherWayRound) {
  const LiveTable before = table_of({program("a", 1, 0), program("b", 5, 0), program("c", 3, 9)});
  const LiveTable table = table_of({program("a", 9, 0), program("b", 5, 0), program("c", 3, 9)});
  wish_.order = {.by = LiveOrder::By::kChange};
  EXPECT_THAT(rows(table, &before)[0], StartsWith("* a"));
  wish_.order = {.by = LiveOrder::By::kColumn, .column = 1};
  EXPECT_THAT(rows(table), ElementsAre(StartsWith("  a"), StartsWith("  b"), StartsWith("  c")));
  wish_.order.reversed = true;
  EXPECT_THAT(rows(table), ElementsAre(StartsWith("  c"), StartsWith("  b"), StartsWith("  a")));
  wish_.order = {.by = LiveOrder::By::kColumn, .column = 99};
  EXPECT_THAT(rows(table), SizeIs(3));
}

TEST_F(Screen, ShowsOnlyWhatContainsTheFilter) {
  wish_.filter = "LEAK";
  const LiveTable table = table_of({program("web", 90, 0), program("leaker", 3, 25)});
  EXPECT_THAT(rows(table), ElementsAre(StartsWith("  leaker")));
  wish_.filter = "nobody";
  EXPECT_THAT(rows(table), ElementsAre("nothing matches the filter"));
  EXPECT_THAT(texts(table).back(), StartsWith("/nobody  0-0 of 0"));
}

TEST_F(Screen, ScrollsNoFurtherThanToTheLastRow) {
  std::vector<LiveRow> many;
  for (int i = 100; i < 150; ++i)
    many.push_back(program(std::to_string(i), 0, 0));
  wish_.first = 1000;
  EXPECT_THAT(rows(table_of(many)).back(), StartsWith("  149"));
  wish_.first = 2;
  EXPECT_THAT(rows(table_of(many)).front(), StartsWith("  102"));
  EXPECT_THAT(texts(table_of(many)).back(), StartsWith("3-19 of 50"));
}

TEST_F(Screen, FitsWhateverSizeThereIs) {
  std::vector<LiveRow> many;
  for (int i = 0; i < 50; ++i)
    many.push_back(program("同步任务服务 é" + std::to_string(i), i, 1));
  const LiveTable table = table_of(many);
  now_.verdict = std::string(300, 'x');
  for (std::size_t rows = 0; rows < 40; ++rows) {
    for (std::size_t columns : {0U, 1U, 7U, 40U, 80U, 200U}) {
      const auto all = lines(table, nullptr, {.rows = rows, .columns = columns});
      EXPECT_LE(all.size(), rows);
      for (const ScreenLine& line : all)
        EXPECT_LE(width_of(text_of(line)), columns);
    }
  }
}

TEST_F(Screen, TellsStatesAndWhatTheyHaveGrownBy) {
  const auto close_wait = static_cast<std::size_t>(tcp::State::kCloseWait) - 1;
  before_.counts[close_wait] = 22;
  now_.counts[close_wait] = 25;
  const auto all = lines(table_of({}));
  EXPECT_EQ(text_of(all[1]), "closeWait 25 +3");
  EXPECT_EQ(all[1][0].tone, Tone::kHurts);
}

TEST_F(Screen, TellsRatesFromTheSecondLookOn) {
  before_.counters = {{.name = "in", .value = 100}, {.name = "drops", .value = 7, .hurts = true}};
  now_.counters = {{.name = "in", .value = 1100}, {.name = "drops", .value = 7, .hurts = true}};
  EXPECT_EQ(texts(table_of({}))[2], "in 500/s  drops 0/s");
  now_.counters[1].value = 8;
  EXPECT_EQ(lines(table_of({}))[2][2].tone, Tone::kHurts);
  first_ = true;
  EXPECT_EQ(texts(table_of({}))[2], "rates follow in 2 s");
}

TEST_F(Screen, SaysWhatHurtsOrWhyItDoesNotKnow) {
  EXPECT_EQ(texts(table_of({}))[3], "nothing hurts");
  now_.verdict = "4711 leaker has not closed 25 connections";
  EXPECT_EQ(texts(table_of({}))[3], now_.verdict);
  now_.trouble = "cannot dump: No buffer space available";
  EXPECT_EQ(texts(table_of({}))[3], now_.trouble);
}

TEST_F(Screen, NamesTheViewsAndTheKeys) {
  const auto all = texts(table_of({}));
  EXPECT_THAT(all.front(), AllOf(HasSubstr("1 processes  2 ports"), HasSubstr("5 connections")));
  EXPECT_THAT(all.back(), HasSubstr("? help  / filter  arrows sort  q quit"));
  wish_.help = true;
  EXPECT_THAT(texts(table_of({})), testing::Contains(HasSubstr("q, Ctrl-C     end")));
}

TEST_F(Screen, WhatSteersATerminalIsWrittenOut) {
  for (const ScreenLine& line : lines(table_of({program("\x1b[31mred\n", 1, 1)})))
    EXPECT_THAT(text_of(line), AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\n"))));
}

}  // namespace
}  // namespace tcpmibd::agent
