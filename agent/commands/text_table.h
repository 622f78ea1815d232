#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tcpmibd::agent {

// A table for people: columns as wide as their widest cell on a terminal, two spaces between, no
// trailing ones. Nothing is cut.
class TextTable {
 public:
  enum class Align { kLeft, kRight };

  struct Heading {
    std::string text;
    Align align = Align::kLeft;
  };

  struct Cell {
    std::string text;
    std::string colour{};  // escape sequence put around the text; takes no width
  };

  explicit TextTable(std::vector<Heading> headings);

  // As many cells as there are headings. What is not printable is written out (base/printable.h).
  void add(std::vector<Cell> row);

  std::size_t rows() const { return rows_.size(); }

  std::string text() const;

 private:
  std::string line(const std::vector<Cell>& row) const;

  std::vector<Heading> headings_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tcpmibd::agent
