#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "support/builders.h"
#include "support/probes.h"
#include "support/random.h"

// The search against std::map, for everything that is registered.

namespace tcpmibd::tables {

void PrintTo(const Entry& entry, std::ostream* out) { *out << entry.object->name(); }

namespace {

using namespace lab;
using snmp::Cell;
using snmp::Oid;

constexpr int kHosts = 40;
constexpr int kProbes = 250;

Host random_host(Random& random) {
  // None, one, few, many.
  const std::size_t count = random.one_of<std::size_t>({0, 1, 5, 60});
  return Host(random_sockets(random, count), {},
              snmp_file({"1", "200", "120000", "-1", "5", "6", "7", "8", "9", "10", "11", "12",
                         "13", "14", "15"}));
}

// Names of every length, so that some sort by it and some by their octets.
void set_random_alarms(Random& random, Host& host) {
  constexpr std::string_view kLetters = "ab-Z\xff";
  std::set<std::string> names;
  for (std::uint32_t count = random.below(6); count > 0; --count) {
    std::string name;
    for (std::uint32_t length = 1 + random.below(32); length > 0; --length)
      name += kLetters[random.below(kLetters.size())];
    names.insert(name);
  }
  std::vector<tcp::AlarmRule> rules;
  for (const std::string& name : names)
    rules.push_back(alarm_rule(name, {.state = tcp::State::kEstablished}, 1 + random.below(20)));
  host.set_alarms(std::move(rules));
}

using Model = std::map<Oid, Value>;

Model model_of(const std::vector<Cell>& cells) {
  Model model;
  for (const Cell& cell : cells)
    model.emplace(cell.name, cell.value.value());
  return model;
}

std::optional<Cell> found(const Model& model, Model::const_iterator at) {
  if (at == model.end())
    return std::nullopt;
  return Cell{at->first, at->second};
}

class EveryTable : public testing::TestWithParam<Entry> {
 protected:
  const Managed& object() const { return *GetParam().object; }

  // Calls `check(host, cells)` for many hosts.
  template <typename Check>
  void for_many_hosts(Random& random, Check check) {
    for (int i = 0; i < kHosts && !HasFatalFailure(); ++i) {
      Host host = random_host(random);
      set_random_alarms(random, host);
      check(std::as_const(host), walk(object(), host.data()));
    }
  }
};

TEST_P(EveryTable, WalkedIsStrictlyIncreasingAndStaysInside) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_hosts(random, [&](const Host&, const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      ASSERT_TRUE(snmp::starts_with(cells[i].name.view(), object().root().view()));
      ASSERT_TRUE(cells[i].value.has_value());
      if (i > 0) {
        ASSERT_LT(cells[i - 1].name, cells[i].name);
      }
    }
  });
}

TEST_P(EveryTable, HasEveryRowInEveryColumn) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_hosts(random, [&](const Host&, const std::vector<Cell>& cells) {
    // Rows of each object, by what stands after its OID.
    std::map<Oid, std::set<Oid>> indexes;
    for (const Cell& cell : cells) {
      for (const snmp::ObjectInfo& info : object().objects()) {
        if (snmp::starts_with(cell.name.view(), info.oid.view())) {
          EXPECT_EQ(snmp::syntax_of(*cell.value), info.syntax) << info.name;
          indexes[info.oid].insert(Oid(cell.name.view().subspan(info.oid.size())));
        }
      }
    }
    for (const auto& [column, rows] : indexes)
      ASSERT_EQ(rows, indexes.begin()->second) << column;
  });
}

TEST_P(EveryTable, NextAgreesWithASortedMap) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_hosts(random, [&](const Host& host, const std::vector<Cell>& cells) {
    const Model model = model_of(cells);
    for (int i = 0; i < kProbes; ++i) {
      const Oid name = probe(object(), cells, random);
      ASSERT_EQ(object().next(host.data(), name.view(), false),
                found(model, model.upper_bound(name)))
          << "after " << name;
      ASSERT_EQ(object().next(host.data(), name.view(), true),
                found(model, model.lower_bound(name)))
          << "at or after " << name;
    }
  });
}

TEST_P(EveryTable, GetAgreesWithASortedMap) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_hosts(random, [&](const Host& host, const std::vector<Cell>& cells) {
    const Model model = model_of(cells);
    for (const Cell& cell : cells)
      ASSERT_EQ(object().get(host.data(), cell.name.view()), cell);
    for (int i = 0; i < kProbes; ++i) {
      const Oid name = probe(object(), cells, random);
      ASSERT_EQ(object().get(host.data(), name.view()), found(model, model.find(name))) << name;
    }
  });
}

TEST_P(EveryTable, IsMissingAnInstanceOnlyBelowAnObjectThatCanBeRead) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_hosts(random, [&](const Host&, const std::vector<Cell>& cells) {
    for (int i = 0; i < kProbes; ++i) {
      const Oid name = probe(object(), cells, random);
      const bool below = std::ranges::any_of(object().objects(), [&](const auto& info) {
        return info.access != Access::kNotAccessible &&
               snmp::starts_with(name.view(), info.oid.view());
      });
      ASSERT_EQ(object().absence(name.view()) == snmp::Absence::kNoSuchInstance, below) << name;
    }
  });
}

TEST_P(EveryTable, TakesNamesOfAnyLength) {
  const Host host({listener("0.0.0.0:22"), established("10.0.0.1:22", "10.0.0.9:1")});
  Oid name = object().root();
  for (std::size_t i = 0; i < 2 * snmp::kMaxOidLength; ++i) {
    object().get(host.data(), name.view());
    object().next(host.data(), name.view(), true);
    object().question(name.view());
    name.append(1);
  }
  EXPECT_EQ(name.size(), snmp::kMaxOidLength);
}

INSTANTIATE_TEST_SUITE_P(Of, EveryTable, testing::ValuesIn(registry().begin(), registry().end()),
                         [](const auto& entry) { return std::string(entry.param.object->name()); });

TEST(Registry, IsInOidOrderAndNothingLiesInsideAnything) {
  const std::span<const Entry> entries = registry();
  for (std::size_t i = 1; i < entries.size(); ++i) {
    const Oid before = entries[i - 1].object->root();
    const Oid after = entries[i].object->root();
    EXPECT_LT(before, after);
    EXPECT_FALSE(snmp::starts_with(after.view(), before.view()));
  }
}

// ------------------------------------------- what is walked, told again without the tables' help

std::string address_text(const tcp::InetAddress& address, bool typed) {
  std::string text;
  const auto put = [&](std::uint32_t id) { text += "." + std::to_string(id); };
  const auto type = static_cast<std::uint32_t>(address.type);
  const std::map<std::uint32_t, std::uint32_t> lengths = {{0, 0}, {1, 4}, {2, 16}, {4, 20}};
  if (typed) {
    put(type);
    put(lengths.at(type));
  }
  for (std::size_t i = 0; i < std::min<std::size_t>(lengths.at(type), 16); ++i)
    put(address.octets[i]);
  if (type == 4) {
    for (const int shift : {24, 16, 8, 0})
      put(address.zone >> shift & 255);
  }
  return text;
}

struct Names {
  std::set<Oid> connections, listeners, legacy;  // of the first column of each table
};

Names names_of(const std::vector<tcp::Socket>& sockets) {
  Names names;
  for (const tcp::Socket& socket : sockets) {
    const tcp::SocketId& id = socket.id;
    const auto end = [&](const tcp::Endpoint& endpoint, bool typed) {
      const auto address = tcp::inet_address(id.family, endpoint.address, id.interface, {});
      return address_text(address, typed) + "." + std::to_string(endpoint.port);
    };
    const auto type = tcp::inet_address(id.family, id.local.address, id.interface, {}).type;
    const bool ipv4 = type == tcp::AddressType::kIpv4;
    const std::string port = std::to_string(id.local.port);
    if (socket.state == tcp::State::kListen) {
      const bool both = tcp::is_dual_stack_wildcard(socket);
      names.listeners.insert(tcp_oid("20.1.4" + (both ? ".0.0." + port : end(id.local, true))));
      if (both)
        names.legacy.insert(tcp_oid("13.1.1.0.0.0.0." + port + ".0.0.0.0.0"));
      if (ipv4)
        names.legacy.insert(tcp_oid("13.1.1" + end(id.local, false) + ".0.0.0.0.0"));
    } else if (socket.state != tcp::State::kClosed) {
      names.connections.insert(tcp_oid("19.1.7" + end(id.local, true) + end(id.remote, true)));
      if (ipv4)
        names.legacy.insert(tcp_oid("13.1.1" + end(id.local, false) + end(id.remote, false)));
    }
  }
  return names;
}

std::set<Oid> first_column(std::string_view table, const Host& host) {
  std::set<Oid> names;
  const std::vector<Cell> cells = walk(managed(table), host.data());
  for (const Cell& cell : cells) {
    if (cell.name.view()[9] == cells.front().name.view()[9])
      names.insert(cell.name);
  }
  return names;
}

TEST(Walk, ShowsEverySocketOnceAndNothingElse) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int i = 0; i < 100; ++i) {
    const std::vector<tcp::Socket> sockets = random_sockets(random, 1 + random.below(80));
    const Host host(sockets);
    const Names want = names_of(sockets);
    ASSERT_EQ(first_column("tcpConnectionTable", host), want.connections);
    ASSERT_EQ(first_column("tcpListenerTable", host), want.listeners);
    ASSERT_EQ(first_column("tcpConnTable", host), want.legacy);
    ASSERT_EQ(host.snapshot().rows(), want.connections.size() + want.listeners.size());
  }
}

}  // namespace
}  // namespace tcpmibd::tables
