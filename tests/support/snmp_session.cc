#include "support/snmp_session.h"

#include <cstdlib>

#include "support/trouble.h"

// After all others: these headers leak macros.
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

namespace tcpmibd::lab {
namespace {

constexpr long kPatienceInMicroseconds = 20'000'000;

// Reads nothing of this host, and only once.
void prepare_library() {
  static const bool prepared = [] {
    ::setenv("MIBS", "", 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    init_snmp("tcpmibd-tests");
    return true;
  }();
  static_cast<void>(prepared);
}

void* opened(std::string address, std::string community) {
  prepare_library();
  snmp_session wanted;
  snmp_sess_init(&wanted);
  wanted.version = SNMP_VERSION_2c;
  wanted.peername = address.data();
  wanted.community = reinterpret_cast<u_char*>(community.data());
  wanted.community_len = community.size();
  wanted.retries = 0;
  wanted.timeout = kPatienceInMicroseconds;
  void* session = snmp_sess_open(&wanted);
  if (session == nullptr)
    throw Trouble("cannot open an SNMP session to " + address);
  return session;
}

void add(snmp_pdu& pdu, const SetRequest& request) {
  const std::vector<oid> name(request.oid.begin(), request.oid.end());
  const long value = std::stol(request.value);
  snmp_pdu_add_variable(&pdu, name.data(), name.size(), ASN_INTEGER, &value, sizeof value);
}

// "noCreation (That …)" -> "noCreation"
std::string name_of_error(long status) {
  const std::string text = snmp_errstring(static_cast<int>(status));
  const std::size_t begin = text.front() == '(' ? 1 : 0;
  return text.substr(begin, text.find_first_of(" )", begin) - begin);
}

}  // namespace

void SnmpSession::Close::operator()(void* session) const { snmp_sess_close(session); }

SnmpSession::SnmpSession(const Namespace& space, const std::string& address,
                         const std::string& community)
    : session_(space.run([&] { return opened(address, community); })) {}

std::string SnmpSession::set(const std::vector<SetRequest>& requests) {
  snmp_pdu* pdu = snmp_pdu_create(SNMP_MSG_SET);
  for (const SetRequest& request : requests)
    add(*pdu, request);
  snmp_pdu* response = nullptr;
  const int outcome = snmp_sess_synch_response(session_.get(), pdu, &response);
  const std::unique_ptr<snmp_pdu, decltype(&snmp_free_pdu)> owner(response, snmp_free_pdu);
  if (outcome == STAT_TIMEOUT)
    return "timeout";
  if (outcome != STAT_SUCCESS || response == nullptr)
    return "failed without a word";
  return response->errstat == SNMP_ERR_NOERROR ? "" : name_of_error(response->errstat);
}

}  // namespace tcpmibd::lab
