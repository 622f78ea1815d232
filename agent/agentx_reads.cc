#include "agent/agentx_reads.h"

#include <cstdint>
#include <utility>

#include "agent/library_oid.h"
#include "agent/varbind.h"
#include "base/handle.h"

#include "agent/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using Pdu = UniqueHandle<netsnmp_pdu, snmp_free_pdu>;

// RFC 2741, 6.1: types of PDUs, and a flag of their header.
enum PduType : std::uint8_t { kGet = 5, kGetNext = 6, kResponse = 18 };
constexpr unsigned long kNetworkByteOrder = 0x10;

bool is_read(const netsnmp_pdu& pdu) { return pdu.command == kGet || pdu.command == kGetNext; }

// The library keeps an AgentX context where SNMP has the community.
bool has_context(const netsnmp_pdu& pdu) { return pdu.community_len > 0; }

// The library keeps a search range (5.2) as a binding: its start is the name, whether that is
// included the type, and its end the value.
Inquiry::Kind kind_of(const netsnmp_pdu& pdu, const netsnmp_variable_list& range) {
  if (pdu.command == kGet)
    return Inquiry::Kind::kGet;
  return range.type == ASN_PRIV_INCL_RANGE ? Inquiry::Kind::kNextInclusive : Inquiry::Kind::kNext;
}

// A range whose end is the null identifier has none.
bool lies_in(const netsnmp_variable_list& range, snmp::OidView name) {
  const snmp::Oid end = from_library(range.val.objid, range.val_len / sizeof(oid));
  return end.size() == 0 || snmp::compare(end, snmp::Oid{0, 0}) == 0 ||
         snmp::compare(name, end) < 0;
}

netsnmp_variable_list* add_binding(netsnmp_pdu& pdu, snmp::OidView name) {
  const LibraryOid copy(name);
  return snmp_add_null_var(&pdu, copy.data(), copy.size());
}

Pdu response_to(const netsnmp_pdu& pdu, const netsnmp_session& session) {
  Pdu response(snmp_pdu_create(kResponse));
  if (response == nullptr)
    return response;
  response->version = session.version;
  response->flags |= pdu.flags & kNetworkByteOrder;
  response->sessid = pdu.sessid;
  response->transid = pdu.transid;
  response->reqid = pdu.reqid;
  response->errstat = SNMP_ERR_NOERROR;
  response->errindex = 0;
  return response;
}

}  // namespace

AgentxReads::AgentxReads(const Registration& registration, Answerer ask)
    : AgentxReads(registration, std::move(ask), &snmp_send) {}

AgentxReads::AgentxReads(const Registration& registration, Answerer ask, Send send)
    : registration_(registration), ask_(std::move(ask)), send_(send) {}

void AgentxReads::attach(snmp_session& session) {
  session_ = &session;
  original_ = std::exchange(session.callback, &AgentxReads::on_event);
  original_self_ = std::exchange(session.callback_magic, this);
}

void AgentxReads::detach() {
  if (session_ == nullptr)
    return;
  session_->callback = original_;
  session_->callback_magic = original_self_;
  session_ = nullptr;
}

// The library calls this for everything that happens to the session.
int AgentxReads::on_event(int operation, snmp_session* session, int request, snmp_pdu* pdu,
                          void* self) noexcept {
  const auto& reads = *static_cast<const AgentxReads*>(self);
  if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && is_read(*pdu) && !has_context(*pdu) &&
      reads.answer(*session, *pdu))
    return 1;
  return reads.original_(operation, session, request, pdu, reads.original_self_);
}

// Whether it is answered. The PDU stays as it is.
bool AgentxReads::answer(snmp_session& session, const snmp_pdu& pdu) const {
  Pdu response = response_to(pdu, session);
  if (response == nullptr || !fill(*response, pdu, session))
    return false;
  if (send_(&session, response.get()) != 0)
    response.release();
  return true;
}

bool AgentxReads::fill(snmp_pdu& response, const snmp_pdu& pdu, const snmp_session& session) const {
  const Time arrived = Clock::now();
  const Transaction transaction{.session = &session, .id = pdu.transid};
  for (const netsnmp_variable_list* range = pdu.variables; range != nullptr;
       range = range->next_variable) {
    const snmp::Oid name = name_of(*range);
    const tables::Managed* object = registration_.object_holding(name);
    if (object == nullptr || !add_answer(response,
                                         {.kind = kind_of(pdu, *range),
                                          .object = *object,
                                          .name = name,
                                          .transaction = transaction,
                                          .arrived = arrived},
                                         *range))
      return false;
  }
  return true;
}

// False when there is no answer yet, or it is the library's to give.
bool AgentxReads::add_answer(snmp_pdu& response, const Inquiry& inquiry,
                             const variable_list& range) const {
  const Answer answer = ask_(inquiry);
  switch (answer.kind) {
    case Answer::Kind::kValue:
      if (inquiry.kind != Inquiry::Kind::kGet && !lies_in(range, answer.cell->name))
        return false;
      set_value(*add_binding(response, answer.cell->name), *answer.cell->value);
      return true;
    case Answer::Kind::kNoSuchObject:
      add_binding(response, inquiry.name)->type = SNMP_NOSUCHOBJECT;
      return true;
    case Answer::Kind::kNoSuchInstance:
      add_binding(response, inquiry.name)->type = SNMP_NOSUCHINSTANCE;
      return true;
    case Answer::Kind::kEndOfView:
    case Answer::Kind::kFailed:
    case Answer::Kind::kLater:
      return false;
  }
  return false;
}

}  // namespace tcpmibd::agent
