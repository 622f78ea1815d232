#include "agent/snmpd/module.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <utility>
#include <variant>

#include "agent/netsnmp/oid.h"
#include "agent/netsnmp/varbind.h"
#include "agent/snmpd/contained.h"
#include "base/handle.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent::snmpd {
namespace {

using agentx::ErrorCode;
using agentx::Found;
using agentx::PduType;

// What one daemon may register, all contexts together.
constexpr std::size_t kMostRegistered = 1024;

// When it is looked again whether what is to be taken back is out of use.
constexpr Duration kLookAgain = std::chrono::milliseconds(20);

constexpr const char* kName = "tcpmibd_snmpd";

bool is_set(int mode) { return MODE_IS_SET(mode); }

// Before a GETNEXT from an inclusive start the library tries its luck with a GET, and asks again
// what that leaves unanswered.
bool is_only_trying(const netsnmp_agent_request_info& info) {
  return info.mode == MODE_GET && info.asp->pdu->command != SNMP_MSG_GET;
}

std::uint32_t transaction_of(const netsnmp_agent_request_info& info) {
  return static_cast<std::uint32_t>(info.asp->pdu->transid);
}

std::string context_of(const netsnmp_handler_registration& registration) {
  return registration.contextName != nullptr ? registration.contextName : "";
}

bool is_repeater(const netsnmp_agent_request_info& info, const netsnmp_request_info& request) {
  return info.mode == MODE_GETBULK && request.repeat > 0;
}

// What precedes our root begins with it.
agentx::SearchRange range_of(const netsnmp_request_info& request) {
  const netsnmp_variable_list& binding = *request.requestvb;
  const netsnmp_subtree& tree = *request.subtree;
  const snmp::Oid end = from_library(request.range_end, request.range_end_len);
  if (snmp_oid_compare(binding.name, binding.name_length, tree.start_a, tree.start_len) < 0)
    return {.start = from_library(tree.start_a, tree.start_len), .include = true, .end = end};
  return {.start = name_of(binding), .include = request.inclusive != 0, .end = end};
}

// An error that SNMP knows; what only AgentX does is genErr (RFC 2741, 7.2.5.2).
int error_of(ErrorCode error) {
  const auto code = static_cast<int>(error);
  return code <= MAX_SNMP_ERR ? code : SNMP_ERR_GENERR;
}

void let_go(const std::vector<netsnmp_request_info*>& requests) {
  for (netsnmp_request_info* request : requests)
    request->delegated = REQUEST_IS_NOT_DELEGATED;
}

// As the library's own master does: an index that fits none means the first.
void refuse(netsnmp_agent_request_info& info, const std::vector<netsnmp_request_info*>& requests,
            int error, std::size_t index) {
  let_go(requests);
  const std::size_t at = index >= 1 && index <= requests.size() ? index - 1 : 0;
  netsnmp_set_request_error(&info, requests[at], error);
}

// ---- A search: GETNEXT, GETBULK

// How far one request has come with the bindings of an answer.
struct Search {
  netsnmp_request_info* request;
  netsnmp_agent_request_info* info;
  bool filled = false;  // the binding it stands at
  bool ended = false;   // nothing follows in its range

  bool may_go_on() const {
    return is_repeater(*info, *request) && request->requestvb->next_variable != nullptr;
  }
  bool is_done() const { return ended || (filled && !may_go_on()); }

  // To the binding of the next repetition.
  void advance() {
    request->requestvb = request->requestvb->next_variable;
    request->requestvb->type = ASN_NULL;
    --request->repeat;
    filled = false;
  }

  // Stands at a binding to be filled, whose name is where the search goes on, unless it is done.
  void settle() {
    if (!filled || !may_go_on())
      return;
    const netsnmp_variable_list& last = *request->requestvb;
    snmp_set_var_objid(last.next_variable, last.name, last.name_length);
    advance();
  }

  // Whether the name is one that was looked for: behind the last, and in the range.
  bool is_in_order(const LibraryOid& name) const {
    const netsnmp_variable_list& last = *request->requestvb;
    const int order = snmp_oid_compare(name.data(), name.size(), last.name, last.name_length);
    const bool may_be_same = request->inclusive != 0 && !filled;
    return (order > 0 || (order == 0 && may_be_same)) &&
           snmp_oid_compare(name.data(), name.size(), request->range_end, request->range_end_len) <
               0;
  }

  // False where it is senseless.
  bool take(const Found& found) {
    if (const auto* exception = std::get_if<agentx::Exception>(&found.what)) {
      ended = true;
      return *exception == agentx::Exception::kEndOfMibView;
    }
    LibraryOid name(found.name.view());
    if (!is_in_order(name))
      return false;
    put(name, std::get<snmp::Value>(found.what));
    return true;
  }

  // What the manager may not see is passed over: the library looks only at as many bindings as
  // there are repetitions left.
  void put(LibraryOid& name, const snmp::Value& value) {
    if (filled)
      advance();
    netsnmp_variable_list& binding = *request->requestvb;
    snmp_set_var_objid(&binding, name.data(), name.size());
    set_value(binding, value);
    request->inclusive = 0;
    filled =
        in_a_view(binding.name, &binding.name_length, info->asp->pdu, binding.type) == VACM_SUCCESS;
    if (!filled)
      snmp_set_var_typed_value(&binding, ASN_NULL, nullptr, 0);
  }
};

// ---- What snmpd calls

extern "C" int on_requests(netsnmp_mib_handler*, netsnmp_handler_registration* registration,
                           netsnmp_agent_request_info* info,
                           netsnmp_request_info* requests) noexcept {
  const bool done = contained([&] {
    static_cast<Module*>(registration->my_reg_void)->on_requests(*registration, *info, requests);
  });
  if (!done)
    netsnmp_set_request_error(info, requests, SNMP_ERR_GENERR);
  return SNMP_ERR_NOERROR;
}

extern "C" void on_ready(int, void* module) noexcept {
  contained([&] { static_cast<Module*>(module)->on_ready(); });
}

// What is remembered of a PDU of a manager, for as long as the library knows it.
struct Use {
  Module* module;
  netsnmp_agent_request_info* info;
};

extern "C" void on_end(void* use) noexcept {
  const std::unique_ptr<Use> over(static_cast<Use*>(use));
  contained([&] { over->module->on_end(over->info); });
}

}  // namespace

Module::Module(Link::Settings settings)
    : link_(std::move(settings), *this),
      cache_id_(netsnmp_allocate_globalcacheid()),
      reminder_([this] { contained([this] { turn(); }); }) {
  reminder_.set(Duration::zero());
}

Module::~Module() {
  link_.close();
  watch();
}

bool Module::retire() {
  retiring_ = true;
  turn();
  return registered_.empty() && !is_in_use();
}

void Module::resume() {
  retiring_ = false;
  reminder_.set(Duration::zero());
}

// ---- A manager's requests

void Module::on_requests(const netsnmp_handler_registration& registration,
                         netsnmp_agent_request_info& info, netsnmp_request_info* requests) {
  if (is_only_trying(info))
    return;
  note_use(info);
  switch (info.mode) {
    case MODE_SET_RESERVE2:  // AgentX tests in one phase
      return;
    case MODE_SET_COMMIT:
    case MODE_SET_FREE:
      link_.clean_up_set(transaction_of(info));
      return watch();
    default:
      break;
  }
  Call call{.info = &info, .requests = {}, .context = context_of(registration), .non_repeaters = 0};
  for (netsnmp_request_info* request = requests; request != nullptr; request = request->next) {
    if (request->processed == 0)
      call.requests.push_back(request);
  }
  if (!call.requests.empty())
    ask(std::move(call));
}

void Module::note_use(netsnmp_agent_request_info& info) {
  if (netsnmp_agent_get_list_data(&info, kName) != nullptr)
    return;
  auto use = std::make_unique<Use>(Use{.module = this, .info = &info});
  netsnmp_data_list* node = netsnmp_create_data_list(kName, use.get(), snmpd::on_end);
  if (node == nullptr)
    throw std::bad_alloc();
  use.release();  // NOLINT(bugprone-unused-return-value): the library's now
  netsnmp_agent_add_list_data(&info, node);
  ++uses_;
}

void Module::on_end(netsnmp_agent_request_info* info) {
  --uses_;
  std::erase_if(calls_, [&](const auto& call) { return call.second.info == info; });
}

void Module::ask(Call call) {
  const std::optional<std::uint32_t> packet = send(call);
  watch();
  if (!packet)
    return refuse(*call.info, call.requests, SNMP_ERR_GENERR, 0);
  const Call& asked = calls_.insert_or_assign(*packet, std::move(call)).first->second;
  for (netsnmp_request_info* request : asked.requests)
    request->delegated = REQUEST_IS_DELEGATED;
}

std::optional<std::uint32_t> Module::send(Call& call) {
  const std::uint32_t transaction = transaction_of(*call.info);
  switch (call.info->mode) {
    case MODE_GET:
      return send_get(call);
    case MODE_GETNEXT:
    case MODE_GETBULK:
      return send_search(call);
    case MODE_SET_RESERVE1:
      return link_.test_set(transaction, call.context, written(call), Clock::now());
    case MODE_SET_ACTION:
      return link_.set_phase(PduType::kCommitSet, transaction, Clock::now());
    case MODE_SET_UNDO:
      return link_.set_phase(PduType::kUndoSet, transaction, Clock::now());
    default:
      return std::nullopt;
  }
}

std::optional<std::uint32_t> Module::send_get(const Call& call) {
  std::vector<agentx::SearchRange> names;
  for (const netsnmp_request_info* request : call.requests)
    names.push_back({.start = name_of(*request->requestvb)});
  return link_.read(PduType::kGet, transaction_of(*call.info), call.context, {.ranges = names},
                    Clock::now());
}

// Those of a GETBULK that want one binding more are its non-repeaters.
std::optional<std::uint32_t> Module::send_search(Call& call) {
  const auto repeaters = std::ranges::stable_partition(
      call.requests, [&](const auto* request) { return !is_repeater(*call.info, *request); });
  call.non_repeaters = call.requests.size() - repeaters.size();
  int repetitions = 0;
  std::vector<agentx::SearchRange> ranges;
  for (const netsnmp_request_info* request : call.requests) {
    ranges.push_back(range_of(*request));
    repetitions =
        std::max(repetitions, is_repeater(*call.info, *request) ? request->repeat + 1 : 0);
  }
  const auto most = std::min(repetitions, int{UINT16_MAX});
  return link_.read(repeaters.empty() ? PduType::kGetNext : PduType::kGetBulk,
                    transaction_of(*call.info), call.context,
                    {.ranges = ranges,
                     .non_repeaters = static_cast<std::uint16_t>(call.non_repeaters),
                     .max_repetitions = static_cast<std::uint16_t>(most)},
                    Clock::now());
}

agentx::Bytes Module::written(const Call& call) {
  agentx::Bytes bytes;
  agentx::Writer out(bytes, Link::kOrder);
  for (const netsnmp_request_info* request : call.requests) {
    const snmp::Oid name = name_of(*request->requestvb);
    if (const std::optional<snmp::Value> value = value_of(*request->requestvb))
      out.add_binding(name.view(), *value);
    else
      out.add_binding_of_no_type(name.view());
  }
  return bytes;
}

// ---- What the daemon answers

bool Module::on_answer(std::uint32_t packet, const agentx::Response& response,
                       agentx::Reader bindings) {
  auto found = calls_.extract(packet);
  if (found.empty())
    return true;  // the manager's PDU is over
  Call& call = found.mapped();
  let_go(call.requests);
  if (response.error != ErrorCode::kNone) {
    refuse(*call.info, call.requests, error_of(response.error), response.index);
    return true;
  }
  if (is_set(call.info->mode))
    return true;
  if (!fill(call, bindings)) {
    refuse(*call.info, call.requests, SNMP_ERR_GENERR, 0);
    return false;
  }
  return true;
}

bool Module::fill(Call& call, agentx::Reader& bindings) {
  if (call.info->mode == MODE_GET)
    return fill_get(call, bindings);
  std::vector<netsnmp_request_info*> unfilled;
  if (!fill_search(call, bindings, unfilled))
    return false;
  call.requests = std::move(unfilled);
  if (!call.requests.empty())
    ask(std::move(call));
  return true;
}

bool Module::fill_get(const Call& call, agentx::Reader& bindings) {
  for (const netsnmp_request_info* request : call.requests) {
    netsnmp_variable_list& binding = *request->requestvb;
    const Found found = bindings.take_found();
    if (bindings.failed() || found.name != name_of(binding))
      return false;
    if (const auto* value = std::get_if<snmp::Value>(&found.what))
      set_value(binding, *value);
    else
      snmp_set_var_typed_value(&binding, static_cast<u_char>(std::get<1>(found.what)), nullptr, 0);
  }
  return bindings.at_end();
}

// Of a GetBulk's answer the non-repeaters come first, then one binding of each repeater by turns.
// There may be fewer repetitions than were asked for, but for the first.
bool Module::fill_search(const Call& call, agentx::Reader& bindings,
                         std::vector<netsnmp_request_info*>& unfilled) {
  std::vector<Search> searches;
  for (netsnmp_request_info* request : call.requests)
    searches.push_back({.request = request, .info = call.info});
  std::size_t at = 0;
  bool is_first = true;
  while (!bindings.at_end()) {
    if (at == searches.size()) {
      at = call.non_repeaters;
      is_first = false;
    }
    const Found found = bindings.take_found();
    if (bindings.failed() || at == searches.size())
      return false;
    Search& search = searches[at++];
    if (!search.is_done() && !search.take(found))
      return false;
  }
  if (is_first && at != searches.size())
    return false;
  for (Search& search : searches) {
    search.settle();
    if (!search.is_done())
      unfilled.push_back(search.request);
  }
  return true;
}

void Module::on_notification(const std::vector<Found>& bindings) {
  netsnmp_variable_list* list = nullptr;
  for (const Found& found : bindings) {
    LibraryOid name(found.name.view());
    netsnmp_variable_list* added =
        snmp_varlist_add_variable(&list, name.data(), name.size(), ASN_NULL, nullptr, 0);
    if (const auto* value = std::get_if<snmp::Value>(&found.what); value && added != nullptr)
      set_value(*added, *value);
  }
  const UniqueHandle<netsnmp_variable_list, snmp_free_varbind> owned(list);
  if (list != nullptr)
    send_v2trap(list);
}

// ---- Registrations

ErrorCode Module::register_subtree(const Served& served) {
  const auto known = std::ranges::find(registered_, served, &Registered::served);
  if (known != registered_.end())
    return std::exchange(known->lives, true) ? ErrorCode::kDuplicateRegistration : ErrorCode::kNone;
  if (registered_.size() == kMostRegistered)
    return ErrorCode::kRequestDenied;
  LibraryOid root(served.subtree.root.view());
  netsnmp_handler_registration* registration =
      netsnmp_create_handler_registration(kName, snmpd::on_requests, root.data(), root.size(),
                                          HANDLER_CAN_RWRITE | HANDLER_CAN_GETBULK);
  if (registration == nullptr)
    return ErrorCode::kRequestDenied;
  registration->priority = served.subtree.priority;
  registration->global_cacheid = cache_id_;
  registration->my_reg_void = this;
  if (!served.context.empty())
    registration->contextName = ::strdup(served.context.c_str());
  registered_.push_back({.served = served, .lives = true});
  // Takes the registration over, and frees it when it fails.
  const int status = netsnmp_register_handler(registration);
  if (status == MIB_REGISTERED_OK)
    return ErrorCode::kNone;
  registered_.pop_back();
  return status == MIB_DUPLICATE_REGISTRATION ? ErrorCode::kDuplicateRegistration
                                              : ErrorCode::kRequestDenied;
}

void Module::on_lost() {
  for (Registered& registered : registered_)
    registered.lives = false;
}

void Module::sweep() {
  if (is_in_use())
    return;
  std::erase_if(registered_, [](const Registered& registered) {
    if (!registered.lives)
      take_back(registered.served);
    return !registered.lives;
  });
}

// By its name: the library may have freed the registration by itself, when snmpd ends.
void Module::take_back(const Served& served) {
  LibraryOid root(served.subtree.root.view());
  unregister_mib_context(root.data(), root.size(), served.subtree.priority, 0, 0,
                         served.context.c_str());
}

// ---- snmpd's loop

void Module::turn() {
  const Time now = Clock::now();
  if (retiring_ && !is_in_use())
    link_.close();
  else
    link_.turn(now);
  sweep();
  watch();
}

// Has snmpd call us when there is something to do.
void Module::watch() {
  const int descriptor = link_.descriptor();
  if (watched_ != descriptor && watched_ >= 0)
    unregister_readfd(watched_);
  if (watched_ != descriptor && descriptor >= 0)
    register_readfd(descriptor, snmpd::on_ready, this);
  watched_ = descriptor;

  const int sending = link_.has_unsent() ? descriptor : -1;
  if (watched_for_sending_ != sending && watched_for_sending_ >= 0)
    unregister_writefd(watched_for_sending_);
  if (watched_for_sending_ != sending && sending >= 0)
    register_writefd(sending, snmpd::on_ready, this);
  watched_for_sending_ = sending;

  const Time now = Clock::now();
  const bool waits = !std::ranges::all_of(registered_, &Registered::lives) || retiring_;
  const bool is_over = retiring_ && registered_.empty() && descriptor < 0;
  const Time wake = waits ? std::min(link_.wake(), now + kLookAgain) : link_.wake();
  if (!is_over && wake != Time::max())
    reminder_.set(std::max(wake - now, Duration::zero()));
}

void Module::report(bool is_trouble, const std::string& line) {
  snmp_log(is_trouble ? LOG_WARNING : LOG_INFO, "tcpmibd: %s\n", line.c_str());
}

std::uint32_t Module::uptime() const {
  return static_cast<std::uint32_t>(netsnmp_get_agent_uptime());
}

}  // namespace tcpmibd::agent::snmpd
