#include "agent/netsnmp/view_guard.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// The binding that the library's helper filled last; the one after it, if any is left to fill, was
// made ready for the next repetition.
netsnmp_variable_list* last_filled(const netsnmp_request_info& request) {
  if (request.requestvb->type != ASN_PRIV_RETRY)
    return request.requestvb;
  netsnmp_variable_list* binding = request.requestvb_start;
  while (binding != nullptr && binding->next_variable != request.requestvb)
    binding = binding->next_variable;
  return binding;
}

// Puts `request` back to `found`, from where the search will go on.
void take_back(netsnmp_request_info& request, netsnmp_variable_list& found) {
  if (request.requestvb != &found) {
    request.requestvb->name_length = 0;
    request.requestvb->type = ASN_NULL;
    request.requestvb = &found;
    ++request.repeat;
  }
  snmp_set_var_typed_value(&found, ASN_PRIV_RETRY, nullptr, 0);
  request.inclusive = 0;
}

// The library's own groups answer a GETBULK one repetition at a time, and make the next one ready
// before anybody asks whether the manager may see this one. Left to itself the library (5.9.3 and
// newer ones) takes the one back and not the other: at the end of a view it builds no response, or
// writes over another column's.
extern "C" int pass_over_unseen(netsnmp_mib_handler* handler,
                                netsnmp_handler_registration* registration,
                                netsnmp_agent_request_info* info,
                                netsnmp_request_info* requests) noexcept {
  const int status = netsnmp_call_next_handler(handler, registration, info, requests);
  if (info->mode != MODE_GETBULK)
    return status;
  for (netsnmp_request_info* request = requests; request != nullptr; request = request->next) {
    netsnmp_variable_list* found = last_filled(*request);
    const bool unseen =
        found != nullptr && found->type != ASN_NULL && found->type != ASN_PRIV_RETRY &&
        in_a_view(found->name, &found->name_length, info->asp->pdu, found->type) != VACM_SUCCESS;
    if (unseen)
      take_back(*request, *found);
  }
  return status;
}

}  // namespace

void keep_groups_in_view() {
  for (netsnmp_subtree* first = netsnmp_subtree_find_first(""); first != nullptr;
       first = first->next) {
    for (netsnmp_subtree* tree = first; tree != nullptr; tree = tree->children) {
      if (tree->reginfo != nullptr && (tree->reginfo->modes & HANDLER_CAN_GETBULK) == 0)
        netsnmp_inject_handler(tree->reginfo,
                               netsnmp_create_handler("pass_over_unseen", pass_over_unseen));
    }
  }
}

}  // namespace tcpmibd::agent
