#include "kernel/proc_gauges.h"

#include <gtest/gtest.h>

#include "support/descriptors.h"
#include "support/temp_folder.h"

namespace tcpmibd::kernel {
namespace {

using lab::TempFolder;

constexpr const char* kEstab = "Tcp: ActiveOpens PassiveOpens CurrEstab\nTcp: 2 3 4\n";

TEST(ProcGaugesTest, AreReadAnewEachTime) {
  const TempFolder folder;
  folder.write("snmp", kEstab);
  folder.write("sockstat", "TCP: inuse 5\n");
  folder.write("sockstat6", "TCP6: inuse 6\n");
  const ProcGauges gauges = ProcGauges::open(folder.path()).value();
  EXPECT_EQ(gauges.read().value().in_use, (tcp::FamilyCount{5, 6}));
  folder.write("sockstat", "TCP: inuse 7\n");
  EXPECT_EQ(gauges.read().value().in_use, (tcp::FamilyCount{7, 6}));
}

TEST(ProcGaugesTest, OfAKernelWithoutIpv6HaveNoneOfIt) {
  const TempFolder folder;
  folder.write("snmp", kEstab);
  folder.write("sockstat", "TCP: inuse 5\n");
  EXPECT_EQ(ProcGauges::open(folder.path()).value().read().value().in_use,
            (tcp::FamilyCount{5, 0}));
}

TEST(ProcGaugesTest, WhereThereAreNoSuchFilesAreAnError) {
  const TempFolder folder;
  const Result<ProcGauges> none = ProcGauges::open(folder.path());
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->read());
  folder.write("snmp", kEstab);
  EXPECT_FALSE(ProcGauges::open(folder.path()).value().read());
}

}  // namespace
}  // namespace tcpmibd::kernel
