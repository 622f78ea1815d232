#pragma once

#include <optional>
#include <span>
#include <vector>

#include "agent/netsnmp/handler.h"
#include "base/error.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// Our objects in the library's registry, each at exactly its root: deeper, and a master's own
// table would show through at the end of a walk. In the default context.
//
// Lives as long as the library does: nothing is ever unregistered, for an Unregister is matched by
// OID and priority, not by owner, and may take away another agent's registration.
class Registration {
 public:
  // `priority` for the master, the lower one serves; none: the library's default.
  Registration(std::span<const tables::Managed* const> objects, std::optional<int> priority,
               Handler& handler);
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // To be called between the library's init_agent() and init_snmp().
  Status announce();

  // Our object whose root is exactly `name`; null where there is none.
  const tables::Managed* object_at(snmp::OidView name) const;

  // Our object whose root `name` begins with; null where there is none.
  const tables::Managed* object_holding(snmp::OidView name) const;

  // What the library's callback finds its way back to us by.
  struct Registered {
    const tables::Managed* object;
    Handler* handler;
  };

 private:
  Status announce(Registered& registered) const;

  std::vector<Registered> registered_;  // the library keeps pointers to its elements
  std::optional<int> priority_;
};

}  // namespace tcpmibd::agent
