#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/handle.h"
#include "diag/message.h"
#include "kernel/interfaces.h"
#include "tcp/sources.h"

struct inet_diag_req_v2;
struct nl_sock;

namespace tcpmibd::kernel {

// Talks to NETLINK_SOCK_DIAG.
//
// Thread:   not safe; the worker owns one for dumps, the agent thread another for look-ups: a
//           second request on one socket during a dump is EBUSY.
// Cost:     0.7 µs a socket of a dump, plus the walk over the host's whole hash table; about 3 µs
//           a look-up and interface.
// Rights:   none to read; see destroy().
// Space:    that of the network namespace it was opened in, for as long as it lives.
// Logs:     nothing. Callers log, because they know why they asked.
class SockDiag final : public tcp::SocketSource, public tcp::SocketDestroyer {
 public:
  static Result<std::unique_ptr<SockDiag>> open();

  Status read_all(tcp::SnapshotBuilder& into) override;
  Status read_close_waits(std::vector<tcp::Quiet>& into) override;
  Result<tcp::Coverage> find(const tcp::Question& question,
                             std::vector<tcp::Socket>& found) override;

  // Needs CAP_NET_ADMIN in the namespace's owner, now and when this was opened.
  Status can_destroy() override;
  Result<tcp::Destroyed> destroy(const tcp::SocketId& id) override;

 private:
  struct FreeSocket {
    void operator()(nl_sock* socket) const;
  };
  using NlSocket = std::unique_ptr<nl_sock, FreeSocket>;

  SockDiag(NlSocket socket, Interfaces interfaces);

  // `Into` takes what a SnapshotBuilder takes.
  template <typename Into>
  Status dump(const inet_diag_req_v2& request, Into& into);
  Result<tcp::Coverage> find_connection(const tcp::ConnectionQuery& query,
                                        std::vector<tcp::Socket>& found);
  Status find_listeners(std::vector<tcp::Socket>& found);
  Status look_up(const tcp::ConnectionQuery& query, std::uint32_t interface,
                 std::vector<tcp::Socket>& found);
  Result<int> try_destroying(const inet_diag_req_v2& request);

  // Sends one request and hands each message of the answer to `take` until it is satisfied.
  template <typename Take>
  Result<int> exchange(const inet_diag_req_v2& request, std::uint16_t type, int flags,
                       const char* doing, Take take);

  Result<std::uint32_t> send(const inet_diag_req_v2& request, std::uint16_t type, int flags,
                             const char* doing);
  Result<diag::Bytes> receive(const char* doing);

  NlSocket socket_;
  Interfaces interfaces_;
  FileDescriptor unused_;  // a TCP socket of the same namespace, to ask for our rights there
  std::vector<std::byte> buffer_;
};

}  // namespace tcpmibd::kernel
