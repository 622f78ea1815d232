#include "agent/netsnmp/callback.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {

Callback::Callback(int major, int minor, Function* function, void* self, int priority)
    : major_(major), minor_(minor), function_(function), self_(self) {
  netsnmp_register_callback(major, minor, function, self, priority);
}

Callback::~Callback() { snmp_unregister_callback(major_, minor_, function_, self_, 1); }

}  // namespace tcpmibd::agent
