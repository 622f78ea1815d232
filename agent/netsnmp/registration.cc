#include "agent/netsnmp/registration.h"

#include <string>

#include "agent/netsnmp/oid.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// A GETBULK's repetitions are answered in one call.
int modes_of(const tables::Managed& object) {
  return (object.has_writable() ? HANDLER_CAN_RWRITE : HANDLER_CAN_RONLY) | HANDLER_CAN_GETBULK;
}

// Net-SNMP calls this for every list of requests below one of our roots.
// Nothing throws on purpose; what does ends the process. NOLINTNEXTLINE(bugprone-exception-escape)
extern "C" int on_request(netsnmp_mib_handler*, netsnmp_handler_registration* registration,
                          netsnmp_agent_request_info* info,
                          netsnmp_request_info* requests) noexcept {
  const auto& registered = *static_cast<Registration::Registered*>(registration->my_reg_void);
  registered.handler->answer(*registered.object, *info, requests);
  return SNMP_ERR_NOERROR;
}

}  // namespace

Registration::Registration(std::span<const tables::Managed* const> objects, Handler& handler) {
  for (const tables::Managed* object : objects)
    registered_.push_back({object, &handler});
}

Status Registration::announce() {
  for (Registered& registered : registered_) {
    if (Status status = announce(registered); !status)
      return status;
  }
  return {};
}

Status Registration::announce(Registered& registered) {
  const std::string name(registered.object->name());
  LibraryOid root(registered.object->root());
  netsnmp_handler_registration* registration = netsnmp_create_handler_registration(
      name.c_str(), on_request, root.data(), root.size(), modes_of(*registered.object));
  if (registration == nullptr)
    return failure("register " + name);
  registration->my_reg_void = &registered;
  // Takes the registration over, and frees it when it fails.
  if (netsnmp_register_handler(registration) != MIB_REGISTERED_OK)
    return failure("register " + name, 0, "see the lines before this one");
  return {};
}

}  // namespace tcpmibd::agent
