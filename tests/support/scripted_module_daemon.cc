#include "support/scripted_module_daemon.h"

#include <chrono>
#include <optional>

#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

using agentx::Payload;
using agentx::Pdu;
using agentx::Type;

constexpr std::chrono::seconds kToConnect{10};

Pdu answered(MasterSession& session, const Pdu& request) {
  session.send(request);
  std::optional<Pdu> answer = session.receive();
  if (!answer || answer->type != Type::kResponse)
    throw Trouble("snmpd's module does not answer");
  return *answer;
}

}  // namespace

Pdu open_pdu(std::string_view description) {
  return {.type = Type::kOpen,
          .packet = 1,
          .payload = Payload().number(0).oid({}).octets(description).bytes()};
}

Pdu register_pdu(std::uint32_t session, std::uint8_t priority, const Oid& subtree) {
  return {.type = Type::kRegister,
          .session = session,
          .packet = 2,
          .payload = Payload().octet(0).octet(priority).half(0).oid(subtree).bytes()};
}

Pdu answer_to(const Pdu& request, std::uint16_t error, const std::vector<SetRequest>& bindings) {
  Payload payload;
  payload.number(0).half(error).half(0).bindings(bindings);
  return {.type = Type::kResponse,
          .session = request.session,
          .transaction = request.transaction,
          .packet = request.packet,
          .payload = payload.bytes()};
}

MasterSession ScriptedModuleDaemon::take() const {
  std::optional<MasterSession> session = listener_.take({}, kToConnect);
  if (!session)
    throw Trouble("snmpd's module does not come");
  return std::move(*session);
}

MasterSession ScriptedModuleDaemon::serve(const Oid& subtree) const {
  MasterSession session = take();
  const Pdu opened = answered(session, open_pdu(kModuleProtocolText));
  const Pdu registered = answered(session, register_pdu(opened.session, 90, subtree));
  if (agentx::response_of(registered).error != agentx::kNoError)
    throw Trouble("snmpd's module does not register");
  return session;
}

}  // namespace tcpmibd::lab
