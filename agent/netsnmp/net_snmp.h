#pragma once

// The one file that names <net-snmp/...>. Its headers leak some 2 500 macros, among them words
// that C++ code wants for itself; the worst are taken back here. For .cc files only, and after
// every other include: what comes later is at the mercy of the rest.

// The order matters: each takes the ones before it for granted, the agent's all of the first two.
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <net-snmp/library/fd_event_manager.h>

#undef ACTION
#undef ANON
#undef COMMIT
#undef FALSE
#undef FREE
#undef INST
#undef MIB
#undef PACKAGE_BUGREPORT
#undef PACKAGE_NAME
#undef PACKAGE_STRING
#undef PACKAGE_TARNAME
#undef PACKAGE_URL
#undef PACKAGE_VERSION
#undef READ
#undef RESERVE1
#undef RESERVE2
#undef RONLY
#undef RWRITE
#undef TRUE
#undef UNDO
#undef WRITE
#undef max_repetitions
#undef non_repeaters

// Exported by the libraries, declared by no installed header.
extern "C" {
// Puts `session` on the list of those that wait for a delegated request, if it has one and is
// not on it. Returns whether it waits.
int netsnmp_check_for_delegated_and_add(netsnmp_agent_session* session);

// Lists of requests: that wait for an answer, that wait for a Set to be done, and that Set.
extern netsnmp_agent_session* agent_delegated_list;
extern netsnmp_agent_session* netsnmp_agent_queued_list;
extern netsnmp_agent_session* netsnmp_processing_set;

// The receivers of notifications; its first two members.
struct trap_sink {
  netsnmp_session* sesp;
  struct trap_sink* next;
};
extern struct trap_sink* sinks;

// libnetsnmpmibs: access control, users, and the groups that managers read first.
void init_vacm_vars(void);
void init_usmUser(void);
void init_system_mib(void);
void init_snmp_mib(void);
void init_snmpEngine(void);
void init_sysORTable(void);
}
