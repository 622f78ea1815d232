#include "agent/netsnmp/handler.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "agent/netsnmp/varbind.h"
#include "base/handle.h"
#include "base/log.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

using Kind = Read::Kind;
using Phase = Write::Phase;

// The loop gets a breath between two questions.
constexpr Duration kSoonest = std::chrono::milliseconds(1);

using DelegatedCache = UniqueHandle<netsnmp_delegated_cache, netsnmp_free_delegated_cache>;

Transaction transaction_of(const netsnmp_agent_request_info& info) {
  if (info.asp == nullptr)
    return {};
  return {.session = info.asp->session, .id = info.asp->pdu->transid};
}

// Before a GETNEXT from an inclusive start the library tries its luck with a GET. What that leaves
// unanswered it asks again as GETNEXT, so nothing is said here: a parked GET would end the PDU.
bool is_only_trying(const netsnmp_agent_request_info& info) {
  return info.mode == MODE_GET && info.asp != nullptr && info.asp->pdu->command != SNMP_MSG_GET;
}

// None for a mode that only reads.
std::optional<Phase> phase_of(int mode) {
  switch (mode) {
    case MODE_SET_RESERVE1:
      return Phase::kReserve1;
    case MODE_SET_RESERVE2:
      return Phase::kReserve2;
    case MODE_SET_ACTION:
      return Phase::kAction;
    case MODE_SET_COMMIT:
      return Phase::kCommit;
    case MODE_SET_FREE:
      return Phase::kFree;
    case MODE_SET_UNDO:
      return Phase::kUndo;
    default:
      return std::nullopt;
  }
}

Kind kind_of(const netsnmp_agent_request_info& info, const netsnmp_request_info& request) {
  if (info.mode == MODE_GET)
    return Kind::kGet;
  return request.inclusive != 0 ? Kind::kNextInclusive : Kind::kNext;
}

void put_cell(const tables::Managed& object, netsnmp_request_info& request,
              const snmp::Cell& cell) {
  // What lies outside our root is another agent's to answer.
  if (!snmp::starts_with(cell.name, object.root()) || !cell.value)
    return;
  set_name(*request.requestvb, cell.name);
  set_value(*request.requestvb, *cell.value);
}

// Puts an answer into the current binding. At the end of the view nothing: the binding stays
// ASN_NULL, and the library goes on with what follows our root.
void put(const tables::Managed& object, netsnmp_agent_request_info& info,
         netsnmp_request_info& request, const Answer& answer) {
  switch (answer.kind) {
    case Answer::Kind::kValue:
      return put_cell(object, request, *answer.cell);
    case Answer::Kind::kNoSuchObject:
      netsnmp_set_request_error(&info, &request, SNMP_NOSUCHOBJECT);
      return;
    case Answer::Kind::kNoSuchInstance:
      netsnmp_set_request_error(&info, &request, SNMP_NOSUCHINSTANCE);
      return;
    case Answer::Kind::kFailed:
      netsnmp_set_request_error(&info, &request, SNMP_ERR_GENERR);
      return;
    case Answer::Kind::kEndOfView:
    case Answer::Kind::kLater:
      return;
  }
}

// Whether a GETBULK has just found something of ours. What lies behind the range is not: another
// registration begins inside ours, and from there on it is its turn.
bool has_found_in_bulk(const netsnmp_agent_request_info& info,
                       const netsnmp_request_info& request) {
  const netsnmp_variable_list& found = *request.requestvb;
  return info.mode == MODE_GETBULK && found.type != ASN_NULL &&
         request.status == SNMP_ERR_NOERROR &&
         snmp_oid_compare(found.name, found.name_length, request.range_end, request.range_end_len) <
             0;
}

// Takes back what the manager may not see, and has the search go on behind it. The library looks
// only at as many bindings as there are repetitions left, which after us are none.
bool pass_over_unseen(const netsnmp_agent_request_info& info, netsnmp_request_info& request) {
  netsnmp_variable_list& found = *request.requestvb;
  if (!has_found_in_bulk(info, request) || info.asp == nullptr)
    return false;
  if (in_a_view(found.name, &found.name_length, info.asp->pdu, found.type) == VACM_SUCCESS)
    return false;
  snmp_set_var_typed_value(&found, ASN_NULL, nullptr, 0);
  request.inclusive = 0;
  return true;
}

// Moves a GETBULK on to the binding of its next repetition, which continues after what has just
// been found. False when there is none, or nothing to continue from.
bool next_repetition(const netsnmp_agent_request_info& info, netsnmp_request_info& request) {
  netsnmp_variable_list& found = *request.requestvb;
  netsnmp_variable_list* next = found.next_variable;
  if (!has_found_in_bulk(info, request) || request.repeat <= 0 || next == nullptr)
    return false;
  snmp_set_var_objid(next, found.name, found.name_length);
  next->type = ASN_NULL;
  request.requestvb = next;
  request.inclusive = 0;
  --request.repeat;
  return true;
}

}  // namespace

// The requests of one handler call that could not be answered yet.
struct Handler::Parked {
  const tables::Managed* object;
  DelegatedCache cache;
  std::vector<netsnmp_request_info*> requests;
  Time arrived;
};

// One binding of a Set that waits. The name is our own copy, for when the request has gone.
struct Handler::Written {
  netsnmp_request_info* request;
  snmp::Oid name;
  std::optional<snmp::Value> value;
};

// One handler call of a Set, of which a binding has to wait.
struct Handler::ParkedSet {
  const tables::Managed* object;
  Phase phase;
  Transaction transaction;
  std::vector<Written> bindings;
  std::size_t next = 0;  // the one that has to wait
  DelegatedCache cache{};
  Time again{};
};

Handler::Handler(ReadTarget& reads, WriteTarget& writes, PduLog& pdus)
    : reads_(reads), writes_(writes), pdus_(pdus) {}

Handler::~Handler() = default;

std::size_t Handler::parked() const { return parked_.size() + parked_sets_.size(); }

void Handler::answer(const tables::Managed& object, netsnmp_agent_request_info_s& info,
                     netsnmp_request_info_s* requests) {
  if (phase_of(info.mode)) {
    write(object, info, requests);
    return;
  }
  if (is_only_trying(info))
    return;
  const Time arrived = Clock::now();
  std::vector<netsnmp_request_info*> unanswered;
  for (netsnmp_request_info* request = requests; request != nullptr; request = request->next) {
    if (request->processed != 0 || fill(object, info, *request, arrived))
      continue;
    request->delegated = 1;
    unanswered.push_back(request);
  }
  if (unanswered.empty())
    return;
  DelegatedCache cache(netsnmp_create_delegated_cache(nullptr, nullptr, &info, requests, nullptr));
  parked_.push_back({&object, std::move(cache), std::move(unanswered), arrived});
}

// Every binding below one of our roots comes in one call a phase.
void Handler::write(const tables::Managed& object, netsnmp_agent_request_info_s& info,
                    netsnmp_request_info_s* requests) {
  ParkedSet set{.object = &object,
                .phase = *phase_of(info.mode),
                .transaction = transaction_of(info),
                .bindings = {}};
  for (netsnmp_request_info* request = requests; request != nullptr; request = request->next)
    set.bindings.push_back({request, name_of(*request->requestvb), value_of(*request->requestvb)});
  if (!write(set))
    park(std::move(set), info, requests);
}

// Whether the phase is over. The first that is refused ends it, and with it the Set; only what
// takes back or forgets goes on to the last.
bool Handler::write(ParkedSet& set) {
  for (; set.next < set.bindings.size(); ++set.next) {
    const Written& written = set.bindings[set.next];
    const SetAnswer answer = write_one(set.phase, set, written);
    pdus_.note(set.transaction.id, answer, Clock::now());
    set.again = answer.again;
    if (!answer.status)
      return false;
    if (*answer.status == snmp::SetStatus::kNoError)
      continue;
    netsnmp_request_set_error(written.request, static_cast<int>(*answer.status));
    if (set.phase != Phase::kUndo)
      return true;
  }
  return true;
}

SetAnswer Handler::write_one(Phase phase, const ParkedSet& set, const Written& written) {
  return writes_.write({.phase = phase,
                        .object = *set.object,
                        .name = written.name,
                        .value = written.value,
                        .transaction = set.transaction});
}

// As an SNMP agent of its own the library would now hold back every request of everybody: but what
// is merely being tested has changed nothing that others could see.
void Handler::park(ParkedSet set, netsnmp_agent_request_info_s& info,
                   netsnmp_request_info_s* requests) {
  set.cache.reset(netsnmp_create_delegated_cache(nullptr, nullptr, &info, requests, nullptr));
  if (netsnmp_processing_set == info.asp)
    netsnmp_processing_set = nullptr;
  hold(std::move(set));
}

void Handler::hold(ParkedSet set) {
  set.bindings[set.next].request->delegated = 1;
  set_is_due_.set(std::max<Duration>(set.again - Clock::now(), kSoonest));
  parked_sets_.push_back(std::move(set));
}

void Handler::retry_sets() {
  std::vector<ParkedSet> waiting = std::exchange(parked_sets_, {});
  for (ParkedSet& set : waiting) {
    if (netsnmp_handler_check_cache(set.cache.get()) == nullptr) {
      give_up(set);
      continue;
    }
    set.bindings[set.next].request->delegated = 0;
    if (!write(set))
      hold(std::move(set));
  }
}

// The library has forgotten it, and all its requests: nobody else reports that it is over.
void Handler::give_up(const ParkedSet& set) {
  for (const Written& written : set.bindings)
    write_one(Phase::kFree, set, written);
}

// Answers the binding `request` stands at and, in a GETBULK, those of its further repetitions.
// False when an answer has to wait; the request then stands where it has to go on.
bool Handler::fill(const tables::Managed& object, netsnmp_agent_request_info_s& info,
                   netsnmp_request_info_s& request, Time arrived) {
  do {
    const snmp::Oid name = name_of(*request.requestvb);
    const Transaction transaction = transaction_of(info);
    const Time now = Clock::now();
    const Answer answer = reads_.read({.kind = kind_of(info, request),
                                       .object = object,
                                       .name = name,
                                       .transaction = transaction,
                                       .arrived = arrived,
                                       .now = now});
    pdus_.note(transaction.id, answer, now);
    if (answer.kind == Answer::Kind::kLater)
      return false;
    put(object, info, request, answer);
  } while (pass_over_unseen(info, request) || next_repetition(info, request));
  return true;
}

void Handler::retry() {
  retry_sets();
  // To answer a PDU may make the library ask for the rest of it, which parks again.
  std::vector<Parked> waiting = std::exchange(parked_, {});
  for (Parked& parked : waiting) {
    if (!retry(parked))
      parked_.push_back(std::move(parked));
  }
}

// Whether nothing of it is left to do. A PDU that the library has given up meanwhile is gone with
// all its requests, and only the cache may be asked about it.
bool Handler::retry(Parked& parked) {
  if (netsnmp_handler_check_cache(parked.cache.get()) == nullptr)
    return true;
  std::erase_if(parked.requests, [&](netsnmp_request_info* request) {
    if (!fill(*parked.object, *parked.cache->reqinfo, *request, parked.arrived))
      return false;
    request->delegated = 0;
    return true;
  });
  return parked.requests.empty();
}

// When a delegated PDU goes on and is delegated again, the library lists it again only if none of
// the same number is on its list. One that it leaves out would never be answered nor freed; to list
// it twice is harmless.
void Handler::hold_parked() {
  for (const Parked& parked : parked_)
    netsnmp_check_for_delegated_and_add(parked.cache->reqinfo->asp);
  for (const ParkedSet& set : parked_sets_)
    netsnmp_check_for_delegated_and_add(set.cache->reqinfo->asp);
}

}  // namespace tcpmibd::agent
