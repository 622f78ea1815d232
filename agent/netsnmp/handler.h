#pragma once

#include <cstddef>
#include <vector>

#include "agent/serve/request.h"
#include "base/clock.h"
#include "snmp/set.h"
#include "tables/data.h"

// Net-SNMP's own; see agent/netsnmp/net_snmp.h.
struct netsnmp_agent_request_info_s;
struct netsnmp_request_info_s;

namespace tcpmibd::agent {

class Deleter;
class Responder;

Answerer answers_of(Responder& responder);
Setter writings_of(Deleter& deleter);

// Between Net-SNMP's requests and our answers. What cannot be answered yet is parked: the library
// holds back the whole PDU (it is "delegated") until retry() has filled it.
//
// A PDU is known by the library's session and the PDU's transaction number, which stays the same
// over all its bindings and all repetitions of a GETBULK: the library numbers each packet it
// receives.
class Handler {
 public:
  Handler(Answerer ask, Setter set);
  ~Handler();
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  // A list of requests below the root of `object`, as the library's handlers get it.
  void answer(const tables::Managed& object, netsnmp_agent_request_info_s& info,
              netsnmp_request_info_s* requests);

  // Puts everything parked again. To be called when the answerer has learned something.
  void retry();

  // Makes the library remember what is parked; see the source. Called at every turn of the loop.
  void hold_parked();

  // How many lists of requests are parked.
  std::size_t parked() const;

 private:
  struct Parked;

  bool fill(const tables::Managed& object, netsnmp_agent_request_info_s& info,
            netsnmp_request_info_s& request, Time arrived);
  bool retry(Parked& parked);

  void write(const tables::Managed& object, netsnmp_agent_request_info_s& info,
             netsnmp_request_info_s* requests);

  Answerer ask_;
  Setter set_;
  std::vector<Parked> parked_;
};

}  // namespace tcpmibd::agent
