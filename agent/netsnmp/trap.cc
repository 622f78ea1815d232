#include "agent/netsnmp/trap.h"

#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

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

// sysUpTime.0 is put before it by the library.
void send_notification(const tables::Notification& notification) {
  Bindings bindings;
  append(bindings, tables::kSnmpTrapOid, notification.name);
  for (const snmp::Cell& object : notification.objects)
    append(bindings, object.name.view(), object.value.value());
  send_v2trap(bindings.get());
}

}  // namespace tcpmibd::agent
