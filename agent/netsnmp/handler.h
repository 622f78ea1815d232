#pragma once

#include <cstddef>
#include <vector>

#include "agent/netsnmp/pdu_log.h"
#include "agent/netsnmp/timer.h"
#include "agent/serve/request.h"
#include "base/clock.h"
#include "snmp/set.h"
#include "tables/data.h"

// Net-SNMP's own; see agent/netsnmp/net_snmp.h.
struct netsnmp_agent_request_info_s;
struct netsnmp_request_info_s;

namespace tcpmibd::agent {

// Between Net-SNMP's requests and our answers. What cannot be answered yet is parked: the library
// holds back the whole PDU (it is "delegated") until retry() has filled it. So is a phase of a Set
// that has to wait; it is also put again when its time is over.
//
// A PDU is known by the library's session and the PDU's transaction number, which stays the same
// over all its bindings and all repetitions of a GETBULK: the library numbers each packet it
// receives.
class Handler {
 public:
  // All three outlive it.
  Handler(ReadTarget& reads, WriteTarget& writes, PduLog& pdus);
  ~Handler();
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

  // A list of requests below the root of `object`, as the library's handlers get it.
  void answer(const tables::Managed& object, netsnmp_agent_request_info_s& info,
              netsnmp_request_info_s* requests);

  // Puts everything parked again. To be called when the worker has news.
  void retry();

  // Makes the library remember what is parked; see the source. Called at every turn of the loop.
  void hold_parked();

  // How many lists of requests are parked.
  std::size_t parked() const;

 private:
  struct Parked;
  struct Written;
  struct ParkedSet;

  bool fill(const tables::Managed& object, netsnmp_agent_request_info_s& info,
            netsnmp_request_info_s& request, Time arrived);
  bool retry(Parked& parked);

  void write(const tables::Managed& object, netsnmp_agent_request_info_s& info,
             netsnmp_request_info_s* requests);
  bool write(ParkedSet& set);
  void park(ParkedSet set, netsnmp_agent_request_info_s& info, netsnmp_request_info_s* requests);
  void hold(ParkedSet set);
  void retry_sets();
  void give_up(const ParkedSet& set);
  SetAnswer write_one(Write::Phase phase, const ParkedSet& set, const Written& written);

  ReadTarget& reads_;
  WriteTarget& writes_;
  PduLog& pdus_;
  std::vector<Parked> parked_;
  std::vector<ParkedSet> parked_sets_;
  Reminder set_is_due_{[this] { retry_sets(); }};
};

}  // namespace tcpmibd::agent
