#include "support/snmp_session.h"

#include <cstdlib>
#include <filesystem>

#include "support/temp_folder.h"
#include "support/trouble.h"

// After all others: these headers leak macros.
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

namespace tcpmibd::lab {
namespace {

// Reads nothing of this host, and only once.
void prepare_library() {
  static const TempFolder folder;
  std::filesystem::create_directory(folder.path() / "cert_indexes");  // It tells when it makes it.
  static const bool prepared = [] {
    ::setenv("MIBS", "", 1);
    ::setenv("SNMP_PERSISTENT_DIR", folder.path().c_str(), 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
    init_snmp("tcpmibd-tests");
    return true;
  }();
  static_cast<void>(prepared);
}

void* opened(std::string address, std::string community, std::chrono::microseconds patience,
             int tries) {
  prepare_library();
  snmp_session wanted;
  snmp_sess_init(&wanted);
  wanted.version = SNMP_VERSION_2c;
  wanted.peername = address.data();
  wanted.community = reinterpret_cast<u_char*>(community.data());
  wanted.community_len = community.size();
  wanted.retries = tries - 1;
  wanted.timeout = patience.count();
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

using LibraryPdu = std::unique_ptr<snmp_pdu, decltype(&snmp_free_pdu)>;

// The answer to `pdu`, which it takes; null and its cause in `error` where there is none.
LibraryPdu answer_to(snmp_pdu* pdu, void* session, std::string& error) {
  snmp_pdu* response = nullptr;
  const int outcome = snmp_sess_synch_response(session, pdu, &response);
  if (outcome == STAT_TIMEOUT)
    error = "timeout";
  else if (outcome != STAT_SUCCESS || response == nullptr)
    error = "failed without a word";
  else if (response->errstat != SNMP_ERR_NOERROR)
    error = name_of_error(response->errstat);
  return {response, snmp_free_pdu};
}

NumberBinding binding_of(const variable_list& variable) {
  NumberBinding binding{.oid = Oid(variable.name, variable.name + variable.name_length),
                        .number = std::nullopt};
  switch (variable.type) {
    case ASN_INTEGER:
    case ASN_COUNTER:
    case ASN_GAUGE:
    case ASN_TIMETICKS:
      binding.number = *variable.val.integer;
      break;
    default:
      break;
  }
  return binding;
}

snmp_pdu* question(int command, const Oid& about) {
  snmp_pdu* pdu = snmp_pdu_create(command);
  const std::vector<oid> name(about.begin(), about.end());
  snmp_add_null_var(pdu, name.data(), name.size());
  return pdu;
}

std::vector<NumberBinding> told(snmp_pdu* pdu, void* session) {
  std::string error;
  const LibraryPdu answer = answer_to(pdu, session, error);
  if (!error.empty())
    throw Trouble("an agent does not answer a question: " + error);
  std::vector<NumberBinding> bindings;
  for (const variable_list* variable = answer->variables; variable != nullptr;
       variable = variable->next_variable)
    bindings.push_back(binding_of(*variable));
  return bindings;
}

}  // namespace

void SnmpSession::Close::operator()(void* session) const { snmp_sess_close(session); }

SnmpSession::SnmpSession(const Namespace& space, const std::string& address,
                         const std::string& community, std::chrono::milliseconds patience,
                         int tries)
    : session_(space.run([&] { return opened(address, community, patience, tries); })) {}

std::string SnmpSession::set(const std::vector<SetRequest>& requests) {
  snmp_pdu* pdu = snmp_pdu_create(SNMP_MSG_SET);
  for (const SetRequest& request : requests)
    add(*pdu, request);
  std::string error;
  answer_to(pdu, session_.get(), error);
  return error;
}

NumberBinding SnmpSession::get(const Oid& oid) {
  return told(question(SNMP_MSG_GET, oid), session_.get()).at(0);
}

NumberBinding SnmpSession::next(const Oid& oid) {
  return told(question(SNMP_MSG_GETNEXT, oid), session_.get()).at(0);
}

std::vector<NumberBinding> SnmpSession::bulk(const Oid& oid, int repetitions) {
  snmp_pdu* pdu = question(SNMP_MSG_GETBULK, oid);
  pdu->non_repeaters = 0;
  pdu->max_repetitions = repetitions;
  return told(pdu, session_.get());
}

}  // namespace tcpmibd::lab
