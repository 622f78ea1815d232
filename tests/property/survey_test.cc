#include "survey/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "support/builders.h"
#include "support/random.h"
#include "survey/owners.h"

// What is counted, against the same counted naively: one map and one loop for each figure.

namespace tcpmibd::tcp {
namespace {

using namespace lab;

constexpr int kRounds = 60;

bool is_connection(const Socket& socket) {
  return socket.state != State::kListen && socket.state != State::kClosed;
}

InetAddress address_of(const Socket& socket, const Endpoint& end) {
  return inet_address(socket.id.family, end.address, socket.id.interface, {});
}

struct World {
  explicit World(std::vector<Socket> all) : sockets(std::move(all)), host(sockets) {}

  // The connections that `has` says yes to, by `key_of`.
  template <typename KeyOf>
  auto tallies(KeyOf key_of) const {
    std::map<decltype(key_of(sockets.front())), Tally> tallies;
    for (const Socket& socket : sockets) {
      if (is_connection(socket))
        tallies[key_of(socket)].add(socket.state, age_of(socket));
    }
    return tallies;
  }

  std::uint32_t age_of(const Socket& socket) const {
    constexpr std::uint32_t kTimeWaitSeconds = 60;
    return socket.state == State::kTimeWait ? kTimeWaitSeconds : 0;  // No timer runs.
  }

  std::vector<Socket> sockets;
  Host host;
};

class SurveysAgainstALoop : public testing::Test {
 protected:
  template <typename Check>
  void for_many_worlds(Check check) {
    Random random;
    SCOPED_TRACE(random.text());
    for (int round = 0; round < kRounds && !HasFatalFailure(); ++round)
      check(World(random_sockets(random, random.one_of<std::size_t>({0, 1, 10, 100, 400}))));
  }
};

TEST_F(SurveysAgainstALoop, CountPortsAsALoopDoes) {
  for_many_worlds([](const World& world) {
    const auto want = world.tallies([](const Socket& socket) { return socket.id.local.port; });
    std::set<std::uint16_t> listening;
    for (const Socket& socket : world.sockets) {
      if (socket.state == State::kListen)
        listening.insert(socket.id.local.port);
    }
    std::set<std::uint16_t> ports;
    for (const PortFigures& port : world.host.survey().ports()) {
      ports.insert(port.port);
      const auto known = want.find(port.port);
      ASSERT_EQ(port.tally, known == want.end() ? Tally() : known->second) << port.port;
    }
    ASSERT_EQ(ports, listening);
  });
}

TEST_F(SurveysAgainstALoop, LoseNoConnectionBetweenPortsAndTheRest) {
  for_many_worlds([](const World& world) {
    const Survey& survey = world.host.survey();
    Tally sum;
    std::set<std::uint16_t> ports;
    for (const PortFigures& port : survey.ports()) {
      sum += port.tally;
      ports.insert(port.port);
    }
    for (const Socket& socket : world.sockets) {
      if (is_connection(socket) && !ports.contains(socket.id.local.port))
        sum.add(socket.state, world.age_of(socket));
    }
    Tally all;
    for (const Socket& socket : world.sockets)
      all.add(socket.state, world.age_of(socket));
    ASSERT_EQ(sum, all);
  });
}

TEST_F(SurveysAgainstALoop, CountListenersNoMoreThanOnceAndOnlyWithinTheirPorts) {
  for_many_worlds([](const World& world) {
    const Survey& survey = world.host.survey();
    std::map<std::uint16_t, std::uint32_t> of_listeners;
    for (const ListenerFigures& listener : survey.listeners())
      of_listeners[listener.key.port] += listener.tally.total;
    for (const PortFigures& port : survey.ports())
      ASSERT_LE(of_listeners[port.port], port.tally.total) << port.port;
  });
}

// 3: its own address, 2: its family's wildcard, 1: one of both families, 0: not its listener.
int rank(const Socket& listener, const Socket& connection) {
  if (listener.id.local.port != connection.id.local.port)
    return 0;
  const InetAddress local = address_of(connection, connection.id.local);
  if (is_dual_stack_wildcard(listener))
    return 1;
  const InetAddress own = address_of(listener, listener.id.local);
  if (own == local)
    return 3;
  const bool wildcard = own.octets == Octets{};
  const bool same_family = (own.type == AddressType::kIpv4) == (local.type == AddressType::kIpv4);
  return wildcard && same_family ? 2 : 0;
}

TEST_F(SurveysAgainstALoop, GiveEachConnectionToTheListenerThatFitsItBest) {
  for_many_worlds([](const World& world) {
    std::map<ListenerKey, std::uint32_t> want;
    for (const Socket& connection : world.sockets) {
      const Socket* best = nullptr;
      for (const Socket& listener : world.sockets) {
        if (is_connection(connection) && listener.state == State::kListen &&
            rank(listener, connection) > (best == nullptr ? 0 : rank(*best, connection)))
          best = &listener;
      }
      if (best != nullptr)
        ++want[{listener_address(*best, {}), best->id.local.port}];
    }
    for (const ListenerFigures& listener : world.host.survey().listeners())
      ASSERT_EQ(listener.tally.total, want[listener.key])
          << to_text(listener.key.address, listener.key.port);
  });
}

TEST_F(SurveysAgainstALoop, CountUnitsAsALoopDoes) {
  for_many_worlds([](const World& world) {
    auto want = world.tallies([](const Socket& socket) { return socket.cgroup; });
    want.erase(0);
    std::map<std::uint64_t, std::uint32_t> listeners;
    for (const Socket& socket : world.sockets) {
      if (socket.state == State::kListen && socket.cgroup != 0)
        ++listeners[socket.cgroup], want[socket.cgroup];
    }
    ASSERT_EQ(world.host.survey().units().size(), want.size());
    FakeUnitLookup units;
    for (const auto& [cgroup, tally] : want) {
      const auto found =
          std::ranges::find(world.host.survey().units(), units.unit_of(cgroup), &UnitFigures::name);
      ASSERT_NE(found, world.host.survey().units().end());
      ASSERT_EQ(found->tally, tally) << cgroup;
      ASSERT_EQ(found->listeners, listeners[cgroup]) << cgroup;
    }
  });
}

TEST_F(SurveysAgainstALoop, CountRemotesAsALoopDoes) {
  for_many_worlds([](const World& world) {
    const auto want =
        world.tallies([](const Socket& socket) { return address_of(socket, socket.id.remote); });
    const Survey& survey = world.host.survey();
    ASSERT_EQ(survey.remotes().size() + survey.remotes_left_out(), want.size());
    for (const RemoteFigures& remote : survey.remotes())
      ASSERT_EQ(remote.tally, want.at(remote.address)) << to_text(remote.address);
    ASSERT_TRUE(std::ranges::is_sorted(survey.remotes(), std::greater(),
                                       [](const auto& remote) { return remote.tally.total; }));
  });
}

TEST_F(SurveysAgainstALoop, CountStatesAndAgesAsTheSnapshotDoes) {
  for_many_worlds([](const World& world) {
    for (const StateNames& names : kStates) {
      const auto count = static_cast<std::uint32_t>(
          std::ranges::count(world.sockets, names.state, &Socket::state));
      ASSERT_EQ(world.host.survey().count(names.state), names.state == State::kClosed ? 0 : count)
          << names.mib;
    }
    const AgeFigures& ages = world.host.survey().ages(State::kTimeWait);
    ASSERT_EQ(ages.over_1m, world.host.survey().count(State::kTimeWait));
    ASSERT_EQ(ages.over_5m, 0u);
  });
}

TEST_F(SurveysAgainstALoop, CountEphemeralPortsOfTheFullestRouteAsALoopDoes) {
  for_many_worlds([](const World& world) {
    const EphemeralRange range = *full_pressure().ephemeral;
    std::map<std::tuple<InetAddress, InetAddress, std::uint16_t>, std::uint32_t> routes;
    std::uint32_t most = 0;
    for (const Socket& socket : world.sockets) {
      const bool listening = std::ranges::any_of(world.sockets, [&](const Socket& other) {
        return other.state == State::kListen && other.id.local.port == socket.id.local.port;
      });
      if (is_connection(socket) && !listening && range.contains(socket.id.local.port))
        most =
            std::max(most, ++routes[{address_of(socket, socket.id.local),
                                     address_of(socket, socket.id.remote), socket.id.remote.port}]);
    }
    const EphemeralFigures& told = world.host.survey().ephemeral();
    ASSERT_EQ(told.used, most);
    if (most > 0) {
      ASSERT_EQ((routes[{told.local, told.remote, told.remote_port}]), most);
    }
  });
}

// Few addresses and ports, so that they are often the same; but no two with the same ends.
std::vector<Socket> random_calls(Random& random) {
  std::map<std::string, Socket> sockets;
  for (std::uint32_t i = random.below(120); i > 0; --i) {
    const char* local = random.one_of({"127.0.0.1", "10.0.0.1", "10.0.0.2", "[::1]"});
    const char* remote = *local == '[' ? "[2001:db8::9]" : random.one_of({"10.0.0.8", "10.0.0.9"});
    const std::string port = ":" + std::to_string(39'998 + random.below(24));
    const std::string from = local + port;
    const std::string to = remote + (":" + std::to_string(random.below(3) + 1));
    sockets[from + to] =
        random.chance(3)
            ? listener("0.0.0.0" + port)
            : established(from, to,
                          {.state = random.one_of({State::kEstablished, State::kTimeWait}),
                           .timer = Timer::kTimeWait,
                           .expires_ms = random.below(60'001)});
  }
  std::vector<Socket> all;
  std::ranges::copy(std::views::values(sockets), std::back_inserter(all));
  return all;
}

// Whether the kernel chose it from the range.
bool is_chosen(const Socket& socket, const std::vector<Socket>& all, const EphemeralRange& range) {
  const std::uint16_t port = socket.id.local.port;
  const bool listening = std::ranges::any_of(all, [&](const Socket& other) {
    return other.state == State::kListen && other.id.local.port == port;
  });
  return is_connection(socket) && !listening && range.contains(port);
}

bool waits(const Socket& socket) {
  const std::string local = to_text(address_of(socket, socket.id.local));
  return socket.state == State::kTimeWait && (local == "127.0.0.1" || local == "::1") &&
         socket.expires_ms < 59'000;
}

// Ports of each parity that the kernel may choose.
struct Choice {
  std::size_t by_bind = 0;
  std::size_t by_connect = 0;
};

Choice choice_of(const std::vector<Socket>& all, const EphemeralRange& range) {
  Choice choice;
  for (unsigned port = range.first(); port <= range.last(); ++port) {
    const bool listening = std::ranges::any_of(all, [&](const Socket& other) {
      return other.state == State::kListen && other.id.local.port == port;
    });
    if (range.contains(static_cast<std::uint16_t>(port)) && !listening)
      ++(port % 2 == 0 ? choice.by_connect : choice.by_bind);
  }
  return choice;
}

// Of the calls from one address.
std::size_t bound_ports(const std::vector<Socket>& calls, const Choice& choice) {
  std::set<unsigned> connect, bind, bind_waiting;
  std::map<std::pair<InetAddress, unsigned>, std::size_t> routes;
  bool overflowed = false;
  for (const Socket& call : calls) {
    const std::uint16_t port = call.id.local.port;
    (port % 2 == 0 ? connect : waits(call) ? bind_waiting : bind).insert(port);
    std::size_t& count = routes[{address_of(call, call.id.remote), call.id.remote.port}];
    count += port % 2 == 0 ? 1 : 0;
    overflowed = overflowed || count >= choice.by_connect;
  }
  if (!overflowed)
    bind.merge(bind_waiting);
  return bind.size() +
         (bind.size() >= choice.by_bind ? connect.size() : std::min(bind.size(), connect.size()));
}

TEST_F(SurveysAgainstALoop, CountBoundPortsOfTheFullestAddressAsALoopDoes) {
  Random random;
  SCOPED_TRACE(random.text());
  const auto range =
      std::make_optional(EphemeralRange::parse("40000\t40019", "40003,40006").value());
  for (int round = 0; round < kRounds && !HasFatalFailure(); ++round) {
    const std::vector<Socket> sockets = random_calls(random);
    std::map<InetAddress, std::vector<Socket>> calls;
    for (const Socket& socket : sockets) {
      if (is_chosen(socket, sockets, *range))
        calls[address_of(socket, socket.id.local)].push_back(socket);
    }
    const Choice choice = choice_of(sockets, *range);
    std::size_t most = 0;
    for (const auto& [address, of_address] : calls)
      most = std::max(most, bound_ports(of_address, choice));
    const Snapshot snapshot = snapshot_of(sockets);
    FakeUnitLookup units;
    const Survey survey = Survey::build({.snapshot = snapshot,
                                         .sightings = {},
                                         .before = nullptr,
                                         .ephemeral = range,
                                         .reuse = {.scope = TimeWaitReuse::Scope::kLoopback},
                                         .units = units});
    ASSERT_EQ(survey.ephemeral().bound, most);
    if (most > 0) {
      ASSERT_EQ(bound_ports(calls[survey.ephemeral().bound_local], choice), most);
    }
  }
}

TEST_F(SurveysAgainstALoop, CountProcessesAsALoopDoes) {
  for_many_worlds([](const World& world) {
    auto want = world.tallies([](const Socket& socket) { return socket.inode; });
    want.erase(0);  // nobody's
    const Owners& owners = *world.host.data().owners;
    ASSERT_EQ(owners.all().size(), want.size());
    for (const ProcessFigures& process : owners.all())
      ASSERT_EQ(process.tally, want.at(process.pid)) << process.pid;
  });
}

// ---- MPTCP ----

// Two hosts: one on which every third connection is one of MPTCP with two subflows, established
// whatever it is in, and one on which it is of TCP and has none.
struct Likenesses {
  explicit Likenesses(const std::vector<Socket>& sockets) {
    std::uint32_t inode = 1'000'000;  // above all others
    for (Socket socket : sockets) {
      if (is_connection(socket) && ++inode % 3 == 0) {
        socket.inode = inode;
        connections.push_back(socket);
        add_subflows(socket);
      } else {
        plain.push_back(socket);
      }
    }
  }

  void add_subflows(Socket socket) {
    for (const std::uint16_t port : {socket.id.local.port, std::uint16_t{1}}) {
      socket.id.local.port = port;
      socket.id.cookie = lab::detail::fresh_cookie();
      socket.state = State::kEstablished;
      subflows.push_back(socket);
    }
  }

  static std::vector<Socket> together(std::vector<Socket> a, const std::vector<Socket>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  std::vector<Socket> plain, connections, subflows;
};

template <typename Figures, typename Key>
std::map<Key, Tally> by_key(std::span<const Figures> all, Key Figures::*key) {
  std::map<Key, Tally> tallies;
  for (const Figures& figures : all)
    tallies.emplace(figures.*key, figures.tally);
  return tallies;
}

TEST_F(SurveysAgainstALoop, CountAnMptcpConnectionAsOneOfTcpWithoutSubflows) {
  for_many_worlds([](const World& world) {
    const Likenesses all(world.sockets);
    const Host mptcp(Likenesses::together(all.plain, all.subflows), {}, {}, all.connections);
    const Host plain(Likenesses::together(all.plain, all.connections));
    const Survey& a = mptcp.survey();
    const Survey& b = plain.survey();
    ASSERT_EQ(by_key(a.ports(), &PortFigures::port), by_key(b.ports(), &PortFigures::port));
    ASSERT_EQ(by_key(a.listeners(), &ListenerFigures::key),
              by_key(b.listeners(), &ListenerFigures::key));
    ASSERT_EQ(by_key(a.units(), &UnitFigures::name), by_key(b.units(), &UnitFigures::name));
    ASSERT_EQ(by_key(a.remotes(), &RemoteFigures::address),
              by_key(b.remotes(), &RemoteFigures::address));
    ASSERT_EQ(by_key(mptcp.data().owners->all(), &ProcessFigures::pid),
              by_key(plain.data().owners->all(), &ProcessFigures::pid));
    for (const StateNames& names : kStates)
      ASSERT_EQ(a.count(names.state), b.count(names.state)) << names.mib;
  });
}

}  // namespace
}  // namespace tcpmibd::tcp
