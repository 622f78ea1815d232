#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "support/crowd.h"
#include "support/scenes.h"
#include "system/system_test.h"

// Walks of a table that changes under the manager's eyes. What the kernel itself loses from dumps
// of a tiny hash table is none of ours, so the table has the usual size.

namespace tcpmibd::lab {
namespace {

constexpr unsigned kPerSecond = 1'000;
constexpr int kWalks = 100;
constexpr int kStays = 25;  // connections of each family

// Connections that last, by the names of their rows.
struct Stays {
  explicit Stays(const Namespace& space) {
    for (const Family family : {Family::kV4, Family::kV6}) {
      for (int i = 0; i < kStays; ++i)
        add(connected(on_loopback(space, family)));
    }
  }

  void add(Connection connection) {
    for (const TcpSocket* end : {&connection.client, &connection.server})
      cells.insert(connection_cell(kStateColumn, end->ends()));
    connections.push_back(std::move(connection));
  }

  // Those that `rows` do not have, or not as established.
  std::vector<Oid> missing_in(const std::vector<Varbind>& rows) const {
    std::set<Oid> missing = cells;
    for (const Varbind& row : rows) {
      if (row.value == "5")
        missing.erase(row.oid);
    }
    return {missing.begin(), missing.end()};
  }

  std::vector<Connection> connections;
  std::set<Oid> cells;
};

class Churning : public SystemTest {};

long buckets(const Namespace& space) {
  return std::labs(std::stol(space.sysctl("net.ipv4.tcp_ehash_entries")));
}

// Few connections are kept in TIME_WAIT: enough to be seen, too few to fill the machine.
void keep_few_in_time_wait(const Namespace& space) {
  space.set_sysctl("net.ipv4.tcp_max_tw_buckets", "500");
}

void expect_walks_to_be_whole(const Manager& manager, const Stays& stays) {
  for (int number = 0; number < kWalks && !testing::Test::HasFailure(); ++number) {
    const bool bulk = number % 2 != 0;
    const Answer walk = bulk ? manager.bulk_walk(kConnectionState) : manager.walk(kConnectionState);
    SCOPED_TRACE("walk " + std::to_string(number) + (bulk ? " by GETBULK" : " by GETNEXT"));
    EXPECT_EQ(walk.error, "");
    EXPECT_TRUE(strictly_increasing(walk.varbinds));
    EXPECT_THAT(stays.missing_in(walk.varbinds), testing::IsEmpty());
  }
}

void expect_whole_walks_while_connections_come_and_go(const Namespace& space,
                                                      const Manager& manager) {
  const Stays stays(space);
  const Churn churn(space, kPerSecond);
  const std::uint64_t before = churn.made();
  expect_walks_to_be_whole(manager.patient(kGreatPatience), stays);
  EXPECT_GT(churn.made() - before, kPerSecond) << "there was next to no coming and going";
}

TEST_F(Churning, CountsNeverLackWhatStays) {
  const Namespace space;
  keep_few_in_time_wait(space);
  const Daemon daemon = Daemon::standalone(space, {.settings = {"snapshot.max-age=10ms"}});
  const Manager manager = Manager::v2c(space, Daemon::kAddress).patient(kGreatPatience);
  const Oid established = own({1, 2, 1, 5, 5});
  const Stays stays(space);
  const Churn churn(space, kPerSecond);
  for (int number = 0; number < kWalks && !HasFailure(); ++number) {
    const Answer answer = manager.get({established});
    EXPECT_GE(std::stoul(answer.only().value), stays.cells.size());
  }
  EXPECT_GT(churn.made(), 0U);
}

TEST_F(Churning, AHundredWalksThroughTheMasterLoseNothing) {
  const Namespace space;
  if (buckets(space) < 65'536)
    GTEST_SKIP() << "the kernel's hash table has only " << buckets(space) << " buckets";
  keep_few_in_time_wait(space);
  const Attached agent(space);
  expect_whole_walks_while_connections_come_and_go(space, agent.manager());
}

TEST_F(Churning, AHundredWalksOfAnAgentOfItsOwnLoseNothing) {
  const Namespace space;
  if (buckets(space) < 65'536)
    GTEST_SKIP() << "the kernel's hash table has only " << buckets(space) << " buckets";
  keep_few_in_time_wait(space);
  const Daemon daemon = Daemon::standalone(space, {.settings = {"snapshot.max-age=10ms"}});
  expect_whole_walks_while_connections_come_and_go(space, Manager::v2c(space, Daemon::kAddress));
}

}  // namespace
}  // namespace tcpmibd::lab
