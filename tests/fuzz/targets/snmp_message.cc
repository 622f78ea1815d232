#include <cstdlib>
#include <optional>

#include "agent/netsnmp/message_size.h"
#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"
#include "fuzz/targets.h"
#include "fuzz/values.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::fuzz {

namespace {

using Pdu = UniqueHandle<netsnmp_pdu, snmp_free_pdu>;

constexpr std::size_t kMostBindings = 16;

void add_binding(netsnmp_pdu& pdu, Draw& draw) {
  const snmp::Oid name = drawn_name(draw, snmp::Oid{1, 3});
  const agent::LibraryOid copy(name);
  netsnmp_variable_list* binding = snmp_add_null_var(&pdu, copy.data(), copy.size());
  require(agent::name_of(*binding) == name, "a name is read as it was written");
  if (draw.octet() < 0x20)
    return;
  const snmp::Value value = drawn_value(draw);
  agent::set_value(*binding, value);
  require(agent::value_of(*binding) == value, "a value is read as it was written");
}

// How long the library makes it.
std::optional<std::size_t> built(netsnmp_pdu& pdu) {
  netsnmp_session session;
  snmp_sess_init(&session);
  session.version = pdu.version;
  std::size_t size = SNMP_MIN_MAX_LEN, length = 0;
  auto* buffer = static_cast<u_char*>(std::malloc(size));
  const int status = snmp_build(&buffer, &size, &length, &session, &pdu);
  std::free(buffer);
  return status == 0 ? std::optional(length) : std::nullopt;
}

Pdu response(Draw& draw) {
  Pdu pdu(snmp_pdu_create(SNMP_MSG_RESPONSE));
  pdu->version = draw.flag() ? SNMP_VERSION_1 : SNMP_VERSION_2c;
  pdu->reqid = draw.number<std::int32_t>();
  pdu->errstat = draw.octet() % 19;
  pdu->errindex = draw.octet();
  const Input community = draw.piece();
  pdu->community = static_cast<u_char*>(netsnmp_memdup(community.data(), community.size()));
  pdu->community_len = community.size();
  return pdu;
}

}  // namespace

// The input: a response with its bindings, as the agent's own code makes one.
void snmp_message(Input input) {
  Draw draw(input);
  const Pdu pdu = response(draw);
  const std::size_t limit = draw.number<std::uint16_t>();
  for (std::size_t i = 0; i < kMostBindings && !draw.is_empty(); ++i)
    add_binding(*pdu, draw);
  const std::size_t told = agent::message_size(*pdu);
  require(built(*pdu) == told, "a message is as long as it is said to be");
  agent::cut_to(*pdu, limit);
  require(pdu->variables == nullptr || agent::message_size(*pdu) <= limit, "a cut one fits");
  require(told > limit || agent::message_size(*pdu) == told, "and one that fits is not cut");
}

}  // namespace tcpmibd::fuzz
