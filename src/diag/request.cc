#include "diag/request.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace tcpmibd::diag {

namespace {

std::uint8_t kernel_family(tcp::Family family) {
  return family == tcp::Family::kIpv4 ? AF_INET : AF_INET6;
}

void set_end(const tcp::Endpoint& endpoint, __be32 (&address)[4], __be16& port) {
  static_assert(sizeof address == sizeof endpoint.address);
  std::memcpy(address, endpoint.address.data(), sizeof address);
  port = htons(endpoint.port);
}

// The address without its v4-mapped prefix: an AF_INET question may be answered by an AF_INET6
// socket that speaks IPv4, and the other way round.
tcp::Octets canonical(tcp::Family family, const tcp::Octets& address) {
  return tcp::inet_address(family, address, 0, {}).octets;
}

bool same_end(tcp::Family family, const tcp::Endpoint& end, tcp::Family asked_family,
              const tcp::Endpoint& asked) {
  return end.port == asked.port &&
         canonical(family, end.address) == canonical(asked_family, asked.address);
}

}  // namespace

std::uint32_t bits_of(std::span<const tcp::State> states) {
  std::uint32_t bits = states.empty() ? kAllRows : 0;
  for (const tcp::State state : states)
    bits |= 1u << tcp::names_of(state).kernel;
  return bits & kAllRows;
}

// Equality is two comparisons, for kernels before 4.16 know no other. Every target of a jump must
// lie on the way of one who always says yes (inet_diag_bc_audit()), hence the jump in the middle.
PortDumpRequest port_dump_request(const inet_diag_req_v2& dump, std::uint16_t port) {
  const auto when = [](std::uint8_t code, std::uint8_t otherwise) {
    return inet_diag_bc_op{.code = code, .yes = 8, .no = otherwise};
  };
  const inet_diag_bc_op that_port{.code = INET_DIAG_BC_NOP, .yes = 0, .no = port};
  return {
      .fixed = dump,
      .header = {.rta_len = sizeof(rtattr) + sizeof PortDumpRequest::program,
                 .rta_type = INET_DIAG_REQ_BYTECODE},
      .program = {when(INET_DIAG_BC_S_GE, 20), that_port, when(INET_DIAG_BC_S_LE, 12), that_port,
                  inet_diag_bc_op{.code = INET_DIAG_BC_JMP, .yes = 4, .no = 20},
                  when(INET_DIAG_BC_D_GE, 20), that_port, when(INET_DIAG_BC_D_LE, 12), that_port}};
}

// The condition jumps to what follows it where it holds, and otherwise to the end of the program,
// which is a yes, or past it. What follows goes on to the end, or jumps past it.
MappedDumpRequest mapped_dump_request(const inet_diag_req_v2& dump, bool mapped) {
  constexpr std::uint8_t kCondition = sizeof(inet_diag_bc_op) + 12;
  constexpr std::uint8_t kEnd = kCondition + sizeof(inet_diag_bc_op);
  constexpr std::uint8_t kPast = sizeof(inet_diag_bc_op);
  const auto otherwise = static_cast<std::uint16_t>(mapped ? kEnd + kPast : kEnd);
  const std::uint8_t code = mapped ? INET_DIAG_BC_NOP : INET_DIAG_BC_JMP;
  return {.fixed = dump,
          .header = {.rta_len = sizeof(MappedDumpRequest) - sizeof(inet_diag_req_v2),
                     .rta_type = INET_DIAG_REQ_BYTECODE},
          .when = {.code = INET_DIAG_BC_D_COND, .yes = kCondition, .no = otherwise},
          .family = AF_INET,
          .prefix_length = 0,
          .padding = {},
          .port = -1,
          .address = 0,
          .then = {.code = code, .yes = sizeof(inet_diag_bc_op), .no = 2 * kPast}};
}

inet_diag_req_v2 dump_request(tcp::Family family, std::uint32_t states, std::uint8_t extensions) {
  inet_diag_req_v2 request{};
  request.sdiag_family = kernel_family(family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = states;
  request.idiag_ext = extensions;
  return request;
}

MptcpDumpRequest mptcp_dump_request(tcp::Family family, std::uint32_t states,
                                    std::uint8_t extensions) {
  MptcpDumpRequest request{.fixed = dump_request(family, states, extensions),
                           .header = {.rta_len = sizeof(rtattr) + sizeof(std::uint32_t),
                                      .rta_type = INET_DIAG_REQ_PROTOCOL},
                           .protocol = IPPROTO_MPTCP};
  request.fixed.sdiag_protocol = IPPROTO_IP;
  return request;
}

inet_diag_req_v2 lookup_request(const tcp::ConnectionQuery& query, std::uint32_t interface) {
  inet_diag_req_v2 request = dump_request(query.family, kAllRows, kInfo);
  set_end(query.local, request.id.idiag_src, request.id.idiag_sport);
  set_end(query.remote, request.id.idiag_dst, request.id.idiag_dport);
  request.id.idiag_if = interface;
  request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return request;
}

inet_diag_req_v2 destroy_request(const tcp::SocketId& id) {
  inet_diag_req_v2 request = dump_request(id.family, kAllRows);
  set_end(id.local, request.id.idiag_src, request.id.idiag_sport);
  set_end(id.remote, request.id.idiag_dst, request.id.idiag_dport);
  request.id.idiag_if = id.interface;
  request.id.idiag_cookie[0] = static_cast<std::uint32_t>(id.cookie);
  request.id.idiag_cookie[1] = static_cast<std::uint32_t>(id.cookie >> 32);
  return request;
}

bool answers(const tcp::Socket& socket, const tcp::ConnectionQuery& query) {
  return socket.state != tcp::State::kListen &&
         same_end(socket.id.family, socket.id.local, query.family, query.local) &&
         same_end(socket.id.family, socket.id.remote, query.family, query.remote);
}

}  // namespace tcpmibd::diag
