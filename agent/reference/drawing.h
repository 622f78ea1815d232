#pragma once

#include <string>
#include <string_view>

namespace tcpmibd::agent {

// A drawing of characters as SVG. `drawing` holds lines of ASCII, of which
//
//   +---+
//   |   |    is a box, whose edges other lines may touch,
//   +---+
//
// '-' and '|' are lines, which '+' joins, a 'v' between blanks and a '>' after a line are their
// heads. Everything else is text, which has none of those characters. `title` is for readers who
// hear the page. A box with `marked` in its text stands out. Colours follow the reader's scheme,
// light or dark.
std::string drawing_svg(std::string_view drawing, std::string_view title, std::string_view marked);

// The life cycle: docs/life-cycle.svg.
std::string life_cycle_svg();

}  // namespace tcpmibd::agent
