#include "kernel/bpf_ends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "support/deadline.h"
#include "support/process.h"
#include "support/scenes.h"
#include "support/sockets.h"
#include "support/trouble.h"

// Ways for a connection to end, on real sockets. Each writes down what is to be told of it.

namespace tcpmibd::kernel {
namespace {

using lab::Connection;
using lab::Namespace;
using lab::Stage;
using lab::TcpSocket;
using tcp::Direction;
using tcp::EndReason;
using tcp::State;
using testing::Contains;
using testing::Field;
using testing::IsEmpty;

constexpr auto kActive = Direction::kActive;
constexpr auto kPassive = Direction::kPassive;

// What the scene says of one end.
struct Told {
  Direction direction;
  std::uint16_t local, remote;
  State left;
  EndReason reason;
  std::uint64_t received = 0, sent = 0;

  auto operator<=>(const Told&) const = default;
};

void PrintTo(const Told& told, std::ostream* out) {
  *out << (told.direction == kActive ? "active " : "passive ") << told.local << " > " << told.remote
       << " left " << tcp::names_of(told.left).rfc << ": " << tcp::name_of(told.reason) << ", "
       << told.received << " in, " << told.sent << " out";
}

Told told_of(const tcp::Ended& ended) {
  return {ended.direction, ended.local.port, ended.remote.port, ended.left,
          ended.reason,    ended.received,   ended.sent};
}

class Script {
 public:
  explicit Script(const Stage& on) : stage(on) {}

  std::string listening_at() const { return stage.address_b + ":0"; }
  std::string at(std::uint16_t port) const { return stage.address_b + ":" + std::to_string(port); }

  void client(const Connection& of, State left, EndReason reason, std::uint64_t received = 0,
              std::uint64_t sent = 0) {
    truth.push_back({kActive, client_port(of), of.listener.port(), left, reason, received, sent});
  }
  void server(const Connection& of, State left, EndReason reason, std::uint64_t received = 0,
              std::uint64_t sent = 0) {
    truth.push_back({kPassive, of.listener.port(), client_port(of), left, reason, received, sent});
  }
  void call(const TcpSocket& caller, std::uint16_t to, EndReason reason) {
    truth.push_back({kActive, caller.port(), to, State::kSynSent, reason});
  }

  Stage stage;
  std::vector<Told> truth{};
  std::vector<TcpSocket> kept{};  // open until all have ended

 private:
  // Told while the listener lives.
  static std::uint16_t client_port(const Connection& of) { return of.client.port(); }
};

void set_option(const TcpSocket& socket, int option, int value) {
  lab::check(::setsockopt(socket.get(), IPPROTO_TCP, option, &value, sizeof value), "setsockopt");
}

void disconnect(const TcpSocket& socket) {
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  lab::check(::connect(socket.get(), &nowhere, sizeof nowhere), "connect to AF_UNSPEC");
}

// Waits until the other end has acknowledged our FIN: it may take its time.
void await_acknowledged_fin(const TcpSocket& socket) {
  const bool came = lab::eventually([&] {
    tcp_info info{};
    socklen_t size = sizeof info;
    lab::check(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "read TCP_INFO");
    return info.tcpi_state == TCP_FIN_WAIT2;
  });
  lab::check(came ? 0 : -1, "wait for FIN_WAIT2");
}

// Nothing passes between the two ends any more.
void cut(const Stage& stage, std::uint16_t port) {
  stage.b.drop_input("tcp sport " + std::to_string(port));
  stage.b.drop_input("tcp dport " + std::to_string(port));
}

// Waits until the other end's data, or its RST, is here; reads nothing.
void await_data(const TcpSocket& socket) {
  pollfd watched{.fd = socket.get(), .events = POLLIN, .revents = 0};
  lab::check(::poll(&watched, 1, 5000) == 1 ? 0 : -1, "wait for data");
}

void destroy(const Stage& stage, std::uint16_t from, std::uint16_t to) {
  lab::run({"ss", "-K", "-t", "sport", "=", std::to_string(from), "dport", "=", std::to_string(to)},
           {.in = &stage.a});
}

// ---- Polite ends ----

void client_first(Script& script) {
  Connection all = connected(script.stage);
  all.client.send("question");
  all.server.receive(8);
  all.server.send("answer");
  all.client.receive(6);
  script.client(all, State::kFinWait2, EndReason::kNormal, 6, 8);
  script.server(all, State::kLastAck, EndReason::kNormal, 8, 6);
  all.client.close();
  all.server.await_fin();
}

void server_first(Script& script) {
  Connection all = connected(script.stage);
  script.server(all, State::kFinWait2, EndReason::kNormal);
  script.client(all, State::kLastAck, EndReason::kNormal);
  all.server.close();
  all.client.await_fin();
}

void half_closed(Script& script) {
  Connection all = connected(script.stage);
  script.client(all, State::kFinWait2, EndReason::kNormal, 4);
  script.server(all, State::kLastAck, EndReason::kNormal, 0, 4);
  all.client.shutdown_write();
  all.server.await_fin();
  all.server.send("late");
  all.client.receive(4);
  all.server.close();
  all.client.await_fin();
}

void with_cookie(Script& script) {
  script.stage.b.set_sysctl("net.ipv4.tcp_syncookies", "2");
  client_first(script);
  script.stage.b.set_sysctl("net.ipv4.tcp_syncookies", "1");
}

void fast_open(Script& script) {
  script.stage.a.set_sysctl("net.ipv4.tcp_fastopen", "0x207");
  Connection all;
  all.listener = listen_on(script.stage.b, script.listening_at(), {.fast_open = true});
  all.client = start_fast_connecting(script.stage.a, script.at(all.listener.port()), "first");
  all.server = accept_from(all.listener);
  all.server.receive(5);
  script.client(all, State::kFinWait2, EndReason::kNormal, 0, 5);
  script.server(all, State::kLastAck, EndReason::kNormal, 5);
  all.client.close();
  all.server.await_fin();
}

void closed_to_data(Script& script) {
  Connection all = connected(script.stage);
  script.server(all, State::kFinWait2, EndReason::kNormal);
  script.client(all, State::kCloseWait, EndReason::kResetByPeer, 0, 1);
  all.server.close();
  all.client.await_fin();
  all.client.send("x");
}

// ---- Resets ----

void client_lingers_not(Script& script) {
  Connection all = connected(script.stage);
  script.client(all, State::kEstablished, EndReason::kAbortedLocally);
  script.server(all, State::kEstablished, EndReason::kResetByPeer);
  all.client.reset();
}

void server_lingers_not(Script& script) {
  Connection all = connected(script.stage);
  script.server(all, State::kEstablished, EndReason::kAbortedLocally);
  script.client(all, State::kEstablished, EndReason::kResetByPeer);
  all.server.reset();
}

void client_reads_not(Script& script) {
  Connection all = connected(script.stage);
  all.server.send("unread");
  await_data(all.client);
  script.client(all, State::kEstablished, EndReason::kAbortedLocally, 6);
  script.server(all, State::kEstablished, EndReason::kResetByPeer, 0, 6);
  all.client.close();
}

void server_reads_not(Script& script) {
  Connection all = connected(script.stage);
  all.client.send("unread");
  await_data(all.server);
  script.server(all, State::kEstablished, EndReason::kAbortedLocally, 6);
  script.client(all, State::kEstablished, EndReason::kResetByPeer, 0, 6);
  all.server.close();
}

void reads_not_what_came_before_the_fin(Script& script) {
  Connection all = connected(script.stage);
  all.server.send("unread");
  await_data(all.client);
  all.server.shutdown_write();
  await_acknowledged_fin(all.server);
  script.client(all, State::kCloseWait, EndReason::kAbortedLocally, 6);
  script.server(all, State::kFinWait2, EndReason::kResetByPeer, 0, 6);
  all.client.close();
  script.kept.push_back(std::move(all.server));
}

void reset_after_a_fin(Script& script) {
  Connection all = connected(script.stage);
  all.server.shutdown_write();
  all.client.await_fin();
  await_acknowledged_fin(all.server);
  script.server(all, State::kFinWait2, EndReason::kAbortedLocally);
  script.client(all, State::kCloseWait, EndReason::kResetByPeer);
  all.server.reset();
}

void disconnected(Script& script) {
  Connection all = connected(script.stage);
  script.client(all, State::kEstablished, EndReason::kAbortedLocally);
  script.server(all, State::kEstablished, EndReason::kResetByPeer);
  disconnect(all.client);
}

void listener_gone(Script& script) {
  Connection all;
  all.listener = listen_on(script.stage.b, script.listening_at());
  all.client = connect_to(script.stage.a, script.at(all.listener.port()));
  script.server(all, State::kEstablished, EndReason::kAbortedLocally);
  script.client(all, State::kEstablished, EndReason::kResetByPeer);
  all.listener.close();
}

// ---- Calls ----

void refused(Script& script) {
  const TcpSocket bound = bind_only(script.stage.b, script.listening_at());
  const TcpSocket caller = start_connecting(script.stage.a, script.at(bound.port()));
  script.call(caller, bound.port(), EndReason::kRefused);
}

void refused_twice(Script& script) {
  const TcpSocket bound = bind_only(script.stage.b, script.listening_at());
  for (int time = 0; time < 2; ++time) {
    const TcpSocket caller = start_connecting(script.stage.a, script.at(bound.port()));
    script.call(caller, bound.port(), EndReason::kRefused);
  }
}

void refused_by_filter(Script& script) {
  script.stage.b.nft(
      "table inet f { chain i { type filter hook input priority 0; "
      "tcp dport 9 reject with tcp reset; }; }");
  const TcpSocket caller = start_connecting(script.stage.a, script.at(9));
  script.call(caller, 9, EndReason::kRefused);
}

void unreachable_host(Script& script) {
  script.stage.b.nft(
      "table inet f { chain i { type filter hook input priority 0; "
      "tcp dport 10 reject with icmpx type host-unreachable; }; }");
  TcpSocket caller = start_connecting(script.stage.a, script.at(10));
  script.call(caller, 10, EndReason::kOther);
  script.kept.push_back(std::move(caller));  // Only an error of later, of a repeat, ends it.
}

void cancelled(Script& script) {
  script.stage.b.drop_input("tcp dport 11");
  const TcpSocket caller = start_connecting(script.stage.a, script.at(11));
  script.call(caller, 11, EndReason::kCancelled);
}

void unanswered(Script& script) {
  script.stage.b.drop_input("tcp dport 12");
  TcpSocket caller = start_connecting(script.stage.a, script.at(12));
  set_option(caller, TCP_USER_TIMEOUT, 100);
  script.call(caller, 12, EndReason::kSynTimedOut);
  script.kept.push_back(std::move(caller));
}

void destroyed_call(Script& script) {
  script.stage.b.drop_input("tcp dport 13");
  TcpSocket caller = start_connecting(script.stage.a, script.at(13));
  script.call(caller, 13, EndReason::kDestroyed);
  destroy(script.stage, caller.port(), 13);
  script.kept.push_back(std::move(caller));
}

void without_its_syn(Script& script) {
  script.stage.a.set_sysctl("net.ipv4.tcp_fastopen", "0x207");
  const TcpSocket caller = start_connecting_with_first_data(script.stage.a, script.at(14));
  script.call(caller, 14, EndReason::kCancelled);
}

void no_free_port(Script& script) {
  const std::string before = script.stage.a.sysctl("net.ipv4.ip_local_port_range");
  Connection all;
  all.listener = listen_on(script.stage.b, script.listening_at());
  script.stage.a.set_sysctl("net.ipv4.ip_local_port_range", "1040 1040");
  all.client = connect_to(script.stage.a, script.at(all.listener.port()));
  all.server = accept_from(all.listener);
  EXPECT_THROW(start_connecting(script.stage.a, script.at(all.listener.port())), lab::Trouble);
  script.truth.push_back({kActive, 0, all.listener.port(), State::kSynSent, EndReason::kOther});
  script.stage.a.set_sysctl("net.ipv4.ip_local_port_range", before);
  script.client(all, State::kFinWait2, EndReason::kNormal);
  script.server(all, State::kLastAck, EndReason::kNormal);
  all.client.close();
  all.server.await_fin();
}

// ---- Silence ----

void user_timeout(Script& script) {
  Connection all = connected(script.stage);
  set_option(all.client, TCP_USER_TIMEOUT, 100);
  script.stage.b.drop_input("tcp sport " + std::to_string(all.client.port()));
  all.client.send("lost");
  script.client(all, State::kEstablished, EndReason::kTimedOut, 0, 4);
  script.server(all, State::kEstablished, EndReason::kDestroyed);
  await_data(all.client);
  destroy(script.stage, all.listener.port(), all.client.port());
}

void no_answer_to_keep_alive(Script& script) {
  Connection all = connected(script.stage);
  script.stage.b.drop_input("tcp sport " + std::to_string(all.client.port()));
  const int on = 1;
  for (const int option : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT})
    set_option(all.client, option, 1);
  ::setsockopt(all.client.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  script.client(all, State::kEstablished, EndReason::kTimedOut);
  script.server(all, State::kEstablished, EndReason::kDestroyed);
  await_data(all.client);
  destroy(script.stage, all.listener.port(), all.client.port());
}

void fin_unanswered(Script& script) {
  script.stage.a.set_sysctl("net.ipv4.tcp_orphan_retries", "1");
  Connection all = connected(script.stage);
  cut(script.stage, all.client.port());
  script.client(all, State::kFinWait1, EndReason::kTimedOut);
  script.server(all, State::kEstablished, EndReason::kDestroyed);
  const std::uint16_t port = all.client.port();
  all.client.close();
  destroy(script.stage, all.listener.port(), port);
}

void last_fin_unanswered(Script& script) {
  script.stage.a.set_sysctl("net.ipv4.tcp_orphan_retries", "1");
  Connection all = connected(script.stage);
  all.server.shutdown_write();
  await_acknowledged_fin(all.server);
  cut(script.stage, all.client.port());
  script.client(all, State::kLastAck, EndReason::kTimedOut);
  script.server(all, State::kFinWait2, EndReason::kDestroyed);
  const std::uint16_t port = all.client.port();
  all.client.close();
  destroy(script.stage, all.listener.port(), port);
}

// ---- Ended by others ----

void destroyed(Script& script) {
  Connection all = connected(script.stage);
  script.client(all, State::kEstablished, EndReason::kDestroyed);
  script.server(all, State::kEstablished, EndReason::kResetByPeer);
  destroy(script.stage, all.client.port(), all.listener.port());
}

void destroyed_waiting(Script& script) {
  Connection all = connected(script.stage);
  all.client.shutdown_write();
  await_acknowledged_fin(all.client);
  script.client(all, State::kFinWait2, EndReason::kDestroyed);
  script.server(all, State::kCloseWait, EndReason::kResetByPeer);
  destroy(script.stage, all.client.port(), all.listener.port());
}

// ---- What is no end ----

void listener_closed(Script& script) { listen_on(script.stage.b, script.listening_at()).close(); }

void bound_and_closed(Script& script) { bind_only(script.stage.a, script.listening_at()).close(); }

void fails_before_its_syn(Script& script) {
  const std::string nowhere = script.stage.address_b[0] == '[' ? "[fd99::1]:1" : "10.99.0.1:1";
  EXPECT_THROW(start_connecting(script.stage.a, nowhere), lab::Trouble);
}

struct Way {
  const char* name;
  void (*play)(Script&);
  bool needs_filter = false;
};

constexpr Way kWays[] = {
    {"ClientFirst", client_first},
    {"ServerFirst", server_first},
    {"HalfClosed", half_closed},
    {"WithCookie", with_cookie},
    {"FastOpen", fast_open},
    {"ClosedToData", closed_to_data},
    {"ClientLingersNot", client_lingers_not},
    {"ServerLingersNot", server_lingers_not},
    {"ClientReadsNot", client_reads_not},
    {"ServerReadsNot", server_reads_not},
    {"ReadsNotWhatCameBeforeTheFin", reads_not_what_came_before_the_fin},
    {"ResetAfterAFin", reset_after_a_fin},
    {"Disconnected", disconnected},
    {"ListenerGone", listener_gone},
    {"Refused", refused},
    {"RefusedTwice", refused_twice},
    {"RefusedByFilter", refused_by_filter, true},
    {"UnreachableHost", unreachable_host, true},
    {"Cancelled", cancelled, true},
    {"Unanswered", unanswered, true},
    {"DestroyedCall", destroyed_call, true},
    {"WithoutItsSyn", without_its_syn},
    {"NoFreePort", no_free_port},
    {"UserTimeout", user_timeout, true},
    {"NoAnswerToKeepAlive", no_answer_to_keep_alive, true},
    {"FinUnanswered", fin_unanswered, true},
    {"LastFinUnanswered", last_fin_unanswered, true},
    {"Destroyed", destroyed},
    {"DestroyedWaiting", destroyed_waiting},
    {"ListenerClosed", listener_closed},
    {"BoundAndClosed", bound_and_closed},
    {"FailsBeforeItsSyn", fails_before_its_syn},
};

std::uint32_t inode_of(const Namespace& space) {
  struct stat status {};
  lab::check(::stat(space.file().c_str(), &status), "look at a namespace");
  return static_cast<std::uint32_t>(status.st_ino);
}

// Watches, and keeps what is told of one namespace.
class Watcher {
 public:
  explicit Watcher(const Namespace& opened_in, bool records = true)
      : source_(opened_in.run([&] { return BpfEnds::load({.records = records}); })) {}

  const tl::expected<std::unique_ptr<tcp::EndsSource>, Error>& source() const { return source_; }
  tcp::EndsSource& operator*() { return **source_; }

  std::vector<tcp::Ended> of(const Namespace& space) {
    (*source_)->take([&](const tcp::Ended& ended) { seen_.push_back(ended); });
    std::vector<tcp::Ended> ours;
    std::ranges::copy_if(seen_, std::back_inserter(ours),
                         [&](const tcp::Ended& ended) { return ended.space == inode_of(space); });
    return ours;
  }

  std::vector<Told> told_of(const Namespace& space) {
    std::vector<Told> told;
    for (const tcp::Ended& ended : of(space))
      told.push_back(kernel::told_of(ended));
    std::ranges::sort(told);
    return told;
  }

 private:
  Result<std::unique_ptr<tcp::EndsSource>> source_;
  std::vector<tcp::Ended> seen_;
};

class WatchedEnds : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
    const auto tried = BpfEnds::load({});
    if (!tried)
      GTEST_SKIP() << tried.error().text();
  }
};

using Where = std::tuple<lab::Family, Way>;

class EveryEnd : public WatchedEnds, public testing::WithParamInterface<Where> {};

TEST_P(EveryEnd, IsToldRight) {
  const auto& [family, way] = GetParam();
  if (way.needs_filter && Namespace::filter_skip_reason())
    GTEST_SKIP() << *Namespace::filter_skip_reason();
  const Namespace space;
  Watcher watcher(space);
  Script script(on_loopback(space, family));
  way.play(script);
  std::ranges::sort(script.truth);
  EXPECT_EQ(
      lab::settled([&] { return watcher.told_of(space); }, script.truth, std::chrono::seconds(30)),
      script.truth);
}

std::string name_of_case(const testing::TestParamInfo<Where>& info) {
  const auto& [family, way] = info.param;
  const char* const name = family == lab::Family::kV4   ? "V4"
                           : family == lab::Family::kV6 ? "V6"
                                                        : "Mapped";
  return std::string(name) + way.name;
}

INSTANTIATE_TEST_SUITE_P(Way, EveryEnd,
                         testing::Combine(testing::Values(lab::Family::kV4, lab::Family::kV6,
                                                          lab::Family::kMapped),
                                          testing::ValuesIn(kWays)),
                         name_of_case);

// Everything at once, told by one watcher of a second namespace: its own counts stay empty.
TEST_F(WatchedEnds, OfAnotherNamespaceAreToldAndNotCounted) {
  const Namespace own;
  const Namespace other;
  Watcher watcher(own);
  Script script(on_loopback(other, lab::Family::kV4));
  for (const Way& way : kWays) {
    if (!way.needs_filter)
      way.play(script);
  }
  std::ranges::sort(script.truth);
  EXPECT_EQ(lab::settled([&] { return watcher.told_of(other); }, script.truth), script.truth);
  EXPECT_EQ((*watcher).counts(), tcp::EndCounts{});
  EXPECT_THAT((*watcher).ports(), IsEmpty());
  EXPECT_THAT((*watcher).remotes(), IsEmpty());
  EXPECT_THAT((*watcher).closed_ports(), IsEmpty());
  EXPECT_EQ((*watcher).losses().records, 0U);
}

std::uint64_t count_of(tcp::EndsSource& source, EndReason reason) {
  return source.counts()[static_cast<std::size_t>(reason) - 1];
}

class EndCounting : public WatchedEnds, public testing::WithParamInterface<bool> {};

TEST_P(EndCounting, GoesByReasonPortAndService) {
  const Namespace space;
  Watcher watcher(space, GetParam());
  const Stage stage = on_loopback(space, lab::Family::kV4);
  const TcpSocket bound = bind_only(space, "127.0.0.1:0");
  for (int time = 0; time < 3; ++time)
    start_connecting(space, "127.0.0.1:" + std::to_string(bound.port())).close();
  Script script(stage);
  server_lingers_not(script);
  const std::uint16_t listening =
      script.truth[0].direction == kPassive ? script.truth[0].local : script.truth[1].local;
  ASSERT_TRUE(lab::eventually([&] { return count_of(*watcher, EndReason::kRefused) == 3; }));
  EXPECT_EQ(count_of(*watcher, EndReason::kResetByPeer), 1U);
  EXPECT_EQ(count_of(*watcher, EndReason::kAbortedLocally), 1U);

  const std::vector<tcp::PortEnds> ports = (*watcher).ports();
  ASSERT_EQ(ports.size(), 1U);
  EXPECT_EQ(ports[0].port, listening);
  EXPECT_EQ(ports[0].tally.begun, 1U);
  EXPECT_EQ(ports[0].tally.ended[static_cast<int>(EndReason::kAbortedLocally) - 1], 1U);

  const std::vector<tcp::RemoteEnds> remotes = (*watcher).remotes();
  ASSERT_EQ(remotes.size(), 2U);
  for (const tcp::RemoteEnds& remote : remotes) {
    const bool closed = remote.service.port == bound.port();
    EXPECT_EQ(remote.tally.begun, closed ? 3U : 1U);
    EXPECT_EQ(remote.tally.ended[static_cast<int>(EndReason::kRefused) - 1], closed ? 3U : 0U);
  }
  if ((*watcher).sees_closed_ports()) {
    const std::vector<tcp::ClosedPort> closed = (*watcher).closed_ports();
    ASSERT_EQ(closed.size(), 1U);
    EXPECT_EQ(closed[0].port, bound.port());
    EXPECT_EQ(closed[0].calls, 3U);
  }
  EXPECT_EQ((*watcher).losses().uncounted, 0U);
}

std::string name_of_mode(const testing::TestParamInfo<bool>& info) {
  return info.param ? "Records" : "CountsAlone";
}

INSTANTIATE_TEST_SUITE_P(With, EndCounting, testing::Bool(), name_of_mode);

// The watch numbers processes as the first process namespace does, and only for a reader in it
// (include/linux/proc_ns.h: PROC_PID_INIT_INO).
std::uint32_t first_number_of_us() {
  struct stat space {};
  lab::check(::stat("/proc/self/ns/pid", &space), "look at the process namespace");
  return space.st_ino == 0xEFFFFFFC ? static_cast<std::uint32_t>(::getpid()) : 0;
}

TEST_F(WatchedEnds, NameWhoCalledAndHowLongItLived) {
  const Namespace space;
  Watcher watcher(space);
  Script script(on_loopback(space, lab::Family::kV4));
  const Time before = Clock::now();
  client_first(script);
  ASSERT_TRUE(lab::eventually([&] { return watcher.of(space).size() == 2; }));
  for (const tcp::Ended& ended : watcher.of(space)) {
    EXPECT_GT(ended.lived.count(), 0);
    EXPECT_LE(before + ended.lived, ended.at);
    EXPECT_LE(ended.at, Clock::now());
    EXPECT_GT(ended.round_trip_us, 0U);
    const bool active = ended.direction == kActive;
    EXPECT_EQ(ended.pid, active ? first_number_of_us() : 0U);
    EXPECT_EQ(std::string(ended.command.data()), active ? "kernel_tests" : "");
  }
}

TEST_F(WatchedEnds, OfWhatWasThereBeforeHaveNoAge) {
  const Namespace space;
  const Stage stage = on_loopback(space, lab::Family::kV4);
  Connection all = connected(stage);
  Watcher watcher(space);
  all.client.reset();
  ASSERT_TRUE(lab::eventually([&] { return watcher.of(space).size() == 2; }));
  for (const tcp::Ended& ended : watcher.of(space)) {
    EXPECT_EQ(ended.direction, Direction::kUnknown);
    EXPECT_EQ(ended.lived.count(), 0);
  }
  EXPECT_EQ(count_of(*watcher, EndReason::kResetByPeer), 1U);
}

// The rows of services are bounded; the least used make room.
TEST_F(WatchedEnds, ManyServicesMakeRoomForNewOnes) {
  const Namespace space;
  Watcher watcher(space);
  for (int port = 1; port <= 3500; ++port)
    start_connecting(space, "127.0.0.1:" + std::to_string(port)).close();
  watcher.of(space);
  EXPECT_EQ((*watcher).losses().evicted, 1024U);
  const std::vector<tcp::RemoteEnds> remotes = (*watcher).remotes();
  EXPECT_EQ(remotes.size(), 3500U - 1024U);
  EXPECT_THAT(remotes,
              Contains(Field(&tcp::RemoteEnds::service, Field(&tcp::Endpoint::port, 3500))));
  EXPECT_THAT(
      remotes,
      testing::Not(Contains(Field(&tcp::RemoteEnds::service, Field(&tcp::Endpoint::port, 1)))));
  EXPECT_EQ(count_of(*watcher, EndReason::kRefused), 3500U);
}

}  // namespace
}  // namespace tcpmibd::kernel
