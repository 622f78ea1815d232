#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "support/deadline.h"
#include "support/random.h"
#include "support/snmp_session.h"
#include "support/sockets.h"
#include "system/system_test.h"

// A TimeStamp is a constant (RFC 2579): managers discard counters when the time of their
// discontinuity has moved.

namespace tcpmibd::lab {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class Times : public SystemTest {};

const Oid kStartedAt = own({1, 1, 2, 0});  // tcpmibdStartTime
Oid discontinuity_of(const TcpSocket& listener) { return own({1, 4, 1, 10, listener.port()}); }

constexpr const char* kMasterAddress = Snmpd::kAddress;
constexpr const char* kOurAddress = Daemon::kAddress;

constexpr int kReads = 100;

// Waits for it: a listener is there when the next survey has seen it.
bool appears(const Namespace& space, const std::string& address, const Oid& object) {
  SnmpSession manager(space, address, "public");
  return eventually([&] { return manager.get(object).number.has_value(); });
}

// All values that were read at so many moments, whatever part of a hundredth of a second these
// were.
std::set<long> values_at(const Namespace& space, const std::string& address, const Oid& object) {
  SnmpSession manager(space, address, "public");
  Random random;
  std::set<long> values;
  for (int i = 0; i < kReads; ++i) {
    for (std::uint32_t pauses = random.below(4); pauses > 0; --pauses)
      pause_briefly();
    values.insert(manager.get(object).number.value_or(-1));
  }
  return values;
}

TEST_F(Times, BehindAMasterDoNotMoveWhileNothingChanges) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  const Attached host(space, {}, {.settings = {"agentx.ping=1s"}});
  EXPECT_THAT(values_at(space, kMasterAddress, kStartedAt), SizeIs(1));
  EXPECT_THAT(values_at(space, kMasterAddress, discontinuity_of(listener)), SizeIs(1));
}

TEST_F(Times, WithoutAMasterDoNotMoveWhileNothingChanges) {
  const Namespace space;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  const Daemon daemon = Daemon::standalone(space, {.settings = {"snapshot.max-age=10ms"}});
  EXPECT_THAT(values_at(space, kOurAddress, kStartedAt), SizeIs(1));
  EXPECT_THAT(values_at(space, kOurAddress, discontinuity_of(listener)), SizeIs(1));
}

TEST_F(Times, OfBeforeTheMastersRestartAreZeroAndStaySo) {
  const Namespace space;
  const TcpSocket before = listen_on(space, "127.0.0.1:0");
  Attached host(space);
  EXPECT_THAT(values_at(space, kMasterAddress, discontinuity_of(before)), SizeIs(1));
  host.master.restart();
  ASSERT_TRUE(is_served_by_us(host.manager(), kGreatPatience)) << host.daemon.log();
  EXPECT_THAT(values_at(space, kMasterAddress, kStartedAt), ElementsAre(0));
  EXPECT_THAT(values_at(space, kMasterAddress, discontinuity_of(before)), ElementsAre(0));

  const TcpSocket after = listen_on(space, "127.0.0.1:0");
  ASSERT_TRUE(appears(space, kMasterAddress, discontinuity_of(after)));
  const std::set<long> times = values_at(space, kMasterAddress, discontinuity_of(after));
  ASSERT_THAT(times, SizeIs(1));
  EXPECT_GT(*times.begin(), 0);
  SnmpSession manager(space, kMasterAddress, "public");
  EXPECT_LE(*times.begin(), manager.get(kSysUpTime).number);
}

}  // namespace
}  // namespace tcpmibd::lab
