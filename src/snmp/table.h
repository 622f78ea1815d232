#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "snmp/oid.h"
#include "snmp/set.h"
#include "snmp/value.h"

namespace tcpmibd::snmp {

// One instance of an object.
struct Cell {
  Oid name;
  // Empty: the instance exists, but its value needs data that the given `Data` does not hold.
  // The caller fetches it and asks again.
  std::optional<Value> value;
};

enum class Absence { kNoSuchObject, kNoSuchInstance };

// What the descriptors say of one object, for documentation and the comparison with MIB texts.
struct ObjectInfo {
  std::string_view name;
  Oid oid;  // without instance
  Syntax syntax;
  Access access;
};

// Objects under one registered root, read from a `Data` (see tables/data.h).
//
// The one interface through which the agent sees tables and scalars alike. Names are whole OIDs,
// compared as OIDs: a short, long or senseless one needs no special case.
template <typename Data>
class Managed {
 public:
  virtual ~Managed() = default;

  virtual std::string_view name() const = 0;
  virtual Oid root() const = 0;

  // The instance `name`, or what is missing of it.
  virtual std::optional<Cell> get(const Data& data, OidView name) const = 0;

  // Why get() found nothing: whether `name` begins with an object of ours (RFC 3416, 4.2.1).
  virtual Absence absence(OidView name) const = 0;

  // The first instance after `name`, or at it where `inclusive` (RFC 2741, 7.2.3.2).
  virtual std::optional<Cell> next(const Data& data, OidView name, bool inclusive) const = 0;

  // What a GET of `name` must ask the kernel, so that it answers with what is there now. The empty
  // question: there can be no such instance.
  virtual typename Data::Question question(OidView name) const = 0;

  // Whether any of its objects may be written.
  virtual bool has_writable() const = 0;

  // Whether `name` lies in a column that a Set may write.
  virtual bool is_writable(OidView name) const = 0;

  // Of a writable column, whether it takes `value` at all: wrongType or wrongValue if not.
  virtual SetStatus check(OidView name, const Value& value) const = 0;

  // What of `Data` must be at hand for get() and next(). What only some values need besides they
  // ask for by being empty.
  virtual typename Data::Needs needs() const = 0;

  virtual bool is_table() const = 0;

  virtual std::span<const ObjectInfo> objects() const = 0;
};

// One column of a table whose rows decode to `Row`.
template <typename Row, typename Data>
struct Column {
  SubId id;
  std::string_view name;
  Syntax syntax;
  Access access;
  // Empty where `Data` does not hold what the value needs; null where not accessible.
  std::optional<Value> (*read)(const Row&, const Data&);
  // Of a read-write column: what it says to a value, whatever the row.
  SetStatus (*check)(const Value&) = nullptr;
  // Whether the column has instances at all; null: one a row.
  bool (*is_known)(const Data&) = nullptr;
};

// Rows that lie in MIB order somewhere in `Data`. A table may have several such runs, whose
// indexes may interleave: the next row is the smallest of their next rows.
template <typename Row, typename Data>
struct Run {
  std::size_t (*size)(const Data&);
  Row (*at)(const Data&, std::size_t);
};

// A table as data. Its conceptual row is `root`.1.
template <typename Row, typename Data>
struct TableSpec {
  std::string_view name;
  OidView root;
  std::span<const Column<Row, Data>> columns;  // ascending
  std::span<const Run<Row, Data>> runs;
  void (*index)(const Row&, Oid&);  // appends the row's index
  typename Data::Needs needs;
  typename Data::Question (*question)(OidView index);
};

// The search, written once for every table. Begins where the last one ended, for a walk asks for
// what follows the row it was given: that needs two comparisons, where a million rows need twenty.
//
// Thread: one at a time.
template <typename Row, typename Data>
class Table final : public Managed<Data> {
 public:
  using Spec = TableSpec<Row, Data>;

  explicit Table(const Spec& spec)
      : spec_(spec), objects_(describe(spec)), last_found_(spec.runs.size()) {}

  std::string_view name() const override { return spec_.name; }
  Oid root() const override { return Oid(spec_.root); }
  bool is_table() const override { return true; }
  typename Data::Needs needs() const override { return spec_.needs; }

  std::optional<Cell> get(const Data& data, OidView name) const override {
    const Column<Row, Data>* column = column_of(name);
    if (column == nullptr)
      return std::nullopt;
    std::optional<Cell> cell = first_in_column(data, *column, name, true);
    if (!cell || compare(cell->name, name) != 0)
      return std::nullopt;
    return cell;
  }

  Absence absence(OidView name) const override {
    return column_of(name) != nullptr ? Absence::kNoSuchInstance : Absence::kNoSuchObject;
  }

  std::optional<Cell> next(const Data& data, OidView name, bool inclusive) const override {
    for (const Column<Row, Data>& column : spec_.columns) {
      if (column.access == Access::kNotAccessible)
        continue;
      if (std::optional<Cell> cell = first_in_column(data, column, name, inclusive))
        return cell;
    }
    return std::nullopt;
  }

  typename Data::Question question(OidView name) const override {
    if (column_of(name) == nullptr)
      return {};
    return spec_.question(index_of(name));
  }

  bool has_writable() const override {
    return std::ranges::find(spec_.columns, Access::kReadWrite, &Column<Row, Data>::access) !=
           spec_.columns.end();
  }

  bool is_writable(OidView name) const override {
    const Column<Row, Data>* column = column_of(name);
    return column != nullptr && column->access == Access::kReadWrite;
  }

  SetStatus check(OidView name, const Value& value) const override {
    return is_writable(name) ? column_of(name)->check(value) : SetStatus::kNotWritable;
  }

  std::span<const ObjectInfo> objects() const override { return objects_; }

 private:
  // The sub-identifiers of the entry and the column stand between the root and the index.
  static constexpr std::size_t kColumnDepth = 2;

  const Oid& column_oid(const Column<Row, Data>& column) const {
    return objects_[static_cast<std::size_t>(&column - spec_.columns.data())].oid;
  }

  OidView index_of(OidView name) const { return name.subspan(spec_.root.size() + kColumnDepth); }

  // The accessible column that `name` lies in.
  const Column<Row, Data>* column_of(OidView name) const {
    const auto found = std::ranges::find_if(spec_.columns, [&](const auto& column) {
      return column.access != Access::kNotAccessible && starts_with(name, column_oid(column));
    });
    return found == spec_.columns.end() ? nullptr : &*found;
  }

  // The first cell of `column` after `name`, or at it where `inclusive`.
  std::optional<Cell> first_in_column(const Data& data, const Column<Row, Data>& column,
                                      OidView name, bool inclusive) const {
    if (column.is_known != nullptr && !column.is_known(data))
      return std::nullopt;
    const Oid& prefix = column_oid(column);
    if (starts_with(name, prefix))
      return first_cell(data, column, index_of(name), inclusive);
    if (compare(name, prefix) < 0)
      return first_cell(data, column, {}, true);
    return std::nullopt;
  }

  // The smallest index of all runs that lies after `index`, or at it, as a cell of `column`.
  std::optional<Cell> first_cell(const Data& data, const Column<Row, Data>& column, OidView index,
                                 bool inclusive) const {
    std::optional<std::pair<Oid, Row>> best;
    for (std::size_t number = 0; number < spec_.runs.size(); ++number) {
      const Run<Row, Data>& run = spec_.runs[number];
      const std::size_t position = first_position(data, number, index, inclusive);
      if (position == run.size(data))
        continue;
      const Row row = run.at(data, position);
      const Oid candidate = encoded(row);
      if (!best || candidate < best->first)
        best.emplace(candidate, row);
    }
    if (!best)
      return std::nullopt;
    Cell cell{.name = column_oid(column), .value = column.read(best->second, data)};
    cell.name.append(best->first);
    return cell;
  }

  std::size_t first_position(const Data& data, std::size_t number, OidView index,
                             bool inclusive) const {
    const Run<Row, Data>& run = spec_.runs[number];
    const auto lies_before = [&](std::size_t position) {
      const std::strong_ordering order = compare(encoded(run.at(data, position)), index);
      return order < 0 || (order == 0 && !inclusive);
    };
    const std::size_t size = run.size(data);
    const std::size_t position = partition_point(size, last_found_[number], lies_before);
    last_found_[number] = position == size && size > 0 ? size - 1 : position;
    return position;
  }

  // The first of `size` positions that does not lie before, looked for at `guess` and behind it
  // first.
  template <typename LiesBefore>
  static std::size_t partition_point(std::size_t size, std::size_t guess, LiesBefore lies_before) {
    std::size_t low = 0;
    std::size_t high = size;
    for (const std::size_t near : {guess, guess + 1}) {
      if (near >= low && near < high)
        lies_before(near) ? low = near + 1 : high = near;
    }
    const auto between = std::views::iota(low, high);
    return low + static_cast<std::size_t>(std::ranges::partition_point(between, lies_before) -
                                          between.begin());
  }

  Oid encoded(const Row& row) const {
    Oid index;
    spec_.index(row, index);
    return index;
  }

  static std::vector<ObjectInfo> describe(const Spec& spec) {
    std::vector<ObjectInfo> objects;
    for (const Column<Row, Data>& column : spec.columns) {
      Oid oid(spec.root);
      oid.append({1, column.id});
      objects.push_back({column.name, oid, column.syntax, column.access});
    }
    return objects;
  }

  const Spec& spec_;
  std::vector<ObjectInfo> objects_;
  // Of each run, near where the next search may end; any number is right, a good one is fast.
  mutable std::vector<std::size_t> last_found_;
};

// One scalar object; its only instance is its OID followed by 0.
template <typename Data>
struct ScalarSpec {
  SubId id;  // below the parent that Scalar is given
  std::string_view name;
  Syntax syntax;
  std::optional<Value> (*read)(const Data&);  // empty: the source has no such value
  typename Data::Needs needs;
};

template <typename Data>
class Scalar final : public Managed<Data> {
 public:
  Scalar(OidView parent, const ScalarSpec<Data>& spec)
      : spec_(spec), root_(parent), object_{spec.name, {}, spec.syntax, Access::kReadOnly} {
    root_.append(spec.id);
    object_.oid = root_;
  }

  std::string_view name() const override { return spec_.name; }
  Oid root() const override { return root_; }
  bool is_table() const override { return false; }
  typename Data::Needs needs() const override { return spec_.needs; }

  std::optional<Cell> get(const Data& data, OidView name) const override {
    if (compare(name, instance()) != 0)
      return std::nullopt;
    return cell(data);
  }

  Absence absence(OidView name) const override {
    return starts_with(name, root_) ? Absence::kNoSuchInstance : Absence::kNoSuchObject;
  }

  std::optional<Cell> next(const Data& data, OidView name, bool inclusive) const override {
    const std::strong_ordering order = compare(name, instance());
    if (order > 0 || (order == 0 && !inclusive))
      return std::nullopt;
    return cell(data);
  }

  typename Data::Question question(OidView name) const override {
    return compare(name, instance()) == 0 ? Data::everything() : typename Data::Question();
  }

  bool has_writable() const override { return false; }
  bool is_writable(OidView) const override { return false; }
  SetStatus check(OidView, const Value&) const override { return SetStatus::kNotWritable; }

  std::span<const ObjectInfo> objects() const override { return {&object_, 1}; }

 private:
  Oid instance() const {
    Oid oid = root_;
    oid.append(0);
    return oid;
  }

  // A value the kernel does not have is an instance that is not there, never a zero.
  std::optional<Cell> cell(const Data& data) const {
    std::optional<Value> value = spec_.read(data);
    if (!value)
      return std::nullopt;
    return Cell{.name = instance(), .value = std::move(value)};
  }

  const ScalarSpec<Data>& spec_;
  Oid root_;
  ObjectInfo object_;
};

}  // namespace tcpmibd::snmp
