#include "agent/netsnmp/sys_or_row.h"

#include "agent/netsnmp/oid.h"
#include "tables/capabilities.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {

void announce_capabilities() {
  LibraryOid name(tables::capability_statement());
  register_sysORTable(name.data(), name.size(), tables::kCapabilityDescription);
}

}  // namespace tcpmibd::agent
