#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/builders.h"
#include "support/random.h"
#include "tables/tables.h"

// Rows are sorted by packed keys and searched by encoded OIDs: both must put any two rows in the
// same order, or a walk would skip rows or never end.

namespace tcpmibd::tables {
namespace {

using namespace lab;

constexpr int kPairs = 50'000;

tcp::InetAddress any_address(Random& random) {
  const auto family = random.one_of({tcp::Family::kIpv4, tcp::Family::kIpv6});
  if (random.chance(10))
    return {};
  return tcp::inet_address(family, random_address(random, family),
                           random.one_of<std::uint32_t>({0, 2, 10, 256, 65536, 0xffffffff}), {});
}

// Numbers whose octets, halves and signs differ.
std::uint32_t any_ipv4(Random& random) {
  if (random.chance(30))
    return random.bits();
  return std::uint32_t{random_octet(random)} << 24 | random_octet(random);
}

tcp::Ipv4Row ipv4_row(Random& random) {
  return {{any_ipv4(random), any_ipv4(random), random_port(random), random_port(random)},
          tcp::Details()};
}

tcp::Ipv6Row ipv6_row(Random& random) {
  return {{any_address(random), random_port(random), random_port(random), any_address(random)},
          tcp::Details()};
}

tcp::ListenerRow listener_row(Random& random) {
  return {{any_address(random), random_port(random)}, tcp::Details()};
}

// Like `row`, but for one half: most random pairs differ early, and late parts would go untested.
template <typename Row>
Row sibling(const Row& row, Row other, Random& random) {
  if constexpr (requires { row.key.local; }) {
    if (random.chance(70))
      other.key.local = row.key.local;
    if (random.chance(50))
      other.key.local_port = row.key.local_port;
    if (random.chance(30))
      other.key.remote = row.key.remote;
  } else if constexpr (requires { row.key.local_address; }) {
    if (random.chance(70))
      other.key.local_address = row.key.local_address;
    if (random.chance(50))
      other.key.local_port = row.key.local_port;
    if (random.chance(30))
      other.key.remote_address = row.key.remote_address;
  } else if (random.chance(50)) {
    other.key.address = row.key.address;
  }
  return other;
}

template <typename Spec, typename Row>
void expect_one_order(const Spec& spec, Row (*any)(Random&)) {
  Random random;
  SCOPED_TRACE(random.text());
  const auto name = [&](const Row& row) {
    snmp::Oid oid;
    spec.index(decoded(row), oid);
    return oid;
  };
  for (int i = 0; i < kPairs; ++i) {
    const Row a = any(random);
    const Row b = sibling(a, any(random), random);
    ASSERT_EQ(a.key <=> b.key, name(a) <=> name(b)) << name(a) << " and " << name(b);
    ASSERT_EQ(a.key == b.key, name(a) == name(b)) << name(a) << " and " << name(b);
  }
}

TEST(KeyOrder, OfIpv4RowsIsThatOfConnectionNames) {
  expect_one_order(kTcpConnectionTable, &ipv4_row);
}

TEST(KeyOrder, OfIpv4RowsIsThatOfLegacyNames) { expect_one_order(kTcpConnTable, &ipv4_row); }

TEST(KeyOrder, OfIpv6RowsIsThatOfConnectionNames) {
  expect_one_order(kTcpConnectionTable, &ipv6_row);
}

TEST(KeyOrder, OfListenerRowsIsThatOfListenerNames) {
  expect_one_order(kTcpListenerTable, &listener_row);
}

TEST(KeyOrder, SurvivesPackingAndDecoding) {
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 200; ++round) {
    const tcp::Snapshot snapshot = snapshot_of(random_sockets(random, 50));
    const auto sorted = [](const auto& rows) {
      return std::ranges::adjacent_find(
                 rows, [](const auto& a, const auto& b) { return !(a.key < b.key); }) == rows.end();
    };
    ASSERT_TRUE(sorted(snapshot.ipv4()));
    ASSERT_TRUE(sorted(snapshot.ipv6()));
    ASSERT_TRUE(sorted(snapshot.listeners()));
    ASSERT_TRUE(sorted(snapshot.legacy_listeners()));
  }
}

}  // namespace
}  // namespace tcpmibd::tables
