#include "agent/commands/text_table.h"

#include <uniwidth.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "agent/commands/colours.h"
#include "base/printable.h"

namespace tcpmibd::agent {

std::size_t width_of(std::string_view text) {
  if (is_plain(text))
    return text.size();
  const auto* octets = reinterpret_cast<const std::uint8_t*>(text.data());
  return static_cast<std::size_t>(u8_width(octets, text.size(), "UTF-8"));
}

std::string_view cut_to_width(std::string_view text, std::size_t most) {
  if (is_plain(text))
    return text.substr(0, most);
  std::size_t size = 0;
  std::size_t width = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = take_character(rest);
    width += width_of(character.octets);
    if (width > most)
      break;
    size += character.octets.size();
  }
  return text.substr(0, size);
}

TextTable::TextTable(std::vector<Heading> headings)
    : headings_(std::move(headings)), widths_(headings_.size()) {
  for (std::size_t i = 0; i < headings_.size(); ++i)
    keep({headings_[i].text}, i);
}

void TextTable::add(std::span<const Cell> row) {
  for (std::size_t i = 0; i < row.size(); ++i)
    keep(row[i], i);
}

void TextTable::keep(const Cell& cell, std::size_t column) {
  const std::size_t before = texts_.size();
  texts_ += printable(cell.text);
  const std::size_t size = texts_.size() - before;
  const std::size_t width = width_of(std::string_view(texts_).substr(before));
  cells_.push_back(
      {static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(width), cell.colour});
  widths_[column] = std::max(widths_[column], width);
}

// What follows the last text of a line is left out.
void TextTable::write(const Writer& write) const {
  std::string_view rest = texts_;
  std::string line;
  for (std::size_t at = 0; at < cells_.size(); ++at) {
    const std::size_t column = at % headings_.size();
    const Kept& cell = cells_[at];
    const std::string_view text = rest.substr(0, cell.size);
    const std::size_t room = widths_[column] - cell.width;
    const bool right = headings_[column].align == Align::kRight;
    rest.remove_prefix(cell.size);
    line.append(column == 0 ? 0 : 2, ' ').append(right ? room : 0, ' ');
    line += coloured(text, cell.colour);
    line.append(right ? 0 : room, ' ');
    if (column + 1 < headings_.size())
      continue;
    line.erase(line.find_last_not_of(' ') + 1);
    write(line += '\n');
    line.clear();
  }
}

std::string TextTable::text() const {
  std::string text;
  write([&](std::string_view line) { text += line; });
  return text;
}

}  // namespace tcpmibd::agent
