#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/snmp_session.h"
#include "support/trap_receiver.h"
#include "system/deleting.h"
#include "system/system_test.h"

// Alarms raised and cleared by real conditions, and told by real traps.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

using SubId = std::uint32_t;

constexpr std::uint16_t kTrapPort = 1162;
constexpr std::uint16_t kSecondTrapPort = 1163;
constexpr std::uint16_t kInformPort = 1164;

// As snmptrapd writes them.
constexpr const char* kRaised = ".1.3.6.1.6.3.1.1.4.1.0 = .1.3.6.1.4.1.8072.9999.9999.4022.0.1";
constexpr const char* kCleared = ".1.3.6.1.6.3.1.1.4.1.0 = .1.3.6.1.4.1.8072.9999.9999.4022.0.2";
constexpr const char* kDeleted = ".1.3.6.1.6.3.1.1.4.1.0 = .1.3.6.1.4.1.8072.9999.9999.4022.0.3";
constexpr const char* kColdStart = ".1.3.6.1.6.3.1.1.4.1.0 = .1.3.6.1.6.3.1.1.5.1";

// For what has to be looked at several times, on a machine that has more to do.
constexpr std::chrono::seconds kAlarmPatience{30};

// One cell of tcpmibdAlarmTable.
Oid alarm_cell(SubId column, std::string_view name) {
  Oid oid = own({1, 10, 1, column, static_cast<SubId>(name.size())});
  for (const char letter : name)
    oid.push_back(static_cast<unsigned char>(letter));
  return oid;
}

constexpr SubId kState = 3, kValue = 4, kWorst = 7, kOffenders = 8, kProcess = 9;

std::string value_at(const Manager& manager, const Oid& oid) {
  const Answer answer = manager.get({oid});
  return answer.ok() ? answer.only().value : answer.error;
}

std::string state_of(const Manager& manager, std::string_view alarm, const char* wanted) {
  return settled([&] { return value_at(manager, alarm_cell(kState, alarm)); }, std::string(wanted),
                 kAlarmPatience);
}

constexpr const char* kIsClear = "1";
constexpr const char* kIsRaised = "3";

constexpr const char* kLeak =
    "[watch]\ninterval = \"1s\"\n"
    "[alarm.leak]\nmeasure = \"closeWait\"\nper = \"port\"\nraise = 3\nclear = 1\n";

// Connections whose client has closed and whose server has not.
std::vector<Pair> leaked(const Service& service, unsigned count) {
  std::vector<Pair> pairs;
  for (unsigned i = 0; i < count; ++i) {
    pairs.push_back(service.join());
    pairs.back().client.close();
    pairs.back().server.await_fin();
  }
  return pairs;
}

class AlarmTest : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped() && trap_receiver_skip_reason())
      GTEST_SKIP() << *trap_receiver_skip_reason();
  }
};

SnmpdOptions with_sink(const std::string& line) { return {.lines = {line}}; }

// ---- Through a master ----

TEST_F(AlarmTest, ALeakIsToldOnceAndItsEndOnceInEveryVersion) {
  const Namespace space;
  const TrapReceiver first(space, kTrapPort), second(space, kSecondTrapPort),
      informed(space, kInformPort);
  const Snmpd master(space,
                     {.lines = {"trapsink 127.0.0.1:1162 public", "trap2sink 127.0.0.1:1163 public",
                                "informsink 127.0.0.1:1164 public"}});
  const Daemon daemon = Daemon::under(master, {.configuration = kLeak});
  const Service service(over_loopback(space), 1);
  std::vector<Pair> leak = leaked(service, 4);

  ASSERT_TRUE(second.hears(kRaised)) << daemon.log();
  EXPECT_TRUE(informed.hears(kRaised));
  // Version 1 has the arc and a number of its own.
  EXPECT_TRUE(first.hears(".1.3.6.1.4.1.8072.9999.9999.4022 Enterprise Specific Trap (1)"));
  const std::string port = "\"port " + std::to_string(service.listener().port()) + "\"";
  for (const TrapReceiver* receiver : {&first, &second, &informed}) {
    EXPECT_THAT(receiver->text(), HasSubstr("4022.1.12.1.0 = \"leak\""));
    EXPECT_THAT(receiver->text(), HasSubstr("4022.1.10.1.7.4.108.101.97.107 = " + port));
    EXPECT_THAT(receiver->text(), HasSubstr("4022.1.10.1.4.4.108.101.97.107 = 4"));
    EXPECT_THAT(receiver->text(),
                HasSubstr("4022.1.10.1.9.4.108.101.97.107 = " + std::to_string(::getpid())));
  }
  EXPECT_THAT(lines_with("alarm leak raised", daemon.log()), SizeIs(1));
  EXPECT_EQ(value_at(master.manager(), own({1, 11, 0})), "1");

  leak.clear();
  ASSERT_TRUE(second.hears(kCleared)) << daemon.log();
  EXPECT_TRUE(informed.hears(kCleared));
  EXPECT_TRUE(first.hears("Enterprise Specific Trap (2)"));
  EXPECT_EQ(second.count(kRaised), 1);
  EXPECT_EQ(second.count(kCleared), 1);
  EXPECT_EQ(informed.count(kRaised), 1);
  EXPECT_THAT(lines_with("alarm leak cleared", daemon.log()), SizeIs(1));
  EXPECT_EQ(value_at(master.manager(), own({1, 11, 0})), "0");
}

TEST_F(AlarmTest, WhatIsStillRaisedIsToldOnceMoreWhenTheMasterIsBack) {
  const Namespace space;
  const TrapReceiver receiver(space, kTrapPort);
  Snmpd master(space, with_sink("trap2sink 127.0.0.1:1162 public"));
  const Daemon daemon = Daemon::under(
      master, {.configuration = kLeak, .settings = {"agentx.reconnect=1s", "agentx.ping=1s"}});
  const Service service(over_loopback(space), 1);
  const std::vector<Pair> leak = leaked(service, 4);
  ASSERT_TRUE(receiver.hears(kRaised)) << daemon.log();

  master.kill();
  ASSERT_TRUE(daemon.says("lost the AgentX master", kAlarmPatience));
  master.start();
  EXPECT_EQ(settled([&] { return receiver.count(kRaised); }, 2L, kAlarmPatience), 2)
      << receiver.text();
  EXPECT_EQ(receiver.count(kCleared), 0);
  EXPECT_THAT(lines_with("alarm leak raised", daemon.log()), SizeIs(1));
}

TEST_F(AlarmTest, AThousandAlarmsAtOnceStallNobody) {
  constexpr long kAlarms = 1'000;
  std::string configuration = "[watch]\ninterval = \"1s\"\n";
  for (int number = 0; number < kAlarms; ++number)
    configuration += "[alarm.a" + std::to_string(number) +
                     "]\nmeasure = \"established\"\nraise = 2\nclear = 1\n";
  const Namespace space;
  const TrapReceiver receiver(space, kTrapPort);
  const Snmpd master(space, with_sink("trap2sink 127.0.0.1:1162 public"));
  const Service service(over_loopback(space), 2);
  const Daemon daemon = Daemon::under(master, {.configuration = configuration});
  ASSERT_TRUE(daemon.says("alarm a999 raised", kAlarmPatience));
  const Manager manager = master.manager();
  EXPECT_EQ(value_at(manager, own({1, 11, 0})), std::to_string(kAlarms));
  EXPECT_TRUE(manager.get({kSysUpTime}).ok());
  // The receiver may lose some of what comes at once: its socket has room for some hundred.
  const auto most = [&] { return receiver.count(kRaised) >= kAlarms / 2; };
  EXPECT_TRUE(eventually(most, kAlarmPatience)) << receiver.count(kRaised);
  EXPECT_EQ(value_at(manager, own({1, 1, 16, 0})), "0") << "folded";
}

TEST_F(AlarmTest, ADeletionIsToldWhereThatIsAskedFor) {
  const Namespace space;
  const TrapReceiver receiver(space, kTrapPort);
  const Snmpd master(space, with_sink("trap2sink 127.0.0.1:1162 public"));
  const Daemon daemon = Daemon::under(master, {.configuration = "[notify]\ndeletions = true\n"});
  Service service(over_loopback(space));
  const Ends ends = service.ends();
  const Manager writer = master.writer().patient(kDeletingPatience);
  EXPECT_EQ(writer.set({deletion(connection_cell(kStateColumn, ends))}).error, "");
  ASSERT_TRUE(receiver.hears(kDeleted)) << daemon.log();
  EXPECT_THAT(receiver.text(), HasSubstr("4022.1.12.2.0 = \"" + text(ends.local) + "\""));
  EXPECT_THAT(receiver.text(), HasSubstr("4022.1.12.3.0 = \"" + text(ends.remote) + "\""));
  EXPECT_THAT(receiver.text(), HasSubstr("4022.1.12.4.0 = 5"));
  EXPECT_THAT(receiver.text(), HasSubstr("4022.1.12.5.0 = " + std::to_string(::getpid())));
}

// ---- In the standalone role ----

constexpr const char* kAccess =
    "rocommunity public 127.0.0.1\n"
    "trap2sink 127.0.0.1:1162 public\n";

// The access file above, for as long as a daemon may read it.
struct Access {
  TempFolder folder;
  std::string file = folder.write("access", kAccess);
};

Manager standalone_manager(const Namespace& space) { return Manager::v2c(space, Daemon::kAddress); }

TEST_F(AlarmTest, AnAgentOfItsOwnTellsTheReceiversOfItsAccessFile) {
  const Namespace space;
  const TrapReceiver receiver(space, kTrapPort);
  const Access access;
  const Daemon daemon = Daemon::standalone(space, {.configuration = kLeak}, access.file);
  EXPECT_TRUE(receiver.hears(kColdStart));
  const Service service(over_loopback(space), 1);
  std::vector<Pair> leak = leaked(service, 4);
  ASSERT_TRUE(receiver.hears(kRaised)) << daemon.log();
  leak.clear();
  ASSERT_TRUE(receiver.hears(kCleared)) << daemon.log();
  EXPECT_EQ(receiver.count(kRaised), 1);
}

TEST_F(AlarmTest, AReloadBringsAlarmsAndTakesThemAway) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space, {});
  const Manager manager = standalone_manager(space);
  EXPECT_EQ(value_at(manager, own({1, 1, 4, 0})), "0") << "WatchInterval without alarms";
  const Service service(over_loopback(space), 1);
  const std::vector<Pair> leak = leaked(service, 4);
  reload(daemon, kLeak);
  EXPECT_EQ(state_of(manager, "leak", kIsRaised), kIsRaised) << daemon.log();
  reload(daemon, "");
  EXPECT_EQ(manager.bulk_walk(own({1, 10})).varbinds.size(), 0U);
}

// ---- Every kind, by a real condition ----

// A daemon of its own with one alarm, "a".
class AlarmKindTest : public SystemTest {
 protected:
  void watch(const std::string& rule) {
    daemon_.emplace(Daemon::standalone(
        *space_, {.configuration = "[watch]\ninterval = \"1s\"\n[alarm.a]\n" + rule}));
    manager_.emplace(standalone_manager(*space_));
  }

  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped())
      space_.emplace();
  }

  void expect_raised() { EXPECT_EQ(state_of(*manager_, "a", kIsRaised), kIsRaised) << told(); }
  void expect_cleared() {
    EXPECT_EQ(state_of(*manager_, "a", kIsClear), kIsClear) << told();
    EXPECT_THAT(lines_with("alarm a raised", daemon_->log()), SizeIs(1));
    EXPECT_THAT(lines_with("alarm a cleared", daemon_->log()), SizeIs(1));
  }

  std::string worst() const { return value_at(*manager_, alarm_cell(kWorst, "a")); }
  std::string told() const {
    return "value " + value_at(*manager_, alarm_cell(kValue, "a")) + "; log: " + daemon_->log();
  }

  std::optional<Namespace> space_;
  std::optional<Daemon> daemon_;
  std::optional<Manager> manager_;
};

TEST_F(AlarmKindTest, AStateOfTheHostNamesTheProcessWithMostOfIt) {
  watch("measure = \"closeWait\"\nraise = 2\nclear = 0\n");
  const Service service(over_loopback(*space_), 1);
  std::vector<Pair> leak = leaked(service, 2);
  expect_raised();
  EXPECT_EQ(worst(), "");
  EXPECT_EQ(value_at(*manager_, alarm_cell(kProcess, "a")), std::to_string(::getpid()));
  leak.clear();
  expect_cleared();
}

TEST_F(AlarmKindTest, AProcessIsNamed) {
  watch("measure = \"established\"\nper = \"process\"\nraise = 6\nclear = 2\n");
  std::optional<Service> service(std::in_place, over_loopback(*space_), 3);
  expect_raised();
  EXPECT_EQ(worst(), "process " + std::to_string(::getpid()));
  service.reset();
  expect_cleared();
}

TEST_F(AlarmKindTest, AUnitIsCounted) {
  watch("measure = \"connections\"\nper = \"unit\"\nraise = 6\nclear = 2\n");
  std::optional<Service> service(std::in_place, over_loopback(*space_), 3);
  expect_raised();
  EXPECT_THAT(worst(), testing::StartsWith("unit "));
  service.reset();
  expect_cleared();
}

TEST_F(AlarmKindTest, ARemoteAddressIsNamed) {
  watch("measure = \"established\"\nper = \"remote\"\nraise = 6\nclear = 2\n");
  std::optional<Service> service(std::in_place, over_loopback(*space_), 3);
  expect_raised();
  EXPECT_EQ(worst(), "127.0.0.1");
  service.reset();
  expect_cleared();
}

TEST_F(AlarmKindTest, AnAgeIsKnownAlsoOfWhatWasThereBefore) {
  const Service service(over_loopback(*space_), 1);
  std::vector<Pair> leak = leaked(service, 1);
  const auto begun = std::chrono::steady_clock::now();
  watch("measure = \"closeWait\"\nolder-than = \"10s\"\nraise = 1\nclear = 0\n");
  expect_raised();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
  leak.clear();
  expect_cleared();
}

TEST_F(AlarmKindTest, AnAlarmWaitsForAsLongAsItIsToldTo) {
  watch("measure = \"closeWait\"\nraise = 1\nclear = 0\nfor = \"3s\"\n");
  const Service service(over_loopback(*space_), 1);
  const auto begun = std::chrono::steady_clock::now();
  std::vector<Pair> leak = leaked(service, 1);
  EXPECT_EQ(state_of(*manager_, "a", "2"), "2") << "pending";
  expect_raised();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds(3));
  leak.clear();
  expect_cleared();
}

// Connections that nobody accepts.
std::vector<TcpSocket> knock(const Namespace& space, const TcpSocket& listener, unsigned count) {
  std::vector<TcpSocket> clients;
  for (unsigned i = 0; i < count; ++i)
    clients.push_back(start_connecting(space, "127.0.0.1:" + std::to_string(listener.port())));
  return clients;
}

TEST_F(AlarmKindTest, AFullAcceptQueueIsOneOfItsPort) {
  watch("measure = \"queue-percent\"\nraise = 100\nclear = 50\n");
  const TcpSocket listener = listen_on(*space_, "127.0.0.1:0", {.backlog = 2});
  const std::vector<TcpSocket> clients = knock(*space_, listener, 3);
  expect_raised();
  EXPECT_EQ(worst(), "port " + std::to_string(listener.port()));
  EXPECT_EQ(value_at(*manager_, alarm_cell(kOffenders, "a")), "1");
  for (unsigned i = 0; i < clients.size(); ++i)
    accept_from(listener);
  expect_cleared();
}

TEST_F(AlarmKindTest, DropsAreThoseSinceTheLastLook) {
  const TcpSocket listener = listen_on(*space_, "127.0.0.1:0", {.backlog = 1});
  watch("measure = \"drops\"\nraise = 2\nclear = 0\n");
  // The first look is what the others are compared with.
  ASSERT_TRUE(eventually(
      [&] {
        return value_at(*manager_, own({1, 1, 9, 0})) != "0";
      },
      kAlarmPatience));
  std::vector<TcpSocket> clients = knock(*space_, listener, 10);
  expect_raised();
  EXPECT_EQ(worst(), "port " + std::to_string(listener.port()));
  clients.clear();  // Their SYNs are not sent again.
  expect_cleared();
}

TEST_F(AlarmKindTest, EphemeralPortsRunOutForOneRemoteEndFirst) {
  space_->set_sysctl("net.ipv4.ip_local_port_range", "40000 40009");
  space_->set_sysctl("net.ipv4.tcp_max_tw_buckets", "0");  // Nothing lingers.
  watch("measure = \"ephemeral-percent\"\nraise = 60\nclear = 30\n");
  const TcpSocket listener = listen_on(*space_, "127.0.0.1:5432");
  std::vector<TcpSocket> held;
  for (int i = 0; i < 7; ++i) {
    held.push_back(connect_to(*space_, "127.0.0.1:5432"));
    held.push_back(accept_from(listener));
  }
  expect_raised();
  EXPECT_EQ(worst(), "127.0.0.1:5432");
  held.clear();
  expect_cleared();
}

// Who binds an address before it connects has as many ports for all remote ends together.
TEST_F(AlarmKindTest, EphemeralPortsThatAreBoundRunOutForAllRemoteEnds) {
  space_->set_sysctl("net.ipv4.ip_local_port_range", "40000 40009");
  space_->set_sysctl("net.ipv4.tcp_max_tw_buckets", "0");
  watch("measure = \"ephemeral-percent\"\nraise = 60\nclear = 30\n");
  const TcpSocket listener = listen_on(*space_, "0.0.0.0:5432");
  std::vector<TcpSocket> held;
  for (int i = 1; i <= 7; ++i) {
    held.push_back(
        connect_to(*space_, "127.0.1." + std::to_string(i) + ":5432", {.from = "127.0.0.1:0"}));
    held.push_back(accept_from(listener));
  }
  expect_raised();
  EXPECT_EQ(worst(), "local 127.0.0.1");
  EXPECT_EQ(value_at(*manager_, alarm_cell(kValue, "a")), "70");
  held.clear();
  expect_cleared();
}

TEST_F(AlarmKindTest, TimeWaitsArePartOfTheirLimit) {
  space_->set_sysctl("net.ipv4.tcp_max_tw_buckets", "10");
  watch("measure = \"time-wait-percent\"\nraise = 50\nclear = 20\n");
  Service service(over_loopback(*space_), 6);
  for (Pair& pair : service.pairs()) {
    pair.client.close();
    pair.server.drain();
    pair.server.close();
  }
  expect_raised();
  EXPECT_EQ(worst(), "");
  space_->set_sysctl("net.ipv4.tcp_max_tw_buckets", "1000");  // Sixty seconds would be long.
  expect_cleared();
}

// ---- At rest ----

TEST_F(AlarmKindTest, WithoutAnAlarmNobodyLooks) {
  const Daemon daemon = Daemon::standalone(*space_, {});
  const Manager manager = standalone_manager(*space_);
  const Oid snapshots = own({1, 1, 9, 0});
  EXPECT_TRUE(
      quiet_for(std::chrono::seconds(3), [&] { return value_at(manager, snapshots) != "0"; }));
}

}  // namespace
}  // namespace tcpmibd::lab
