#include "agent/netsnmp/varbind.h"

#include <cstdint>
#include <string>

#include "agent/netsnmp/net_snmp.h"
#include "agent/netsnmp/oid.h"

namespace tcpmibd::agent {
namespace {

// Writes the one alternative a value holds, under its tag. Net-SNMP wants numbers as `long`.
class Writer {
 public:
  explicit Writer(variable_list& binding) : binding_(binding) {}

  void operator()(const snmp::Integer& integer) const { number(ASN_INTEGER, integer.value); }
  void operator()(const snmp::Counter32& counter) const { number(ASN_COUNTER, counter.value); }
  void operator()(const snmp::Gauge32& gauge) const { number(ASN_GAUGE, gauge.value); }
  void operator()(const snmp::TimeTicks& ticks) const { number(ASN_TIMETICKS, ticks.value); }

  void operator()(const snmp::Counter64& counter) const {
    const struct counter64 halves {
      .high = counter.value >> 32, .low = counter.value & UINT32_MAX
    };
    bytes(ASN_COUNTER64, &halves, sizeof halves);
  }

  void operator()(const snmp::IpAddress& address) const {
    bytes(ASN_IPADDRESS, address.octets.data(), address.octets.size());
  }

  void operator()(const snmp::OctetString& string) const {
    bytes(ASN_OCTET_STR, string.octets.data(), string.octets.size());
  }

  void operator()(const snmp::Oid& name) const {
    const LibraryOid copy(name);
    bytes(ASN_OBJECT_ID, copy.data(), copy.size() * sizeof(oid));
  }

 private:
  void number(std::uint8_t type, long value) const {
    snmp_set_var_typed_integer(&binding_, type, value);
  }

  void bytes(std::uint8_t type, const void* data, std::size_t size) const {
    snmp_set_var_typed_value(&binding_, type, data, size);
  }

  variable_list& binding_;
};

std::string octets_of(const variable_list& binding) {
  return {reinterpret_cast<const char*>(binding.val.string), binding.val_len};
}

}  // namespace

snmp::Oid name_of(const variable_list& binding) {
  return from_library(binding.name, binding.name_length);
}

void set_name(variable_list& binding, snmp::OidView name) {
  const LibraryOid copy(name);
  snmp_set_var_objid(&binding, copy.data(), copy.size());
}

std::optional<snmp::Value> value_of(const variable_list& binding) {
  const auto number = [&] { return static_cast<std::uint32_t>(*binding.val.integer); };
  switch (binding.type) {
    case ASN_INTEGER:
      return snmp::Integer{static_cast<std::int32_t>(*binding.val.integer)};
    case ASN_COUNTER:
      return snmp::Counter32{number()};
    case ASN_GAUGE:
      return snmp::Gauge32{number()};
    case ASN_TIMETICKS:
      return snmp::TimeTicks{number()};
    case ASN_COUNTER64:
      return snmp::Counter64{(std::uint64_t{binding.val.counter64->high} << 32) |
                             (binding.val.counter64->low & UINT32_MAX)};
    case ASN_OCTET_STR:
      return snmp::OctetString{octets_of(binding)};
    case ASN_IPADDRESS:
      return snmp::ip_address_of(octets_of(binding));
    case ASN_OBJECT_ID:
      return from_library(binding.val.objid, binding.val_len / sizeof(oid));
    default:
      return std::nullopt;
  }
}

void set_value(variable_list& binding, const snmp::Value& value) {
  std::visit(Writer(binding), value);
}

}  // namespace tcpmibd::agent
