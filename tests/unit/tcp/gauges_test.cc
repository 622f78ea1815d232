#include "tcp/gauges.h"

#include <gtest/gtest.h>

#include <string>

#include "support/builders.h"

namespace tcpmibd::tcp {
namespace {

using namespace lab;

// As Linux 6.18 wrote them, in a namespace with 95 010 connections.
constexpr const char* kEstab =
    "Ip: Forwarding DefaultTTL\nIp: 1 64\n"
    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets "
    "CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
    "Tcp: 1 200 120000 -1 47500 47501 0 0 95000 3 4 0 0 0 0\n";
constexpr const char* kInUse =
    "sockets: used 95018\nTCP: inuse 95010 orphan 0 tw 7 alloc 95166 mem 133\n"
    "UDP: inuse 2 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n";
constexpr const char* kInUse6 =
    "TCP6: inuse 12\nUDP6: inuse 3\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: inuse 0 memory 0\n";

TEST(Gauges, AreReadFromThreeFiles) {
  const Result<Gauges> gauges = Gauges::parse(kEstab, kInUse, kInUse6);
  ASSERT_TRUE(gauges) << gauges.error().text();
  EXPECT_EQ(*gauges, (Gauges{.in_use = {.ipv4 = 95010, .ipv6 = 12},
                             .current_established = 95000,
                             .opened = 95001}));
}

TEST(Gauges, OfAKernelWithoutIpv6HaveNoneOfIt) {
  EXPECT_EQ(Gauges::parse(kEstab, kInUse, "").value().in_use, (FamilyCount{95010, 0}));
}

TEST(Gauges, OfWhichOneIsMissingOrNonsenseAreNone) {
  EXPECT_FALSE(Gauges::parse("", kInUse, kInUse6));
  EXPECT_FALSE(Gauges::parse("Tcp: CurrEstab ActiveOpens\nTcp: 1 2\n", kInUse, kInUse6));
  EXPECT_FALSE(Gauges::parse(kEstab, "", kInUse6));
  EXPECT_FALSE(Gauges::parse(kEstab, "TCP: orphan 1 tw 2\n", kInUse6));
  EXPECT_FALSE(Gauges::parse(kEstab, "TCP: inuse\n", kInUse6));
  EXPECT_FALSE(Gauges::parse(kEstab, "TCP: inuse 99999999999\n", kInUse6));
  EXPECT_FALSE(Gauges::parse(kEstab, kInUse, "TCP6: inuse x\n"));
  EXPECT_FALSE(Gauges::parse(kEstab, kInUse, "UDP6: inuse 3\n"));
}

TEST(Gauges, MoveByWhatComesAndByWhatGoes) {
  const Gauges before{.in_use = {10, 5}, .current_established = 8, .opened = 0xffff'fffe};
  EXPECT_EQ(movement(before, before), 0u);
  Gauges after = before;
  after.opened = 1;
  EXPECT_EQ(movement(before, after), 3u) << "it wraps";
  after.in_use = {9, 7};
  after.current_established = 6;
  EXPECT_EQ(movement(before, after), 3u + 1 + 2 + 2);
}

Socket of(Family family, State state) {
  Socket socket = established("10.0.0.1:80", "10.0.0.2:1024");
  socket.id.family = family;
  socket.state = state;
  socket.inode = 0;
  return socket;
}

Census census_of(std::initializer_list<Socket> sockets) {
  Census census;
  for (const Socket& socket : sockets)
    census.add(socket);
  return census;
}

Socket with_inode(Socket socket) {
  socket.inode = 7;
  return socket;
}

Socket in_cgroup(Socket socket) {
  socket.cgroup = 7;
  return socket;
}

Socket with_timer(Socket socket, Timer timer) {
  socket.timer = timer;
  return socket;
}

TEST(CensusTest, KnowsWhatNoGaugeCounts) {
  const Socket request = of(Family::kIpv4, State::kSynReceived);
  const Socket half = of(Family::kIpv4, State::kFinWait2);
  EXPECT_EQ(census_of({of(Family::kIpv4, State::kTimeWait), of(Family::kIpv4, State::kClosed),
                       request, with_timer(half, Timer::kTimeWait)})
                .others_in_use(),
            FamilyCount());
  EXPECT_EQ(census_of({with_inode(request), in_cgroup(request), with_timer(half, Timer::kKeepalive),
                       half, of(Family::kIpv4, State::kListen), of(Family::kIpv6, State::kLastAck)})
                .others_in_use(),
            (FamilyCount{5, 1}));
}

TEST(CensusTest, CountsEstablishedAndCloseWaitByThemselves) {
  const Census census =
      census_of({of(Family::kIpv4, State::kEstablished), of(Family::kIpv6, State::kEstablished),
                 of(Family::kIpv6, State::kCloseWait)});
  EXPECT_EQ(census.established(), (FamilyCount{1, 1}));
  EXPECT_EQ(census.others_in_use(), (FamilyCount{0, 1}));
  EXPECT_EQ(census.close_wait(), 1u);
}

// Ten sockets of IPv4 and five of IPv6; two of each listen or wait for close().
const Census& others() {
  static const Census kOthers =
      census_of({of(Family::kIpv4, State::kListen), of(Family::kIpv4, State::kCloseWait),
                 of(Family::kIpv6, State::kCloseWait), of(Family::kIpv6, State::kListen)});
  return kOthers;
}

Gauges quiet(std::uint32_t current_established) {
  return {.in_use = {10, 5}, .current_established = current_established, .opened = 3};
}

TEST(EstablishedByGaugesTest, IsWhatIsInUseLessWhatWasFound) {
  // With CLOSE_WAIT and without it, as newer and older kernels count.
  for (const std::uint32_t said : {11 + 2, 11}) {
    const EstablishedByGauges by = established_by(quiet(said), quiet(said), others());
    EXPECT_EQ(by.doubt, GaugeDoubt::kNone) << said;
    EXPECT_EQ(by.count, (FamilyCount{8, 3})) << said;
  }
}

TEST(EstablishedByGaugesTest, IsDoubtedWhereTheGaugesContradictOneAnother) {
  for (const std::uint32_t said : {0, 10, 12, 14, 1000})
    EXPECT_EQ(established_by(quiet(said), quiet(said), others()).doubt, GaugeDoubt::kDisagree)
        << said;
  const Gauges fewer{.in_use = {1, 5}, .current_established = 3, .opened = 3};
  EXPECT_EQ(established_by(fewer, fewer, others()).doubt, GaugeDoubt::kDisagree)
      << "less in use than was found";
}

Gauges many(std::uint32_t more, std::uint32_t opened) {
  return {.in_use = {10'000 + more, 2}, .current_established = 9'998 + more, .opened = opened};
}

TEST(EstablishedByGaugesTest, IsNotDoubtedWhereLittleMoves) {
  const EstablishedByGauges by = established_by(many(0, 0), many(3, 4), others());
  EXPECT_EQ(by.doubt, GaugeDoubt::kNone);
  EXPECT_EQ(by.count, (FamilyCount{10'001, 0}));
}

TEST(EstablishedByGaugesTest, IsDoubtedWhereMuchMoves) {
  EXPECT_EQ(established_by(many(0, 0), many(0, 11), others()).doubt, GaugeDoubt::kMoving);
  EXPECT_EQ(established_by(many(0, 0), many(6, 0), others()).doubt, GaugeDoubt::kMoving);
}

TEST(Refutation, IsAWholeDumpThatFoundOtherNumbersWhileNothingMoved) {
  Census dumped = others();
  for (int i = 0; i < 8; ++i)
    dumped.add(of(Family::kIpv4, State::kEstablished));
  for (int i = 0; i < 3; ++i)
    dumped.add(of(Family::kIpv6, State::kEstablished));
  EXPECT_FALSE(refutes(quiet(11), quiet(11), dumped));
  dumped.add(of(Family::kIpv6, State::kEstablished));
  EXPECT_TRUE(refutes(quiet(11), quiet(11), dumped));
  Gauges later = quiet(11);
  later.opened += 1;
  EXPECT_FALSE(refutes(quiet(11), later, dumped)) << "something moved";
  EXPECT_FALSE(refutes(quiet(20), quiet(20), dumped)) << "nobody would have gone by them";
}

TEST(GaugeDoubts, HaveAReason) {
  EXPECT_EQ(reason_of(GaugeDoubt::kNone), "");
  for (const GaugeDoubt doubt : {GaugeDoubt::kUnreadable, GaugeDoubt::kMptcp, GaugeDoubt::kMoving,
                                 GaugeDoubt::kDisagree, GaugeDoubt::kMixed, GaugeDoubt::kRefuted})
    EXPECT_NE(reason_of(doubt), "");
}

}  // namespace
}  // namespace tcpmibd::tcp
