#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "package/package_test.h"

// tools/machine, as somebody runs it to look around.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;

Output in_machine(const std::string& command) {
  return run({kTree + "/tools/machine", "--built", Packages::built_folder(), command}, {},
             std::chrono::minutes(5));
}

TEST(MachineTool, RunsACommandWhereTheTreesTcpmibdServes) {
  if (base().trouble)
    GTEST_SKIP() << *base().trouble;
  const Output output = in_machine("snmpget -v2c -c secret 127.0.0.1 " + kTcpHcInSegs + "; exit 3");
  EXPECT_EQ(output.status, 3) << output.err;
  EXPECT_THAT(output.out, HasSubstr("Counter64"));
}

TEST(MachineTool, KnowsNoOtherOption) {
  const Output output = run({kTree + "/tools/machine", "--bulit"});
  EXPECT_EQ(output.status, 2);
  EXPECT_THAT(output.err, HasSubstr("--built FOLDER"));
}

}  // namespace
}  // namespace tcpmibd::lab
