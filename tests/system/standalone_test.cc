#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/crowd.h"
#include "support/scenes.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "system/system_test.h"
#include "tables/arc.h"

// The daemon as an agent of its own, without any snmpd.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const Oid kSysObjectId = oid_of("1.3.6.1.2.1.1.2.0");
const Oid kSystem = oid_of("1.3.6.1.2.1.1");
const Oid kEngineId = oid_of("1.3.6.1.6.3.10.2.1.1.0");
const Oid kEngineBoots = oid_of("1.3.6.1.6.3.10.2.1.2.0");
const Oid kEverything = oid_of("1.3");
const Oid kOurArc(std::begin(tables::kArc), std::end(tables::kArc));

class Standalone : public SystemTest {};

Manager v1(const Namespace& space) { return Manager::v1(space, Daemon::kAddress); }
Manager v2c(const Namespace& space) { return Manager::v2c(space, Daemon::kAddress); }
Manager v3(const Namespace& space) { return Manager::v3(space, Daemon::kAddress); }

// For those that are to get no answer.
Manager impatient(const Manager& manager) {
  return manager.patient(std::chrono::milliseconds(700));
}

// A tcpmibd for which `deny` is /etc/hosts.deny, and nothing is in /etc/hosts.allow.
std::string behind_tcp_wrappers(const TempFolder& folder, const std::string& deny) {
  const std::string script = folder.write(
      "tcpmibd", "#!/bin/sh\nexec unshare --mount sh -c 'mount --bind " + deny +
                     " /etc/hosts.deny && mount --bind /dev/null /etc/hosts.allow && exec \"$0\" "
                     "\"$@\"' " +
                     tcpmibd_binary() + " \"$@\"\n");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  return script;
}

// An access file in which "public" and the user of the laboratory read, and what `lines` add.
std::string access_file(const TempFolder& folder, const std::string& lines = {}) {
  const User user;
  return folder.write("access", "rocommunity public 127.0.0.1\ncreateUser " + user.name +
                                    " SHA \"" + user.authentication + "\" AES \"" + user.privacy +
                                    "\"\nrouser " + user.name + " priv\n" + lines);
}

// In which the laboratory's user sees more than our own.
std::string open_access_file(const TempFolder& folder) {
  const User user;
  return folder.write("access",
                      "view all included .1.3\nrocommunity public 127.0.0.1 -V all\n"
                      "createUser " +
                          user.name + " SHA \"" + user.authentication + "\" AES \"" + user.privacy +
                          "\"\nrouser " + user.name + " priv -V all\n");
}

bool is_below(const Oid& oid, const Oid& root) {
  return oid.size() >= root.size() && std::equal(root.begin(), root.end(), oid.begin());
}

// ---- Versions ----

TEST_F(Standalone, WhomHostsDenyNamesIsNotAnsweredFromTheNextRequestOn) {
  const Namespace space;
  const TempFolder folder;
  const std::string deny = folder.write("hosts.deny", "");
  const Daemon daemon = Daemon::standalone(space, {.settings = {"agentx.module-socket=''"},
                                                   .program = behind_tcp_wrappers(folder, deny)});
  for (int times = 0; times < 2; ++times) {
    EXPECT_TRUE(v2c(space).get({kSysObjectId}).ok());
    EXPECT_TRUE(v2c(space).get({kSysObjectId}).ok());
    folder.write("hosts.deny", "ALL: 127.0.0.1\n");
    EXPECT_FALSE(impatient(v2c(space)).get({kSysObjectId}).ok());
    EXPECT_FALSE(impatient(v2c(space)).get({kSysObjectId}).ok());
    folder.write("hosts.deny", "ALL: 127.0.0.2\n");
  }
  EXPECT_TRUE(v2c(space).get({kSysObjectId}).ok()) << daemon.log();
}

TEST_F(Standalone, EveryVersionOfSnmpReadsTheSame) {
  const Namespace space;
  const TempFolder folder;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Daemon daemon = Daemon::standalone(space, {}, access_file(folder));
  const Oid cell = connection_cell(kStateColumn, connection.server.ends());
  for (const Manager& manager : {v1(space), v2c(space), v3(space)})
    EXPECT_EQ(told(manager, cell), "5");

  const std::vector<Varbind> rows = v2c(space).walk(kConnectionState).varbinds;
  EXPECT_THAT(rows, SizeIs(2));
  EXPECT_EQ(v1(space).walk(kConnectionState).varbinds, rows);
  EXPECT_EQ(v3(space).walk(kConnectionState).varbinds, rows);
  EXPECT_EQ(v2c(space).bulk_walk(kConnectionState).varbinds, rows);
  EXPECT_EQ(v3(space).bulk_walk(kConnectionState).varbinds, rows);
}

TEST_F(Standalone, TheWholeOfTcpIsInOrder) {
  const Namespace space;
  const Connection connection = connected(on_loopback(space, Family::kV6));
  const Daemon daemon = Daemon::standalone(space);
  for (const Answer& walk : {v2c(space).walk(kTcp), v2c(space).bulk_walk(kTcp, 7)}) {
    EXPECT_EQ(walk.error, "");
    EXPECT_TRUE(strictly_increasing(walk.varbinds));
    EXPECT_THAT(walk.varbinds, SizeIs(16 + 2 * 2 + 1));  // scalars, connections, listeners
  }
}

TEST_F(Standalone, WhatIsTooLongForSnmpv1IsLeftOutOfItsWalk) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const Answer walk = v1(space).walk(kTcp);
  EXPECT_EQ(walk.error, "");
  EXPECT_THAT(walk.varbinds, SizeIs(14));
  EXPECT_EQ(told(v1(space), kTcpHcInSegs), "noSuchName");
}

// ---- Who may read ----

TEST_F(Standalone, WithoutAnAccessFileTheLoopbackReadsAsPublic) {
  const Namespace space;
  const Daemon daemon =
      Daemon::standalone(space, {.arguments = {"--standalone", "udp6:[::1]:2161"}});
  EXPECT_EQ(told(v2c(space), kTcpRtoMin), "200");
  EXPECT_EQ(told(Manager::v2c(space, "udp6:[::1]:2161"), kTcpRtoMin), "200");
  for (const char* address : {Daemon::kAddress, "udp6:[::1]:2161"})
    EXPECT_EQ(told(impatient(Manager::v2c(space, address, "private")), kTcpRtoMin), "timeout");
}

TEST_F(Standalone, WithoutAnAccessFileNobodyElseReads) {
  const TwoHosts hosts;
  const Daemon daemon = Daemon::standalone(
      hosts.a,
      {.arguments = {"--standalone", "udp:10.77.1.1:2161", "--standalone", "udp6:[fd77::1]:2161"}});
  for (const char* address : {"udp:10.77.1.1:2161", "udp6:[fd77::1]:2161"}) {
    EXPECT_EQ(told(impatient(Manager::v2c(hosts.b, address)), kTcpRtoMin), "timeout") << address;
    EXPECT_EQ(told(impatient(Manager::v2c(hosts.a, address)), kTcpRtoMin), "timeout") << address;
  }
}

TEST_F(Standalone, AnAccessFileLetsAnotherHostIn) {
  const TwoHosts hosts;
  const TempFolder folder;
  const Daemon daemon =
      Daemon::standalone(hosts.a, {.arguments = {"--standalone", "udp:10.77.1.1:2161"}},
                         access_file(folder, "rocommunity far 10.77.1.2\n"));
  EXPECT_EQ(told(Manager::v2c(hosts.b, "udp:10.77.1.1:2161", "far"), kTcpRtoMin), "200");
  EXPECT_EQ(told(impatient(Manager::v2c(hosts.b, "udp:10.77.1.1:2161")), kTcpRtoMin), "timeout");
}

TEST_F(Standalone, NothingMayBeWritten) {
  const Namespace space;
  const TempFolder folder;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Oid cell = connection_cell(kStateColumn, connection.server.ends());
  const auto refusal = [&](const Manager& manager) {
    return manager.set({{.oid = cell, .type = 'i', .value = "12"}}).error;
  };
  {
    const Daemon daemon = Daemon::standalone(space);
    EXPECT_EQ(refusal(v2c(space)), "noAccess");
  }
  const Daemon daemon = Daemon::standalone(space, {}, access_file(folder));
  EXPECT_EQ(refusal(v2c(space)), "noAccess");
  EXPECT_EQ(refusal(v3(space)), "noAccess");
  EXPECT_EQ(told(v2c(space), cell), "5");
}

TEST_F(Standalone, AWrongPasswordIsRefused) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, access_file(folder));
  const Manager stranger =
      Manager::v3(space, Daemon::kAddress, {.authentication = "another phrase"});
  EXPECT_FALSE(impatient(stranger).get({kTcpRtoMin}).ok());
}

// ---- What they see ----

TEST_F(Standalone, WithoutAViewReadersSeeTheSystemAndTcpAndOurArcOnly) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, access_file(folder));
  for (const Manager& manager : {v2c(space), v3(space)}) {
    const std::vector<Varbind> seen = manager.walk(kEverything).varbinds;
    EXPECT_FALSE(seen.empty());
    for (const Varbind& varbind : seen)
      EXPECT_TRUE(is_below(varbind.oid, kSystem) || is_below(varbind.oid, kTcp) ||
                  is_below(varbind.oid, kOurArc))
          << varbind;
  }
  EXPECT_EQ(told(v3(space), kEngineBoots), "noSuchObject");
}

TEST_F(Standalone, WithAViewReadersSeeWhatItSays) {
  const Namespace space;
  const TempFolder folder;
  const TcpSocket listener = listen_on(space, "127.0.0.1:0");
  const Daemon daemon =
      Daemon::standalone(space, {},
                         access_file(folder,
                                     "view listeners included .1.3.6.1.2.1.6.20\n"
                                     "rocommunity narrow 127.0.0.1 -V listeners\n"));
  const Manager narrow = Manager::v2c(space, Daemon::kAddress, "narrow");
  const Answer walk = narrow.walk(kEverything);
  EXPECT_EQ(walk.error, "");
  ASSERT_THAT(walk.varbinds, SizeIs(1));
  EXPECT_EQ(walk.varbinds.front().oid, listener_cell(listener.local()));
  EXPECT_EQ(told(narrow, kTcpRtoMin), "noSuchObject");
  EXPECT_EQ(told(v2c(space), kTcpRtoMin), "200");
}

TEST_F(Standalone, WhatDiscoveryReadsFirstIsThere) {
  const Namespace space;
  const TempFolder folder;
  const Daemon daemon = Daemon::standalone(space, {}, open_access_file(folder));
  const Answer answer = v2c(space).get({kSysDescr, kSysObjectId, kSysUpTime});
  ASSERT_EQ(answer.error, "");
  EXPECT_THAT(answer.varbinds[0].value, HasSubstr("Linux"));
  EXPECT_EQ(answer.varbinds[1].type, "OID");
  EXPECT_EQ(answer.varbinds[2].type, "Timeticks");
  EXPECT_EQ(told(v2c(space), kEngineBoots), "1");
  EXPECT_THAT(v2c(space).walk(oid_of("1.3.6.1.2.1.11")).varbinds, Not(SizeIs(0)));
}

TEST_F(Standalone, TheCapabilitiesAreAnnouncedAndNotTheMibASecondTime) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const Answer ids = v2c(space).walk(oid_of("1.3.6.1.2.1.1.9.1.2"));
  int ours = 0;
  for (const Varbind& id : ids.varbinds)
    ours += is_below(oid_of(id.value), kOurArc) ? 1 : 0;
  EXPECT_EQ(ours, 1) << testing::PrintToString(ids.varbinds);
}

// ---- SNMPv3 over a restart (RFC 3414, 2.2) ----

// A manager that knows an engine already and does not ask for it again.
Output ask_known_engine(const Namespace& space, const std::string& id, const std::string& boots) {
  return v3(space)
      .patient(std::chrono::seconds(2), 3)
      .run({"snmpget", "-e", "0x" + id, "-Z", boots + ",1"}, {"." + text(kTcpRtoMin)});
}

// "80 00 1F 88" -> "80001F88".
std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST_F(Standalone, AnEngineKeepsItsIdAndCountsItsStarts) {
  const Namespace space;
  const TempFolder folder;
  const DaemonOptions options{.settings = {"standalone.state=" + folder.file("state")}};
  const std::string access = open_access_file(folder);
  std::set<std::string> ids;
  for (const char* boots : {"1", "2", "3"}) {
    Daemon daemon = Daemon::standalone(space, options, access);
    EXPECT_EQ(told(v3(space), kEngineBoots), boots);
    ids.insert(told(v3(space), kEngineId));
    if (boots == std::string("2"))
      daemon.process().kill();
    else
      EXPECT_EQ(daemon.terminate(), 0);
  }
  EXPECT_THAT(ids, SizeIs(1));
}

TEST_F(Standalone, AManagerThatKnewTheEngineBeforeARestartStillReachesIt) {
  const Namespace space;
  const TempFolder folder;
  const DaemonOptions options{.settings = {"standalone.state=" + folder.file("state")}};
  const std::string access = open_access_file(folder);
  std::string id;
  {
    const Daemon before = Daemon::standalone(space, options, access);
    id = without_spaces(told(v2c(space), kEngineId));
    EXPECT_THAT(ask_known_engine(space, id, "1").out, HasSubstr("200"));
  }
  const Daemon after = Daemon::standalone(space, options, access);
  const Output answer = ask_known_engine(space, id, "1");
  EXPECT_THAT(answer.out, HasSubstr("200")) << answer.err;
}

// ---- GETBULK ----

constexpr unsigned kMany = 2'000;

// Nearly every request of a walk has to wait for a new snapshot.
DaemonOptions always_stale() {
  return {.settings = {"snapshot.max-age=10ms", "process.max-age=100ms"}};
}

// The names of the crowd's cells, in order.
std::vector<Oid> cells_of(const Crowd& crowd, unsigned column) {
  std::set<Oid> cells;
  for (unsigned number = 0; number < crowd.size(); ++number)
    cells.insert(connection_cell(column, crowd.member(number).ends));
  return {cells.begin(), cells.end()};
}

std::vector<Oid> names_of(const std::vector<Varbind>& varbinds) {
  std::vector<Oid> names;
  for (const Varbind& varbind : varbinds)
    names.push_back(varbind.oid);
  return names;
}

TEST_F(Standalone, AWalkOfWhichEveryRequestHasToWaitIsWhole) {
  const Namespace space;
  const Crowd crowd(space, kMany);
  const Daemon daemon = Daemon::standalone(space, always_stale());
  const std::vector<Oid> wanted = cells_of(crowd, kStateColumn);
  for (const int repetitions : {1, 10, 50}) {
    const Answer walk = v2c(space).bulk_walk(kConnectionState, repetitions);
    EXPECT_EQ(walk.error, "");
    EXPECT_EQ(names_of(walk.varbinds), wanted) << repetitions << " repetitions";
  }
  EXPECT_EQ(names_of(v2c(space).walk(kConnectionState).varbinds), wanted);
}

// Both columns, row by row, by one GETBULK after another.
std::vector<Varbind> rows_by_bulk(const Manager& manager, int repetitions) {
  std::vector<Varbind> rows;
  std::vector<Oid> from{kConnectionState, kConnectionProcess};
  for (;;) {
    const Answer answer = manager.bulk(0, repetitions, from);
    EXPECT_EQ(answer.error, "");
    if (answer.varbinds.size() != 2U * static_cast<unsigned>(repetitions)) {
      ADD_FAILURE() << answer.varbinds.size() << " bindings in one answer";
      return rows;
    }
    for (std::size_t i = 0; i < answer.varbinds.size(); i += 2) {
      if (!is_below(answer.varbinds[i].oid, kConnectionState))
        return rows;
      rows.push_back(answer.varbinds[i]);
      rows.push_back(answer.varbinds[i + 1]);
    }
    from = {rows[rows.size() - 2].oid, rows.back().oid};
  }
}

TEST_F(Standalone, TwoColumnsComeTogetherInOneGetbulk) {
  const Namespace space;
  const Crowd crowd(space, 200);
  const Daemon daemon = Daemon::standalone(space, always_stale());
  const std::vector<Varbind> rows = rows_by_bulk(v2c(space), 15);
  const std::vector<Oid> states = cells_of(crowd, kStateColumn);
  const std::vector<Oid> processes = cells_of(crowd, kProcessColumn);
  const std::string pid = std::to_string(crowd.member(0).pid);
  ASSERT_THAT(rows, SizeIs(2 * crowd.size()));
  for (std::size_t i = 0; i < crowd.size(); ++i) {
    EXPECT_EQ(rows[2 * i], (Varbind{states[i], "INTEGER", "5"}));
    EXPECT_EQ(rows[2 * i + 1], (Varbind{processes[i], "Gauge32", pid}));
  }
}

// ---- GETBULK within a view ----

// What a GETBULK of `columns` has to name, where `seen` are all names that a reader sees.
std::vector<Oid> names_by_model(const std::vector<Oid>& seen, std::vector<Oid> columns,
                                int repetitions) {
  std::vector<Oid> names;
  for (int i = 0; i < repetitions; ++i) {
    for (Oid& column : columns) {
      const auto next = std::ranges::upper_bound(seen, column);
      names.push_back(column = next == seen.end() ? column : *next);
    }
  }
  return names;
}

// An agent may give fewer repetitions than were asked for (RFC 3416, 4.2.3).
void expect_bulk_by_model(const Manager& manager, const std::vector<Oid>& seen,
                          const std::vector<Oid>& columns, int repetitions) {
  const Answer answer = manager.bulk(0, repetitions, columns);
  std::vector<Oid> wanted = names_by_model(seen, columns, repetitions);
  EXPECT_EQ(answer.error, "");
  EXPECT_GE(answer.varbinds.size(), columns.size());
  EXPECT_EQ(answer.varbinds.size() % columns.size(), 0U);
  wanted.resize(std::min(wanted.size(), answer.varbinds.size()));
  EXPECT_EQ(names_of(answer.varbinds), wanted)
      << testing::PrintToString(columns) << ", " << repetitions << " repetitions";
}

void expect_bulks_by_model(const Manager& manager) {
  const std::vector<Oid> seen = names_of(manager.walk(kEverything).varbinds);
  ASSERT_THAT(seen, Not(SizeIs(0)));
  const std::vector<std::vector<Oid>> questions{{kConnectionState, kConnectionProcess},
                                                {kConnectionProcess, kSystem, kConnectionState},
                                                {kTcp, seen.back()},
                                                {seen.back(), kEverything},
                                                {kEverything}};
  for (const std::vector<Oid>& columns : questions) {
    for (const int repetitions : {1, 2, 5, 9, 20, 40})
      expect_bulk_by_model(manager, seen, columns, repetitions);
  }
}

TEST_F(Standalone, AGetbulkNamesWhatAReaderSeesAndNothingElse) {
  const Namespace space;
  const TempFolder folder;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const std::string access = access_file(
      folder,
      "view all included .1.3\nrocommunity all 127.0.0.1 -V all\n"
      "view rows included .1.3.6.1.2.1.6.19\nrocommunity rows 127.0.0.1 -V rows\n"
      "view holes included .1.3.6.1.2.1.1.1\nview holes included .1.3.6.1.2.1.6.19.1.8\n"
      "view holes included .1.3.6.1.2.1.11.3\nrocommunity holes 127.0.0.1 -V holes\n");
  const Daemon daemon = Daemon::standalone(space, {}, access);
  for (const char* community : {"public", "all", "rows", "holes"}) {
    SCOPED_TRACE(community);
    expect_bulks_by_model(Manager::v2c(space, Daemon::kAddress, community));
  }
}

// ---- Many at once ----

TEST_F(Standalone, ManyManagersAtOnceAllSeeEverything) {
  const Namespace space;
  const Crowd crowd(space, kMany);
  const Daemon daemon = Daemon::standalone(space, always_stale());
  const std::vector<Oid> wanted = cells_of(crowd, kStateColumn);
  std::vector<std::future<Answer>> walks;
  for (int number = 0; number < 12; ++number)
    walks.push_back(std::async(std::launch::async, [&, number] {
      const Manager manager = v2c(space).patient(kGreatPatience);
      return number % 2 == 0 ? manager.walk(kConnectionState)
                             : manager.bulk_walk(kConnectionState, 20);
    }));
  for (std::future<Answer>& each : walks) {
    const Answer walk = each.get();
    EXPECT_EQ(walk.error, "");
    EXPECT_EQ(names_of(walk.varbinds), wanted);
  }
}

TEST_F(Standalone, EveryRequestMayComeFromAnotherManager) {
  const Namespace space;
  const TempFolder folder;
  const Connection connection = connected(on_loopback(space, Family::kV4));
  const Daemon daemon = Daemon::standalone(space, always_stale(), access_file(folder));
  const Oid cell = connection_cell(kProcessColumn, connection.client.ends());
  const std::string pid = std::to_string(::getpid());
  for (int round = 0; round < 5; ++round) {
    for (const Manager& manager : {v1(space), v2c(space), v3(space)})
      EXPECT_EQ(told(manager, cell), pid);
  }
}

}  // namespace
}  // namespace tcpmibd::lab
