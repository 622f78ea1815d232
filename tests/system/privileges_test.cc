#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// What is served, and what is said, when the daemon may not do everything.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t kLookIntoProcesses = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH;
constexpr const char* kRemark = "process columns are 0";

class Privileges : public PlainUserTest {};

// A listener that a process of `user` holds.
Holder listener_of(const Namespace& space, const std::string& at, uid_t user) {
  const auto listener = std::make_shared<TcpSocket>();
  Holder holder({.prepare =
                     [=] {
                       *listener = listen_on(Namespace::current(), at);
                       check(::setresgid(user, user, user), "change the group");
                       check(::setresuid(user, user, user), "change the user");
                       // A process that has changed its user is closed to everybody.
                       check(::prctl(PR_SET_DUMPABLE, 1), "be open to its user");
                     },
                 .in = &space});
  holder.await_ready();
  return holder;
}

// Two listeners, one of the superuser and one of a plain user, and what an agent says of them.
struct TwoOwners {
  explicit TwoOwners(const Namespace& space)
      : of_root(listener_of(space, kRoots, 0)),
        of_nobody(listener_of(space, kNobodys, kPlainUser)) {}

  static constexpr const char* kRoots = "127.0.0.1:4000";
  static constexpr const char* kNobodys = "127.0.0.1:4001";

  static std::string root_by(const Manager& manager) {
    return told(manager, listener_cell(end_of(kRoots)));
  }
  static std::string nobody_by(const Manager& manager) {
    return told(manager, listener_cell(end_of(kNobodys)));
  }
  std::string root() const { return std::to_string(of_root.process().pid()); }
  std::string nobody() const { return std::to_string(of_nobody.process().pid()); }

  Holder of_root, of_nobody;
};

// A master whose socket everybody may use.
SnmpdOptions open_to_all() { return {.lines = {"agentXPerms 0777 0755"}}; }

DaemonOptions as_nobody(std::uint64_t capabilities = 0) {
  return {.process = {.user = kPlainUser, .capabilities = capabilities}};
}

// ---- The process columns ----

TEST_F(Privileges, APlainUserSeesItsOwnProcessesAndIsToldWhy) {
  const Namespace space;
  const TwoOwners owners(space);
  const Attached agent(space, open_to_all(), as_nobody());
  EXPECT_EQ(owners.root_by(agent.manager()), "0");
  EXPECT_EQ(owners.nobody_by(agent.manager()), owners.nobody());
  EXPECT_TRUE(agent.manager().walk(kTcp).ok());
  EXPECT_EQ(count_of(kRemark, agent.daemon.log()), 1) << agent.daemon.log();
  EXPECT_THAT(agent.daemon.log(), HasSubstr("without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"));
}

TEST_F(Privileges, APlainUserWithTheTwoCapabilitiesSeesEveryProcess) {
  const Namespace space;
  const TwoOwners owners(space);
  const Attached agent(space, open_to_all(), as_nobody(kLookIntoProcesses));
  EXPECT_EQ(owners.root_by(agent.manager()), owners.root());
  EXPECT_EQ(owners.nobody_by(agent.manager()), owners.nobody());
  EXPECT_THAT(agent.daemon.log(), Not(HasSubstr(kRemark)));
}

TEST_F(Privileges, OnlyTheCapabilityThatIsMissingIsNamed) {
  const Namespace space;
  const TwoOwners owners(space);
  const Attached agent(space, open_to_all(), as_nobody(1ULL << CAP_DAC_READ_SEARCH));
  EXPECT_EQ(owners.root_by(agent.manager()), "0");
  EXPECT_EQ(owners.nobody_by(agent.manager()), owners.nobody());
  EXPECT_THAT(agent.daemon.log(), HasSubstr("without CAP_SYS_PTRACE the process columns are 0"));
}

TEST_F(Privileges, TheSuperuserWithoutCapabilitiesDoesNotSeeMorePowerfulProcesses) {
  const Namespace space;
  const TcpSocket ours = listen_on(space, "127.0.0.1:4000");
  const Attached agent(space, open_to_all(), {.process = {.capabilities = 0}});
  EXPECT_EQ(told(agent.manager(), listener_cell(ours.local())), "0");
  EXPECT_EQ(count_of(kRemark, agent.daemon.log()), 1) << agent.daemon.log();
}

TEST_F(Privileges, NothingIsMissingWhereProcessesAreNotLookedFor) {
  const Namespace space;
  const TwoOwners owners(space);
  DaemonOptions options = as_nobody();
  options.settings = {"process.lookup=false"};
  const Attached agent(space, open_to_all(), options);
  EXPECT_EQ(owners.nobody_by(agent.manager()), "0");
  EXPECT_THAT(agent.daemon.log(), Not(HasSubstr(kRemark)));
}

TEST_F(Privileges, ShowTellsAPlainUserWhyItShowsNoProcess) {
  const Namespace space;
  const TwoOwners owners(space);
  const Output output = run_tcpmibd(space, {"show", "listeners"}, {.user = kPlainUser});
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.out, HasSubstr(owners.nobody()));
  EXPECT_THAT(output.out, Not(HasSubstr(owners.root() + " ")));
  EXPECT_THAT(output.err, HasSubstr("with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"));
}

// ---- The standalone role ----

std::string access_with_user(const TempFolder& folder) {
  const User user;
  return folder.write("access", "rocommunity public 127.0.0.1\ncreateUser " + user.name +
                                    " SHA \"" + user.authentication + "\" AES \"" + user.privacy +
                                    "\"\nrouser " + user.name + " priv\n");
}

TEST_F(Privileges, APlainUserCanServeOnAHighPort) {
  const Namespace space;
  const TwoOwners owners(space);
  const Daemon daemon = Daemon::standalone(space, as_nobody());
  const Manager manager = Manager::v2c(space, Daemon::kAddress);
  EXPECT_EQ(owners.root_by(manager), "0");
  EXPECT_EQ(owners.nobody_by(manager), owners.nobody());
  EXPECT_TRUE(manager.bulk_walk(kTcp).ok());
}

TEST_F(Privileges, WhereTheStateCannotBeWrittenOnlySnmpv3IsRefused) {
  const Namespace space;
  const TempFolder folder;  // Its owner is root.
  DaemonOptions options = as_nobody();
  options.settings = {"standalone.state=" + folder.file("state")};
  const Daemon daemon = Daemon::standalone(space, options, access_with_user(folder));
  EXPECT_TRUE(Manager::v1(space, Daemon::kAddress).get({kTcpRtoMin}).ok());
  EXPECT_FALSE(
      Manager::v3(space, Daemon::kAddress).patient(std::chrono::seconds(1)).get({kTcpRtoMin}).ok());
  EXPECT_EQ(count_of("SNMPv3 is refused", daemon.log()), 1) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("Permission denied (let this user write"));
}

TEST_F(Privileges, TheStateOfAPlainUserFallsBackToItsOwnFolder) {
  const Namespace space;
  const TempFolder folder;
  const std::string own = folder.file("own");
  std::filesystem::create_directory(own);
  check(::chown(own.c_str(), kPlainUser, kPlainUser), "give a folder away");
  DaemonOptions options = as_nobody();
  options.settings = {"standalone.state="};
  options.process.environment = {{"XDG_STATE_HOME", own}};
  const Daemon daemon = Daemon::standalone(space, options, access_with_user(folder));
  EXPECT_THAT(read_file(own + "/tcpmibd/engine"), HasSubstr("boots 1"));
  EXPECT_TRUE(Manager::v3(space, Daemon::kAddress).get({kTcpRtoMin}).ok());
  EXPECT_THAT(daemon.log(), Not(HasSubstr("SNMPv3 is refused")));
}

}  // namespace
}  // namespace tcpmibd::lab
