#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "kernel/every_recipe.h"
#include "kernel/opened.h"
#include "kernel/own_connections.h"
#include "support/deadline.h"
#include "support/descriptors.h"
#include "support/process.h"
#include "support/scenes.h"
#include "support/trouble.h"
#include "tables/registry.h"
#include "tables/tables.h"
#include "tcp/deletion.h"

// Connections that a real kernel is told to end. Everywhere: exactly the one that was found, and
// nothing else.

namespace tcpmibd::kernel {
namespace {

using lab::Ends;
using lab::Family;
using lab::Namespace;
using lab::Recipe;
using lab::Scene;
using lab::Stage;
using lab::TcpSocket;
using lab::TwoHosts;
using tcp::Destroyed;
using tcp::MptcpRole;
using tcp::Socket;
using tcp::State;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr Family kFamilies[] = {Family::kV4, Family::kV6, Family::kMapped};

// Why nothing can be destroyed here; none where it can.
const std::optional<std::string>& skip_reason() {
  static const std::optional<std::string> kReason = []() -> std::optional<std::string> {
    if (const auto& reason = Namespace::skip_reason())
      return reason;
    const Namespace space;
    const Status able = opened_in(space)->can_destroy();
    return able ? std::nullopt : std::optional(able.error().text());
  }();
  return kReason;
}

class DestroyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = skip_reason())
      GTEST_SKIP() << *reason;
  }
};

tcp::Question question_for(const Ends& ends) {
  const snmp::Table<tcp::Connection, tables::Data> table(tables::kTcpConnectionTable);
  return table.question(snmp::Oid(lab::connection_cell(lab::kStateColumn, ends)));
}

// The sockets with these ends, each once; where there is no remote end, the listeners on the port.
std::vector<Socket> found_by(SockDiag& kernel, const Ends& ends) {
  const bool listens = ends.remote.octets.empty();
  std::vector<Socket> found;
  const Result<tcp::Coverage> coverage =
      kernel.find(listens ? tcp::Question(tcp::ListenersQuery{}) : question_for(ends), found);
  EXPECT_TRUE(coverage) << coverage.error().text();
  if (listens)
    std::erase_if(found, [&](const Socket& s) { return s.id.local.port != ends.local.port; });
  const auto cookie = [](const Socket& socket) { return socket.id.cookie; };
  std::ranges::sort(found, {}, cookie);
  const auto rest = std::ranges::unique(found, {}, cookie);
  found.erase(rest.begin(), rest.end());
  return found;
}

// The only socket with these ends, once it is in this state.
Socket found_in(SockDiag& kernel, const Ends& ends, State state) {
  std::vector<Socket> found;
  const bool settled = lab::eventually([&] {
    found = found_by(kernel, ends);
    return found.size() == 1 && found.front().state == state;
  });
  if (!settled)
    throw lab::Trouble("found " + std::to_string(found.size()) + " sockets, none of them in " +
                       std::string(tcp::names_of(state).mib));
  return found.front();
}

Destroyed destroyed(SockDiag& kernel, const tcp::SocketId& id) {
  const Result<Destroyed> result = kernel.destroy(id);
  if (!result)
    throw lab::Trouble(result.error().text());
  return *result;
}

// Of every socket there is, except those merely bound.
std::set<std::uint64_t> cookies(const Namespace& space) {
  tcp::SnapshotBuilder builder{tcp::AddressForms{}};
  if (const Status status = opened_in(space)->read_all(builder); !status)
    throw lab::Trouble(status.error().text());
  const tcp::Snapshot snapshot = builder.finish();
  std::set<std::uint64_t> cookies;
  const auto collect = [&](auto rows) {
    for (const auto& row : rows)
      cookies.insert(row.details.cookie());
  };
  collect(snapshot.ipv4());
  collect(snapshot.ipv6());
  collect(snapshot.listeners());
  return cookies;
}

// SO_ERROR, which is read once.
int pending_error(const TcpSocket& socket) {
  int error = 0;
  socklen_t size = sizeof error;
  lab::check(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size), "read SO_ERROR");
  return error;
}

bool listens(const TcpSocket& socket) {
  int value = 0;
  socklen_t size = sizeof value;
  lab::check(::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &value, &size), "ask a socket");
  return value != 0;
}

void expect_talking(const TcpSocket& one, const TcpSocket& other) {
  one.send("ping");
  EXPECT_EQ(other.receive(), "ping");
  other.send("pong");
  EXPECT_EQ(one.receive(), "pong");
}

// ------------------------------------------------------------------------------- Every state

// What the end of a connection means to those who have it open: errno, 0 for nothing.
struct Effect {
  const char* recipe;
  int owner;         // at once; 0 where nobody has the socket open
  int peer;          // at once
  int peer_on_send;  // what it learns when it says something
};

constexpr Effect kEffects[] = {
    {"Listen", ECONNABORTED, 0, 0},
    {"SynSent", ECONNABORTED, 0, 0},
    {"SynSentToFullBacklog", ECONNABORTED, 0, 0},
    {"SynReceivedDeferred", 0, 0, ECONNRESET},
    {"SynReceivedAnswerLost", 0, 0, 0},
    {"SynReceivedFastOpen", ECONNABORTED, 0, 0},  // its RST is filtered too
    {"SynReceivedFromItself", ECONNABORTED, 0, 0},
    {"Established", ECONNABORTED, ECONNRESET, 0},
    {"EstablishedUnaccepted", 0, ECONNRESET, 0},
    {"FinWait1", ECONNABORTED, 0, 0},  // likewise
    {"FinWait1StoppedUp", ECONNABORTED, ECONNRESET, 0},
    {"FinWait2", ECONNABORTED, EPIPE, 0},
    {"FinWait2Minisock", 0, 0, EPIPE},
    {"FinWait2Orphan", 0, EPIPE, 0},
    {"CloseWait", ECONNABORTED, ECONNRESET, 0},
    {"LastAck", ECONNABORTED, 0, 0},
    {"LastAckStoppedUp", ECONNABORTED, 0, 0},
    {"Closing", ECONNABORTED, 0, 0},
    {"ClosingStoppedUp", ECONNABORTED, 0, 0},
    {"TimeWait", 0, 0, 0},
};

const Effect& effect_of(const Recipe& recipe) {
  const auto effect = std::ranges::find(kEffects, std::string_view(recipe.name),
                                        [](const Effect& e) { return std::string_view(e.recipe); });
  if (effect == std::end(kEffects))
    throw lab::Trouble(std::string("no effect is known of ") + recipe.name);
  return *effect;
}

const TcpSocket* owner_in(const Scene& scene, const Socket& socket) {
  const auto owner = std::ranges::find_if(scene.sockets, [&](const TcpSocket& one) {
    return one.get() >= 0 && one.cookie() == socket.id.cookie;
  });
  return owner == scene.sockets.end() ? nullptr : &*owner;
}

const TcpSocket* peer_in(const Scene& scene, const TcpSocket* owner) {
  const auto peer = std::ranges::find_if(scene.sockets, [&](const TcpSocket& one) {
    return one.get() >= 0 && &one != owner && !listens(one) &&
           lab::unmapped(one.local()) == lab::unmapped(scene.watched.remote);
  });
  return peer == scene.sockets.end() ? nullptr : &*peer;
}

void expect_effect(const Effect& effect, const TcpSocket* owner, const TcpSocket* peer) {
  ASSERT_EQ(owner != nullptr, effect.owner != 0);
  if (owner != nullptr) {
    EXPECT_EQ(pending_error(*owner), effect.owner);
  }
  if (peer == nullptr) {
    EXPECT_EQ(effect.peer, 0);
    EXPECT_EQ(effect.peer_on_send, 0);
    return;
  }
  const auto error = [&] { return pending_error(*peer); };
  EXPECT_EQ(effect.peer == 0 ? error() : lab::settled(error, effect.peer), effect.peer);
  if (effect.peer_on_send == 0)
    return;
  peer->send("anyone there?");
  EXPECT_EQ(lab::settled(error, effect.peer_on_send), effect.peer_on_send);
}

class EveryStateDestroyed : public lab::EveryRecipe {
 protected:
  void SetUp() override {
    if (const auto& reason = skip_reason())
      GTEST_SKIP() << *reason;
    EveryRecipe::SetUp();
  }
};

void expect_ended(const Stage& stage, const Recipe& recipe) {
  const Scene scene = recipe.play(stage);
  const std::unique_ptr<SockDiag> kernel = opened_in(stage.a);
  const Socket socket = found_in(*kernel, scene.watched, static_cast<State>(recipe.mib));
  const TcpSocket* owner = owner_in(scene, socket);
  const TcpSocket* peer = peer_in(scene, owner);
  std::set<std::uint64_t> others = cookies(stage.a);
  ASSERT_EQ(others.erase(socket.id.cookie), 1u);

  EXPECT_EQ(destroyed(*kernel, socket.id), Destroyed::kDone);

  const std::set<std::uint64_t> left = cookies(stage.a);
  EXPECT_FALSE(left.contains(socket.id.cookie)) << "its row is gone at once";
  // A SYN may come once more, hence more than these; never less.
  EXPECT_TRUE(std::ranges::includes(left, others)) << "nothing else is";
  EXPECT_EQ(destroyed(*kernel, socket.id), Destroyed::kGone);
  expect_effect(effect_of(recipe), owner, peer);
}

TEST_P(EveryStateDestroyed, IsGoneAtOnceAndNothingElseIs) {
  const TwoHosts hosts;
  for (const Family family : kFamilies) {
    SCOPED_TRACE(lab::on_cable(hosts, family).address_a);
    expect_ended(lab::on_cable(hosts, family), GetParam());
  }
}

// "[fe80::…%2]", by the zone's number, which must be the same at both ends.
std::string link_local_of(const Namespace& space, const std::string& device) {
  const lab::Output addresses = lab::run(
      {"ip", "-6", "-o", "address", "show", "dev", device, "scope", "link"}, {.in = &space});
  const std::size_t begin = addresses.out.find("fe80");
  if (begin == std::string::npos)
    throw lab::Trouble("no link-local address: " + addresses.out);
  lab::End end =
      lab::end_of(addresses.out.substr(begin, addresses.out.find('/', begin) - begin) + ":0");
  end.zone = space.run([&] { return ::if_nametoindex(device.c_str()); });
  const std::string text = lab::text(end);
  return text.substr(0, text.rfind(':'));
}

Stage on_link_local_cable(const TwoHosts& hosts) {
  return {hosts.a, hosts.b, link_local_of(hosts.a, "va"), link_local_of(hosts.b, "vb")};
}

std::string zone_of(const std::string& address) { return address.substr(address.find('%')); }

TEST_P(EveryStateDestroyed, IsGoneAtOnceOnALinkLocalAddressToo) {
  const TwoHosts hosts;
  const Stage stage = on_link_local_cable(hosts);
  if (zone_of(stage.address_a) != zone_of(stage.address_b))
    GTEST_SKIP() << "the cable's devices have different numbers here";
  expect_ended(stage, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Recipes, EveryStateDestroyed,
                         testing::ValuesIn(lab::recipes().begin(), lab::recipes().end()),
                         lab::name_of_recipe);

// -------------------------------------------------------------------------------- Bystanders

TEST_F(DestroyTest, TheListenerAndItsOtherConnectionsLiveOn) {
  const TwoHosts hosts;
  for (const Family family : kFamilies) {
    const Stage stage = lab::on_cable(hosts, family);
    SCOPED_TRACE(stage.address_a);
    const TcpSocket listener = lab::listen_on(stage.a, stage.address_a + ":0");
    const std::string to = stage.address_a + ":" + std::to_string(listener.port());
    std::vector<TcpSocket> clients, servers;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(lab::connect_to(stage.b, to));
      servers.push_back(lab::accept_from(listener));
    }
    const std::unique_ptr<SockDiag> kernel = opened_in(stage.a);
    const Socket chosen = found_in(*kernel, servers[2].ends(), State::kEstablished);
    ASSERT_EQ(destroyed(*kernel, chosen.id), Destroyed::kDone);

    EXPECT_EQ(pending_error(servers[2]), ECONNABORTED);
    for (const std::size_t i : {0, 1, 3})
      expect_talking(clients[i], servers[i]);
    const TcpSocket late = lab::connect_to(stage.b, to);
    expect_talking(late, lab::accept_from(listener));
  }
}

TEST_F(DestroyTest, AListenersQueueGoesWithItAndWhatItAcceptedStays) {
  const TwoHosts hosts;
  const Stage stage = lab::on_cable(hosts, Family::kV4);
  const TcpSocket listener = lab::listen_on(stage.a, "10.77.1.1:0");
  const std::string to = lab::text(listener.local());
  const TcpSocket client = lab::connect_to(stage.b, to);
  const TcpSocket server = lab::accept_from(listener);
  const TcpSocket queued = lab::connect_to(stage.b, to);
  const std::unique_ptr<SockDiag> kernel = opened_in(stage.a);
  const Socket chosen = found_in(*kernel, {listener.local(), {}}, State::kListen);
  ASSERT_EQ(destroyed(*kernel, chosen.id), Destroyed::kDone);
  EXPECT_EQ(pending_error(listener), ECONNABORTED);
  EXPECT_EQ(lab::settled([&] { return pending_error(queued); }, ECONNRESET), ECONNRESET);
  expect_talking(client, server);
}

// ----------------------------------------------------------------------------- Bound to a device

// A connection bound to `va` and left in `state`.
struct BoundCase {
  const char* why;
  State state;
  void (*act)(lab::Connection&);
};

constexpr BoundCase kBoundCases[] = {
    {"established", State::kEstablished, [](lab::Connection&) {}},
    {"closeWait", State::kCloseWait, [](lab::Connection& c) { c.server.close(); }},
    {"finWait2", State::kFinWait2, [](lab::Connection& c) { c.client.shutdown_write(); }},
    {"finWait2, a minisock", State::kFinWait2, [](lab::Connection& c) { c.client.close(); }},
    {"timeWait", State::kTimeWait,
     [](lab::Connection& c) {
       c.client.shutdown_write();
       c.server.await_fin();
       c.server.close();
       c.client.await_fin();
       c.client.close();
     }},
};

TEST_F(DestroyTest, ADeviceBoundConnectionIsEndedInEveryState) {
  const TwoHosts hosts;
  const unsigned va = hosts.a.run([] { return ::if_nametoindex("va"); });
  for (const Family family : kFamilies) {
    for (const BoundCase& c : kBoundCases) {
      const Stage stage = lab::on_cable(hosts, family);
      SCOPED_TRACE(stage.address_a + " " + c.why);
      lab::Connection connection = lab::connected(stage, {}, {.device = "va"});
      const Ends ends = connection.client.ends();
      c.act(connection);
      const std::unique_ptr<SockDiag> kernel = opened_in(stage.a);
      const Socket socket = found_in(*kernel, ends, c.state);
      EXPECT_EQ(socket.id.interface, va);
      tcp::SocketId elsewhere = socket.id;
      elsewhere.interface = 0;
      EXPECT_EQ(destroyed(*kernel, elsewhere), Destroyed::kGone) << "the interface is part of it";
      EXPECT_EQ(destroyed(*kernel, socket.id), Destroyed::kDone);
      EXPECT_FALSE(cookies(stage.a).contains(socket.id.cookie));
    }
  }
}

TEST_F(DestroyTest, OfDeviceTwinsOnlyTheOneThatIsNamedIsEnded) {
  const Namespace a, b;
  lab::veth_pair(a, {"first", {"10.9.8.1/24"}}, b, {"other", {"10.9.8.2/24"}});
  lab::veth_pair(a, {"second", {"10.9.9.1/24"}}, b, {"another", {"10.9.9.2/24"}});
  const Ends ends{lab::end_of("127.0.0.1:1000"), lab::end_of("127.0.0.1:2000")};
  std::vector<TcpSocket> twins;
  a.run([&] {
    for (const std::string_view device : {"first", "second"}) {
      twins.push_back(lab::repaired(ends));
      lab::check(::setsockopt(twins.back().get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                              static_cast<socklen_t>(device.size())),
                 "bind to a device");
    }
  });
  const std::unique_ptr<SockDiag> kernel = opened_in(a);
  const std::vector<Socket> both = found_by(*kernel, ends);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(tcp::judge(both, {.rules = {}, .own_connections = {}}), tcp::Refusal::kShared);
  const bool first = both.front().id.cookie == twins.front().cookie();
  const TcpSocket& chosen = first ? twins.front() : twins.back();
  const TcpSocket& other = first ? twins.back() : twins.front();

  EXPECT_EQ(destroyed(*kernel, both.front().id), Destroyed::kDone);
  EXPECT_EQ(pending_error(chosen), ECONNABORTED);
  EXPECT_EQ(pending_error(other), 0);
  EXPECT_EQ(found_in(*kernel, ends, State::kEstablished).id, both.back().id);
}

// -------------------------------------------------------------------------- The cookie decides

TEST_F(DestroyTest, AWrongCookieEndsNothing) {
  const TwoHosts hosts;
  for (const Family family : kFamilies) {
    const Stage stage = lab::on_cable(hosts, family);
    const lab::Connection connection = lab::connected(stage);
    const std::unique_ptr<SockDiag> kernel = opened_in(stage.b);
    const Socket socket = found_in(*kernel, connection.server.ends(), State::kEstablished);
    for (const std::uint64_t flip : {0x1ULL, 0x80000000ULL, 0x100000000ULL}) {
      tcp::SocketId id = socket.id;
      id.cookie ^= flip;
      EXPECT_EQ(destroyed(*kernel, id), Destroyed::kGone);
    }
    expect_talking(connection.client, connection.server);
    EXPECT_TRUE(cookies(stage.b).contains(connection.listener.cookie()));
  }
}

TEST_F(DestroyTest, WithoutACookieTheKernelIsNotEvenAsked) {
  const TwoHosts hosts;
  const lab::Connection connection = lab::connected(lab::on_cable(hosts, Family::kV4));
  const std::unique_ptr<SockDiag> kernel = opened_in(hosts.b);
  Socket socket = found_in(*kernel, connection.server.ends(), State::kEstablished);
  for (const std::uint16_t port : {socket.id.remote.port, std::uint16_t{9}}) {
    for (const std::uint64_t none : {std::uint64_t{0}, ~std::uint64_t{0}}) {
      socket.id.remote.port = port;
      socket.id.cookie = none;
      const Result<Destroyed> result = kernel->destroy(socket.id);
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().code, EINVAL);
    }
  }
  expect_talking(connection.client, connection.server);
  EXPECT_TRUE(cookies(hosts.b).contains(connection.listener.cookie())) << "the listener lives";
}

TEST_F(DestroyTest, AConnectionThatClosedMeanwhileIsGoneAndItsListenerLives) {
  const TwoHosts hosts;
  for (const Family family : kFamilies) {
    const Stage stage = lab::on_cable(hosts, family);
    SCOPED_TRACE(stage.address_a);
    lab::Connection connection = lab::connected(stage);
    const std::unique_ptr<SockDiag> kernel = opened_in(stage.b);
    const Ends ends = connection.server.ends();
    const Socket socket = found_in(*kernel, ends, State::kEstablished);
    connection.client.reset();
    ASSERT_TRUE(lab::eventually([&] { return found_by(*kernel, ends).empty(); }));
    EXPECT_EQ(destroyed(*kernel, socket.id), Destroyed::kGone);
    const TcpSocket late = lab::connect_to(
        stage.a, stage.address_b + ":" + std::to_string(connection.listener.port()));
    expect_talking(late, lab::accept_from(connection.listener));
  }
}

// How one connection makes way for another of the same ends.
struct Succession {
  const char* why;
  void (*close)(lab::Connection&);
};

constexpr Succession kSuccessions[] = {
    {"reset by the client", [](lab::Connection& c) { c.client.reset(); }},
    {"reset by the server", [](lab::Connection& c) { c.server.reset(); }},
    {"closed by the server first, which leaves a TIME_WAIT to be taken over",
     [](lab::Connection& c) {
       c.server.close();
       c.client.await_fin();
       c.client.close();
     }},
};

TEST_F(DestroyTest, ANewConnectionOfTheSameEndsSurvives) {
  const TwoHosts hosts;
  for (const Family family : kFamilies) {
    for (const Succession& c : kSuccessions) {
      const Stage stage = lab::on_cable(hosts, family);
      SCOPED_TRACE(stage.address_a + " " + c.why);
      lab::Connection connection = lab::connected(stage);
      const Ends at_client = connection.client.ends();
      const Ends at_server = connection.server.ends();
      const std::unique_ptr<SockDiag> clients = opened_in(stage.a);
      const std::unique_ptr<SockDiag> servers = opened_in(stage.b);
      const Socket client = found_in(*clients, at_client, State::kEstablished);
      const Socket server = found_in(*servers, at_server, State::kEstablished);

      c.close(connection);
      ASSERT_TRUE(lab::eventually([&] { return found_by(*clients, at_client).empty(); }));
      const TcpSocket successor = lab::connect_to(stage.a, lab::text(at_client.remote),
                                                  {.from = lab::text(at_client.local)});
      const TcpSocket accepted = lab::accept_from(connection.listener);
      ASSERT_EQ(successor.ends(), at_client);

      EXPECT_EQ(destroyed(*clients, client.id), Destroyed::kGone);
      EXPECT_EQ(destroyed(*servers, server.id), Destroyed::kGone);
      expect_talking(successor, accepted);
      EXPECT_TRUE(cookies(stage.b).contains(connection.listener.cookie()));
    }
  }
}

TEST_F(DestroyTest, ANewConnectionOfTheSameEndsSurvivesInARepairedPlaceToo) {
  const Namespace space;
  for (const char* address : {"127.0.0.1", "[::1]"}) {
    const Ends ends{lab::end_of(std::string(address) + ":1000"),
                    lab::end_of(std::string(address) + ":2000")};
    const auto made = [&] { return space.run([&] { return lab::repaired(ends); }); };
    const std::unique_ptr<SockDiag> kernel = opened_in(space);
    TcpSocket old = made();
    const Socket socket = found_in(*kernel, ends, State::kEstablished);
    old.close();
    const TcpSocket successor = made();
    EXPECT_EQ(destroyed(*kernel, socket.id), Destroyed::kGone);
    EXPECT_EQ(pending_error(successor), 0);
    EXPECT_EQ(found_in(*kernel, ends, State::kEstablished).id.cookie, successor.cookie());
  }
}

TEST_F(DestroyTest, ATimeWaitThatATimeWaitFollowedIsNotTakenForIt) {
  const TwoHosts hosts;
  const Stage stage = lab::on_cable(hosts, Family::kV4);
  lab::Connection connection = lab::connected(stage);
  const Ends at_client = connection.client.ends();
  const Ends at_server = connection.server.ends();
  const auto leave_time_wait = [&](TcpSocket& server, TcpSocket& client) {
    server.close();
    client.await_fin();
    client.close();
  };
  const std::unique_ptr<SockDiag> kernel = opened_in(stage.b);
  leave_time_wait(connection.server, connection.client);
  const Socket first = found_in(*kernel, at_server, State::kTimeWait);
  TcpSocket client =
      lab::connect_to(stage.a, lab::text(at_client.remote), {.from = lab::text(at_client.local)});
  TcpSocket server = lab::accept_from(connection.listener);
  leave_time_wait(server, client);
  const Socket second = found_in(*kernel, at_server, State::kTimeWait);
  ASSERT_NE(first.id.cookie, second.id.cookie);
  EXPECT_EQ(destroyed(*kernel, first.id), Destroyed::kGone);
  EXPECT_EQ(found_in(*kernel, at_server, State::kTimeWait).id, second.id);
  EXPECT_EQ(destroyed(*kernel, second.id), Destroyed::kDone);
}

// ------------------------------------------------------------------------------------- Rights

// Sets or clears CAP_NET_ADMIN among the calling thread's effective capabilities.
void set_net_admin(bool wanted) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  lab::check(::syscall(SYS_capget, &header, data), "read capabilities");
  const __u32 bit = 1u << CAP_NET_ADMIN;
  data[0].effective = wanted ? data[0].effective | bit : data[0].effective & ~bit;
  lab::check(::syscall(SYS_capset, &header, data), "set capabilities");
}

// Capabilities are a thread's own: `act` has one to itself.
template <typename Act>
void on_a_thread(Act act) {
  std::thread(act).join();
}

void expect_refused(const Status& able) {
  ASSERT_FALSE(able);
  EXPECT_EQ(able.error().code, EPERM);
  EXPECT_THAT(able.error().text(), HasSubstr("grant CAP_NET_ADMIN"));
}

TEST_F(DestroyTest, TheLossOfCapNetAdminIsSeenAtOnceAndItsReturn) {
  const Namespace space;
  on_a_thread([&] {
    const std::unique_ptr<SockDiag> kernel = opened_in(space);
    EXPECT_TRUE(kernel->can_destroy());
    set_net_admin(false);
    expect_refused(kernel->can_destroy());
    set_net_admin(true);
    EXPECT_TRUE(kernel->can_destroy());
  });
}

TEST_F(DestroyTest, WhoNeverHadCapNetAdminCannotDestroy) {
  const Namespace space;
  on_a_thread([&] {
    std::unique_ptr<SockDiag> kernel;
    space.run([&] {
      set_net_admin(false);
      kernel = SockDiag::open().value();
    });
    expect_refused(kernel->can_destroy());
  });
}

TEST_F(DestroyTest, WithoutCapNetAdminAConnectionLives) {
  const Namespace space;
  const lab::Connection connection = lab::connected(lab::on_loopback(space, Family::kV4));
  on_a_thread([&] {
    const std::unique_ptr<SockDiag> kernel = opened_in(space);
    const Socket socket = found_in(*kernel, connection.client.ends(), State::kEstablished);
    set_net_admin(false);
    const Result<Destroyed> result = kernel->destroy(socket.id);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, EPERM);
  });
  expect_talking(connection.client, connection.server);
}

TEST_F(DestroyTest, AskingWhetherOneCanEndsNothing) {
  const Namespace space;
  const TcpSocket any4 = lab::listen_on(space, "0.0.0.0:0");
  const TcpSocket any6 = lab::listen_on(space, "[::]:0");
  const lab::Connection connection = lab::connected(lab::on_loopback(space, Family::kV4));
  const std::unique_ptr<SockDiag> kernel = opened_in(space);
  const std::set<std::uint64_t> before = cookies(space);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(kernel->can_destroy());
  EXPECT_EQ(cookies(space), before);
}

// ------------------------------------------------------------------- More interfaces than are
// asked

constexpr int kManyInterfaces = 80;

// d0, d1 and so on, an even number of them.
void add_interfaces(const Namespace& space, int count) {
  std::string lines;
  for (int number = 0; number < count; number += 2)
    lines += "link add d" + std::to_string(number) + " type veth peer name d" +
             std::to_string(number + 1) + '\n';
  lab::run({"ip", "-batch", "-"}, {.in = &space, .input = lines});
}

// Bound to a device, with whatever ends.
TcpSocket bound_to(const Namespace& space, const std::string& device, const Ends& ends) {
  return space.run([&] {
    TcpSocket socket = lab::repaired(ends);
    lab::check(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                            static_cast<socklen_t>(device.size())),
               "bind to a device");
    return socket;
  });
}

TEST_F(DestroyTest, ALookUpThatHasNotAskedEveryInterfaceSaysSo) {
  const Namespace space;
  const Ends ends{lab::end_of("127.0.0.1:1000"), lab::end_of("127.0.0.1:2000")};
  add_interfaces(space, kManyInterfaces);
  const TcpSocket near = bound_to(space, "d1", ends);
  const TcpSocket far = bound_to(space, "d79", ends);
  const std::unique_ptr<SockDiag> kernel = opened_in(space);
  space.run([&] {
    std::vector<Socket> found;
    EXPECT_EQ(kernel->find(question_for(ends), found), tcp::Coverage::kPartial);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found.front().id.cookie, near.cookie());
    tcp::Question there = question_for(ends);
    std::get<tcp::ConnectionQuery>(there).zone = ::if_nametoindex("d79");
    EXPECT_EQ(kernel->find(there, found), tcp::Coverage::kComplete);
    EXPECT_EQ(found.back().id.cookie, far.cookie());
  });
}

// It would pass for a host without any, and so for one on which all have been asked.
TEST_F(DestroyTest, InterfacesThatCannotBeListedAreAnError) {
  const Namespace space;
  const Ends ends{lab::end_of("127.0.0.1:1000"), lab::end_of("127.0.0.1:2000")};
  add_interfaces(space, 2);
  const TcpSocket socket = bound_to(space, "d0", ends);
  const std::unique_ptr<SockDiag> kernel = opened_in(space);
  space.run([&] {
    // By another one, for a sanitizer needs descriptors for what is new to it.
    std::vector<Socket> before;
    ASSERT_TRUE(SockDiag::open().value()->find(question_for(ends), before));
    {
      const lab::FewDescriptors none(0);
      std::vector<Socket> found;
      const Result<tcp::Coverage> coverage = kernel->find(question_for(ends), found);
      ASSERT_FALSE(coverage);
      EXPECT_EQ(coverage.error().code, EMFILE);
    }
    std::vector<Socket> found;
    EXPECT_EQ(kernel->find(question_for(ends), found), tcp::Coverage::kComplete);
    EXPECT_EQ(found.size(), 1u);
  });
}

// ------------------------------------------------------------------------------------ Scarcity

TEST_F(DestroyTest, OurOwnSessionsThatCannotBeListedAreAnError) {
  const lab::FewDescriptors none(0);
  const Result<std::vector<tcp::Ends>> own = own_connections();
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code, EMFILE);
}

TEST_F(DestroyTest, WantOfDescriptorsIsNotTakenForWantOfRights) {
  const Namespace space;
  space.run([&] {
    std::unique_ptr<SockDiag> kernel;
    {
      // What it opens itself is six; none is left to ask for rights by.
      const lab::FewDescriptors six(6);
      kernel = SockDiag::open().value();
      const Status able = kernel->can_destroy();
      ASSERT_FALSE(able);
      EXPECT_EQ(able.error().code, EMFILE);
    }
    EXPECT_TRUE(kernel->can_destroy());
  });
}

// -------------------------------------------------------------------------------------- MPTCP

class MptcpTest : public DestroyTest {
 protected:
  void SetUp() override {
    DestroyTest::SetUp();
    if (const auto reason = lab::mptcp_skip_reason(); !IsSkipped() && reason)
      GTEST_SKIP() << *reason;
  }

  // Who of a pair on the loopback speaks MPTCP.
  struct Speakers {
    bool listener;
    bool client;
  };

  // Of each family.
  template <typename Look>
  void for_each_pair(const Speakers& mptcp, Look look) {
    const Namespace space;
    for (const Family family : {Family::kV4, Family::kV6}) {
      const lab::Connection pair = lab::connected(
          lab::on_loopback(space, family), {.mptcp = mptcp.listener}, {.mptcp = mptcp.client});
      const std::unique_ptr<SockDiag> kernel = opened_in(space);
      look(*kernel, pair);
    }
  }
};

tcp::Refusal judged(SockDiag& kernel, const Ends& ends) {
  const tcp::DeletionRules rules{.policy = tcp::DeletionPolicy::kAll};
  return tcp::judge(found_by(kernel, ends), {.rules = rules, .own_connections = {}});
}

TEST_F(MptcpTest, ASubflowIsKnownAtBothEndsAndSoIsItsListener) {
  for_each_pair(
      {.listener = true, .client = true}, [](SockDiag& kernel, const lab::Connection& pair) {
        for (const Ends& ends : {pair.client.ends(), pair.server.ends()}) {
          EXPECT_EQ(found_in(kernel, ends, State::kEstablished).mptcp, MptcpRole::kSubflow);
          EXPECT_EQ(judged(kernel, ends), tcp::Refusal::kSubflow);
        }
        const Ends listening{pair.listener.local(), {}};
        EXPECT_EQ(found_in(kernel, listening, State::kListen).mptcp, MptcpRole::kSubflow);
        EXPECT_EQ(judged(kernel, listening), tcp::Refusal::kMptcpListener);
      });
}

// Were it tried all the same: nothing has ended. So it is refused.
TEST_F(MptcpTest, TheKernelEndsNoListenerOfIts) {
  for_each_pair(
      {.listener = true, .client = true}, [](SockDiag& kernel, const lab::Connection& pair) {
        const Socket listener = found_in(kernel, {pair.listener.local(), {}}, State::kListen);
        const Result<Destroyed> result = kernel.destroy(listener.id);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, EINVAL);
      });
}

TEST_F(MptcpTest, ATcpClientOfAnMptcpListenerIsNoSubflow) {
  for_each_pair({.listener = true, .client = false},
                [](SockDiag& kernel, const lab::Connection& pair) {
                  for (const TcpSocket* end : {&pair.server, &pair.client}) {
                    const Socket socket = found_in(kernel, end->ends(), State::kEstablished);
                    EXPECT_EQ(socket.mptcp, MptcpRole::kNone);
                  }
                  const Socket server = found_in(kernel, pair.server.ends(), State::kEstablished);
                  EXPECT_EQ(destroyed(kernel, server.id), Destroyed::kDone);
                  EXPECT_EQ(pending_error(pair.server), ECONNABORTED);
                });
}

TEST_F(MptcpTest, AClientWhoseServerSpeaksPlainTcpHasFallenBackAndCanBeEnded) {
  for_each_pair({.listener = false, .client = true}, [](SockDiag& kernel,
                                                        const lab::Connection& pair) {
    const Ends ends = pair.client.ends();
    const Socket client = found_in(kernel, ends, State::kEstablished);
    EXPECT_EQ(client.mptcp, MptcpRole::kFallback);
    EXPECT_EQ(judged(kernel, ends), tcp::Refusal::kNone);
    EXPECT_EQ(destroyed(kernel, client.id), Destroyed::kDone);
    EXPECT_EQ(lab::settled([&] { return pending_error(pair.client); }, ECONNABORTED), ECONNABORTED);
  });
}

// What has been said in both directions changes nothing of it.
TEST_F(MptcpTest, DataMakeNoFallbackOfASubflowAndNoSubflowOfAFallback) {
  for (const bool listener : {true, false}) {
    for_each_pair({.listener = listener, .client = true},
                  [&](SockDiag& kernel, const lab::Connection& pair) {
                    for (int i = 0; i < 3; ++i) {
                      pair.client.send("question");
                      EXPECT_EQ(pair.server.receive(), "question");
                      pair.server.send("answer");
                      EXPECT_EQ(pair.client.receive(), "answer");
                    }
                    EXPECT_EQ(found_in(kernel, pair.client.ends(), State::kEstablished).mptcp,
                              listener ? MptcpRole::kSubflow : MptcpRole::kFallback);
                  });
  }
}

// Whether the other end speaks MPTCP is not known yet.
TEST_F(MptcpTest, OneThatIsBeingEstablishedIsNoFallback) {
  const Namespace space;
  const std::unique_ptr<SockDiag> kernel = opened_in(space);
  const TcpSocket listener = lab::listen_on(space, "127.0.0.1:0", {.backlog = 0});
  const std::string to = lab::text(listener.local());
  const TcpSocket first = lab::connect_to(space, to);  // the queue is full now
  const TcpSocket second = lab::start_connecting(space, to, {.mptcp = true});
  const Ends ends{second.local(), listener.local()};
  EXPECT_EQ(found_in(*kernel, ends, State::kSynSent).mptcp, MptcpRole::kSubflow);
  EXPECT_EQ(judged(*kernel, ends), tcp::Refusal::kSubflow);
}

TEST_F(DestroyTest, NoConnectionOfPlainTcpIsTakenForASubflow) {
  const Namespace space;
  for (const Family family : kFamilies) {
    const lab::Connection connection = lab::connected(lab::on_loopback(space, family));
    const std::unique_ptr<SockDiag> kernel = opened_in(space);
    EXPECT_EQ(found_in(*kernel, connection.client.ends(), State::kEstablished).mptcp,
              MptcpRole::kNone);
    EXPECT_EQ(found_in(*kernel, {connection.listener.local(), {}}, State::kListen).mptcp,
              MptcpRole::kNone);
  }
}

// ---------------------------------------------------------------------------- Our own sessions

// All ends of these tests are sockets of this process.
void expect_own(const Stage& stage) {
  SCOPED_TRACE(stage.address_a);
  lab::Connection connection = lab::connected(stage);
  const auto verdict = [&](const Namespace& space, const Ends& ends) {
    const std::unique_ptr<SockDiag> kernel = opened_in(space);
    const std::vector<tcp::Ends> own = own_connections().value();
    return tcp::judge(found_by(*kernel, ends), {.rules = {}, .own_connections = own});
  };
  const Ends at_client = connection.client.ends();
  const Ends at_server = connection.server.ends();
  EXPECT_EQ(verdict(stage.a, at_client), tcp::Refusal::kOwnSession);
  EXPECT_EQ(verdict(stage.b, at_server), tcp::Refusal::kOwnSession);

  // Another process now has the server's end; its row still is our session's.
  const int descriptor = ::dup(connection.server.get());
  lab::Holder holder({.keep = {descriptor}});
  holder.await_ready();
  ::close(descriptor);
  connection.server.close();
  EXPECT_EQ(verdict(stage.b, at_server), tcp::Refusal::kOwnSession);
  connection.client.close();
  EXPECT_EQ(verdict(stage.b, at_server), tcp::Refusal::kNone);
}

TEST_F(DestroyTest, AConnectionOfThisProcessIsItsOwnAtBothEnds) {
  const TwoHosts hosts;
  for (const Family family : kFamilies)
    expect_own(lab::on_cable(hosts, family));
  if (zone_of(link_local_of(hosts.a, "va")) == zone_of(link_local_of(hosts.b, "vb")))
    expect_own(on_link_local_cable(hosts));
}

TEST_F(DestroyTest, OnlyConnectedTcpSocketsAreOwnConnections) {
  const Namespace space;
  const std::size_t before = own_connections()->size();
  const TcpSocket listener = lab::listen_on(space, "127.0.0.1:0");
  const TcpSocket bound = lab::bind_only(space, "127.0.0.1:0");
  const FileDescriptor datagrams = space.run([&] {
    FileDescriptor udp(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    lab::check(::getsockname(listener.get(), generic, &size), "ask a socket");
    lab::check(::connect(udp.get(), generic, size), "connect");
    return udp;
  });
  EXPECT_EQ(own_connections()->size(), before);
}

}  // namespace
}  // namespace tcpmibd::kernel
