#include "agent/netsnmp/registration.h"

#include <algorithm>
#include <string>

#include "agent/netsnmp/oid.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// In both roles: a master may send a GETBULK over AgentX, too, and ours is the faster way.
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

Registration::Registration(std::span<const tables::Managed* const> objects,
                           std::optional<int> priority, Handler& handler)
    : priority_(priority) {
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

Status Registration::announce(Registered& registered) const {
  const std::string name(registered.object->name());
  LibraryOid root(registered.object->root());
  netsnmp_handler_registration* registration = netsnmp_create_handler_registration(
      name.c_str(), on_request, root.data(), root.size(), modes_of(*registered.object));
  if (registration == nullptr)
    return failure("register " + name);
  registration->my_reg_void = &registered;
  if (priority_)
    registration->priority = *priority_;
  // Takes the registration over, and frees it when it fails.
  if (netsnmp_register_handler(registration) != MIB_REGISTERED_OK)
    return failure("register " + name, 0, "see the lines before this one");
  return {};
}

const tables::Managed* Registration::object_at(snmp::OidView name) const {
  const auto found = std::ranges::find_if(registered_, [&](const Registered& registered) {
    return snmp::compare(registered.object->root(), name) == 0;
  });
  return found == registered_.end() ? nullptr : found->object;
}

const tables::Managed* Registration::object_holding(snmp::OidView name) const {
  const auto found = std::ranges::find_if(registered_, [&](const Registered& registered) {
    return snmp::starts_with(name, registered.object->root());
  });
  return found == registered_.end() ? nullptr : found->object;
}

}  // namespace tcpmibd::agent
