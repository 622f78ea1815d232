#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <net/if.h>
#include <signal.h>

#include <filesystem>

#include "support/crowd.h"
#include "support/netns.h"
#include "support/process.h"
#include "support/scenes.h"
#include "support/snmpd.h"
#include "support/sockets.h"
#include "support/ss.h"
#include "support/temp_folder.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Lab : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }

// ---- Namespaces ----

TEST_F(Lab, ANamespaceStartsWithoutSockets) {
  const Namespace space;
  EXPECT_THAT(list_sockets(space), IsEmpty());
}

TEST_F(Lab, AnActionComesBackToWhereItStarted) {
  const Namespace space;
  const auto here = [] { return std::filesystem::read_symlink("/proc/thread-self/ns/net"); };
  const std::filesystem::path before = here();
  EXPECT_NE(space.run(here), before);
  EXPECT_EQ(space.run([] { return ::if_nametoindex("lo"); }), 1U);
  EXPECT_THROW(space.run([] { throw Trouble("inside"); }), Trouble);
  EXPECT_EQ(here(), before);
}

TEST_F(Lab, AProgramRunsInTheNamespaceItIsSentTo) {
  const Namespace space;
  const auto links = [](const Namespace* in) { return run({"ip", "link"}, {.in = in}).out; };
  EXPECT_THAT(links(&space), testing::Not(HasSubstr("link/ether")));
  space.run([&] { EXPECT_EQ(links(nullptr), links(&space)); });

  run({"ip", "link", "add", "lab0", "type", "veth", "peer", "name", "lab1"}, {.in = &space});
  EXPECT_THAT(links(&space), HasSubstr("lab0"));
  EXPECT_THAT(links(nullptr), testing::Not(HasSubstr("lab0")));
}

TEST_F(Lab, ASettingIsOneNamespacesOwn) {
  const Namespace one, other;
  one.set_sysctl("net.ipv4.tcp_fin_timeout", "7");
  EXPECT_EQ(one.sysctl("net.ipv4.tcp_fin_timeout"), "7");
  EXPECT_EQ(other.sysctl("net.ipv4.tcp_fin_timeout"), "60");
}

TEST_F(Lab, ALinkLocalConnectionNamesItsZone) {
  const TwoHosts hosts;
  const TcpSocket listener = listen_on(hosts.b, "[::]:0", {.only_v6 = true});
  const Output addresses =
      run({"ip", "-6", "-br", "addr", "show", "dev", "vb", "scope", "link"}, {.in = &hosts.b});
  const std::size_t start = addresses.out.find("fe80:");
  const std::string address = addresses.out.substr(start, addresses.out.find('/') - start);
  const std::string to = "[" + address + "%va]:" + std::to_string(listener.port());
  const TcpSocket client = connect_to(hosts.a, to);
  EXPECT_EQ(client.local().zone, hosts.a.run([] { return ::if_nametoindex("va"); }));
  EXPECT_EQ(state_by_ss(hosts.a, client.ends()), "ESTAB");
}

// ---- Processes ----

TEST(Run, GivesStatusAndBothOutputs) {
  const Output output = run({"sh", "-c", "cat; echo wrong >&2; exit 3"}, {.input = "given"});
  EXPECT_EQ(output.status, 3);
  EXPECT_EQ(output.out, "given");
  EXPECT_EQ(output.err, "wrong\n");
}

TEST(Run, SaysWhatCannotBeStarted) {
  EXPECT_THAT([] { run({"no-such-program"}); },
              testing::ThrowsMessage<Trouble>(HasSubstr("no-such-program: No such file")));
}

TEST(Run, AViolentEndIsToldAsAShellDoes) {
  EXPECT_EQ(run({"sh", "-c", "kill -KILL $$"}).status, 128 + SIGKILL);
}

TEST(Run, KeepsOnlyTheCapabilitiesItIsGiven) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can give capabilities away";
  const std::uint64_t only_net_admin = 1ULL << CAP_NET_ADMIN;
  for (const std::optional<uid_t> user : {std::optional<uid_t>(), std::optional<uid_t>(65534)}) {
    const Output output = run({"grep", "CapEff", "/proc/self/status"},
                              {.user = user, .capabilities = only_net_admin});
    EXPECT_EQ(output.out, "CapEff:\t0000000000001000\n");
  }
}

TEST(Run, AnotherUserHasNoCapabilities) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root can become another user";
  const Output output = run({"sh", "-c", "id -u; grep CapPrm /proc/self/status"}, {.user = 65534});
  EXPECT_EQ(output.out, "65534\nCapPrm:\t0000000000000000\n");
}

TEST(ChildProcess, IsGoneWithItsObject) {
  pid_t pid = 0;
  {
    const Child child({"sh", "-c", "echo here; exec tail -f /dev/null"});
    ASSERT_TRUE(child.says("here"));
    pid = child.process().pid();
    EXPECT_TRUE(exists(pid));
  }
  EXPECT_FALSE(exists(pid));
}

TEST(ChildProcess, EndsOnASignalAndTellsSo) {
  Child child({"tail", "-f", "/dev/null"});
  EXPECT_TRUE(child.process().running());
  EXPECT_EQ(child.process().wait(std::chrono::milliseconds(1)), std::nullopt);
  child.process().signal(SIGTERM);
  EXPECT_EQ(child.process().wait(), 128 + SIGTERM);
  EXPECT_FALSE(child.process().running());
}

TEST_F(Lab, AHolderKeepsASocketThatTheTestHasClosed) {
  const Namespace space;
  Connection connection = connected(on_loopback(space, Family::kV4));
  const Ends ends = connection.client.ends();
  Holder holder({.keep = {connection.client.get()}});
  holder.await_ready();
  connection.client.close();
  EXPECT_EQ(state_by_ss(space, ends), "ESTAB");
  holder.process().kill();
  EXPECT_EQ(settled([&] { return state_by_ss(space, ends); }, std::string("FIN-WAIT-2")),
            "FIN-WAIT-2");
}

TEST_F(Lab, AHolderThatFailsSaysWhy) {
  Holder holder({.prepare = [] { throw Trouble("no luck"); }});
  EXPECT_THAT([&] { holder.await_ready(); }, testing::ThrowsMessage<Trouble>(HasSubstr("no luck")));
}

TEST_F(Lab, AHolderThatIsKilledBeforeItIsReadyIsNotTakenToBe) {
  Holder holder({.prepare = [] { ::raise(SIGKILL); }});
  EXPECT_THAT([&] { holder.await_ready(); },
              testing::ThrowsMessage<Trouble>(HasSubstr("died without a word")));
}

// ---- Many ----

TEST_F(Lab, EveryMemberOfACrowdIsWhereItSays) {
  const Namespace space;
  for (const bool v6 : {false, true}) {
    const Crowd crowd(space, 500, v6);
    const Crowd::Member last = crowd.member(crowd.size() - 1);
    const std::vector<SsRow> rows = list_sockets(space, Holders::kYes);
    EXPECT_THAT(rows, SizeIs(500));
    EXPECT_THAT(rows,
                Contains(testing::AllOf(testing::Field(&SsRow::ends, last.ends),
                                        testing::Field(&SsRow::pids, ElementsAre(last.pid)))));
    EXPECT_EQ(Crowd::number_of(last.ends.local.port, last.ends.remote.port), crowd.size() - 1);
  }
}

TEST_F(Lab, ChurnComesAndGoes) {
  const Namespace space;
  const Churn churn(space, 1000);
  EXPECT_TRUE(eventually([&] { return churn.made() > 300; }));
  EXPECT_LE(list_sockets(space).size(), churn.made() * 2 + 1);
}

// ---- Managers and masters ----

TEST(ParseVarbinds, ReadsEveryFormTheToolsPrint) {
  const std::vector<Varbind> varbinds = parse_varbinds(
      ".1.3.1 = INTEGER: 5\n"
      ".1.3.2 = Timeticks: (1234) 0:00:12.34\n"
      ".1.3.3 = STRING: \"two\nlines = here\"\n"
      ".1.3.4 = \"\"\n"
      ".1.3.5 = No Such Instance currently exists at this OID\n"
      ".1.3.6 = No more variables left in this MIB View (It is past the end of the MIB tree)\n"
      ".1.3.7 = Hex-STRING: 01 02 \n03 \n"
      ".1.3.8 = OID: .1.3.6\n");
  const std::vector<Varbind> expected{{{1, 3, 1}, "INTEGER", "5"},
                                      {{1, 3, 2}, "Timeticks", "1234"},
                                      {{1, 3, 3}, "STRING", "two\nlines = here"},
                                      {{1, 3, 4}, "STRING", ""},
                                      {{1, 3, 5}, "noSuchInstance", ""},
                                      {{1, 3, 6}, "endOfMibView", ""},
                                      {{1, 3, 7}, "Hex-STRING", "01 02 \n03 "},
                                      {{1, 3, 8}, "OID", ".1.3.6"}};
  EXPECT_EQ(varbinds, expected);
}

class Master : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    if (const auto& reason = snmpd_skip_reason())
      GTEST_SKIP() << *reason;
  }
};

const Oid kSysContact{1, 3, 6, 1, 2, 1, 1, 4, 0};
const Oid kTcp{1, 3, 6, 1, 2, 1, 6};
const Oid kTcpRtoMin{1, 3, 6, 1, 2, 1, 6, 2, 0};

TEST_F(Master, AnswersEveryVersion) {
  const Namespace space;
  const Snmpd master(space);
  for (const Manager& manager : {master.v1_manager(), master.manager(), master.v3_manager()}) {
    EXPECT_EQ(manager.get({kTcpRtoMin}).only(), (Varbind{kTcpRtoMin, "INTEGER", "200"}));
    EXPECT_EQ(manager.next({{1, 3, 6, 1, 2, 1, 6, 2}}).only().oid, kTcpRtoMin);
  }
  EXPECT_THAT(master.manager().bulk(0, 3, {kTcp}).varbinds, SizeIs(3));
}

TEST_F(Master, ErrorsComeByTheirNames) {
  const Namespace space;
  const Snmpd master(space);
  EXPECT_EQ(master.v1_manager().get({{1, 3, 9}}).error, "noSuchName");
  EXPECT_EQ(master.manager().get({{1, 3, 9}}).only().type, "noSuchObject");
  EXPECT_EQ(master.manager().set({{kSysContact, 's', "me"}}).error, "noAccess");
  EXPECT_EQ(master.writer().set({{kTcpRtoMin, 'i', "1"}}).error, "notWritable");
  EXPECT_EQ(Manager::v2c(space, "udp:127.0.0.1:9")
                .patient(std::chrono::milliseconds(100))
                .get({kSysContact})
                .error,
            "timeout");
}

TEST_F(Master, WalksAgree) {
  const Namespace space;
  const Snmpd master(space);
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Oid table{1, 3, 6, 1, 2, 1, 6, 19};
  const Answer walk = master.manager().walk(table);
  EXPECT_EQ(walk.error, "");
  EXPECT_THAT(walk.varbinds, SizeIs(4));
  EXPECT_EQ(walk.varbinds, master.manager().bulk_walk(table).varbinds);
  EXPECT_THAT(
      walk.varbinds,
      Contains(Varbind{connection_cell(kStateColumn, connection.client.ends()), "INTEGER", "5"}));
}

TEST_F(Master, ComesBackAfterEveryEnd) {
  const Namespace space;
  Snmpd master(space);
  master.restart();
  EXPECT_TRUE(master.manager().get({kTcpRtoMin}).ok());
  master.kill();
  EXPECT_EQ(master.manager().patient(std::chrono::milliseconds(100)).get({kTcpRtoMin}).error,
            "timeout");
  master.start();
  EXPECT_TRUE(master.manager().get({kTcpRtoMin}).ok());
}

TEST_F(Master, CanDoWithoutItsOwnTables) {
  const Namespace space;
  const Snmpd master(space, {.built_in_tables = false});
  const Answer walk = master.manager().bulk_walk(kTcp);
  EXPECT_THAT(walk.varbinds, IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::lab
