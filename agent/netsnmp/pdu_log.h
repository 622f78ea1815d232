#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/serve/pdu_trace.h"
#include "agent/serve/request.h"
#include "base/clock.h"
#include "snmp/oid.h"

struct snmp_pdu;  // Net-SNMP's

namespace tcpmibd::agent {

// The lines of the log's level debug, one a PDU, where the SNMP library takes a PDU apart: follows
// each from when it arrives until its response is built. Empty unless such lines are written.
class PduLog {
 public:
  bool is_empty() const { return pdus_.empty(); }

  // A manager's request, which the library has numbered.
  void begin(const snmp_pdu& pdu, Time now);

  // What became of a binding of the PDU of that number.
  template <typename Answered>
  void note(long number, const Answered& answer, Time now) {
    if (pdus_.empty())
      return;
    if (const auto found = pdus_.find(number); found != pdus_.end())
      found->second.trace.note(answer, now);
  }

  // Its response.
  void end(const snmp_pdu& response, Time now);

  // Of the others, those that nobody waits for any more were not answered.
  void end_unanswered(const std::function<bool(long number)>& is_waited_for, Time now);

 private:
  struct Pdu {
    PduTrace trace;
    std::string_view kind;
    snmp::Oid first{};
    std::size_t bindings = 0;
    std::optional<std::uint32_t> repetitions{};
    std::string context{};

    PduSummary summary() const;
  };

  std::map<long, Pdu> pdus_;
};

}  // namespace tcpmibd::agent
