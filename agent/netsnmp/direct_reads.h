#pragma once

#include "agent/netsnmp/handler.h"
#include "agent/netsnmp/registration.h"
#include "base/clock.h"

// Net-SNMP's own; see agent/netsnmp/net_snmp.h.
struct snmp_pdu;
struct snmp_session;
struct variable_list;

namespace tcpmibd::agent {

// Answers what a master only reads (Get and GetNext, RFC 2741, 6.2.5 and 6.2.6) where it arrives.
//
// The library takes each PDU of a master through a session of the process with itself: two pipes
// and three turns of the loop, ten system calls in all, and a master asks for each row of a walk
// anew. From here it is four calls and one turn; docs/performance.md has the figures.
//
// Nothing depends on it. What cannot be answered at once and in full goes the library's way, from
// its beginning: what has to wait, what is not ours, other contexts, Sets, the rest.
class DirectReads {
 public:
  // Hands a PDU to the master. Zero: it could not, and the PDU is still the caller's.
  using Send = int (*)(snmp_session* session, snmp_pdu* pdu);

  // The registration outlives it. `ping`: how often the library asks a master that is silent. It
  // must hear of one that is not, so at least every half of that a PDU goes its way. `send`: the
  // library's, or a test's.
  DirectReads(const Registration& registration, Answerer ask, Duration ping);
  DirectReads(const Registration& registration, Answerer ask, Duration ping, Send send);
  ~DirectReads() { detach(); }
  DirectReads(const DirectReads&) = delete;
  DirectReads& operator=(const DirectReads&) = delete;

  // Puts itself before what the library does with the PDUs of a session just opened.
  void attach(snmp_session& session);

  // From the one it is attached to, if any, which must be open still.
  void detach();

  // The session has ended, and may be gone.
  void forget() { session_ = nullptr; }

 private:
  using Function = int (*)(int operation, snmp_session* session, int request, snmp_pdu* pdu,
                           void* self);

  // NOLINTNEXTLINE(bugprone-exception-escape): nothing throws on purpose
  static int on_event(int operation, snmp_session* session, int request, snmp_pdu* pdu,
                      void* self) noexcept;

  bool answer(snmp_session& session, const snmp_pdu& pdu, Time now) const;
  bool fill(snmp_pdu& response, const snmp_pdu& pdu, Time arrived) const;
  bool add_answer(snmp_pdu& response, const Inquiry& inquiry, const variable_list& range) const;

  const Registration& registration_;
  Answerer ask_;
  Duration pass_on_every_;
  Send send_;
  snmp_session* session_ = nullptr;
  Function original_ = nullptr;  // the library's own
  void* original_self_ = nullptr;
  Time passed_on_{};  // when the library was given a PDU last
};

}  // namespace tcpmibd::agent
