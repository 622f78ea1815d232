#include "agent/agentx/wire.h"

#include <iterator>
#include <string>
#include <variant>

namespace tcpmibd::agent::agentx {
namespace {

// The types of values (RFC 2741, 5.4).
enum class Type : std::uint16_t {
  kInteger = 2,
  kOctetString = 4,
  kNull = 5,
  kObjectId = 6,
  kIpAddress = 64,
  kCounter32 = 65,
  kGauge32 = 66,
  kTimeTicks = 67,
  kOpaque = 68,
  kCounter64 = 70,
  kNoSuchObject = 128,
  kNoSuchInstance = 129,
  kEndOfMibView = 130,
};

// What an identifier need not spell out: internet, when one sub-identifier of a byte follows.
constexpr snmp::SubId kInternet[] = {1, 3, 6, 1};
constexpr std::size_t kPrefixLength = std::size(kInternet) + 1;

std::size_t padding_of(std::size_t size) { return (4 - size % 4) % 4; }

bool has_prefix(snmp::OidView name) {
  return name.size() >= kPrefixLength && snmp::starts_with(name, kInternet) &&
         name[std::size(kInternet)] >= 1 && name[std::size(kInternet)] <= 255;
}

std::uint8_t type_of(const snmp::Value& value) {
  constexpr Type kTypes[] = {Type::kInteger,     Type::kCounter32, Type::kGauge32,
                             Type::kTimeTicks,   Type::kCounter64, Type::kIpAddress,
                             Type::kOctetString, Type::kObjectId};
  static_assert(std::size(kTypes) == std::variant_size_v<snmp::Value>);
  return static_cast<std::uint8_t>(kTypes[value.index()]);
}

bool is_exception(std::uint16_t type) {
  return type >= static_cast<std::uint16_t>(Exception::kNoSuchObject) &&
         type <= static_cast<std::uint16_t>(Exception::kEndOfMibView);
}

// Writes what follows the name of a binding.
struct ValueWriter {
  Writer& out;

  void operator()(const snmp::Integer& integer) const {
    out.add32(static_cast<std::uint32_t>(integer.value));
  }
  void operator()(const snmp::Counter32& counter) const { out.add32(counter.value); }
  void operator()(const snmp::Gauge32& gauge) const { out.add32(gauge.value); }
  void operator()(const snmp::TimeTicks& ticks) const { out.add32(ticks.value); }
  void operator()(const snmp::Counter64& counter) const { out.add64(counter.value); }
  void operator()(const snmp::IpAddress& address) const {
    out.add_octets({reinterpret_cast<const char*>(address.octets.data()), address.octets.size()});
  }
  void operator()(const snmp::OctetString& string) const { out.add_octets(string.octets); }
  void operator()(const snmp::Oid& name) const { out.add_name(name); }
};

}  // namespace

// ---- Writer

void Writer::add(std::uint64_t number, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t shift = order_ == ByteOrder::kNetwork ? size - 1 - i : i;
    out_.push_back(static_cast<std::uint8_t>(number >> (8 * shift)));
  }
}

void Writer::add_name(snmp::OidView name, bool include) {
  const bool prefixed = has_prefix(name);
  const snmp::OidView spelt = prefixed ? name.subspan(kPrefixLength) : name;
  add8(static_cast<std::uint8_t>(spelt.size()));
  add8(prefixed ? static_cast<std::uint8_t>(name[std::size(kInternet)]) : 0);
  add8(include ? 1 : 0);
  add8(0);  // reserved
  for (const snmp::SubId id : spelt)
    add32(id);
}

void Writer::add_octets(std::string_view octets) {
  add32(static_cast<std::uint32_t>(octets.size()));
  out_.insert(out_.end(), octets.begin(), octets.end());
  out_.insert(out_.end(), padding_of(octets.size()), 0);
}

void Writer::add_range(const SearchRange& range) {
  add_name(range.start, range.include);
  add_name(range.end);
}

void Writer::add_type(std::uint8_t type) {
  add16(type);
  add16(0);  // reserved
}

void Writer::add_binding(snmp::OidView name, const snmp::Value& value) {
  add_type(type_of(value));
  add_name(name);
  std::visit(ValueWriter{*this}, value);
}

void Writer::add_binding(snmp::OidView name, Exception exception) {
  add_type(static_cast<std::uint8_t>(exception));
  add_name(name);
}

void Writer::add_binding_of_no_type(snmp::OidView name) {
  add_type(static_cast<std::uint8_t>(Type::kOpaque));
  add_name(name);
  add_octets({});
}

// ---- Reader

void Reader::fail() {
  failed_ = true;
  bytes_ = {};
}

// Empty where there is not as much.
std::span<const std::uint8_t> Reader::skip(std::size_t size) {
  if (size > bytes_.size()) {
    fail();
    return {};
  }
  const auto skipped = bytes_.first(size);
  bytes_ = bytes_.subspan(size);
  return skipped;
}

std::uint64_t Reader::take(std::size_t size) {
  std::uint64_t number = 0;
  const auto bytes = skip(size);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t shift = order_ == ByteOrder::kNetwork ? size - 1 - i : i;
    number |= static_cast<std::uint64_t>(bytes[i]) << (8 * shift);
  }
  return number;
}

// The length is compared before padding is added to it: it may be the greatest there is.
std::string_view Reader::take_octets() {
  const std::size_t size = take32();
  const auto octets = skip(size);
  skip(padding_of(size));
  return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

Reader::Name Reader::take_name() {
  const std::size_t count = take8();
  const std::uint8_t prefix = take8();
  Name taken{.name = {}, .include = take8() != 0};
  take8();  // reserved
  if (count + (prefix != 0 ? kPrefixLength : 0) > snmp::kMaxOidLength)
    fail();
  if (prefix != 0) {
    taken.name.append(kInternet);
    taken.name.append(prefix);
  }
  for (std::size_t i = 0; i < count && !failed_; ++i)
    taken.name.append(take32());
  return failed_ ? Name{} : taken;
}

SearchRange Reader::take_range() {
  const Name start = take_name();
  const Name end = take_name();
  return {.start = start.name, .include = start.include, .end = end.name};
}

Binding Reader::take_binding() {
  const std::uint16_t type = take16();
  take16();  // reserved
  const Name name = take_name();
  return {.name = name.name, .value = take_value(type)};
}

Found Reader::take_found() {
  const std::uint16_t type = take16();
  take16();  // reserved
  const Name name = take_name();
  if (is_exception(type))
    return {.name = name.name, .what = static_cast<Exception>(type)};
  std::optional<snmp::Value> value = take_value(type);
  if (!value || failed_) {
    fail();
    return {};
  }
  return {.name = name.name, .what = *std::move(value)};
}

std::optional<snmp::Value> Reader::take_value(std::uint16_t type) {
  switch (static_cast<Type>(type)) {
    case Type::kInteger:
      return snmp::Integer{static_cast<std::int32_t>(take32())};
    case Type::kCounter32:
      return snmp::Counter32{take32()};
    case Type::kGauge32:
      return snmp::Gauge32{take32()};
    case Type::kTimeTicks:
      return snmp::TimeTicks{take32()};
    case Type::kCounter64:
      return snmp::Counter64{take64()};
    case Type::kIpAddress:
      return snmp::ip_address_of(take_octets());
    case Type::kOctetString:
      return snmp::OctetString{std::string(take_octets())};
    case Type::kObjectId:
      return take_oid();
    case Type::kOpaque:
      take_octets();
      return std::nullopt;
    case Type::kNull:
    case Type::kNoSuchObject:
    case Type::kNoSuchInstance:
    case Type::kEndOfMibView:
      return std::nullopt;
  }
  fail();  // how long a value of another type is cannot be known
  return std::nullopt;
}

}  // namespace tcpmibd::agent::agentx
