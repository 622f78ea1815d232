#include "agent/netsnmp/direct_reads.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "agent/agentx/pdu.h"
#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using Pdu = UniqueHandle<netsnmp_pdu, snmp_free_pdu>;

bool is(PduType type, const netsnmp_pdu& pdu) { return pdu.command == static_cast<int>(type); }

bool is_read(const netsnmp_pdu& pdu) {
  return is(PduType::kGet, pdu) || is(PduType::kGetNext, pdu);
}

// The library keeps an AgentX context where SNMP has the community.
bool has_context(const netsnmp_pdu& pdu) { return pdu.community_len > 0; }

// The library keeps a search range (5.2) as a binding: its start is the name, whether that is
// included the type, and its end the value.
Inquiry::Kind kind_of(const netsnmp_pdu& pdu, const netsnmp_variable_list& range) {
  if (is(PduType::kGet, pdu))
    return Inquiry::Kind::kGet;
  return range.type == ASN_PRIV_INCL_RANGE ? Inquiry::Kind::kNextInclusive : Inquiry::Kind::kNext;
}

// None where the range has none: that is the null identifier, which the library reads as 0.0.
std::optional<snmp::Oid> end_of(const netsnmp_variable_list& range) {
  const snmp::Oid end = from_library(range.val.objid, range.val_len / sizeof(oid));
  if (end.size() == 0 || end == snmp::Oid{0, 0})
    return std::nullopt;
  return end;
}

bool lies_in(const netsnmp_variable_list& range, const snmp::Oid& name) {
  const std::optional<snmp::Oid> end = end_of(range);
  return !end || name < *end;
}

// Whether the range holds nothing behind `object`, as one that a master ends where the registration
// ends.
bool ends_with(const netsnmp_variable_list& range, const tables::Managed& object) {
  const snmp::Oid root = object.root();
  snmp::Oid behind(root.view().first(root.size() - 1));
  behind.append(*(root.end() - 1) + 1);
  const std::optional<snmp::Oid> end = end_of(range);
  return end && *end <= behind;
}

// To be given its type and value; null without memory.
netsnmp_variable_list* add_binding(netsnmp_pdu& pdu, snmp::OidView name) {
  const LibraryOid copy(name);
  return snmp_add_null_var(&pdu, copy.data(), copy.size());
}

bool add_value(netsnmp_pdu& pdu, const snmp::Cell& cell) {
  netsnmp_variable_list* binding = add_binding(pdu, cell.name);
  if (binding != nullptr)
    set_value(*binding, *cell.value);
  return binding != nullptr;
}

bool add_exception(netsnmp_pdu& pdu, snmp::OidView name, std::uint8_t exception) {
  netsnmp_variable_list* binding = add_binding(pdu, name);
  if (binding != nullptr)
    binding->type = exception;
  return binding != nullptr;
}

Pdu response_to(const netsnmp_pdu& pdu, const netsnmp_session& session) {
  Pdu response(snmp_pdu_create(static_cast<int>(PduType::kResponse)));
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

DirectReads::DirectReads(const Registration& registration, Answerer ask, Duration ping)
    : DirectReads(registration, std::move(ask), ping, &snmp_send) {}

DirectReads::DirectReads(const Registration& registration, Answerer ask, Duration ping, Send send)
    : registration_(registration), ask_(std::move(ask)), pass_on_every_(ping / 2), send_(send) {}

void DirectReads::attach(snmp_session& session) {
  session_ = &session;
  original_ = std::exchange(session.callback, &DirectReads::on_event);
  original_self_ = std::exchange(session.callback_magic, this);
  passed_on_ = Clock::now();
}

void DirectReads::detach() {
  if (session_ == nullptr)
    return;
  session_->callback = original_;
  session_->callback_magic = original_self_;
  session_ = nullptr;
}

// The library calls this for everything that happens to the session.
// NOLINTNEXTLINE(bugprone-exception-escape): nothing throws on purpose
int DirectReads::on_event(int operation, snmp_session* session, int request, snmp_pdu* pdu,
                          void* self) noexcept {
  auto& reads = *static_cast<DirectReads*>(self);
  const Time now = Clock::now();
  if (operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && is_read(*pdu) && !has_context(*pdu) &&
      now - reads.passed_on_ < reads.pass_on_every_ && reads.answer(*session, *pdu, now))
    return 1;
  reads.passed_on_ = now;
  return reads.original_(operation, session, request, pdu, reads.original_self_);
}

// Whether it is answered. The PDU stays as it is.
bool DirectReads::answer(snmp_session& session, const snmp_pdu& pdu, Time now) const {
  Pdu response = response_to(pdu, session);
  if (response == nullptr || !fill(*response, pdu, now))
    return false;
  netsnmp_pdu* sent = response.release();
  if (send_(&session, sent) == 0)
    snmp_free_pdu(sent);
  return true;
}

bool DirectReads::fill(snmp_pdu& response, const snmp_pdu& pdu, Time arrived) const {
  for (const netsnmp_variable_list* range = pdu.variables; range != nullptr;
       range = range->next_variable) {
    const snmp::Oid name = name_of(*range);
    const tables::Managed* object = registration_.object_holding(name);
    if (object == nullptr || !add_answer(response,
                                         {.kind = kind_of(pdu, *range),
                                          .object = *object,
                                          .name = name,
                                          .transaction = {.id = pdu.transid},
                                          .arrived = arrived,
                                          .effort = Effort::kOnlyAtHand},
                                         *range))
      return false;
  }
  return true;
}

// False when there is no answer yet, or it is the library's to give.
bool DirectReads::add_answer(snmp_pdu& response, const Inquiry& inquiry,
                             const variable_list& range) const {
  const Answer answer = ask_(inquiry);
  switch (answer.kind) {
    case Answer::Kind::kValue:
      if (inquiry.kind == Inquiry::Kind::kGet || lies_in(range, answer.cell->name))
        return add_value(response, *answer.cell);
      return add_exception(response, inquiry.name, SNMP_ENDOFMIBVIEW);
    case Answer::Kind::kNoSuchObject:
      return add_exception(response, inquiry.name, SNMP_NOSUCHOBJECT);
    case Answer::Kind::kNoSuchInstance:
      return add_exception(response, inquiry.name, SNMP_NOSUCHINSTANCE);
    case Answer::Kind::kEndOfView:
      return ends_with(range, inquiry.object) &&
             add_exception(response, inquiry.name, SNMP_ENDOFMIBVIEW);
    case Answer::Kind::kFailed:
    case Answer::Kind::kLater:
      return false;
  }
  return false;
}

}  // namespace tcpmibd::agent
