#include "agent/commands/text_table.h"

#include <algorithm>
#include <utility>

#include "base/printable.h"

namespace tcpmibd::agent {

namespace {

constexpr const char* kPlain = "\033[0m";

std::string coloured(const TextTable::Cell& cell) {
  return cell.colour.empty() ? cell.text : cell.colour + cell.text + kPlain;
}

}  // namespace

TextTable::TextTable(std::vector<Heading> headings) : headings_(std::move(headings)) {
  for (const Heading& heading : headings_)
    widths_.push_back(heading.text.size());
}

void TextTable::add(std::vector<Cell> row) {
  for (Cell& cell : row)
    cell.text = printable(cell.text);
  for (std::size_t i = 0; i < row.size(); ++i)
    widths_[i] = std::max(widths_[i], row[i].text.size());
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
    const std::string room(widths_[i] - row[i].text.size(), ' ');
    const bool right = headings_[i].align == Align::kRight;
    line += (i == 0 ? "" : "  ") + (right ? room + coloured(row[i]) : coloured(row[i]) + room);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace tcpmibd::agent
