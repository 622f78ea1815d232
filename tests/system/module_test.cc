#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "support/random.h"
#include "support/scenes.h"
#include "support/scripted_module_daemon.h"
#include "support/trap_receiver.h"
#include "system/deleting.h"
#include "system/system_test.h"

// The module in snmpd: what it answers is what comes over AgentX, and nothing that happens to the
// daemon reaches snmpd.

namespace tcpmibd::lab {
namespace {

using agentx::Pdu;
using agentx::Type;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kByModuleAlone = "udp:127.0.0.1:1162";
constexpr const char* kServing = "through its module";
const Oid kServed = oid_of("1.3.6.1.4.1.8072.9999.9999.7");  // by scripted daemons

// The daemon gives its clear answer, or the module does in its place, within a second; the rest is
// for a machine that has more to do.
constexpr milliseconds kClear{4'000};

class ModuleTest : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped())
      space_.emplace();
  }

  std::string socket() const { return folder_.file("snmpd.sock"); }

  DaemonOptions with_socket(DaemonOptions options = {}) const {
    options.settings.push_back("agentx.module-socket=" + socket());
    return Attached::eager(std::move(options));
  }

  SnmpdOptions with_module(SnmpdOptions options = {}) const {
    options.module_socket = socket();
    return options;
  }

  const Namespace& space() const { return *space_; }

 private:
  std::optional<Namespace> space_;
  TempFolder folder_;
};

// One daemon, of which one snmpd is the AgentX master and another one has the module.
struct BothWays {
  BothWays(const Namespace& space, SnmpdOptions with_module, DaemonOptions options,
           std::vector<std::string> lines = {})
      : over_agentx(space, {.lines = lines}),
        by_module(space, second(std::move(with_module), std::move(lines))),
        daemon(Daemon::under(over_agentx, std::move(options))) {
    if (!daemon.says(kServing, kGreatPatience))
      throw Trouble("the module does not come: " + by_module.log());
  }

  static SnmpdOptions second(SnmpdOptions options, std::vector<std::string> lines) {
    options.address = kByModuleAlone;
    options.lines = std::move(lines);
    return options;
  }

  Snmpd over_agentx;
  Snmpd by_module;
  Daemon daemon;
};

std::vector<Oid> oids_in(const std::vector<Varbind>& varbinds) {
  std::vector<Oid> names;
  for (const Varbind& varbind : varbinds)
    names.push_back(varbind.oid);
  return names;
}

std::vector<Scene> some_scenes(const Namespace& space) {
  std::vector<Scene> scenes;
  for (const Family family : {Family::kV4, Family::kV6}) {
    for (const std::string_view name : {"Listen", "Established", "CloseWait"})
      scenes.push_back(
          std::ranges::find(recipes(), name, &Recipe::name)->play(on_loopback(space, family)));
  }
  return scenes;
}

// ---- The same answers ----

TEST_F(ModuleTest, ReadsAreAnsweredAsOverAgentX) {
  const std::vector<Scene> scenes = some_scenes(space());
  const BothWays both(space(), with_module(), with_socket());
  const Manager module = both.by_module.manager().patient(kGreatPatience);
  const Manager agentx = both.over_agentx.manager().patient(kGreatPatience);

  const std::vector<Varbind> wanted = agentx.walk(kTcp).varbinds;
  ASSERT_THAT(wanted, Not(IsEmpty()));
  EXPECT_EQ(module.walk(kTcp).varbinds, wanted);
  for (const int repetitions : {1, 2, 7, 100})
    EXPECT_EQ(module.bulk_walk(kTcp, repetitions).varbinds, wanted) << repetitions;
  for (const Varbind& one : wanted)
    EXPECT_EQ(module.get({one.oid}).varbinds, std::vector{one});
  EXPECT_EQ(oids_in(module.bulk_walk(kArc, 50).varbinds),
            oids_in(agentx.bulk_walk(kArc, 50).varbinds));
}

TEST_F(ModuleTest, ManyColumnsAndOtherObjectsInOnePduAreAnsweredAsOverAgentX) {
  const std::vector<Scene> scenes = some_scenes(space());
  const BothWays both(space(), with_module(), with_socket());
  const Manager module = both.by_module.manager().patient(kGreatPatience);
  const Manager agentx = both.over_agentx.manager().patient(kGreatPatience);

  const Oid services = oid_of("1.3.6.1.2.1.1.7");
  const std::vector<Oid> oids{kTcpRtoMin,
                              services,
                              kConnectionState,
                              kConnectionProcess,
                              oid_of("1.3.6.1.2.1.6.13.1.1"),
                              oid_of("1.3.6.1.2.1.6.20.1.4")};
  // Behind the services lie objects in which the two masters differ.
  for (const int non_repeaters : {2, 3, 6})
    EXPECT_EQ(module.bulk(non_repeaters, 3, oids).varbinds,
              agentx.bulk(non_repeaters, 3, oids).varbinds)
        << non_repeaters;
  EXPECT_EQ(module.next(oids).varbinds, agentx.next(oids).varbinds);
  const Oid absent = oid_of("1.3.6.1.2.1.6.19.1.7.1.4.9");
  EXPECT_EQ(module.get({kTcpRtoMin, services, absent, oid_of("1.3.6.1.2.1.6.99")}).varbinds,
            agentx.get({kTcpRtoMin, services, absent, oid_of("1.3.6.1.2.1.6.99")}).varbinds);
}

TEST_F(ModuleTest, AManagerSeesNoMoreThanItsView) {
  const std::vector<Scene> scenes = some_scenes(space());
  const BothWays both(
      space(), with_module(), with_socket(),
      {"rocommunity narrow default -V few", "view few included .1.3.6.1.2.1.6.19.1.7",
       "view few included .1.3.6.1.2.1.6.15", "view few excluded .1.3.6.1.2.1.6.19.1.7.2"});
  const auto narrow = [&](const Snmpd& snmpd) {
    return Manager::v2c(space(), snmpd.address(), "narrow").patient(kGreatPatience);
  };
  const std::vector<Varbind> wanted = narrow(both.over_agentx).walk(kTcp).varbinds;
  ASSERT_THAT(wanted, Not(IsEmpty()));
  for (const int repetitions : {1, 3, 50})
    EXPECT_EQ(narrow(both.by_module).bulk_walk(kTcp, repetitions).varbinds, wanted) << repetitions;
}

TEST_F(ModuleTest, RefusedSetsAreRefusedAsOverAgentX) {
  const std::vector<Scene> scenes = some_scenes(space());
  const BothWays both(space(), with_module(), with_socket({.settings = {"delete-tcb.policy=off"}}));
  const Oid state = both.over_agentx.manager().next({kConnectionState}).only().oid;
  Oid absent = state;
  absent.back() += 1;
  const Oid contact = oid_of("1.3.6.1.2.1.1.4.0");
  const std::vector<std::vector<SetRequest>> sets{
      {deletion(state)},
      {{.oid = state, .type = 'i', .value = "5"}},
      {{.oid = state, .type = 'u', .value = "12"}},
      {{.oid = state, .type = 's', .value = "12"}},
      {deletion(absent)},
      {{.oid = kTcpRtoMin, .type = 'i', .value = "1"}},
      {{.oid = contact, .type = 's', .value = "me"}, deletion(absent)},
      {deletion(state), {.oid = contact, .type = 'i', .value = "3"}}};
  for (const std::vector<SetRequest>& set : sets)
    EXPECT_EQ(both.by_module.writer().set(set).error, both.over_agentx.writer().set(set).error)
        << set.front().value;
}

TEST_F(ModuleTest, AConnectionIsDeletedAndTheLogSaysSo) {
  const Scene scene = std::ranges::find(recipes(), std::string_view("Established"), &Recipe::name)
                          ->play(on_loopback(space(), Family::kV4));
  const BothWays both(space(), with_module(), with_socket());
  const std::vector<Varbind> before = both.by_module.manager().bulk_walk(kConnectionState).varbinds;
  const auto established = std::ranges::find(before, kEstablished, &Varbind::value);
  ASSERT_NE(established, before.end());

  EXPECT_EQ(both.by_module.writer().set({deletion(established->oid)}).error, "");
  EXPECT_TRUE(eventually([&] { return told(both.by_module.manager(), established->oid) == kGone; },
                         kGreatPatience));
  EXPECT_TRUE(both.daemon.says("deleteTCB ", kGreatPatience));
}

// ---- Both at once ----

TEST_F(ModuleTest, WhatTheModuleDoesNotServeIsServedOverAgentX) {
  const Snmpd master(space(), with_module());
  Daemon daemon = Daemon::under(master, with_socket());
  ASSERT_TRUE(daemon.says(kServing, kGreatPatience)) << master.log();
  const std::vector<Varbind> wanted = master.manager().walk(kTcp).varbinds;

  const Snmpd without(space(), {.agentx = "", .address = kByModuleAlone});
  EXPECT_TRUE(is_served_by_us(master.manager()));
  EXPECT_EQ(master.manager().bulk_walk(kTcp).varbinds, wanted);
  EXPECT_FALSE(is_served_by_us(without.manager(), milliseconds(0)));
}

TEST_F(ModuleTest, SnmpdServesOnWhenItReadsItsConfigurationAgain) {
  Snmpd master(space(), with_module({.built_in_tables = false}));
  Daemon daemon(space(), with_socket());
  ASSERT_TRUE(daemon.says(kServing, kGreatPatience)) << master.log();
  for (long times = 2; times < 4; ++times) {
    master.process().signal(SIGHUP);
    ASSERT_TRUE(
        eventually([&] { return count_of(kServing, daemon.log()) >= times; }, kGreatPatience))
        << master.log();
    EXPECT_TRUE(is_served_by_us(master.manager()));
  }
  master.process().signal(SIGTERM);
  EXPECT_EQ(master.process().wait(), 0);
}

// ---- The daemon comes and goes ----

TEST_F(ModuleTest, ADaemonThatComesAgainIsServedAgain) {
  const Snmpd master(space(), with_module({.built_in_tables = false}));
  EXPECT_EQ(told(master.manager(), kTcpRtoMin), "noSuchObject");
  for (const int end : {SIGTERM, SIGKILL}) {
    Daemon daemon(space(), with_socket());
    ASSERT_TRUE(is_served_by_us(master.manager(), kGreatPatience)) << master.log();
    daemon.process().signal(end);
    ASSERT_TRUE(daemon.process().wait());
    EXPECT_TRUE(eventually([&] { return told(master.manager(), kTcpRtoMin) == "noSuchObject"; },
                           kGreatPatience));
    EXPECT_TRUE(master.manager().get({kSysDescr}).ok());
  }
}

TEST_F(ModuleTest, AStoppedDaemonCostsOneClearAnswer) {
  const Snmpd master(space(), with_module());
  Daemon daemon(space(), with_socket());
  ASSERT_TRUE(daemon.says(kServing, kGreatPatience)) << master.log();
  const Manager manager = master.manager().patient(kClear);
  daemon.process().signal(SIGSTOP);
  EXPECT_EQ(manager.get({kTcpRtoMin}).error, "genError");
  EXPECT_EQ(manager.bulk(0, 10, {kConnectionState}).error, "genError");
  EXPECT_EQ(master.writer().patient(kClear).set({deletion(kTcpRtoMin)}).error, "genError");
  EXPECT_TRUE(manager.get({kSysDescr}).ok());
  daemon.process().signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return manager.get({kTcpHcInSegs}).ok(); }, kGreatPatience))
      << master.log();
}

TEST_F(ModuleTest, NotificationsGoThroughItWhereThereIsNoAgentX) {
  if (const std::optional<std::string>& reason = trap_receiver_skip_reason())
    GTEST_SKIP() << *reason;
  const Scene scene = std::ranges::find(recipes(), std::string_view("Established"), &Recipe::name)
                          ->play(on_loopback(space(), Family::kV4));
  const TrapReceiver receiver(space(), 1162);
  const Snmpd master(space(), with_module({.lines = {"trap2sink 127.0.0.1:1162 public"}}));
  const Daemon daemon(space(), with_socket({.configuration = "[notify]\ndeletions = true\n"}));
  ASSERT_TRUE(daemon.says(kServing, kGreatPatience)) << master.log();
  const std::vector<Varbind> states = master.manager().bulk_walk(kConnectionState).varbinds;
  const auto established = std::ranges::find(states, kEstablished, &Varbind::value);
  ASSERT_NE(established, states.end());
  EXPECT_EQ(master.writer().set({deletion(established->oid)}).error, "");
  EXPECT_TRUE(receiver.hears(text(kArc))) << daemon.log();
}

// ---- A daemon that is none ----

TEST_F(ModuleTest, AnotherVersionIsRefused) {
  const ScriptedModuleDaemon scripted(socket());
  const Snmpd master(space(), with_module());
  MasterSession session = scripted.take();
  ASSERT_TRUE(session.send(open_pdu("tcpmibd-module 2")));
  const std::optional<Pdu> answer = session.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(agentx::response_of(*answer).error, agentx::kOpenFailed);
  EXPECT_TRUE(session.ends());
  EXPECT_TRUE(
      eventually([&] { return master.log().find("of another version") != std::string::npos; },
                 kGreatPatience));
}

// What is answered to a Get of kServed.1.0 in the place of an integer.
using Senseless = agentx::Bytes (*)(const Pdu&);

agentx::Bytes cut_short(const Pdu& request) {
  agentx::Bytes bytes = agentx::encode(answer_to(request, 0, {{oid_of("1.3"), 'i', "1"}}));
  bytes.resize(bytes.size() - 4);
  bytes[agentx::kPayloadLengthAt + 3] -= 4;
  return bytes;
}

const std::vector<Senseless> kSenseless{
    cut_short,
    [](const Pdu& request) { return agentx::encode(answer_to(request, 0)); },
    [](const Pdu& request) {
      return agentx::encode(answer_to(request, 0, {{oid_of("1.3.6.1.9"), 'i', "1"}}));
    },
    [](const Pdu& request) {
      Oid name = kServed;
      name.insert(name.end(), {1, 0});
      return agentx::encode(answer_to(request, 0, {{name, 'i', "1"}, {name, 'i', "1"}}));
    },
    [](const Pdu& request) {
      agentx::Bytes bytes = agentx::encode(answer_to(request, 0));
      bytes[agentx::kVersionAt] = 9;
      return bytes;
    },
    [](const Pdu& request) {
      Pdu other = answer_to(request, 0);
      other.session += 1;
      return agentx::encode(other);
    },
    [](const Pdu& request) {
      Pdu other = answer_to(request, 0);
      other.type = Type::kGetBulk;
      return agentx::encode(other);
    },
    [](const Pdu& request) { return agentx::encode(answer_to(request, 268)); },
    [](const Pdu& request) { return agentx::encode(answer_to(request, 99)); }};

// A manager asks while the test plays the daemon.
Child asking(const Namespace& space, const Oid& oid) {
  return Child(
      {"snmpget", "-v2c", "-c", "public", "-t", "4", "-r", "0", "-On", Snmpd::kAddress, text(oid)},
      {.in = &space, .environment = {{"MIBS", ""}}});
}

TEST_F(ModuleTest, NonsenseIsOneClearAnswer) {
  const ScriptedModuleDaemon scripted(socket());
  const Snmpd master(space(), with_module());
  Oid name = kServed;
  name.insert(name.end(), {1, 0});
  for (const Senseless& senseless : kSenseless) {
    MasterSession session = scripted.serve(kServed);
    Child manager = asking(space(), name);
    const std::optional<Pdu> request = session.receive();
    ASSERT_TRUE(request);
    session.send(senseless(*request));
    EXPECT_TRUE(eventually([&] { return manager.err().find("genError") != std::string::npos; },
                           kGreatPatience))
        << manager.err();
    EXPECT_TRUE(master.manager().get({kSysDescr}).ok());
    session.close();
  }
}

// Of an answer's octets some are changed at random. Each manager gets an answer, and snmpd lives.
TEST_F(ModuleTest, SpoiltAnswersHurtNobody) {
  Random random;
  SCOPED_TRACE(random.text());
  const ScriptedModuleDaemon scripted(socket());
  const Snmpd master(space(), with_module());
  Oid name = kServed;
  name.insert(name.end(), {1, 0});
  for (int round = 0; round < 10; ++round) {
    MasterSession session = scripted.serve(kServed);
    Child manager = asking(space(), name);
    const std::optional<Pdu> request = session.receive();
    ASSERT_TRUE(request);
    agentx::Bytes bytes = agentx::encode(answer_to(*request, 0, {{name, 'i', "1"}}));
    for (int spoilt = 0; spoilt < 3; ++spoilt)
      bytes[random.below(bytes.size())] = static_cast<std::uint8_t>(random.bits());
    session.send(bytes);
    EXPECT_TRUE(manager.process().wait(kGreatPatience));
    EXPECT_THAT(manager.err(), Not(HasSubstr("Timeout")));
    session.close();
  }
  EXPECT_TRUE(master.manager().get({kSysDescr}).ok());
}

// ---- The daemon's side ----

FileDescriptor connected_to(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::ranges::copy(path, address.sun_path);
  FileDescriptor socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "make a socket"));
  check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
        "connect to " + path);
  return socket;
}

TEST_F(ModuleTest, TheDaemonTakesNoNonsenseFromAModule) {
  const Snmpd master(space());
  Daemon daemon = Daemon::under(master, with_socket());
  Random random;
  SCOPED_TRACE(random.text());
  for (int round = 0; round < 20; ++round) {
    const FileDescriptor module = connected_to(socket());
    agentx::Bytes bytes(1 + random.below(200));
    for (std::uint8_t& octet : bytes)
      octet = static_cast<std::uint8_t>(random.bits());
    EXPECT_GT(::send(module.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), 0);
  }
  EXPECT_TRUE(is_served_by_us(master.manager(), kGreatPatience));
  EXPECT_TRUE(daemon.process().running());
}

// Whoever connects is that by the effective user at that time.
TEST_F(ModuleTest, AStrangerIsShownOutAndTheLogSaysWho) {
  const Snmpd master(space());
  const Daemon daemon = Daemon::under(master, with_socket());
  std::filesystem::permissions(std::filesystem::path(socket()).parent_path(),
                               std::filesystem::perms(0755));
  ASSERT_EQ(::seteuid(kPlainUser), 0);
  std::optional<FileDescriptor> module;
  try {
    module = connected_to(socket());
  } catch (const Trouble&) {
  }
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_TRUE(module);
  char octet{};
  EXPECT_EQ(::recv(module->get(), &octet, 1, 0), 0) << "not even a greeting";
  EXPECT_TRUE(daemon.says("user 65534 is no snmpd", kGreatPatience));
}

TEST_F(ModuleTest, AnAbandonedSocketIsReplacedAndALiveOneIsNot) {
  const Snmpd master(space());
  {
    Daemon killed = Daemon::under(master, with_socket());
    killed.process().kill();
  }
  Daemon first = Daemon::under(master, with_socket());
  EXPECT_THAT(first.log(), Not(HasSubstr("cannot listen")));
  const Snmpd other(space(), {.address = kByModuleAlone});
  Daemon second = Daemon::under(other, with_socket());
  EXPECT_THAT(second.log(), HasSubstr("cannot listen for snmpd's module"));
  EXPECT_EQ(first.terminate(), 0);
  EXPECT_FALSE(std::filesystem::exists(socket()));
}

}  // namespace
}  // namespace tcpmibd::lab
