#include "agent/netsnmp/trap.h"

#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// snmpTrapOID.0, the first binding we give; sysUpTime.0 the library puts before it (RFC 3416,
// 4.2.6).
constexpr snmp::SubId kSnmpTrapOid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};

using Bindings = UniqueHandle<netsnmp_variable_list, snmp_free_varbind>;

void append(Bindings& bindings, snmp::OidView name, const snmp::Value& value) {
  const LibraryOid copy(name);
  netsnmp_variable_list* list = bindings.release();
  netsnmp_variable_list* added =
      snmp_varlist_add_variable(&list, copy.data(), copy.size(), ASN_NULL, nullptr, 0);
  bindings.reset(list);
  if (added != nullptr)
    set_value(*added, value);
}

}  // namespace

void send_notification(const tables::Notification& notification) {
  Bindings bindings;
  append(bindings, kSnmpTrapOid, notification.name);
  for (const snmp::Cell& object : notification.objects)
    append(bindings, object.name.view(), object.value.value());
  send_v2trap(bindings.get());
}

}  // namespace tcpmibd::agent
