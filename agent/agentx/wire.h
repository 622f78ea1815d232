#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "snmp/oid.h"
#include "snmp/value.h"

// The fields of which AgentX PDUs are made (RFC 2741, 5).

namespace tcpmibd::agent::agentx {

using Bytes = std::vector<std::uint8_t>;

// Of all numbers in a PDU; its sender's choice (RFC 2741, 6.1, the flag NETWORK_BYTE_ORDER).
enum class ByteOrder : std::uint8_t { kLittle, kNetwork };

// What stands in the place of a value that is missing (RFC 2741, 5.4).
enum class Exception : std::uint8_t {
  kNoSuchObject = 128,
  kNoSuchInstance = 129,
  kEndOfMibView = 130,
};

// A variable binding that a manager writes.
struct Binding {
  snmp::Oid name;
  std::optional<snmp::Value> value;  // none: of a type that no object of ours has
};

// A variable binding of an answer.
struct Found {
  snmp::Oid name;
  std::variant<snmp::Value, Exception> what;
};

// Where a Get or GetNext looks (RFC 2741, 5.2).
struct SearchRange {
  snmp::Oid start{};
  bool include = false;  // whether the start itself may be found
  snmp::Oid end{};       // the first name that may not; empty: there is none
};

// Appends fields to a PDU.
class Writer {
 public:
  // `out` outlives it.
  Writer(Bytes& out, ByteOrder order) : out_(out), order_(order) {}

  void add8(std::uint8_t number) { out_.push_back(number); }
  void add16(std::uint16_t number) { add(number, sizeof number); }
  void add32(std::uint32_t number) { add(number, sizeof number); }
  void add64(std::uint64_t number) { add(number, sizeof number); }
  void add_name(snmp::OidView name, bool include = false);  // an object identifier (5.1)
  void add_octets(std::string_view octets);                 // an octet string and padding (5.3)
  void add_range(const SearchRange& range);
  void add_binding(snmp::OidView name, const snmp::Value& value);
  void add_binding(snmp::OidView name, Exception exception);
  void add_binding_of_no_type(snmp::OidView name);  // that an object of ours has; see Binding

 private:
  void add(std::uint64_t number, std::size_t size);
  void add_type(std::uint8_t type);

  Bytes& out_;
  ByteOrder order_;
};

// Takes fields from a PDU, never beyond its end. What is cut short or senseless is read as zero or
// empty, and so is all that follows: see failed().
class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, ByteOrder order) : bytes_(bytes), order_(order) {}

  std::uint8_t take8() { return static_cast<std::uint8_t>(take(sizeof(std::uint8_t))); }
  std::uint16_t take16() { return static_cast<std::uint16_t>(take(sizeof(std::uint16_t))); }
  std::uint32_t take32() { return static_cast<std::uint32_t>(take(sizeof(std::uint32_t))); }
  std::uint64_t take64() { return take(sizeof(std::uint64_t)); }
  std::string_view take_octets();  // lies in the PDU
  snmp::Oid take_oid() { return take_name().name; }
  SearchRange take_range();
  Binding take_binding();
  Found take_found();  // a value of a type that no object of ours has is senseless

  bool at_end() const { return bytes_.empty(); }
  bool failed() const { return failed_; }

 private:
  struct Name {
    snmp::Oid name;
    bool include = false;
  };

  std::span<const std::uint8_t> skip(std::size_t size);
  std::uint64_t take(std::size_t size);
  Name take_name();
  std::optional<snmp::Value> take_value(std::uint16_t type);
  void fail();

  std::span<const std::uint8_t> bytes_;  // not taken yet
  ByteOrder order_;
  bool failed_ = false;
};

}  // namespace tcpmibd::agent::agentx
