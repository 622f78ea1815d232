#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/builders.h"

// Short words for what TCPMIBD-MIB says of a host.

namespace tcpmibd::lab {

// "Gauge32 7" of the object at `below` of the arc, "absent", or "not at hand".
inline std::string told(const tables::Data& data, std::string_view below) {
  const snmp::Oid name = own_oid(below);
  for (const tables::Entry& entry : tables::registry()) {
    if (!snmp::starts_with(name.view(), entry.object->root().view()))
      continue;
    const std::optional<snmp::Cell> cell = entry.object->get(data, name.view());
    if (!cell)
      return "absent";
    return cell->value ? to_text(*cell->value) : "not at hand";
  }
  throw std::invalid_argument("nobody owns " + name.text());
}

inline std::string told(const Host& host, std::string_view below) {
  return told(host.data(), below);
}

// What stands below each column of the table: the columns' numbers, and the indexes of the first.
struct Shape {
  std::vector<std::string> columns, rows;
};

inline Shape shape_of(const tables::Managed& table, const Host& host) {
  Shape shape;
  const std::size_t column_at = table.root().size() + 1;
  for (const snmp::Cell& cell : walk(table, host.data())) {
    const std::string column = std::to_string(cell.name.view()[column_at]);
    if (shape.columns.empty() || shape.columns.back() != column)
      shape.columns.push_back(column);
    if (shape.columns.size() == 1)
      shape.rows.push_back(snmp::to_text(cell.name.view().subspan(column_at + 1)));
  }
  return shape;
}

}  // namespace tcpmibd::lab
