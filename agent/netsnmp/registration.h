#pragma once

#include <span>
#include <vector>

#include "agent/netsnmp/handler.h"
#include "base/error.h"
#include "tables/data.h"

namespace tcpmibd::agent {

// Our objects in the library's registry, each at exactly its root. In the default context.
//
// Lives as long as the library does: nothing is ever unregistered.
class Registration {
 public:
  Registration(std::span<const tables::Managed* const> objects, Handler& handler);
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  // To be called between the library's init_agent() and init_snmp().
  Status announce();

  // What the library's callback finds its way back to us by.
  struct Registered {
    const tables::Managed* object;
    Handler* handler;
  };

 private:
  static Status announce(Registered& registered);

  std::vector<Registered> registered_;  // the library keeps pointers to its elements
};

}  // namespace tcpmibd::agent
