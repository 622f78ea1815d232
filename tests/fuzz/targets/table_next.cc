#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/small_host.h"
#include "fuzz/targets.h"
#include "tables/registry.h"

namespace tcpmibd::fuzz {

namespace {

using Cells = std::map<snmp::Oid, std::optional<snmp::Value>>;

// All instances of an object, by a walk from its root, which must rise.
const Cells& cells_of(const tables::Managed& object) {
  static std::map<const tables::Managed*, Cells> kKnown;
  const auto [known, is_new] = kKnown.try_emplace(&object);
  if (is_new) {
    for (const snmp::Cell& cell : lab::walk(object, small_host().data())) {
      require(known->second.empty() || known->second.rbegin()->first < cell.name,
              "a walk rises, and meets no instance twice");
      known->second.emplace(cell.name, cell.value);
    }
  }
  return known->second;
}

snmp::Oid spelt_name(Draw& draw, snmp::Oid from) {
  while (!draw.is_empty())
    from.append(draw.number<snmp::SubId>());
  return from;
}

void agrees(const std::optional<snmp::Cell>& cell, const Cells& model, Cells::const_iterator at) {
  require(cell.has_value() == (at != model.end()), "what a walk meets is found, and nothing else");
  require(!cell || (cell->name == at->first && cell->value == at->second),
          "by its name, and as the walk has met it");
}

}  // namespace

// The input: an octet that chooses the object; one that says whether the search is inclusive, and
// by its highest bit whether the name begins at the object's root or at the very beginning; then
// sub-identifiers of four octets.
void table_next(Input input) {
  Draw draw(input);
  const std::span<const tables::Entry> registry = tables::registry();
  const tables::Managed& object = *registry[draw.below(registry.size())].object;
  const std::uint8_t how = draw.octet();
  const bool inclusive = (how & 1) != 0;
  const snmp::Oid name = spelt_name(draw, (how & 0x80) != 0 ? snmp::Oid() : object.root());

  const tables::Data data = small_host().data();
  const Cells& cells = cells_of(object);
  const std::optional<snmp::Cell> here = object.get(data, name.view());
  agrees(here, cells, cells.find(name));
  agrees(object.next(data, name.view(), inclusive), cells,
         inclusive ? cells.lower_bound(name) : cells.upper_bound(name));
  object.question(name.view());
  require(!here || object.absence(name.view()) == snmp::Absence::kNoSuchInstance,
          "an instance lies below an object that can be read");
  require(!here || snmp::starts_with(name.view(), object.root().view()), "and below its root");
}

}  // namespace tcpmibd::fuzz
