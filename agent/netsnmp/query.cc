#include "agent/netsnmp/query.h"

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "agent/netsnmp/log.h"
#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "base/handle.h"
#include "snmp/oid.h"
#include "tables/arc.h"
#include "tables/capabilities.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using SessionHandle = UniqueHandle<void, [](void* session) { snmp_sess_close(session); }>;
using Pdu = UniqueHandle<netsnmp_pdu, snmp_free_pdu>;

constexpr snmp::SubId kSysOrId[] = {1, 3, 6, 1, 2, 1, 1, 9, 1, 2};
constexpr snmp::SubId kTcpRtoMin[] = {1, 3, 6, 1, 2, 1, 6, 2, 0};
constexpr snmp::SubId kTcpHcInSegs[] = {1, 3, 6, 1, 2, 1, 6, 17, 0};

constexpr long kPatience = 2'000'000;  // µs for each of two attempts
constexpr int kMostRows = 1000;        // of sysORTable; an agent that repeats itself ends there

constexpr const char* kName = "tcpmibd-doctor";

// Without MIBs, and silent: what goes wrong is reported as a finding. With a community nobody's
// files have a say.
void start_library(bool read_files, LibraryLog& log) {
  log.set_listener([](log::Level, std::string_view) { return true; });
  ::setenv("MIBS", "", 1);
  ::setenv("MIBDIRS", "", 1);
  for (const int which :
       {NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE})
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, which, 1);
  netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_READ_CONFIGS,
                         read_files ? 0 : 1);
  init_snmp(kName);
}

// SNMPv1 has no answer for "there is no such object here", so 2c takes its place.
long version_of_files() {
  const int chosen = netsnmp_ds_get_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_SNMPVERSION);
  const bool by_community = chosen == NETSNMP_DS_SNMP_VERSION_1 || chosen == SNMP_VERSION_2c;
  return by_community ? SNMP_VERSION_2c : SNMP_VERSION_3;
}

using Text = UniqueHandle<char, std::free>;

// Why there is no session, in the library's words.
std::string trouble_of(netsnmp_session& wanted) {
  char* text = nullptr;
  snmp_error(&wanted, nullptr, nullptr, &text);
  return Text(text).get();
}

// Why a request was not answered.
std::string trouble_of(void* session) {
  char* text = nullptr;
  snmp_sess_error(session, nullptr, nullptr, &text);
  return Text(text).get();
}

class Session {
 public:
  Session(std::string address, std::optional<std::string> community)
      : address_(std::move(address)), community_(std::move(community)) {
    netsnmp_session wanted;
    snmp_sess_init(&wanted);
    wanted.peername = address_.data();
    wanted.timeout = kPatience;
    wanted.retries = 1;
    wanted.version = community_ ? SNMP_VERSION_2c : version_of_files();
    if (community_) {
      wanted.community = reinterpret_cast<unsigned char*>(community_->data());
      wanted.community_len = community_->size();
    }
    session_.reset(snmp_sess_open(&wanted));
    if (session_ == nullptr)
      trouble_ = trouble_of(wanted);
  }

  // Why the last request came to nothing.
  std::string trouble() const {
    return session_ == nullptr ? trouble_ : trouble_of(session_.get());
  }

  // What stands at `name`, or behind it; null with no answer.
  Pdu ask(int command, snmp::OidView name) const {
    if (session_ == nullptr)
      return nullptr;
    netsnmp_pdu* request = snmp_pdu_create(command);
    const LibraryOid copy(name);
    snmp_add_null_var(request, copy.data(), copy.size());
    netsnmp_pdu* response = nullptr;
    snmp_sess_synch_response(session_.get(), request, &response);  // frees the request
    return Pdu(response);
  }

 private:
  std::string address_;
  std::optional<std::string> community_;
  SessionHandle session_;
  std::string trouble_;  // that there is no session
};

// Whether it is a variable, and not an exception or an error.
bool has_value(const Pdu& answer) {
  return answer != nullptr && answer->command == SNMP_MSG_RESPONSE &&
         answer->errstat == SNMP_ERR_NOERROR && answer->variables != nullptr &&
         answer->variables->type != SNMP_NOSUCHOBJECT &&
         answer->variables->type != SNMP_NOSUCHINSTANCE &&
         answer->variables->type != SNMP_ENDOFMIBVIEW;
}

bool is_seen(const Session& session, snmp::OidView name) {
  return has_value(session.ask(SNMP_MSG_GET, name));
}

bool anything_below(const Session& session, snmp::OidView root) {
  const Pdu answer = session.ask(SNMP_MSG_GETNEXT, root);
  return has_value(answer) && snmp::starts_with(name_of(*answer->variables).view(), root);
}

bool is_statement(const netsnmp_variable_list& binding, const snmp::Oid& statement) {
  return binding.type == ASN_OBJECT_ID &&
         from_library(binding.val.objid, binding.val_len / sizeof(oid)) == statement;
}

bool names_our_capabilities(const Session& session) {
  const snmp::Oid statement = tables::capability_statement();
  snmp::Oid at(kSysOrId);
  for (int row = 0; row < kMostRows; ++row) {
    const Pdu answer = session.ask(SNMP_MSG_GETNEXT, at.view());
    if (!has_value(answer))
      return false;
    at = name_of(*answer->variables);
    if (!snmp::starts_with(at.view(), kSysOrId))
      return false;
    if (is_statement(*answer->variables, statement))
      return true;
  }
  return false;
}

bool is_response(const Pdu& answer) {
  return answer != nullptr && answer->command == SNMP_MSG_RESPONSE;
}

}  // namespace

Result<Seen> query_agent(const std::string& address, const std::optional<std::string>& community) {
  LibraryLog log;
  start_library(!community, log);
  const Session session(address, community);
  if (!is_response(session.ask(SNMP_MSG_GET, kTcpRtoMin)))
    return failure("get an answer from " + address + ": " + session.trouble(), 0,
                   "is an agent there (ss -uln)? Does it know this community or user, from this "
                   "address? Agents do not answer a wrong community");
  return Seen{.our_capabilities = names_our_capabilities(session),
              .tcp_rto_min = is_seen(session, kTcpRtoMin),
              .tcp_hc_in_segs = is_seen(session, kTcpHcInSegs),
              .our_arc = anything_below(session, tables::kArc)};
}

}  // namespace tcpmibd::agent
