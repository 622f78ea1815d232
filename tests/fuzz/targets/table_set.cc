#include <algorithm>

#include "fuzz/targets.h"
#include "fuzz/values.h"
#include "tables/registry.h"

namespace tcpmibd::fuzz {

namespace {

constexpr std::int32_t kDeleteTcb = 12;

snmp::SetStatus fared(const tables::Managed& object, snmp::OidView name, const snmp::Value& value) {
  if (!object.is_writable(name))
    return snmp::SetStatus::kNotWritable;
  const auto* number = std::get_if<snmp::Integer>(&value);
  if (number == nullptr)
    return snmp::SetStatus::kWrongType;
  return number->value == kDeleteTcb ? snmp::SetStatus::kNoError : snmp::SetStatus::kWrongValue;
}

}  // namespace

// The input: an octet that chooses the object, one that chooses among its columns, what is appended
// to that, and a value. Nothing can be written but deleteTCB to a connection's state.
void table_set(Input input) {
  Draw draw(input);
  const std::span<const tables::Entry> registry = tables::registry();
  const tables::Managed& object = *registry[draw.below(registry.size())].object;
  const auto objects = object.objects();
  const std::size_t column = draw.below(objects.size() + 1);
  const snmp::Oid from = column < objects.size() ? objects[column].oid : snmp::Oid();
  const snmp::Oid name = drawn_name(draw, from);
  const snmp::Value value = drawn_value(draw);
  require(object.check(name.view(), value) == fared(object, name.view(), value),
          "a value fares as RFC 4022 has it");
  const auto below = [&](const snmp::ObjectInfo& info) {
    return info.access == snmp::Access::kReadWrite &&
           snmp::starts_with(name.view(), info.oid.view());
  };
  require(object.is_writable(name.view()) == std::ranges::any_of(objects, below),
          "what can be written lies in a column that says so");
}

}  // namespace tcpmibd::fuzz
