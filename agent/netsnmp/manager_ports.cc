#include "agent/netsnmp/manager_ports.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <span>
#include <utility>

#include "agent/netsnmp/message_size.h"
#include "agent/netsnmp/stream_socket.h"

#include "agent/netsnmp/net_snmp.h"

namespace tcpmibd::agent {
namespace {

// So that nobody's requests take up a whole turn of the loop, however many come at once.
constexpr int kReadAtOnce = 2048;
constexpr int kAcceptAtOnce = 64;
// Connections that wait to be accepted; the library's five are gone in a moment.
constexpr int kBacklog = 64;

bool is_stream(const netsnmp_transport& transport) {
  return (transport.flags & NETSNMP_TRANSPORT_FLAG_STREAM) != 0;
}

bool is_listening(const netsnmp_transport& transport) {
  return (transport.flags & NETSNMP_TRANSPORT_FLAG_LISTEN) != 0;
}

// The others shake hands for as long as the other end pleases.
bool is_served(const netsnmp_transport& transport) {
  const std::initializer_list<const oid*> served = {netsnmpUDPDomain, netsnmp_UDPIPv6Domain,
                                                    netsnmp_snmpTCPDomain, netsnmp_TCPIPv6Domain,
                                                    netsnmp_UnixDomain};
  return std::ranges::find(served, transport.domain) != served.end();
}

netsnmp_transport& transport_of(const netsnmp_session& session) {
  void* library = snmp_sess_pointer(const_cast<netsnmp_session*>(&session));
  return *snmp_sess_transport(library);
}

bool is_among(const netsnmp_agent_session* requests, const netsnmp_session& session) {
  for (; requests != nullptr; requests = requests->next) {
    if (requests->session == &session)
      return true;
  }
  return false;
}

// Whether the request of that number is not done yet.
bool is_under_way(long number) {
  const auto has_it = [&](const netsnmp_agent_session* requests) {
    while (requests != nullptr && requests->pdu->transid != number)
      requests = requests->next;
    return requests != nullptr;
  };
  return has_it(agent_delegated_list) || has_it(netsnmp_agent_queued_list) ||
         has_it(netsnmp_processing_set);
}

// Whether a request that came by `session` is not done yet.
bool is_waited_on(const netsnmp_session& session) {
  return is_among(agent_delegated_list, session) || is_among(netsnmp_agent_queued_list, session) ||
         is_among(netsnmp_processing_set, session);
}

void close_socket(netsnmp_transport& transport) {
  if (transport.sock >= 0)
    ::close(transport.sock);
  transport.sock = -1;
}

std::string cure_of(int code) {
  switch (code) {
    case EADDRINUSE:
      return "another agent, perhaps snmpd, has this port: stop it or choose another";
    case EACCES:
    case EPERM:
      return "ports below 1024 need root or CAP_NET_BIND_SERVICE: choose a higher one";
    case EADDRNOTAVAIL:
      return "no interface has this address";
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return "see the limits of this process and the memory of this host";
    default:
      return "write it as udp:ADDRESS:PORT or udp6:[ADDRESS]:PORT";
  }
}

// Whether the kernel refused, and not the address itself was senseless.
bool is_refusal(int code) {
  return code == EADDRINUSE || code == EACCES || code == EPERM || code == EADDRNOTAVAIL ||
         (is_scarcity(code) && code != EAGAIN);  // which a look-up of a name leaves behind
}

// What the library leaves alone in a response, for only a trap of SNMPv1 has these fields, carries
// from a request what its answer must keep to. It must not know of the limit itself: it would stop
// in the middle of a column, say that the rest is the end of the view, and build the message twice.
void remember_limit(netsnmp_pdu& pdu, std::size_t limit) {
  pdu.time = limit;
  pdu.trap_type = pdu.command;
  pdu.msgMaxSize = SNMP_MAX_PACKET_LEN;
}

bool answers_bulk(const netsnmp_pdu& pdu) { return pdu.trap_type == SNMP_MSG_GETBULK; }

// RFC 3416, 4.2.1: without the bindings, so that it fits. In SNMPv1 it carries those of the
// request (RFC 1157, 4.1.2).
void say_too_big(netsnmp_pdu& pdu) {
  pdu.errstat = SNMP_ERR_TOOBIG;
  pdu.errindex = 0;
  if (pdu.version == SNMP_VERSION_1)
    return;
  snmp_free_varbind(std::exchange(pdu.variables, nullptr));
}

// Makes a response as long as its manager can take. False where that is not to be done by leaving
// something out.
bool fit(netsnmp_pdu& pdu) {
  const std::size_t limit = pdu.time;
  if (pdu.command != SNMP_MSG_RESPONSE || limit == 0)
    return true;
  if (pdu.errstat == SNMP_ERR_NOERROR && answers_bulk(pdu))
    cut_to(pdu, limit);
  else if (pdu.errstat == SNMP_ERR_TOOBIG ||
           (pdu.errstat != SNMP_ERR_NOERROR && message_size(pdu) > limit))
    say_too_big(pdu);
  return message_size(pdu) <= limit;
}

void refuse_as_too_big(netsnmp_session& session, netsnmp_pdu& pdu) {
  netsnmp_pdu* answer = snmp_clone_pdu(&pdu);
  if (answer == nullptr)
    return;
  answer->command = SNMP_MSG_RESPONSE;
  say_too_big(*answer);
  snmp_increment_statistic(STAT_SNMPOUTTOOBIGS);
  if (snmp_send(&session, answer) == 0)
    snmp_free_pdu(answer);
}

// What a manager has stated (RFC 3412, 7.2), or else its transport can carry.
std::size_t limit_of(const netsnmp_session& session, const netsnmp_pdu& pdu) {
  const std::size_t most = std::min(session.sndMsgMaxSize, kLongestMessage);
  return pdu.version == SNMP_VERSION_3 ? std::min(static_cast<std::size_t>(pdu.msgMaxSize), most)
                                       : most;
}

}  // namespace

ManagerPorts* ManagerPorts::only = nullptr;

// Each finds the one object and does what it says. After its end only closing is left to do.
struct ManagerPorts::Calls {
  static int accept(netsnmp_transport* listening) noexcept {
    return only != nullptr ? only->accept(*listening) : -1;
  }

  static int receive(netsnmp_transport* transport, void* buffer, int size, void** opaque,
                     int* length) noexcept {
    if (only == nullptr)
      return -1;
    if (!is_readable(transport->sock)) {
      transport->flags |= NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
      return 0;
    }
    return only->originals_.at(transport->domain)
        .receive(transport, buffer, std::min(size, kReadAtOnce), opaque, length);
  }

  // Nobody is left to hear of a failure, so there is none.
  static int send(netsnmp_transport* transport, const void* message, int size, void**,
                  int*) noexcept {
    const std::span octets(static_cast<const std::byte*>(message), static_cast<std::size_t>(size));
    if (only != nullptr && only->peers_.is_open(transport) && !send_whole(transport->sock, octets))
      only->drop(*transport, "it does not read its answers");
    return size;
  }

  static int close(netsnmp_transport* transport) noexcept {
    if (only != nullptr && is_listening(*transport))
      return only->originals_.at(transport->domain).close(transport);
    if (only != nullptr && !only->is_closing_ && only->peers_.is_open(transport)) {
      only->peers_.end(transport);
      silence(transport->sock, only->silent_.get());
      return 0;
    }
    close_socket(*transport);
    return 0;
  }

  static int on_event(int operation, netsnmp_session* session, int request, netsnmp_pdu* pdu,
                      void* magic) noexcept {
    if (operation == NETSNMP_CALLBACK_OP_CONNECT)
      only->welcome(*session);
    const bool is_request = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE;
    const int result = is_request && !only->takes(*session, *pdu)
                           ? 1
                           : handle_snmp_packet(operation, session, request, pdu, magic);
    if (is_request)
      only->end_unanswered();
    return result;
  }

  // The library wants the message at the beginning of the buffer and builds it at its end.
  static int build(netsnmp_session* session, netsnmp_pdu* pdu, u_char** buffer, size_t* size,
                   size_t* length) noexcept {
    if (!fit(*pdu)) {
      session->s_snmp_errno = SNMPERR_TOO_LONG;
      return -1;
    }
    constexpr u_long kForwards = UCD_MSG_FLAG_FORWARD_ENCODE | UCD_MSG_FLAG_BULK_TOOBIG;
    pdu->flags &= ~kForwards;
    const int result = snmp_build(buffer, size, length, session, pdu);
    if (result != 0)
      return result;
    std::memmove(*buffer, *buffer + *size - *length, *length);
    if (only != nullptr && pdu->command == SNMP_MSG_RESPONSE)
      only->pdus_.end(*pdu, Clock::now());
    return result;
  }

  static int check(u_char* stream, size_t size) noexcept {
    const std::size_t awaited = awaited_size({stream, size});
    return awaited > kLongestMessage ? -1 : static_cast<int>(awaited);
  }
};

ManagerPorts::ManagerPorts(const Config::Connections& limits, PduLog& pdus)
    : pdus_(pdus),
      peers_(limits),
      silent_(::eventfd(0, EFD_CLOEXEC)),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  only = this;
}

ManagerPorts::~ManagerPorts() {
  is_closing_ = true;
  for (const auto& [transport, session] : sessions_)
    snmp_close(session);
  for (netsnmp_session* session : listening_)
    snmp_close(session);
  only = nullptr;
}

void ManagerPorts::set_limits(const Config::Connections& limits) {
  peers_.set_limits(limits);
  reminder_.cancel();
}

Start ManagerPorts::open(const std::string& address) {
  if (!silent_)
    return start_failure(failure("open an eventfd", EMFILE, "raise LimitNOFILE="));
  errno = 0;
  netsnmp_transport* transport = netsnmp_transport_open_server("snmp", address.c_str());
  if (transport == nullptr) {
    const int code = is_refusal(errno) ? errno : 0;
    return start_failure(failure("listen on " + address, code, cure_of(code)),
                         code != 0 ? ExitStatus::kFailed : ExitStatus::kUsage);
  }
  return listen(*transport, address);
}

// As netsnmp_register_agent_nsap() does, which leaves no room for functions of ours.
Start ManagerPorts::listen(netsnmp_transport& transport, const std::string& address) {
  if (!is_served(transport)) {
    transport.f_close(&transport);
    netsnmp_transport_free(&transport);
    return start_failure(
        failure("listen on " + address, 0, "it must be one of udp:, udp6:, tcp:, tcp6: and unix:"),
        ExitStatus::kUsage);
  }
  never_wait(transport.sock);
  if (is_stream(transport))
    stand_before(transport);
  netsnmp_session wanted;
  snmp_sess_init(&wanted);
  wanted.version = SNMP_DEFAULT_VERSION;
  wanted.callback = &Calls::on_event;
  wanted.isAuthoritative = SNMP_SESS_AUTHORITATIVE;
  wanted.rcvMsgMaxSize = kLongestMessage;
  wanted.sndMsgMaxSize = kLongestMessage;
  netsnmp_session* session =
      snmp_add_full(&wanted, &transport, netsnmp_agent_check_packet, nullptr,
                    netsnmp_agent_check_parse, nullptr, &Calls::build, &Calls::check, nullptr);
  if (session == nullptr)
    return start_failure(failure("serve SNMP on " + address, ENOMEM));
  listening_.push_back(session);
  return {};
}

// Connections get these functions from the transport that they were accepted by.
void ManagerPorts::stand_before(netsnmp_transport& transport) {
  originals_.insert_or_assign(transport.domain,
                              Originals{transport.f_accept, transport.f_recv, transport.f_close});
  transport.f_accept = &Calls::accept;
  transport.f_recv = &Calls::receive;
  transport.f_send = &Calls::send;
  transport.f_close = &Calls::close;
  ::listen(transport.sock, kBacklog);
}

// The library takes one a turn. Those that are turned away are not to keep the others waiting.
int ManagerPorts::accept(netsnmp_transport_s& listening) {
  for (int i = 0; i < kAcceptAtOnce; ++i) {
    const int socket = accept_one(listening);
    if (socket < 0) {
      turn_away_without_descriptor(listening, errno);
      return -1;
    }
    if (admits(socket)) {
      prepare_stream(socket);
      return socket;
    }
    ::close(socket);
  }
  return -1;
}

bool ManagerPorts::admits(int socket) {
  const std::string address = peer_address(socket);
  const std::optional<std::string> refusal = peers_.refusal(address);
  if (refusal)
    refusals_.write(log::Level::kWarning,
                    "a connection from " + address + " is refused: " + *refusal);
  return !refusal;
}

// Of a local socket the library puts the peer's name where it keeps the path of its own, and
// deletes the file at what it takes for that path when it closes.
int ManagerPorts::accept_one(netsnmp_transport_s& listening) const {
  const bool is_local = listening.domain == netsnmp_UnixDomain;
  void* kept = listening.data;
  const int length = listening.data_length;
  if (is_local)
    listening.data = nullptr;
  const int socket = originals_.at(listening.domain).accept(&listening);
  if (is_local) {
    std::free(listening.data);
    listening.data = kept;
    listening.data_length = length;
  }
  return socket;
}

// Without a descriptor nobody can be accepted, and so nobody be refused: the loop would be woken
// for the same one again and again.
void ManagerPorts::turn_away_without_descriptor(netsnmp_transport_s& listening, int code) {
  if (code != EMFILE && code != ENFILE)
    return;
  spare_ = FileDescriptor();
  if (const int socket = accept_one(listening); socket >= 0)
    ::close(socket);
  spare_ = FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  refusals_.write(log::Level::kWarning,
                  failure("accept a connection", code, "raise LimitNOFILE=").value().text());
}

void ManagerPorts::welcome(snmp_session& session) {
  const netsnmp_transport& transport = transport_of(session);
  peers_.add(&transport, peer_address(transport.sock), Clock::now());
  sessions_.insert_or_assign(&transport, &session);
}

// Whether the library is to see the request.
bool ManagerPorts::takes(snmp_session& session, snmp_pdu& pdu) {
  const netsnmp_transport& transport = transport_of(session);
  if (is_stream(transport) && !peers_.is_open(&transport))
    return false;
  const Time now = Clock::now();
  peers_.heard(&transport, now);
  pdus_.begin(pdu, now);
  const std::size_t limit = limit_of(session, pdu);
  remember_limit(pdu, limit);
  // Of a Set nobody may be answered that it was too long when it has been done (RFC 3416, 4.2.5).
  if (pdu.command != SNMP_MSG_SET || message_size(pdu) <= limit)
    return true;
  refuse_as_too_big(session, pdu);
  return false;
}

void ManagerPorts::end_unanswered() {
  if (!pdus_.is_empty())
    pdus_.end_unanswered(is_under_way, Clock::now());
}

void ManagerPorts::drop(netsnmp_transport_s& transport, const std::string& why) {
  drops_.write(log::Level::kWarning,
               "the connection from " + peers_.address_of(&transport) + " is dropped: " + why);
  end(transport);
}

void ManagerPorts::end(netsnmp_transport_s& transport) {
  forget_unread(transport.sock);
  peers_.end(&transport);
  silence(transport.sock, silent_.get());
}

void ManagerPorts::settle(Time now) {
  end_unanswered();
  for (const StreamPeers::Key peer : peers_.idle(now)) {
    snmp_session& session = *sessions_.at(peer);
    if (is_waited_on(session))
      peers_.heard(peer, now);
    else
      end(transport_of(session));
  }
  for (const StreamPeers::Key peer : peers_.ended()) {
    if (!is_waited_on(*sessions_.at(peer)))
      let_go(peer);
  }
  if (const std::optional<Time> next = peers_.next_idle())
    reminder_.set(*next - now);
}

// The library closes sessions without a socket at its next turn.
void ManagerPorts::let_go(StreamPeers::Key peer) {
  close_socket(transport_of(*sessions_.at(peer)));
  sessions_.erase(peer);
  peers_.remove(peer);
}

}  // namespace tcpmibd::agent
