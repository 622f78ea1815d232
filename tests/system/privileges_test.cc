#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// What is served, and what is said, when the daemon may not do everything.

namespace tcpmibd::lab {
namespace {

using testing::ElementsAre;
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

// ---- What is given up ----

// A set of every thread of the daemon: "CapEff", "CapPrm". Those that differ are listed.
std::set<std::uint64_t> held_by_threads(const Daemon& daemon, const std::string& set) {
  std::set<std::uint64_t> found;
  const std::string tasks = "/proc/" + std::to_string(daemon.process().pid()) + "/task";
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    const std::string status = read_file(task.path() / "status");
    const std::size_t at = status.find(set + ":");
    if (at == std::string::npos)
      throw Trouble("no " + set + " in " + status);
    found.insert(std::stoull(status.substr(at + set.size() + 1), nullptr, 16));
  }
  return found;
}

constexpr std::uint64_t bit(int capability) { return 1ULL << capability; }

constexpr std::uint64_t kBpf = bit(CAP_BPF) | bit(CAP_PERFMON);

class PrivilegesDropped : public PlainUserTest {};

TEST_F(PrivilegesDropped, TheSuperuserKeepsWhatTheDefaultsNeed) {
  const Namespace space;
  const Attached agent(space);
  constexpr std::uint64_t kNeeded =
      kLookIntoProcesses | kBpf | bit(CAP_NET_ADMIN) | bit(CAP_DAC_OVERRIDE);
  for (const char* set : {"CapEff", "CapPrm", "CapBnd"})
    EXPECT_THAT(held_by_threads(agent.daemon, set), ElementsAre(kNeeded)) << set;
  for (const char* set : {"CapInh", "CapAmb"})
    EXPECT_THAT(held_by_threads(agent.daemon, set), ElementsAre(0)) << set;
  EXPECT_TRUE(agent.manager().walk(kTcp).ok());
}

TEST_F(PrivilegesDropped, PolicyOffGivesUpNetAdmin) {
  const Namespace space;
  const Attached agent(space, {}, {.settings = {"delete-tcb.policy=off"}});
  for (const char* set : {"CapEff", "CapPrm"})
    EXPECT_THAT(held_by_threads(agent.daemon, set),
                ElementsAre(kLookIntoProcesses | kBpf | bit(CAP_DAC_OVERRIDE)));
}

TEST_F(PrivilegesDropped, WithoutLookUpsTheirCapabilitiesGo) {
  const Namespace space;
  {
    const Attached agent(space, {}, {.settings = {"process.lookup=false", "ends.watch=off"}});
    // A deletion's record names the owner all the same.
    EXPECT_THAT(held_by_threads(agent.daemon, "CapPrm"),
                ElementsAre(bit(CAP_NET_ADMIN) | bit(CAP_SYS_PTRACE) | bit(CAP_DAC_OVERRIDE)));
  }
  const Attached agent(
      space, {}, {.settings = {"process.lookup=false", "ends.watch=off", "delete-tcb.policy=off"}});
  EXPECT_THAT(held_by_threads(agent.daemon, "CapPrm"), ElementsAre(bit(CAP_DAC_OVERRIDE)));
}

TEST_F(PrivilegesDropped, ALowPortIsBoundByWhatIsKeptForIt) {
  const Namespace space;
  const Daemon daemon(
      space, {.settings = {"process.lookup=false", "delete-tcb.policy=off"},
              .arguments = {"--standalone", "udp:127.0.0.1:161"},
              .process = {.user = kPlainUser,
                          .capabilities = bit(CAP_NET_BIND_SERVICE) | kLookIntoProcesses}});
  EXPECT_TRUE(is_served_by_us(Manager::v2c(space, "udp:127.0.0.1:161"))) << daemon.log();
  EXPECT_THAT(held_by_threads(daemon, "CapPrm"), ElementsAre(bit(CAP_NET_BIND_SERVICE)));
}

// As in the sandbox of the unit, where a drop-in has granted the right to end connections.
TEST_F(PrivilegesDropped, WhereCapsetIsRefusedTheProgramStartsOnceMoreWithout) {
  const Namespace space;
  DaemonOptions options = as_nobody(kLookIntoProcesses | bit(CAP_NET_ADMIN));
  options.settings = {"delete-tcb.policy=off"};
  options.process.without_capset = true;
  const Attached agent(space, open_to_all(), options);
  for (const char* set : {"CapEff", "CapPrm"})
    EXPECT_THAT(held_by_threads(agent.daemon, set), ElementsAre(kLookIntoProcesses));
  EXPECT_THAT(held_by_threads(agent.daemon, "CapAmb"), ElementsAre(0));
  EXPECT_THAT(agent.daemon.log(), Not(HasSubstr("cannot give up")));
  const std::string folder = "/proc/" + std::to_string(agent.daemon.process().pid());
  EXPECT_EQ(read_file(folder + "/comm"), "tcpmibd\n");

  agent.daemon.configure("[delete-tcb]\n");
  agent.daemon.process().signal(SIGHUP);
  EXPECT_TRUE(agent.daemon.says("the configuration has been read again")) << agent.daemon.log();
}

// Where there is no way left it serves, and says what it still holds.
TEST_F(PrivilegesDropped, ASuperuserWhoCannotGiveThemUpIsTold) {
  const Namespace space;
  DaemonOptions options{.settings = {"delete-tcb.policy=off"}};
  options.process.without_capset = true;
  const Attached agent(space, {}, options);
  EXPECT_EQ(count_of("cannot give up capabilities", agent.daemon.log()), 1) << agent.daemon.log();
}

TEST_F(PrivilegesDropped, AReloadThatNeedsOneIsRefusedWhole) {
  const Namespace space;
  const std::string off = "[delete-tcb]\npolicy = \"off\"\n";
  const Attached agent(space, {}, {.configuration = off});
  agent.daemon.configure("[log]\nlevel = \"debug\"\n[delete-tcb]\npolicy = \"connections\"\n");
  agent.daemon.process().signal(SIGHUP);
  EXPECT_TRUE(agent.daemon.says("it needs CAP_NET_ADMIN, given up at the start"))
      << agent.daemon.log();
  EXPECT_THAT(agent.daemon.log(),
              HasSubstr("(restart tcpmibd); the old configuration stays in force"));
  agent.daemon.configure(off + "[snapshot]\nmax-age = \"2s\"\n");
  agent.daemon.process().signal(SIGHUP);
  EXPECT_TRUE(agent.daemon.says("the configuration has been read again")) << agent.daemon.log();
}

TEST_F(PrivilegesDropped, WhatWasNeverHeldRefusesNoReload) {
  const Namespace space;
  DaemonOptions options = as_nobody(0);
  options.configuration = "[delete-tcb]\npolicy = \"off\"\n[process]\nlookup = false\n";
  const Attached agent(space, open_to_all(), options);
  agent.daemon.configure("");
  agent.daemon.process().signal(SIGHUP);
  EXPECT_TRUE(agent.daemon.says("the configuration has been read again")) << agent.daemon.log();
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
