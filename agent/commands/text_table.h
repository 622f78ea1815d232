#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/commands/writer.h"

namespace tcpmibd::agent {

// The columns of a terminal that `text`, which is UTF-8, takes: two for a wide character of East
// Asia, none for an accent that is put upon another. Whatever the locale says: what we print is
// UTF-8.
std::size_t width_of(std::string_view text);

// As many whole characters from its beginning as take no more than `most` columns.
std::string_view cut_to_width(std::string_view text, std::size_t most);

// A table for people: columns as wide as their widest cell on a terminal, two spaces between, no
// trailing ones. Nothing is cut.
//
// Memory: what it prints and 16 octets a cell, for there may be a hundred thousand rows.
class TextTable {
 public:
  enum class Align { kLeft, kRight };

  struct Heading {
    std::string text;
    Align align = Align::kLeft;
  };

  struct Cell {
    std::string text;
    // Escape sequence put around the text; takes no width. One of colours.h, for it is not copied.
    const char* colour = "";
  };

  explicit TextTable(std::vector<Heading> headings);

  // As many cells as there are headings. What is not printable is written out (base/printable.h).
  void add(std::span<const Cell> row);
  void add(std::initializer_list<Cell> row) { add(std::span(row.begin(), row.size())); }

  std::size_t rows() const { return cells_.size() / headings_.size() - 1; }

  void write(const Writer& write) const;
  std::string text() const;

 private:
  struct Kept {
    std::uint32_t size;   // of its text in texts_, octets
    std::uint32_t width;  // on a terminal
    const char* colour;
  };

  void keep(const Cell& cell, std::size_t column);

  std::vector<Heading> headings_;
  std::vector<std::size_t> widths_;
  std::string texts_;        // of all cells, one after the other; that of the headings first
  std::vector<Kept> cells_;  // likewise
};

}  // namespace tcpmibd::agent
