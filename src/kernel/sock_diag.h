#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/handle.h"
#include "diag/message.h"
#include "kernel/interfaces.h"
#include "kernel/mptcp_probe.h"
#include "kernel/netlink_exchange.h"
#include "kernel/proc_gauges.h"
#include "tcp/sources.h"

struct inet_diag_req_v2;

namespace tcpmibd::kernel {

// Talks to NETLINK_SOCK_DIAG.
//
// Thread:   not safe; the worker owns one for dumps, the agent thread another for look-ups: a
//           second request on one socket during a dump is EBUSY.
// Cost:     0.7 µs a socket of a dump, plus the walk over the host's whole hash table; about 3 µs
//           a look-up and interface. Where MPTCP is spoken a dump of that as well.
// Rights:   none to read; see destroy().
// Space:    that of the network namespace it was opened in, for as long as it lives.
// Logs:     nothing. Callers log, because they know why they asked.
class SockDiag final : public tcp::SocketSource, public tcp::SocketDestroyer {
 public:
  // How long a dump waits for each of its blocks, and a look-up for its answer.
  static constexpr Duration kDumpPatience = std::chrono::seconds(5);
  static constexpr Duration kLookUpPatience = std::chrono::milliseconds(100);

  // `gauges`: a folder as /proc/net, for the numbers that the kernel counts itself.
  static Result<std::unique_ptr<SockDiag>> open(Duration patience = kDumpPatience,
                                                const std::string& gauges = ProcGauges::kNet);

  Status read_all(tcp::SnapshotBuilder& into) override;
  Status read_counts(tcp::SnapshotBuilder& into) override;
  Status read_some(const tcp::Selection& selection, tcp::SnapshotBuilder& into) override;
  Status read_close_waits(std::vector<tcp::Quiet>& into) override;
  Result<tcp::Coverage> find(const tcp::Question& question,
                             std::vector<tcp::Socket>& found) override;

  // How far the states of MPTCP connections are seen at this moment. An error: the kernel was
  // asked, and what it said cannot be used.
  Result<tcp::MptcpSight> look_at_mptcp();

  // Needs CAP_NET_ADMIN in the namespace's owner, now and when this was opened.
  Status can_destroy() override;
  Result<tcp::Destroyed> destroy(const tcp::SocketId& id) override;

 private:
  SockDiag(NetlinkExchange netlink, Interfaces interfaces, MptcpProbe mptcp, ProcGauges gauges);

  // Takes what a SnapshotBuilder takes, and a census of it.
  struct Counted;

  // `Request`: as diag makes it. `Into` takes what a SnapshotBuilder takes.
  template <typename Request, typename Into>
  Status dump(const Request& request, Into& into);

  // The sockets of TCP that are in these states, and have the port if one is named.
  template <typename Into>
  Status dump_tcp(std::uint32_t states, std::optional<std::uint16_t> port, Into& into);
  template <typename Into>
  Status dump_part(std::uint32_t states, std::uint8_t extensions, std::optional<std::uint16_t> port,
                   Into& into);

  // Adds all counts, unless there is a doubt; some may have been added then, too.
  Result<tcp::GaugeDoubt> count_by_gauges(tcp::SnapshotBuilder& into);
  Result<tcp::GaugeDoubt> count_established(const tcp::Gauges& before, const tcp::Census& others,
                                            tcp::SnapshotBuilder& into);
  // How many sockets of AF_INET6 speak IPv4, of so many that are ESTABLISHED; none where it costs
  // too much to know.
  Result<std::optional<std::uint32_t>> count_mapped(std::uint32_t established);
  Result<std::optional<std::uint32_t>> count_up_to(std::uint32_t most, bool mapped);
  tcp::GaugeDoubt standing_doubt(tcp::MptcpPresence presence) const;
  void compare_gauges(const Result<tcp::Gauges>& before, const tcp::Census& dumped);

  // The MPTCP connections of both families, if there may be any.
  template <typename Into>
  Result<tcp::MptcpSight> dump_mptcp(std::uint32_t states, std::uint8_t extensions, Into& into);

  Result<tcp::Coverage> find_connection(const tcp::ConnectionQuery& query,
                                        std::vector<tcp::Socket>& found);
  Status find_listeners(std::vector<tcp::Socket>& found);
  Status look_up(const tcp::ConnectionQuery& query, std::uint32_t interface,
                 std::vector<tcp::Socket>& found);
  Result<int> try_destroying(const inet_diag_req_v2& request);

  // `Request`: the payload of one.
  template <typename Request, typename Take>
  Result<int> exchange(const Request& request, std::uint16_t type, std::uint16_t flags,
                       const char* doing, Take take);

  NetlinkExchange netlink_;
  Interfaces interfaces_;
  MptcpProbe mptcp_;
  Time mptcp_asked_again_{};  // Until then a kernel that does not report MPTCP is not asked.
  ProcGauges gauges_;
  Time gauges_asked_again_{};  // Until then `doubt_` stands.
  tcp::GaugeDoubt doubt_ = tcp::GaugeDoubt::kNone;
  unsigned refutations_ = 0;  // in a row
  FileDescriptor unused_;     // a TCP socket of the same namespace, to ask for our rights there
};

}  // namespace tcpmibd::kernel
