#include "support/other_subagent.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>
#include <string>

#include "support/trouble.h"

// After all others: these headers leak macros.
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

namespace tcpmibd::lab {

namespace {

SetPhase phase_of(int mode) {
  switch (mode) {
    case MODE_SET_RESERVE1:
      return SetPhase::kReserve1;
    case MODE_SET_RESERVE2:
      return SetPhase::kReserve2;
    case MODE_SET_ACTION:
      return SetPhase::kAction;
    case MODE_SET_COMMIT:
      return SetPhase::kCommit;
    case MODE_SET_FREE:
      return SetPhase::kFree;
    case MODE_SET_UNDO:
      return SetPhase::kUndo;
    default:
      return SetPhase::kNone;
  }
}

int error_in(SetPhase phase) {
  switch (phase) {
    case SetPhase::kReserve1:
    case SetPhase::kReserve2:
      return SNMP_ERR_WRONGVALUE;
    case SetPhase::kUndo:
      return SNMP_ERR_UNDOFAILED;
    default:
      return SNMP_ERR_COMMITFAILED;
  }
}

void obey(SetOrders& orders, SetPhase phase, netsnmp_request_info& request) {
  if (orders.stopping == phase) {
    orders.stopped = true;
    eventually([&] { return orders.stopping != phase; }, std::chrono::minutes(1));
  }
  if (orders.failing == phase)
    netsnmp_request_set_error(&request, error_in(phase));
}

extern "C" int on_other_request(netsnmp_mib_handler*, netsnmp_handler_registration* registration,
                                netsnmp_agent_request_info* info,
                                netsnmp_request_info* request) noexcept {
  const SetPhase phase = phase_of(info->mode);
  if (phase == SetPhase::kNone)
    snmp_set_var_typed_integer(request->requestvb, ASN_INTEGER, 1);
  else
    obey(*static_cast<SetOrders*>(registration->my_reg_void), phase, *request);
  return SNMP_ERR_NOERROR;
}

void register_object(SetOrders& orders) {
  const Oid& object = OtherSubagent::object();
  const std::vector<oid> name(object.begin(), object.end());
  netsnmp_handler_registration* registration = netsnmp_create_handler_registration(
      "other", on_other_request, name.data(), name.size(), HANDLER_CAN_RWRITE);
  registration->my_reg_void = &orders;
  if (netsnmp_register_instance(registration) != MIB_REGISTERED_OK)
    throw Trouble("cannot register the object of the other subagent");
}

[[noreturn]] void serve(const std::string& agentx, SetOrders& orders) {
  ::setenv("MIBS", "", 1);
  netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
  netsnmp_enable_subagent();
  netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, agentx.c_str());
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
  init_agent("other");
  register_object(orders);
  init_snmp("other");
  for (;;)
    agent_check_and_process(1);
}

std::shared_ptr<SetOrders> shared_orders() {
  void* memory =
      ::mmap(nullptr, sizeof(SetOrders), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  check(memory == MAP_FAILED ? -1 : 0, "share memory with a child");
  return {new (memory) SetOrders, [](SetOrders* orders) { ::munmap(orders, sizeof(SetOrders)); }};
}

Errand serving(const Snmpd& master, const std::shared_ptr<SetOrders>& orders) {
  return {.forever = [agentx = master.agentx(), orders] { serve(agentx, *orders); },
          .in = &master.space()};
}

}  // namespace

const Oid& OtherSubagent::object() {
  static const Oid name = oid_of("1.3.6.1.3.4022.1.0");
  return name;
}

OtherSubagent::OtherSubagent(const Snmpd& master)
    : orders_(shared_orders()), process_(serving(master, orders_)) {
  const Manager manager = master.writer();
  if (!eventually([&] { return manager.get({object()}).varbinds.at(0).type == "INTEGER"; },
                  std::chrono::seconds(20)))
    throw Trouble("the other subagent does not serve its object");
}

void OtherSubagent::stop_in(SetPhase phase) const {
  orders_->stopped = false;
  orders_->stopping = phase;
}

bool OtherSubagent::has_stopped() const {
  return eventually([&] { return orders_->stopped.load(); });
}

}  // namespace tcpmibd::lab
