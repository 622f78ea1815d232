#include "agent/commands/show/table_view.h"

#include <algorithm>
#include <map>
#include <type_traits>

#include "agent/commands/colours.h"
#include "agent/commands/text_table.h"
#include "tables/registry.h"

namespace tcpmibd::agent {

namespace {

using snmp::ObjectInfo;
using snmp::OidView;
using snmp::Value;

// ---- reading -------------------------------------------------------------------------------

const tables::Managed& table_named(std::string_view name) {
  return *std::ranges::find(tables::registry(), name, [](const tables::Entry& entry) {
            return entry.object->name();
          })->object;
}

bool is_index(const ObjectInfo& object) { return object.access == snmp::Access::kNotAccessible; }

// A string has its length before it (RFC 2578, 7.7).
snmp::OctetString take_string(OidView& rest) {
  const std::size_t length = rest.empty() ? 0 : std::min<std::size_t>(rest[0], rest.size() - 1);
  snmp::OctetString string;
  for (const snmp::SubId octet : rest.subspan(std::min<std::size_t>(1, rest.size()), length))
    string.octets += static_cast<char>(octet);
  rest = rest.subspan(std::min(length + 1, rest.size()));
  return string;
}

Value take_index(snmp::Syntax syntax, OidView& rest) {
  if (syntax == snmp::Syntax::kOctetString)
    return take_string(rest);
  const snmp::SubId id = rest.empty() ? 0 : rest[0];
  rest = rest.subspan(std::min<std::size_t>(1, rest.size()));
  if (syntax == snmp::Syntax::kInteger)
    return snmp::Integer{static_cast<std::int32_t>(id)};
  return snmp::Gauge32{id};
}

Record record_of(std::span<const ObjectInfo> objects, OidView index) {
  Record record;
  for (const ObjectInfo& object : objects) {
    if (is_index(object))
      record.set(object.name, take_index(object.syntax, index));
  }
  return record;
}

const ObjectInfo& column_of(std::span<const ObjectInfo> objects, OidView name) {
  return *std::ranges::find_if(
      objects, [&](const ObjectInfo& object) { return snmp::starts_with(name, object.oid); });
}

bool is_hidden(const TableView& view, std::string_view object) {
  return std::ranges::find(view.hidden, object) != view.hidden.end();
}

// ---- writing -------------------------------------------------------------------------------

std::string text_of(const Value& value) {
  return std::visit(
      [](const auto& typed) -> std::string {
        if constexpr (requires { std::to_string(typed.value); })
          return std::to_string(typed.value);
        else if constexpr (requires { typed.octets.c_str(); })
          return typed.octets;
        else
          return "";  // No object of a view has another syntax.
      },
      value);
}

// RFC 4001: the octets, and a zone's four.
std::string address_text(std::uint32_t type, const std::string& octets) {
  tcp::InetAddress address{.type = static_cast<tcp::AddressType>(type)};
  const std::size_t plain = std::min(octets.size(), address.octets.size());
  std::ranges::copy(octets.substr(0, plain), address.octets.begin());
  for (const char octet : octets.substr(plain))
    address.zone = address.zone << 8 | static_cast<std::uint8_t>(octet);
  return to_text(address);
}

std::string_view alarm_state_text(std::uint32_t state) {
  switch (static_cast<tcp::AlarmState>(state)) {
    case tcp::AlarmState::kRaised:
      return "raised";
    case tcp::AlarmState::kPending:
      return "pending";
    default:
      return "clear";
  }
}

// Of a value that is known.
std::string written(const TableViewColumn& column, const Record& record, const Style& style) {
  const std::uint32_t number = record.number(column.object);
  const auto state = static_cast<tcp::State>(number);
  switch (column.form) {
    case Form::kNumber:
    case Form::kText:
      return text_of(*record.find(column.object));
    case Form::kPercent:
      return percent_text(number);
    case Form::kSeconds:
      return column.other.empty() || record.number(column.other) > 0 ? seconds_text(number) : "";
    case Form::kState:
      return state_text(state, style.numeric);
    case Form::kStateName: {
      const std::string name = record.text(column.object);
      return state_text(tcp::parse_state(name).value_or(tcp::State::kClosed), style.numeric);
    }
    case Form::kStateOfSs:
      return std::string(tcp::names_of(state).ss);
    case Form::kAddress:
      return address_text(record.number(column.other), record.text(column.object));
    case Form::kProcess:
      return number == 0 ? "" : process_text(number, record.text(column.other), style.numeric);
    case Form::kAlarmState:
      return std::string(alarm_state_text(number));
  }
  return "";
}

const char* colour_in(const TableViewColumn& column, const Record& record) {
  const std::uint32_t number = record.number(column.object);
  if (column.form == Form::kState)
    return colour_of(static_cast<tcp::State>(number));
  if (column.form == Form::kStateName)
    return colour_of(tcp::parse_state(record.text(column.object)).value_or(tcp::State::kClosed));
  return column.red_from != 0 && number >= column.red_from ? kRed : "";
}

}  // namespace

bool is_number(Form form) {
  return form == Form::kNumber || form == Form::kPercent || form == Form::kSeconds;
}

std::string cell_text(const TableViewColumn& column, const Record& record, const Style& style) {
  return record.find(column.object) == nullptr ? "" : written(column, record, style);
}

namespace {

TextTable::Cell cell_of(const TableViewColumn& column, const Record& record, const Style& style) {
  const std::string text = cell_text(column, record, style);
  return {text.empty() ? "-" : text,
          style.colour && !text.empty() ? colour_in(column, record) : ""};
}

// ---- JSON ----------------------------------------------------------------------------------

// What only the form can make readable is text; all else is what the object holds.
Json json_of(const TableViewColumn& column, const Record& record) {
  if (column.form == Form::kAddress || column.form == Form::kAlarmState)
    return written(column, record, {});
  return to_json(*record.find(column.object));
}

const TableViewColumn* column_for(const TableView& view, std::string_view object) {
  const auto found = std::ranges::find(view.columns, object, &TableViewColumn::object);
  return found == view.columns.end() ? nullptr : &*found;
}

void add_field(const TableView& view, const Record& record, std::string_view object, Json& into) {
  const TableViewColumn plain{.heading = "", .object = object};
  const TableViewColumn* shown = column_for(view, object);
  const TableViewColumn& column = shown == nullptr ? plain : *shown;
  const std::string key =
      column.key.empty() ? json_key(object, view.prefix) : std::string(column.key);
  const bool known = record.find(object) != nullptr;
  into[key] = known ? json_of(column, record) : Json(nullptr);
  if (known && column.form == Form::kState)
    into["state"] = state_text(static_cast<tcp::State>(record.number(object)), false);
}

}  // namespace

void Record::set(std::string_view object, std::optional<Value> value) {
  const auto known =
      std::ranges::find(fields_, object, [](const auto& field) { return field.first; });
  if (known == fields_.end())
    fields_.emplace_back(object, std::move(value));
  else
    known->second = std::move(value);
}

const Value* Record::find(std::string_view object) const {
  const auto known =
      std::ranges::find(fields_, object, [](const auto& field) { return field.first; });
  return known == fields_.end() || !known->second ? nullptr : &*known->second;
}

std::uint32_t Record::number(std::string_view object) const {
  const Value* value = find(object);
  if (value == nullptr)
    return 0;
  return std::visit(
      [](const auto& typed) -> std::uint32_t {
        if constexpr (requires { std::uint32_t(typed.value); })
          return static_cast<std::uint32_t>(typed.value);
        else
          return 0;
      },
      *value);
}

std::string Record::text(std::string_view object) const {
  const Value* value = find(object);
  return value == nullptr ? "" : text_of(*value);
}

// A walk goes through one column after the other; its part of a row is joined by the index.
std::vector<Record> read_rows(const TableView& view, const tables::Data& data) {
  const tables::Managed& table = table_named(view.table);
  const auto index_objects = (view.index_of.empty() ? table : table_named(view.index_of)).objects();
  std::map<std::vector<snmp::SubId>, Record> rows;
  for (snmp::Oid name = table.root();;) {
    const std::optional<snmp::Cell> cell = table.next(data, name.view(), false);
    if (!cell)
      break;
    name = cell->name;
    const ObjectInfo& column = column_of(table.objects(), name.view());
    const OidView index = name.view().subspan(column.oid.size());
    const auto [row, added] = rows.try_emplace({index.begin(), index.end()});
    if (added)
      row->second = record_of(index_objects, index);
    if (!is_hidden(view, column.name))
      row->second.set(column.name, cell->value);
  }
  std::vector<Record> records;
  for (auto& [index, record] : rows)
    records.push_back(std::move(record));
  return records;
}

void sort_rows(const TableView& view, std::vector<Record>& rows) {
  const auto badness = [&](const Record& record) {
    std::vector<std::uint32_t> numbers;
    for (const std::string_view object : view.worst_first)
      numbers.push_back(record.number(object));
    return numbers;
  };
  std::ranges::stable_sort(rows, std::ranges::greater(), badness);
}

std::string to_text(const TableView& view, std::span<const Record> rows, const Style& style) {
  std::vector<TextTable::Heading> headings;
  for (const TableViewColumn& column : view.columns)
    headings.push_back({std::string(column.heading), is_number(column.form)
                                                         ? TextTable::Align::kRight
                                                         : TextTable::Align::kLeft});
  TextTable table(headings);
  for (const Record& record : rows) {
    std::vector<TextTable::Cell> cells;
    for (const TableViewColumn& column : view.columns)
      cells.push_back(cell_of(column, record, style));
    table.add(cells);
  }
  return table.text();
}

Json to_json(const TableView& view, std::span<const Record> rows) {
  Json array = Json::array();
  for (const Record& record : rows) {
    Json object = Json::object();
    for (const auto& [name, value] : record.fields())
      add_field(view, record, name, object);
    array.push_back(std::move(object));
  }
  return array;
}

Json to_json(const Value& value) {
  return std::visit(
      [](const auto& typed) -> Json {
        if constexpr (requires { Json(typed.value); })
          return typed.value;
        else if constexpr (requires { typed.octets.c_str(); })
          return typed.octets;
        else
          return nullptr;
      },
      value);
}

}  // namespace tcpmibd::agent
