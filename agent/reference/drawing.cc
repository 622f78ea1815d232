#include "agent/reference/drawing.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <sstream>
#include <vector>

#include "tcp/life_cycle.h"

namespace tcpmibd::agent {
namespace {

// A character's width and a line's height, in the units of the picture: those of 14px monospace.
constexpr int kCellWidth = 8;
constexpr int kCellHeight = 18;
constexpr int kMargin = 12;

struct Place {
  std::size_t row;
  std::size_t column;
};

struct Box {
  Place first;  // Corners.
  Place last;
};

int x_of(std::size_t column) {
  return kMargin + static_cast<int>(column) * kCellWidth + kCellWidth / 2;
}

int y_of(std::size_t row) {
  return kMargin + static_cast<int>(row) * kCellHeight + kCellHeight / 2;
}

// The characters, as in a table; what lies outside is blank.
class Canvas {
 public:
  explicit Canvas(std::string_view drawing) {
    std::istringstream lines{std::string(drawing)};
    for (std::string line; std::getline(lines, line);) {
      if (!rows_.empty() || !line.empty())  // The drawing begins with a line break.
        rows_.push_back(line);
      width_ = std::max(width_, line.size());
    }
    for (std::string& row : rows_)
      row.resize(width_, ' ');
  }

  std::size_t height() const { return rows_.size(); }
  std::size_t width() const { return width_; }

  // Rows and columns before the first wrap to very large numbers, which lie outside.
  char at(std::size_t row, std::size_t column) const {
    return row < height() && column < width_ ? rows_[row][column] : ' ';
  }
  void erase(Place place) { rows_[place.row][place.column] = ' '; }

  // Of a row, from `column` up to the next two blanks.
  std::string text_at(std::size_t row, std::size_t column) const {
    const std::string& line = rows_[row];
    std::string text = line.substr(column, line.find("  ", column) - column);
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }

 private:
  std::vector<std::string> rows_;
  std::size_t width_ = 0;
};

// ---- Boxes ----

std::optional<std::size_t> edge_end(const Canvas& canvas, Place corner) {
  std::size_t column = corner.column + 1;
  while (canvas.at(corner.row, column) == '-')
    ++column;
  if (column == corner.column + 1 || canvas.at(corner.row, column) != '+')
    return std::nullopt;
  return column;
}

std::optional<Box> box_at(const Canvas& canvas, Place corner) {
  const std::optional<std::size_t> right = edge_end(canvas, corner);
  if (!right)
    return std::nullopt;
  std::size_t row = corner.row + 1;
  while (canvas.at(row, corner.column) == '|' && canvas.at(row, *right) == '|')
    ++row;
  if (row == corner.row + 1 || canvas.at(row, corner.column) != '+' ||
      edge_end(canvas, {row, corner.column}) != right)
    return std::nullopt;
  return Box{corner, {row, *right}};
}

std::vector<Box> boxes_in(const Canvas& canvas) {
  std::vector<Box> boxes;
  for (std::size_t row = 0; row < canvas.height(); ++row) {
    for (std::size_t column = 0; column < canvas.width(); ++column) {
      if (canvas.at(row, column) == '+') {
        if (const std::optional<Box> box = box_at(canvas, {row, column}))
          boxes.push_back(*box);
      }
    }
  }
  return boxes;
}

bool holds(const Canvas& canvas, const Box& box, std::string_view text) {
  for (std::size_t row = box.first.row + 1; row < box.last.row; ++row) {
    for (std::size_t column = box.first.column; column < box.last.column; ++column) {
      if (canvas.text_at(row, column).starts_with(text))
        return true;
    }
  }
  return false;
}

bool on_edge(const Box& box, Place place) {
  const bool within = box.first.row <= place.row && place.row <= box.last.row &&
                      box.first.column <= place.column && place.column <= box.last.column;
  return within && (place.row == box.first.row || place.row == box.last.row ||
                    place.column == box.first.column || place.column == box.last.column);
}

std::string box_svg(const Box& box, bool marked) {
  std::ostringstream svg;
  svg << "<rect" << (marked ? " class=\"marked\"" : "") << " x=\"" << x_of(box.first.column)
      << "\" y=\"" << y_of(box.first.row) << "\" width=\""
      << x_of(box.last.column) - x_of(box.first.column) << "\" height=\""
      << y_of(box.last.row) - y_of(box.first.row) << "\" rx=\"5\"/>\n";
  return svg.str();
}

// ---- Lines and their heads ----

// In a word a 'v' is a letter.
bool is_head(const Canvas& canvas, Place place) {
  const auto [row, column] = place;
  const char c = canvas.at(row, column);
  if (c == 'v')
    return canvas.at(row, column - 1) == ' ' && canvas.at(row, column + 1) == ' ';
  return c == '>' && canvas.at(row, column - 1) == '-';
}

// A line goes from edge to edge of its characters, and on to the middle of what it touches.
int reach(char touched, int cell) { return touched == ' ' ? cell / 2 : cell; }

std::string horizontal(const Canvas& canvas, Place first) {
  std::size_t last = first.column;
  while (canvas.at(first.row, last + 1) == '-')
    ++last;
  std::ostringstream path;
  path << 'M' << x_of(first.column) - reach(canvas.at(first.row, first.column - 1), kCellWidth)
       << ' ' << y_of(first.row) << 'H'
       << x_of(last) + reach(canvas.at(first.row, last + 1), kCellWidth);
  return path.str();
}

std::string vertical(const Canvas& canvas, Place first) {
  std::size_t last = first.row;
  while (canvas.at(last + 1, first.column) == '|')
    ++last;
  std::ostringstream path;
  path << 'M' << x_of(first.column) << ' '
       << y_of(first.row) - reach(canvas.at(first.row - 1, first.column), kCellHeight) << 'V'
       << y_of(last) + reach(canvas.at(last + 1, first.column), kCellHeight);
  return path.str();
}

// Its point is at the edge of the box that it leads to.
std::string head(const Canvas& canvas, Place place) {
  std::ostringstream path;
  if (canvas.at(place.row, place.column) == 'v')
    path << 'M' << x_of(place.column) << ' ' << y_of(place.row + 1) << "l-4 -9h8z";
  else
    path << 'M' << x_of(place.column + 1) << ' ' << y_of(place.row) << "l-9 -4v8z";
  return path.str();
}

// What joins a head that points down to the line above it, which ends in the middle of its
// character.
std::string stem(Place place) {
  std::ostringstream path;
  path << 'M' << x_of(place.column) << ' ' << y_of(place.row) << 'v' << kCellHeight / 2;
  return path.str();
}

// ---- The whole ----

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else
      result += c;
  }
  return result;
}

// As wide as in the drawing, whatever font there is.
std::string text_svg(Place place, std::string_view text) {
  std::ostringstream svg;
  svg << "<text x=\"" << x_of(place.column) - kCellWidth / 2 << "\" y=\"" << y_of(place.row) + 4
      << "\" textLength=\"" << text.size() * kCellWidth << "\">" << escaped(text) << "</text>\n";
  return svg.str();
}

bool on_edge(const std::vector<Box>& boxes, Place place) {
  return std::ranges::any_of(boxes, [&](const Box& box) { return on_edge(box, place); });
}

// Lines and heads as what is between the quotes of a path, and the canvas without them: text.
struct Strokes {
  std::string lines;
  std::string heads;
  Canvas texts;
};

// What begins at one character that belongs to no box.
void add_stroke(const Canvas& canvas, Place place, Strokes& strokes) {
  const auto [row, column] = place;
  const char c = canvas.at(row, column);
  const bool is_stroke = c == '-' || c == '|' || c == '+' || is_head(canvas, place);
  if (!is_stroke)
    return;
  strokes.texts.erase(place);
  if (is_head(canvas, place))
    strokes.heads += head(canvas, place);
  if (c == 'v')
    strokes.lines += stem(place);
  else if (c == '-' && canvas.at(row, column - 1) != '-')
    strokes.lines += horizontal(canvas, place);
  else if (c == '|' && canvas.at(row - 1, column) != '|')
    strokes.lines += vertical(canvas, place);
}

Strokes strokes_of(const Canvas& canvas, const std::vector<Box>& boxes) {
  Strokes strokes{"", "", canvas};
  for (std::size_t row = 0; row < canvas.height(); ++row) {
    for (std::size_t column = 0; column < canvas.width(); ++column) {
      if (on_edge(boxes, {row, column}))
        strokes.texts.erase({row, column});
      else
        add_stroke(canvas, {row, column}, strokes);
    }
  }
  return strokes;
}

std::string texts_svg(const Canvas& canvas) {
  std::string svg;
  for (std::size_t row = 0; row < canvas.height(); ++row) {
    for (std::size_t column = 0; column < canvas.width(); ++column) {
      if (canvas.at(row, column) == ' ')
        continue;
      const std::string text = canvas.text_at(row, column);
      svg += text_svg({row, column}, text);
      column += text.size();
    }
  }
  return svg;
}

std::string opening(const Canvas& canvas, std::string_view title) {
  std::ostringstream svg;
  svg << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "
      << static_cast<int>(canvas.width()) * kCellWidth + 2 * kMargin << ' '
      << static_cast<int>(canvas.height()) * kCellHeight + 2 * kMargin
      << "\" role=\"img\">\n<title>" << escaped(title) << "</title>\n";
  return svg.str();
}

constexpr std::string_view kStyle =
    "<style>\n"
    "text { font: 13px monospace; fill: #1f2328 }\n"
    "rect { fill: #ddf4ff; stroke: #57606a; stroke-width: 1.5 }\n"
    "rect.marked { fill: #ffebe9; stroke: #cf222e }\n"
    ".line { fill: none; stroke: #57606a; stroke-width: 1.5; stroke-linecap: round }\n"
    ".head { fill: #57606a }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #e6edf3 }\n"
    "rect { fill: #121d2f; stroke: #9198a1 }\n"
    "rect.marked { fill: #25171c; stroke: #f85149 }\n"
    ".line { stroke: #9198a1 }\n"
    ".head { fill: #9198a1 }\n"
    "}\n"
    "</style>\n";

}  // namespace

std::string drawing_svg(std::string_view drawing, std::string_view title, std::string_view marked) {
  const Canvas canvas(drawing);
  const std::vector<Box> boxes = boxes_in(canvas);
  const Strokes strokes = strokes_of(canvas, boxes);
  std::string svg = opening(canvas, title) + std::string(kStyle);
  svg += "<path class=\"line\" d=\"" + strokes.lines + "\"/>\n";
  svg += "<path class=\"head\" d=\"" + strokes.heads + "\"/>\n";
  for (const Box& box : boxes)
    svg += box_svg(box, holds(strokes.texts, box, marked));
  return svg + texts_svg(strokes.texts) + "</svg>\n";
}

std::string life_cycle_svg() {
  return drawing_svg(tcp::life_cycle_diagram(), "The life of a TCP connection",
                     as_prose(tcp::State::kCloseWait));
}

}  // namespace tcpmibd::agent
