#include "agent/reference/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tcp/life_cycle.h"
#include "tcp/state.h"

namespace tcpmibd::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// Run with TCPMIBD_REGENERATE=1 to write the picture anew.
TEST(LifeCycleSvg, IsThePageInDocs) {
  const std::string page = std::string(TCPMIBD_SOURCE_DIR) + "/docs/life-cycle.svg";
  if (std::getenv("TCPMIBD_REGENERATE") != nullptr)
    std::ofstream(page) << life_cycle_svg();
  std::ostringstream text;
  text << std::ifstream(page).rdbuf();
  EXPECT_EQ(text.str(), life_cycle_svg());
}

// CLOSED stands in the drawing twice, where a connection begins and where it ends.
TEST(LifeCycleSvg, HasABoxForEachStateAndEveryHeadOfTheDrawing) {
  const std::string svg = life_cycle_svg();
  EXPECT_EQ(count_of("<rect ", svg), tcp::kStateCount + 1);
  for (const tcp::StateNames& names : tcp::kStates)
    EXPECT_THAT(svg, HasSubstr('>' + as_prose(names.state) + " (")) << names.mib;
  const std::string drawing(tcp::life_cycle_diagram());
  const std::size_t heads = count_of(" v ", drawing) + count_of("\nv ", drawing) +
                            count_of(" v\n", drawing) + count_of("->", drawing);
  EXPECT_EQ(count_of("z", svg.substr(svg.find("class=\"head\""), 2000)), heads);
}

TEST(Drawing, ABoxATextALineAndItsHead) {
  const std::string svg = drawing_svg("+---+\n| A |-->B & C\n+---+\n  |\n  v\n", "Title", "none");
  EXPECT_THAT(svg, AllOf(HasSubstr("<title>Title</title>"),
                         HasSubstr("<rect x=\"16\" y=\"21\" width=\"32\" height=\"36\" rx=\"5\"/>"),
                         HasSubstr("M48 39H72"), HasSubstr("M32 57V93M32 93v9"),
                         HasSubstr("M80 39l-9 -4v8z"), HasSubstr("M32 111l-4 -9h8z")));
  EXPECT_THAT(svg, AllOf(HasSubstr(">A</text>"), HasSubstr(">B &amp; C</text>")));
}

TEST(Drawing, WhatIsMarkedStandsOut) {
  const std::string drawing = "+---+  +---+\n| A |  | B |\n+---+  +---+\n";
  EXPECT_EQ(count_of("<rect class=\"marked\"", drawing_svg(drawing, "", "B")), 1U);
  EXPECT_THAT(drawing_svg(drawing, "", "C"), Not(HasSubstr("<rect class=\"marked\"")));
}

// What is no whole box is drawn as the lines it is made of.
TEST(Drawing, AnOpenBoxIsLines) {
  for (const char* drawing :
       {"+---+\n|   |\n", "+---+\n|   |\n+-- +\n", "+---\n|   |\n+---+\n", "+"})
    EXPECT_THAT(drawing_svg(drawing, "", "x"), Not(HasSubstr("<rect x"))) << drawing;
}

TEST(Drawing, OfNothingIsAnEmptyPicture) {
  EXPECT_THAT(drawing_svg("", "", "x"), HasSubstr("viewBox=\"0 0 24 24\""));
}

}  // namespace
}  // namespace tcpmibd::agent
