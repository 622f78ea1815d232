#include "agent/process/privileges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/capability.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "base/handle.h"

namespace tcpmibd::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr CapabilitySet bit(int capability) { return CapabilitySet{1} << capability; }
constexpr CapabilitySet kAll = ~CapabilitySet{0};

Config with(void (*change)(Config&)) {
  Config config;
  change(config);
  return config;
}

Config idle() {
  return with([](Config& config) {
    config.process.lookup = false;
    config.ends.watch = false;
    config.delete_tcb.policy = tcp::DeletionPolicy::kOff;
    config.agentx.address = "tcp:localhost:705";
  });
}

std::vector<std::string> needed(const Config& config, CapabilitySet held = kAll) {
  std::vector<std::string> names;
  for (const Privilege& privilege : needed_privileges(config, held))
    names.emplace_back(privilege.name);
  return names;
}

TEST(PrivilegesNeeded, OnlyWhatIsHeldCounts) {
  EXPECT_THAT(needed({}, 0), IsEmpty());
  EXPECT_THAT(needed({}, bit(CAP_SYS_PTRACE) | bit(CAP_SYS_TIME)), ElementsAre("CAP_SYS_PTRACE"));
}

TEST(PrivilegesNeeded, ByTheDefaults) {
  EXPECT_THAT(needed({}),
              UnorderedElementsAre("CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH",
                                   "CAP_BPF", "CAP_PERFMON", "CAP_DAC_OVERRIDE"));
}

TEST(PrivilegesNeeded, ByNothingWhereNothingIsAsked) { EXPECT_THAT(needed(idle()), IsEmpty()); }

TEST(PrivilegesNeeded, PolicyOffNeedsNoNetAdmin) {
  Config config;
  config.delete_tcb.policy = tcp::DeletionPolicy::kOff;
  EXPECT_THAT(needed(config), testing::Not(testing::Contains("CAP_NET_ADMIN")));
  config.delete_tcb.policy = tcp::DeletionPolicy::kAll;
  EXPECT_THAT(needed(config), testing::Contains("CAP_NET_ADMIN"));
}

// The record of a deletion names the owner, as far as that goes.
TEST(PrivilegesNeeded, WithoutLookUpsPtraceServesDeletionsAlone) {
  Config config = idle();
  config.delete_tcb.policy = tcp::DeletionPolicy::kConnections;
  EXPECT_THAT(needed(config), ElementsAre("CAP_NET_ADMIN", "CAP_SYS_PTRACE"));
  EXPECT_THAT(needed(config, kAll & ~bit(CAP_NET_ADMIN)), IsEmpty());
}

TEST(PrivilegesNeeded, SysAdminStandsInForTheTwoOfBpf) {
  EXPECT_THAT(needed({}, bit(CAP_SYS_ADMIN)), ElementsAre("CAP_SYS_ADMIN"));
  EXPECT_THAT(needed({}, bit(CAP_SYS_ADMIN) | bit(CAP_BPF)),
              ElementsAre("CAP_BPF", "CAP_SYS_ADMIN"));
  EXPECT_THAT(needed({}, bit(CAP_SYS_ADMIN) | bit(CAP_BPF) | bit(CAP_PERFMON)),
              ElementsAre("CAP_BPF", "CAP_PERFMON"));
}

TEST(PrivilegesNeeded, OnlyALowPortNeedsTheRightToIt) {
  for (const char* address : {"udp:161", "udp:127.0.0.1", "udp6:[::1]", "udp:127.0.0.1:1023"}) {
    Config config = idle();
    config.standalone.addresses = {"udp:127.0.0.1:1161", address};
    EXPECT_THAT(needed(config), ElementsAre("CAP_NET_BIND_SERVICE", "CAP_DAC_OVERRIDE")) << address;
  }
  for (const char* address : {"udp:1161", "udp:127.0.0.1:1024", "udp6:[::1]:65535"}) {
    Config config = idle();
    config.standalone.addresses = {address};
    EXPECT_THAT(needed(config), ElementsAre("CAP_DAC_OVERRIDE")) << address;
  }
}

TEST(PrivilegesNeeded, BpfIsForTheWatchOfEndsAsWell) {
  Config config = idle();
  config.ends.watch = true;
  EXPECT_THAT(needed(config), UnorderedElementsAre("CAP_BPF", "CAP_PERFMON"));
  EXPECT_THAT(needed(config, bit(CAP_SYS_ADMIN)), ElementsAre("CAP_SYS_ADMIN"));
}

TEST(PrivilegesNeeded, EachSaysItsUse) {
  for (const Privilege& privilege : needed_privileges({}, kAll))
    EXPECT_NE(std::string(privilege.use), "") << privilege.name;
}

TEST(Privileges, OfALookUpAreBothOrSomethingIsMissing) {
  const auto missing = [](CapabilitySet held) {
    return joined_names(missing_for_lookup(held), " and ");
  };
  EXPECT_EQ(missing(0), "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH");
  EXPECT_EQ(missing(bit(CAP_SYS_PTRACE) | bit(CAP_SYS_ADMIN)), "CAP_DAC_READ_SEARCH");
  EXPECT_EQ(missing(kAll), "");
}

TEST(Privileges, OfABpfIteratorAreTwoOrTheOneOfOld) {
  EXPECT_FALSE(may_look_up_by_bpf(bit(CAP_BPF)));
  EXPECT_FALSE(may_look_up_by_bpf(bit(CAP_PERFMON)));
  EXPECT_TRUE(may_look_up_by_bpf(bit(CAP_BPF) | bit(CAP_PERFMON)));
  EXPECT_TRUE(may_look_up_by_bpf(bit(CAP_SYS_ADMIN)));
}

TEST(Privileges, ToEndConnectionsIsOfTheNetwork) {
  EXPECT_FALSE(may_end_connections(kAll & ~bit(CAP_NET_ADMIN)));
  EXPECT_TRUE(may_end_connections(bit(CAP_NET_ADMIN)));
}

TEST(PrivilegesIdle, AreNamedInTheOrderOfTheirNumbers) {
  EXPECT_THAT(idle_privileges(Config(), bit(CAP_SYS_TIME) | bit(CAP_CHOWN) | bit(CAP_SYS_PTRACE)),
              ElementsAre("CAP_CHOWN", "CAP_SYS_TIME"));
  EXPECT_THAT(idle_privileges(Config(), bit(60)), ElementsAre("60"));
}

TEST(PrivilegesDropped, AConfigurationThatNeedsOneCannotBeApplied) {
  EXPECT_TRUE(check_privileges(idle(), kAll));
  Config config = idle();
  config.delete_tcb.policy = tcp::DeletionPolicy::kConnections;
  EXPECT_TRUE(check_privileges(config, 0));
  EXPECT_TRUE(check_privileges(config, bit(CAP_SYS_TIME)));
  const Status refused = check_privileges(config, bit(CAP_NET_ADMIN) | bit(CAP_SYS_PTRACE));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(),
              testing::AllOf(HasSubstr("it needs CAP_NET_ADMIN and CAP_SYS_PTRACE, given up"),
                             HasSubstr("(restart tcpmibd)")));
}

using Capabilities = UniqueHandle<std::remove_pointer_t<cap_t>, cap_free>;

// Ends the process: 0 where nothing is left.
[[noreturn]] void drop_all() {
  const bool dropped = drop_privileges(idle(), nullptr).has_value();
  const Capabilities left(cap_get_proc());
  const Capabilities none(cap_init());
  std::exit(dropped && cap_compare(left.get(), none.get()) == 0 ? 0 : 1);
}

// In a child: nothing brings them back.
TEST(PrivilegesDroppedDeathTest, AreGoneFromEverySet) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(drop_all(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tcpmibd::agent
