#include "agent/serve/ended_connections.h"

#include <gtest/gtest.h>

#include "support/builders.h"

namespace tcpmibd::agent {
namespace {

using namespace lab;
using namespace std::chrono_literals;

constexpr Time kBefore{1s};
constexpr Time kEnded{2s};
constexpr Time kAfter{3s};

tcp::Socket ended_connection(const SocketOptions& options = {}) {
  return established("10.0.0.1:22", "10.0.0.9:4711", options);
}

tcp::Question question_of(std::string_view table, const snmp::Oid& name) {
  return managed(table).question(name.view());
}

const snmp::Oid kEndedState = tcp_oid("19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4711");
const snmp::Oid kEndedLegacyState = tcp_oid("13.1.1.10.0.0.1.22.10.0.0.9.4711");
const snmp::Oid kOtherState = tcp_oid("19.1.7.1.4.10.0.0.1.22.1.4.10.0.0.9.4712");
const snmp::Oid kListener = tcp_oid("20.1.4.1.4.0.0.0.0.22");

TEST(EndedConnections, AreHiddenInOlderSnapshotsByEitherName) {
  EndedConnections ended;
  ended.add(ended_connection(), kEnded);
  EXPECT_TRUE(ended.hides(question_of("tcpConnectionTable", kEndedState), kBefore));
  EXPECT_TRUE(ended.hides(question_of("tcpConnTable", kEndedLegacyState), kBefore));
  EXPECT_FALSE(ended.hides(question_of("tcpConnectionTable", kOtherState), kBefore));
  EXPECT_FALSE(ended.hides(question_of("tcpListenerTable", kListener), kBefore));
}

TEST(EndedConnections, ThatHaveComeAgainAreSeenInNewerSnapshots) {
  EndedConnections ended;
  ended.add(ended_connection(), kEnded);
  EXPECT_FALSE(ended.hides(question_of("tcpConnectionTable", kEndedState), kAfter));
}

TEST(EndedConnections, OfAV6SocketThatSpoke4AreHiddenUnderTheirIpv4Name) {
  EndedConnections ended;
  ended.add(established("[::ffff:10.0.0.1]:22", "[::ffff:10.0.0.9]:4711"), kEnded);
  EXPECT_TRUE(ended.hides(question_of("tcpConnectionTable", kEndedState), kBefore));
}

TEST(EndedConnections, CanBeLeftOutOfOlderSnapshotsOneByOne) {
  EndedConnections ended;
  EXPECT_TRUE(ended.can_mend(kBefore));
  ended.add(ended_connection(), kEnded);
  EXPECT_TRUE(ended.can_mend(kBefore));
  EXPECT_EQ(ended.last(), kEnded);
}

TEST(EndedConnections, ThatNoIndexTellsApartSpoilOlderSnapshots) {
  for (const tcp::Socket& socket : {listener("0.0.0.0:22"), ended_connection({.interface = 3}),
                                    established("[fe80::1%2]:22", "[fe80::2%2]:4711")}) {
    EndedConnections ended;
    ended.add(socket, kEnded);
    EXPECT_FALSE(ended.can_mend(kBefore));
    EXPECT_TRUE(ended.can_mend(kEnded));
    EXPECT_TRUE(ended.empty());
  }
}

TEST(EndedConnections, AreForgottenWithTheLastSnapshotThatMayHoldThem) {
  EndedConnections ended;
  ended.add(ended_connection(), kEnded);
  ended.forget_before(kBefore);
  EXPECT_TRUE(ended.hides(question_of("tcpConnectionTable", kEndedState), kBefore));
  ended.forget_before(kEnded);
  EXPECT_TRUE(ended.empty());
}

}  // namespace
}  // namespace tcpmibd::agent
