#include "agent/netsnmp/sys_or_row.h"

#include "agent/netsnmp/oid.h"
#include "tables/arc.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {

snmp::Oid capability_statement() {
  snmp::Oid statement(tables::kArc);
  statement.append({2, 3, 1});  // conformance, agent capabilities, the first statement
  return statement;
}

void announce_capabilities() {
  LibraryOid name(capability_statement());
  register_sysORTable(name.data(), name.size(),
                      "TCP-MIB (RFC 4022) of the kernel's sockets, by tcpmibd");
}

}  // namespace tcpmibd::agent
