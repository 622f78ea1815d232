#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "support/builders.h"
#include "support/fakes.h"
#include "support/probes.h"
#include "support/random.h"

// From a row's name back to the question that finds the row's socket.

namespace tcpmibd::tables {
namespace {

using namespace lab;
using snmp::Cell;
using snmp::Oid;
using snmp::SubId;

constexpr const char* kTables[] = {"tcpConnTable", "tcpConnectionTable", "tcpListenerTable"};

// What the kernel answers to the question of `name`, as rows.
tcp::Snapshot asked(FakeSocketSource& kernel, const tcp::Question& question) {
  tcp::SnapshotBuilder builder{tcp::AddressForms{}};
  std::vector<tcp::Socket> sockets;
  EXPECT_TRUE(kernel.find(question, sockets));
  for (const tcp::Socket& socket : sockets)
    builder.add(socket);
  return builder.finish();
}

class EveryQuestion : public testing::TestWithParam<const char*> {
 protected:
  const Managed& table() const { return managed(GetParam()); }
};

TEST_P(EveryQuestion, OfARowFindsTheSocketTheRowWasMadeFrom) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 2000; ++round) {
    const tcp::Socket socket = random_socket(random);
    const Host host({socket});
    FakeSocketSource kernel({socket});
    for (const Cell& cell : walk(table(), host.data())) {
      tables::Data data = host.data();
      const tcp::Snapshot rows = asked(kernel, table().question(cell.name.view()));
      data.snapshot = &rows;
      ASSERT_EQ(table().get(data, cell.name.view()), cell) << cell.name;
    }
  }
}

// GET and walk are two ways to the same rows, twins and look-alikes included.
TEST_P(EveryQuestion, IsAnsweredAsTheWholeTableWouldAnswer) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 100; ++round) {
    const std::vector<tcp::Socket> sockets = random_sockets(random, 60);
    const Host host(sockets);
    FakeSocketSource kernel(sockets);
    const std::vector<Cell> cells = walk(table(), host.data());
    for (int i = 0; i < 100; ++i) {
      const Oid name = probe(table(), cells, random);
      const tcp::Snapshot rows = asked(kernel, table().question(name.view()));
      tables::Data data = host.data();
      data.snapshot = &rows;
      ASSERT_EQ(table().get(data, name.view()), table().get(host.data(), name.view())) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Of, EveryQuestion, testing::ValuesIn(kTables),
                         [](const auto& name) { return name.param; });

bool asks(const Managed& table, const Oid& name) {
  return !std::holds_alternative<std::monostate>(table.question(name.view()));
}

// The sub-identifiers a whole index of the table may have.
bool is_whole(const Managed& table, std::size_t index_size) {
  if (table.name() == "tcpConnTable")
    return index_size == 10;
  constexpr std::size_t kAddress[] = {2, 6, 18, 22};
  const bool listeners = table.name() == "tcpListenerTable";
  for (const std::size_t local : kAddress) {
    for (const std::size_t remote : kAddress) {
      if (listeners ? index_size == local + 1 : index_size == local + remote + 2)
        return true;
    }
  }
  return false;
}

class Malformed : public testing::TestWithParam<const char*> {
 protected:
  static constexpr std::size_t kIndexAt = 10;

  const Managed& table() const { return managed(GetParam()); }

  // Calls `check(name)` for the first-column name of many random rows.
  template <typename Check>
  void for_many_names(Random& random, Check check) {
    for (int round = 0; round < 500 && !HasFatalFailure(); ++round) {
      const Host host({random_socket(random)});
      const std::vector<Cell> cells = walk(table(), host.data());
      if (!cells.empty())
        check(cells.front().name);
    }
  }
};

TEST_P(Malformed, NamesThatAreCutOrStretchedAskNobody) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_names(random, [&](const Oid& name) {
    ASSERT_TRUE(asks(table(), name)) << name;
    for (std::size_t size = 0; size < name.size(); ++size) {
      const Oid cut(name.view().first(size));
      ASSERT_FALSE(asks(table(), cut)) << cut;
    }
    Oid stretched = name;
    while (stretched.size() < snmp::kMaxOidLength) {
      stretched.append(random_sub_id(random));
      ASSERT_FALSE(asks(table(), stretched)) << stretched;
    }
  });
}

TEST_P(Malformed, SubIdentifiersTooLargeAskNobody) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_names(random, [&](const Oid& name) {
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (const SubId more : {65536u, 0x01000000u, 0x80000000u}) {
        std::vector<SubId> ids(name.begin(), name.end());
        ids[at] += more;
        ASSERT_FALSE(asks(table(), Oid(ids))) << Oid(ids);
      }
    }
  });
}

TEST_P(Malformed, NamesAskOnlyAboutWholeIndexesOfColumnsThatCanBeRead) {
  Random random;
  SCOPED_TRACE(random.text());
  for_many_names(random, [&](const Oid& name) {
    for (int i = 0; i < 20; ++i) {
      const Oid close = near(name, random);
      if (asks(table(), close)) {
        ASSERT_EQ(table().absence(close.view()), snmp::Absence::kNoSuchInstance) << close;
        ASSERT_TRUE(is_whole(table(), close.size() - kIndexAt)) << close;
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Of, Malformed, testing::ValuesIn(kTables),
                         [](const auto& name) { return name.param; });

struct ImpossibleCase {
  const char* why;
  const char* name;
};

TEST(Malformed, NamesThatNoConnectionCanHaveAskNobody) {
  for (const ImpossibleCase& c : {
           ImpossibleCase{"unknown local", "19.1.7.0.0.22.1.4.10.0.0.5.9"},
           {"unknown remote", "19.1.7.1.4.10.0.0.1.22.0.0.9"},
           {"ipv4 to ipv6", "19.1.7.1.4.10.0.0.1.22.2.16.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.9"},
           {"ipv4z", "19.1.7.3.8.169.254.7.7.0.0.0.2.22.3.8.169.254.7.8.0.0.0.2.9"},
           {"two links",
            "19.1.7.4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.2.22."
            "4.20.254.128.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.3.9"},
           {"ipv4 of six octets", "19.1.7.1.6.10.0.0.1.0.0.22.1.4.10.0.0.5.9"},
           {"dns", "20.1.4.16.9.108.111.99.97.108.104.111.115.116.25"},
       }) {
    const Oid name = tcp_oid(c.name);
    for (const char* table : {"tcpConnectionTable", "tcpListenerTable"})
      EXPECT_FALSE(asks(managed(table), name)) << c.why;
  }
}

// Their only instance may need what is counted from a snapshot, but never its rows.
// ipv4(1) with a length of 3, and then as many octets as either says.
TEST(Question, OfALengthThatContradictsItsTypeIsNone) {
  const Managed& table = managed("tcpConnectionTable");
  const tcp::Question right =
      table.question(tcp_oid("19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.1").view());
  EXPECT_TRUE(std::holds_alternative<tcp::ConnectionQuery>(right));
  for (const char* index : {"1.3.10.0.0.1.22.1.4.10.0.0.9.1", "1.3.10.0.0.22.1.4.10.0.0.9.1"}) {
    const tcp::Question wrong = table.question(tcp_oid("19.1.7." + std::string(index)).view());
    EXPECT_TRUE(std::holds_alternative<std::monostate>(wrong)) << index;
  }
}

TEST(Scalars, AskNoQuestionAboutSockets) {
  for (const Entry& entry : registry()) {
    if (!entry.object->is_table()) {
      Oid name = entry.object->root();
      EXPECT_FALSE(asks(*entry.object, name)) << entry.object->name();
      name.append(0);
      EXPECT_EQ(entry.object->question(name.view()), Data::everything()) << entry.object->name();
      EXPECT_FALSE(entry.object->needs().rows) << entry.object->name();
      name.append(0);
      EXPECT_FALSE(asks(*entry.object, name)) << entry.object->name();
    }
  }
}

// No look-up of the kernel answers for a count.
TEST(OwnTables, AskForEverything) {
  for (const Entry& entry : registry()) {
    if (entry.group != Group::kTcpmibd || !entry.object->is_table())
      continue;
    const Host host({listener("0.0.0.0:22", {.cgroup = 1}),
                     established("10.0.0.1:22", "10.0.0.9:1", {.inode = 7})});
    for (const Cell& cell : walk(*entry.object, host.data()))
      EXPECT_EQ(entry.object->question(cell.name.view()), Data::everything()) << cell.name;
    EXPECT_FALSE(asks(*entry.object, entry.object->root())) << entry.object->name();
  }
}

}  // namespace
}  // namespace tcpmibd::tables
