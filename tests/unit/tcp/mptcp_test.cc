#include "tcp/mptcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// ---- Who speaks it ----

TEST(MptcpRelease, KeepsTheNumberOfSocketsSinceLinux63) {
  for (const char* release : {"6.3.0", "6.3", "6.12.3-arch1", "6.18.44", "7.0.0-rc1", "10.0"})
    EXPECT_TRUE(counts_mptcp_sockets(release)) << release;
  for (const char* release : {"6.2.16", "6.1.0-18-amd64", "5.15.0", "5.14.0-427.el9", "", "6", "x",
                              "6.x", ".", "6.", "99999999999999999999.4", "-6.4"})
    EXPECT_FALSE(counts_mptcp_sockets(release)) << release;
}

constexpr const char* kProtocolsHeader =
    "protocol  size sockets  memory press maxhdr  slab module     cl co\n";

struct PresenceCase {
  const char* why;
  std::string text;
  MptcpPresence want;
};

const PresenceCase kProtocolTexts[] = {
    {"no socket",
     std::string(kProtocolsHeader) +
         "MPTCPv6   2064      0     190   no       0   yes  kernel      y  y\n"
         "TCP       2304      9     190   no     192   yes  kernel      y  y\n"
         "MPTCP     1936      0     190   no       0   yes  kernel      y  y\n",
     MptcpPresence::kUnused},
    {"one of IPv4", std::string(kProtocolsHeader) + "MPTCPv6 2064 0 190\nMPTCP 1936 1 190\n",
     MptcpPresence::kUsed},
    {"one of IPv6", std::string(kProtocolsHeader) + "MPTCPv6 2064 1 190\nMPTCP 1936 0 190\n",
     MptcpPresence::kUsed},
    {"a host without IPv6", std::string(kProtocolsHeader) + "MPTCP 1936 3 190",
     MptcpPresence::kUsed},
    {"a kernel without MPTCP", std::string(kProtocolsHeader) + "TCPv6 2432 4 190\nTCP 2304 9 190\n",
     MptcpPresence::kAbsent},
    {"a column that was put in between", "protocol size zone sockets\nMPTCP 1936 7 0\n",
     MptcpPresence::kUnused},
    {"a protocol of a like name",
     std::string(kProtocolsHeader) + "MPTCPv7 1 5 1\nMPTCP 1936 0 190\n", MptcpPresence::kUnused},
    {"no number", std::string(kProtocolsHeader) + "MPTCP 1936 -1 190\n", MptcpPresence::kUnknown},
    {"a number that does not fit", std::string(kProtocolsHeader) + "MPTCP 1936 4294967296 190\n",
     MptcpPresence::kUnknown},
    {"a line that was cut", std::string(kProtocolsHeader) + "MPTCP 1936", MptcpPresence::kUnknown},
    {"no heading of that name", "protocol size memory\nMPTCP 1936 0\n", MptcpPresence::kUnknown},
    {"nothing", "", MptcpPresence::kUnknown},
};

TEST(MptcpProtocols, TellWhetherAnySocketSpeaksIt) {
  for (const PresenceCase& c : kProtocolTexts)
    EXPECT_EQ(mptcp_by_protocols(c.text), c.want) << c.why;
}

constexpr const char* kTcpExt = "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 1 2\n";

const PresenceCase kNetstatTexts[] = {
    {"never spoken",
     std::string(kTcpExt) + "MPTcpExt: MPCapableSYNRX MPCapableSYNTX\nMPTcpExt: 0 0\n",
     MptcpPresence::kUnused},
    {"spoken once",
     std::string(kTcpExt) + "MPTcpExt: MPCapableSYNRX MPCapableSYNTX\nMPTcpExt: 0 1\n",
     MptcpPresence::kUsed},
    {"more than fits into 32 bits", "MPTcpExt: A\nMPTcpExt: 4294967296\n", MptcpPresence::kUsed},
    {"a kernel without MPTCP", kTcpExt, MptcpPresence::kAbsent},
    {"values that were cut", "MPTcpExt: A B\nMPTcpExt: 0\n", MptcpPresence::kUnknown},
    {"no number", "MPTcpExt: A\nMPTcpExt: x\n", MptcpPresence::kUnknown},
    {"nothing", "", MptcpPresence::kUnknown},
};

TEST(MptcpNetstat, TellsWhetherItHasEverBeenSpoken) {
  for (const PresenceCase& c : kNetstatTexts)
    EXPECT_EQ(mptcp_by_netstat(c.text), c.want) << c.why;
}

// ---- Snapshots ----

std::vector<std::uint64_t> counted(const Snapshot& snapshot) {
  std::vector<std::uint64_t> cookies;
  snapshot.for_each_counted([&](const auto& row) { cookies.push_back(row.details.cookie()); });
  return cookies;
}

// A leak: the peer has closed, and the subflows do not show it.
Socket leak(const SocketOptions& options = {.state = State::kCloseWait, .inode = 5, .cookie = 50}) {
  return established("10.0.0.1:443", "10.0.0.9:5000", options);
}

TEST(MptcpSnapshot, CountsTheConnectionInItsStateAndNotItsSubflows) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 5, .cookie = 1}),
                   established("[fd00::1]:443", "[fd00::9]:5001", {.inode = 5, .cookie = 2}),
                   established("10.0.0.1:443", "10.0.0.9:5002", {.inode = 6, .cookie = 3})},
                  {}, {leak()});
  EXPECT_EQ(snapshot.count(State::kCloseWait).ipv4, 1u);
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 1u);
  EXPECT_THAT(counted(snapshot), ElementsAre(3, 50));
}

TEST(MptcpSnapshot, LeavesTheRowsOfTcpAsTheyAre) {
  const std::vector<Socket> rows{
      established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 5, .cookie = 1}),
      established("10.0.0.1:443", "10.0.0.9:5002", {.inode = 6, .cookie = 3})};
  const Snapshot with = snapshot_of(rows, {}, {leak()});
  const Snapshot without = snapshot_of(rows);
  ASSERT_EQ(with.ipv4().size(), without.ipv4().size());
  EXPECT_EQ(with.rows(), without.rows());
  for (std::size_t i = 0; i < with.ipv4().size(); ++i)
    EXPECT_EQ(with.ipv4()[i].details.state, without.ipv4()[i].details.state);
}

TEST(MptcpSnapshot, StillCountsTheConnectionWhenItsSubflowsAreGone) {
  const Snapshot snapshot = snapshot_of({}, {}, {leak()});
  EXPECT_EQ(snapshot.count(State::kCloseWait).total(), 1u);
  EXPECT_THAT(snapshot.inodes(), ElementsAre(5u));
  EXPECT_EQ(snapshot.rows(), 0u);
}

TEST(MptcpSnapshot, BeforeItIsAcceptedTheFirstSubflowIsKnownByItsEnds) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.cookie = 1}),
                   established("10.0.0.1:443", "10.0.0.9:5001", {.cookie = 2})},
                  {}, {leak({.cookie = 50})});
  EXPECT_THAT(counted(snapshot), ElementsAre(2, 50));
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 2u);
}

// The leak has lost its subflows, so the client may use the same port again.
TEST(MptcpSnapshot, AnotherConnectionOfTheSameEndsIsNoSubflow) {
  for (const std::uint32_t inode : {0u, 9u}) {
    const Snapshot snapshot =
        snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = inode, .cookie = 1})},
                    {}, {leak()});
    EXPECT_THAT(counted(snapshot), ElementsAre(1, 50)) << inode;
  }
}

// The kernel forgets the inode of a connection that its program has closed, not of its subflows.
TEST(MptcpSnapshot, WhatItsProgramHasClosedIsKnownByTheFirstSubflowAndThatByItsInode) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 4, .cookie = 1}),
                   established("[fd00::1]:443", "[fd00::9]:5001", {.inode = 4, .cookie = 2}),
                   established("10.0.0.1:443", "10.0.0.9:5002", {.inode = 6, .cookie = 3})},
                  {}, {leak({.state = State::kFinWait2, .cookie = 50})});
  EXPECT_THAT(counted(snapshot), ElementsAre(3, 50));
  EXPECT_EQ(snapshot.count(State::kFinWait2).total(), 1u);
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 1u);
}

TEST(MptcpSnapshot, WhatItsProgramHasClosedIsKnownInEachFamily) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 4, .cookie = 1}),
                   established("[fd00::1]:443", "[fd00::9]:5001", {.inode = 5, .cookie = 2})},
                  {},
                  {established("10.0.0.1:443", "10.0.0.9:5000", {.cookie = 50}),
                   established("[fd00::1]:443", "[fd00::9]:5001", {.cookie = 51})});
  EXPECT_EQ(snapshot.mptcp_of(snapshot.ipv4()[0])->cookie(), 50u);
  EXPECT_EQ(snapshot.mptcp_of(snapshot.ipv6()[0])->cookie(), 51u);
  EXPECT_THAT(counted(snapshot), ElementsAre(50, 51));
}

// One is closed and has lost its subflows, the other has its ends now.
TEST(MptcpSnapshot, ASubflowWhoseInodeAConnectionHasBelongsToThat) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 5, .cookie = 1})}, {},
                  {leak(), leak({.state = State::kFinWait2, .cookie = 51})});
  EXPECT_EQ(snapshot.mptcp_of(snapshot.ipv4()[0])->cookie(), 50u);
}

TEST(MptcpSnapshot, SeveralConnectionsOfTheSameEndsAreSeveral) {
  const Snapshot snapshot =
      snapshot_of({established("10.0.0.1:443", "10.0.0.9:5000", {.inode = 6, .cookie = 1})}, {},
                  {leak({.inode = 6, .cookie = 51}), leak()});
  EXPECT_THAT(counted(snapshot), ElementsAre(50, 51));
  ASSERT_NE(snapshot.mptcp_of(snapshot.ipv4()[0]), nullptr);
  EXPECT_EQ(snapshot.mptcp_of(snapshot.ipv4()[0])->cookie(), 51u);
}

TEST(MptcpSnapshot, AConnectionThatTheDumpToldTwiceIsOne) {
  const Snapshot snapshot = snapshot_of({}, {}, {leak(), leak(), leak()});
  EXPECT_EQ(snapshot.mptcp_size(), 1u);
  EXPECT_EQ(snapshot.count(State::kCloseWait).total(), 1u);
}

TEST(MptcpSnapshot, HasNoListenersAndNothingClosed) {
  const Snapshot snapshot =
      snapshot_of({}, {}, {listener("0.0.0.0:443"), leak({.state = State::kClosed, .inode = 5})});
  EXPECT_EQ(snapshot.mptcp_size(), 0u);
  EXPECT_EQ(snapshot.count(State::kListen).total(), 0u);
}

TEST(MptcpSnapshot, FindsTheConnectionOfEachFamily) {
  const Snapshot snapshot = snapshot_of(
      {established("[fd00::1]:443", "[fd00::9]:5001", {.inode = 7, .cookie = 1}),
       established("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.9]:5000", {.inode = 5, .cookie = 2})},
      {},
      {established("[fd00::1]:443", "[fd00::9]:5001", {.inode = 7, .cookie = 70}),
       established("[::ffff:10.0.0.1]:443", "[::ffff:10.0.0.9]:5000", {.inode = 5, .cookie = 50})});
  ASSERT_EQ(snapshot.mptcp_ipv4().size(), 1u);
  ASSERT_EQ(snapshot.mptcp_ipv6().size(), 1u);
  EXPECT_EQ(snapshot.mptcp_of(snapshot.ipv6()[0])->cookie(), 70u);
  EXPECT_EQ(snapshot.mptcp_of(snapshot.ipv4()[0])->cookie(), 50u);
  EXPECT_EQ(snapshot.count(State::kEstablished).ipv4, 1u);
  EXPECT_EQ(snapshot.count(State::kEstablished).ipv6, 1u);
}

TEST(MptcpSnapshot, TwinsThatShareARowAreSubflowsOneByOne) {
  const Snapshot snapshot = snapshot_of(
      {established("10.0.0.1:443", "10.0.0.9:5000", {.interface = 2, .inode = 5, .cookie = 1}),
       established("10.0.0.1:443", "10.0.0.9:5000", {.interface = 3, .inode = 6, .cookie = 2})},
      {}, {leak()});
  EXPECT_THAT(counted(snapshot), UnorderedElementsAre(2, 50));
  EXPECT_EQ(snapshot.count(State::kEstablished).total(), 1u);
}

}  // namespace
}  // namespace tcpmibd::tcp
