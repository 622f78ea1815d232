#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/commands/show/text.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// One row of a table: its objects by their names in the MIB, those of the index first.
class Record {
 public:
  void set(std::string_view object, std::optional<snmp::Value> value);

  // Null where the value is not known, or the table has no such object.
  const snmp::Value* find(std::string_view object) const;

  std::uint32_t number(std::string_view object) const;  // 0 where not known
  std::string text(std::string_view object) const;      // empty where not known

  std::span<const std::pair<std::string_view, std::optional<snmp::Value>>> fields() const {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string_view, std::optional<snmp::Value>>> fields_;
};

// How a value is written. `other` is a second object of the same row.
enum class Form : std::uint8_t {
  kNumber,
  kText,
  kPercent,
  kSeconds,    // of as many connections as `other` has, if it is named: none of 0
  kState,      // a number by its name; JSON has both
  kStateName,  // a name
  kStateOfSs,  // a number by the name that ss(8) has for it
  kAddress,    // of the type `other`
  kProcess,    // a pid, and its command `other`; none of 0
  kAlarmState,
};

// Of those that stand at the right of their columns.
bool is_number(Form form);

// A column for people.
struct TableViewColumn {
  std::string_view heading;
  std::string_view object;
  Form form = Form::kNumber;
  std::string_view other{};
  std::uint32_t red_from = 0;  // 0: never
  std::string_view key{};      // in JSON; empty: made of the object's name
};

// A table as `show` prints it. Nothing is counted here: all is read as a manager would, through the
// descriptors.
struct TableView {
  std::string_view word;    // by which JSON names the rows
  std::string_view table;   // "tcpmibdPortTable"
  std::string_view prefix;  // what the names of its objects begin with
  std::span<const TableViewColumn> columns;
  std::span<const std::string_view> worst_first{};  // numbers by which rows are sorted, descending
  std::string_view empty;                           // said where there is no row
  std::string_view index_of{};                 // the table whose index it shares, if not its own
  std::span<const std::string_view> hidden{};  // objects that mean nothing without an agent
};

// Its rows in MIB order; what the table needs is in `data`.
std::vector<Record> read_rows(const TableView& view, const tables::Data& data);

// The worst first; equal ones stay in their order.
void sort_rows(const TableView& view, std::vector<Record>& rows);

struct Style {
  bool numeric = false;
  bool colour = false;
};

std::string to_text(const TableView& view, std::span<const Record> rows, const Style& style);

// What stands in one of its cells; empty where nothing is known.
std::string cell_text(const TableViewColumn& column, const Record& record, const Style& style);

// Every object but those hidden, with or without a column.
Json to_json(const TableView& view, std::span<const Record> rows);

// A number as a number, a string as a string.
Json to_json(const snmp::Value& value);

}  // namespace tcpmibd::agent
