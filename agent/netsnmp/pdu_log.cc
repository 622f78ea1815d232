#include "agent/netsnmp/pdu_log.h"

#include <utility>

#include "agent/netsnmp/varbind.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

std::string_view name_of_command(int command) {
  switch (command) {
    case SNMP_MSG_GET:
      return "GET";
    case SNMP_MSG_GETNEXT:
      return "GETNEXT";
    case SNMP_MSG_GETBULK:
      return "GETBULK";
    case SNMP_MSG_SET:
      return "SET";
    default:
      return "PDU";
  }
}

std::size_t count_of_bindings(const netsnmp_pdu& pdu) {
  std::size_t count = 0;
  for (const netsnmp_variable_list* at = pdu.variables; at != nullptr; at = at->next_variable)
    ++count;
  return count;
}

// "genErr" of the library's "(genErr) A general failure occured", and "noCreation" of its
// "noCreation (That table does not support row creation ...)".
std::string_view name_of_error(long status) {
  std::string_view text = snmp_errstring(static_cast<int>(status));
  text.remove_prefix(text.starts_with('(') ? 1 : 0);
  return text.substr(0, text.find_first_of(" )"));
}

}  // namespace

PduSummary PduLog::Pdu::summary() const {
  return {.kind = kind,
          .first = first.view(),
          .bindings = bindings,
          .repetitions = repetitions,
          .context = context};
}

void PduLog::begin(const netsnmp_pdu& pdu, Time now) {
  if (!PduTrace::is_wanted())
    return;
  Pdu fresh{.trace = PduTrace(now), .kind = name_of_command(pdu.command)};
  if (pdu.variables != nullptr)
    fresh.first = name_of(*pdu.variables);
  fresh.bindings = count_of_bindings(pdu);
  if (pdu.command == SNMP_MSG_GETBULK)
    fresh.repetitions = static_cast<std::uint32_t>(pdu.errindex);  // max-repetitions
  if (pdu.contextName != nullptr)
    fresh.context.assign(pdu.contextName, pdu.contextNameLen);
  pdus_.insert_or_assign(pdu.transid, std::move(fresh));
}

void PduLog::end(const netsnmp_pdu& response, Time now) {
  const auto found = pdus_.find(response.transid);
  if (found == pdus_.end())
    return;
  found->second.trace.write(found->second.summary(),
                            {.error = name_of_error(response.errstat),
                             .index = static_cast<std::size_t>(response.errindex)},
                            now);
  pdus_.erase(found);
}

void PduLog::end_unanswered(const std::function<bool(long number)>& is_waited_for, Time now) {
  std::erase_if(pdus_, [&](const auto& numbered) {
    if (is_waited_for(numbered.first))
      return false;
    numbered.second.trace.write(numbered.second.summary(), {.error = "dropped"}, now);
    return true;
  });
}

}  // namespace tcpmibd::agent
