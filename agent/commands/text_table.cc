#include "agent/commands/text_table.h"

#include <uniwidth.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "agent/commands/colours.h"
#include "base/printable.h"

namespace tcpmibd::agent {

namespace {

// The columns of a terminal that `text`, which is UTF-8, takes: two for a wide character of East
// Asia, none for an accent that is put upon another. Whatever the locale says: what we print is
// UTF-8.
std::size_t width_of(const std::string& text) {
  const auto* octets = reinterpret_cast<const std::uint8_t*>(text.data());
  return static_cast<std::size_t>(u8_width(octets, text.size(), "UTF-8"));
}

}  // namespace

TextTable::TextTable(std::vector<Heading> headings) : headings_(std::move(headings)) {
  for (const Heading& heading : headings_)
    widths_.push_back(width_of(heading.text));
}

void TextTable::add(std::vector<Cell> row) {
  for (Cell& cell : row)
    cell.text = printable(cell.text);
  for (std::size_t i = 0; i < row.size(); ++i)
    widths_[i] = std::max(widths_[i], width_of(row[i].text));
  rows_.push_back(std::move(row));
}

std::string TextTable::text() const {
  std::vector<Cell> head;
  for (const Heading& heading : headings_)
    head.push_back({heading.text});
  std::string text = line(head);
  for (const std::vector<Cell>& row : rows_)
    text += line(row);
  return text;
}

std::string TextTable::line(const std::vector<Cell>& row) const {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string room(widths_[i] - width_of(row[i].text), ' ');
    const std::string cell = coloured(row[i].text, row[i].colour);
    const bool right = headings_[i].align == Align::kRight;
    line += (i == 0 ? "" : "  ") + (right ? room + cell : cell + room);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace tcpmibd::agent
