#pragma once

#include <map>
#include <string>

#include "base/handle.h"
#include "base/log.h"

// Net-SNMP's own; see agent/netsnmp/net_snmp.h.
struct netsnmp_transport_s;

namespace tcpmibd::agent {

// The receivers of notifications that the access file names (`trap2sink`, `trapsess`). The library
// writes to one over a stream for as long as it takes, and uses its session after it has closed.
//
// Here nobody waits for a receiver: one that does not take a notification whole is dropped. The
// session of one that is gone stays, with a descriptor on which nothing happens; only a restart
// connects again.
//
// One per process: the library's functions know no other way to find it.
class Receivers {
 public:
  Receivers();
  // Gives them back to the library, which closes them.
  ~Receivers();
  Receivers(const Receivers&) = delete;
  Receivers& operator=(const Receivers&) = delete;

  // Once, when the access file has been read.
  void guard();

 private:
  struct Calls;  // for the library

  struct Guarded {
    std::string address;
    int (*send)(netsnmp_transport_s*, const void*, int, void**, int*);
    int (*close)(netsnmp_transport_s*);
  };

  void guard(netsnmp_transport_s& transport);
  void lose(netsnmp_transport_s& transport);

  static Receivers* only;

  std::map<netsnmp_transport_s*, Guarded> guarded_;
  FileDescriptor silent_;
  log::Limited losses_;
};

}  // namespace tcpmibd::agent
