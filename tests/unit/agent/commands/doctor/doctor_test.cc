#include "agent/commands/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/commands/doctor/facts.h"
#include "agent/config/snmpd.h"

namespace tcpmibd::agent {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using State = Finding::State;

constexpr std::uint64_t bit(int capability) { return 1ULL << capability; }

constexpr std::uint64_t kEverything =
    bit(CAP_SYS_PTRACE) | bit(CAP_DAC_READ_SEARCH) | bit(CAP_NET_ADMIN);

// A host where nothing is wrong, as Debian's with the package's lines.
DoctorFacts healthy() {
  DoctorFacts facts;
  facts.configuration_files = "/etc/tcpmibd/tcpmibd.toml";
  facts.master = "/var/agentx/master";
  facts.instance = true;
  facts.subject = {.name = "tcpmibd (pid 8)", .uid = 100, .groups = {200}};
  facts.subject.capabilities = kEverything;
  facts.socket = SocketPath{.steps = {{"/", S_IFDIR | 0755, 0, 0},
                                      {"/var/agentx", S_IFDIR | 0755, 0, 0},
                                      {"/var/agentx/master", S_IFSOCK | 0660, 1, 200}}};
  facts.snmpd = snmpd_lines("/a.conf", std::string("master agentx\n") + agentx_perms() +
                                           "\nagentXTimeout 5\nagentXRetries 0\n");
  return facts;
}

Finding finding(const DoctorFacts& facts, const std::string& point) {
  const std::vector<Finding> findings = examine(facts);
  const auto found = std::ranges::find(findings, point, &Finding::point);
  EXPECT_NE(found, findings.end()) << "nothing is said about " << point;
  return found == findings.end() ? Finding{} : *found;
}

std::vector<std::string> points_in(const DoctorFacts& facts, State state) {
  std::vector<std::string> points;
  for (const Finding& each : examine(facts)) {
    if (each.state == state)
      points.push_back(each.point);
  }
  return points;
}

// ---- Points ----

TEST(Doctor, FindsNothingOnAHealthyHost) {
  EXPECT_THAT(points_in(healthy(), State::kWrong), IsEmpty());
  EXPECT_THAT(points_in(healthy(), State::kNote), IsEmpty());
  EXPECT_FALSE(anything_wrong(examine(healthy())));
}

TEST(Doctor, AConfigurationThatCannotBeReadIsWrongWithItsPlace) {
  DoctorFacts facts = healthy();
  facts.configuration = mistake("tcpmibd.toml:7", "unknown key 'x'");
  EXPECT_THAT(points_in(facts, State::kWrong), ElementsAre("configuration"));
  EXPECT_EQ(finding(facts, "configuration").text, "tcpmibd.toml:7: unknown key 'x'");
}

TEST(Doctor, AKernelThatDoesNotTellOfItsSocketsIsWrong) {
  DoctorFacts facts = healthy();
  facts.reading = failure("read the kernel's TCP sockets", ENOENT);
  EXPECT_EQ(finding(facts, "sock_diag").cure, "modprobe tcp_diag");
}

TEST(Doctor, AModuleThatCannotBeLoadedAnyMoreHasAnotherCure) {
  DoctorFacts facts = healthy();
  facts.reading = failure("read the kernel's TCP sockets", ENOENT);
  facts.modules_disabled = true;
  facts.tcp_diag_loaded = false;
  EXPECT_THAT(finding(facts, "sock_diag").text, HasSubstr("kernel.modules_disabled is 1"));
  EXPECT_THAT(finding(facts, "sock_diag").cure, HasSubstr("/etc/modules-load.d/"));
}

TEST(Doctor, AModuleThatNobodyMissesIsNotAskedFor) {
  DoctorFacts facts = healthy();
  facts.modules_disabled = true;
  facts.tcp_diag_loaded = false;
  EXPECT_EQ(finding(facts, "sock_diag").state, State::kOk);
}

TEST(Doctor, TellsHowFarMptcpIsSeen) {
  DoctorFacts facts = healthy();
  for (const tcp::MptcpSight fine :
       {tcp::MptcpSight::kAbsent, tcp::MptcpSight::kUnused, tcp::MptcpSight::kSeen}) {
    facts.mptcp = fine;
    EXPECT_EQ(finding(facts, "MPTCP").state, State::kOk) << static_cast<int>(fine);
  }
  facts.mptcp = tcp::MptcpSight::kHidden;
  EXPECT_EQ(finding(facts, "MPTCP").state, State::kNote);
  EXPECT_THAT(finding(facts, "MPTCP").cure, HasSubstr("modprobe mptcp_diag"));
  facts.mptcp = failure("read the kernel's MPTCP connections (sock_diag)", EBADMSG);
  EXPECT_EQ(finding(facts, "MPTCP").state, State::kWrong);
  facts.reading = failure("open a netlink socket for sock_diag", EPROTONOSUPPORT);
  EXPECT_EQ(finding(facts, "MPTCP").state, State::kNote) << "one fault is told once";
}

TEST(Doctor, AKernelThatEndsNoConnectionsIsWorthANote) {
  DoctorFacts facts = healthy();
  facts.destroying = failure("end a connection", EOPNOTSUPP);
  EXPECT_EQ(finding(facts, "INET_DIAG_DESTROY").state, State::kNote);
  EXPECT_THAT(finding(facts, "INET_DIAG_DESTROY").cure, HasSubstr("CONFIG_INET_DIAG_DESTROY"));
}

TEST(Doctor, EachMissingCapabilityIsANoteWithWhatItCosts) {
  DoctorFacts facts = healthy();
  facts.subject.capabilities = bit(CAP_SYS_PTRACE);
  EXPECT_THAT(points_in(facts, State::kNote), ElementsAre("process columns", "deleteTCB"));
  EXPECT_THAT(finding(facts, "process columns").text,
              AllOf(HasSubstr("lacks CAP_DAC_READ_SEARCH:"), HasSubstr("0 for sockets")));
  EXPECT_THAT(finding(facts, "deleteTCB").text, HasSubstr("every Set is notWritable"));
}

TEST(Doctor, ACapabilityThatIsNotNeededIsNotMissed) {
  DoctorFacts facts = healthy();
  facts.subject.capabilities = 0;
  facts.process_lookup = false;
  facts.deletion = tcp::DeletionPolicy::kOff;
  EXPECT_THAT(points_in(facts, State::kNote), IsEmpty());
}

TEST(Doctor, TellsWhichWayProcessesAreLookedUp) {
  DoctorFacts facts = healthy();
  EXPECT_THAT(finding(facts, "process look-up").text, HasSubstr("in /proc: tcpmibd (pid 8) lacks"));
  facts.subject.capabilities |= bit(CAP_BPF) | bit(CAP_PERFMON);
  EXPECT_EQ(finding(facts, "process look-up").text, "by a BPF iterator");
  facts.bpf = failure("load it", EPERM);
  EXPECT_THAT(finding(facts, "process look-up").text, HasSubstr("in /proc: cannot load it: "));
  EXPECT_EQ(finding(facts, "process look-up").state, State::kOk);
}

TEST(Doctor, TellsWhetherEndsAreWatchedAndWhatIsMissing) {
  DoctorFacts facts = healthy();
  EXPECT_THAT(finding(facts, "ended connections").text,
              HasSubstr("not watched: tcpmibd (pid 8) lacks CAP_BPF or CAP_PERFMON"));
  facts.subject.capabilities |= bit(CAP_BPF) | bit(CAP_PERFMON);
  EXPECT_EQ(finding(facts, "ended connections").text, "watched by BPF");
  facts.ends = failure("load them", EPERM);
  EXPECT_THAT(finding(facts, "ended connections").text, HasSubstr("not watched: cannot load them"));
  facts.watches_ends = false;
  EXPECT_EQ(finding(facts, "ended connections").text, "not watched: ends.watch = \"off\"");
  EXPECT_EQ(finding(facts, "ended connections").state, State::kOk) << "nobody is forced to";
}

TEST(Doctor, EitherOfTheCapabilitiesForBpfIsNotEnough) {
  DoctorFacts facts = healthy();
  facts.subject.capabilities = bit(CAP_BPF);
  EXPECT_THAT(finding(facts, "process look-up").text, HasSubstr("in /proc"));
  facts.subject.capabilities = bit(CAP_PERFMON);
  EXPECT_THAT(finding(facts, "process look-up").text, HasSubstr("in /proc"));
  facts.subject.capabilities = bit(CAP_SYS_ADMIN);
  EXPECT_EQ(finding(facts, "process look-up").text, "by a BPF iterator");
}

TEST(Doctor, HiddenProcessesAreANoteOnlyForThoseFromWhomTheyAreHidden) {
  DoctorFacts facts = healthy();
  facts.hidepid = "2";
  EXPECT_EQ(finding(facts, "/proc").state, State::kOk);
  facts.subject.capabilities = 0;
  EXPECT_EQ(finding(facts, "/proc").state, State::kNote);
  EXPECT_THAT(finding(facts, "/proc").text, HasSubstr("hidepid=2"));
}

// ---- What is held, and what for ----

TEST(DoctorHoldings, EachIsNamedWithItsOnlyUse) {
  DoctorFacts facts = healthy();
  facts.holdings = {.by_running = true,
                    .used = needed_privileges(Config(), bit(CAP_SYS_PTRACE) | bit(CAP_NET_ADMIN))};
  EXPECT_EQ(finding(facts, "CAP_SYS_PTRACE").text,
            "held to read which sockets other users' processes hold");
  EXPECT_THAT(finding(facts, "CAP_NET_ADMIN").text, HasSubstr("delete-tcb.policy allows it"));
  EXPECT_EQ(finding(facts, "capabilities").text, "tcpmibd (pid 8) has no others");
}

TEST(DoctorHoldings, OneWithoutUseIsANoteOfTheDaemonThatRuns) {
  DoctorFacts facts = healthy();
  facts.holdings = {.by_running = true, .used = {}, .idle = {"CAP_CHOWN", "CAP_NET_ADMIN"}};
  EXPECT_THAT(points_in(facts, State::kNote), ElementsAre("capabilities"));
  EXPECT_EQ(finding(facts, "capabilities").text,
            "tcpmibd (pid 8) holds without any use: CAP_CHOWN, CAP_NET_ADMIN");
  EXPECT_THAT(finding(facts, "capabilities").cure, HasSubstr("SystemCallFilter="));
}

TEST(DoctorHoldings, WhereNoneRunsItIsSaidWhatOneWouldKeep) {
  DoctorFacts facts = healthy();
  facts.subject.name = "this user";
  facts.holdings = {.by_running = false,
                    .used = needed_privileges(Config(), bit(CAP_SYS_PTRACE)),
                    .idle = {"CAP_CHOWN"}};
  EXPECT_THAT(points_in(facts, State::kNote), IsEmpty());
  EXPECT_THAT(finding(facts, "CAP_SYS_PTRACE").text, StartsWith("kept by a daemon of this user"));
  EXPECT_EQ(finding(facts, "capabilities").text,
            "1 others of this user would be given up at the start");
}

TEST(DoctorHoldings, NoneIsSaid) {
  EXPECT_EQ(finding(healthy(), "capabilities").text, "tcpmibd (pid 8) has none");
}

// ---- The master ----

TEST(DoctorModule, IsNoFaultWhereItIsNotUsed) {
  DoctorFacts facts = healthy();
  for (const ModuleSight sight : {ModuleSight::kOff, ModuleSight::kAbsent, ModuleSight::kAlone}) {
    facts.module = sight;
    EXPECT_EQ(finding(facts, "snmpd's module").state, State::kOk);
    EXPECT_THAT(finding(facts, "snmpd's module").text, HasSubstr("over AgentX"));
  }
  facts.module = ModuleSight::kConnected;
  EXPECT_THAT(finding(facts, "snmpd's module").text, HasSubstr("is connected"));
}

TEST(DoctorModule, IsMissedWhereSnmpdIsToLoadIt) {
  DoctorFacts facts = healthy();
  facts.snmpd = snmpd_lines("/a.conf", "dlmod other /o.so\ndlmod tcpmibd_snmpd /m.so\n");
  ASSERT_EQ(facts.snmpd.size(), 1U);
  facts.module = ModuleSight::kAlone;
  EXPECT_EQ(finding(facts, "snmpd's module").state, State::kNote);
  EXPECT_THAT(finding(facts, "snmpd's module").cure, HasSubstr("/a.conf:2"));
  facts.module = ModuleSight::kAbsent;
  EXPECT_THAT(finding(facts, "snmpd's module").cure, HasSubstr("start tcpmibd"));
  facts.module = ModuleSight::kConnected;
  EXPECT_EQ(finding(facts, "snmpd's module").state, State::kOk);
}

TEST(Doctor, ASocketThatIsNotThereIsWrong) {
  DoctorFacts facts = healthy();
  facts.socket = SocketPath{.error = ENOENT};
  EXPECT_THAT(finding(facts, "AgentX socket").cure, HasSubstr("master agentx"));
}

// A daemon of another group than the socket's, without a capability.
DoctorFacts with_closed_socket() {
  DoctorFacts facts = healthy();
  facts.subject.capabilities = 0;
  facts.subject.groups = {201};
  return facts;
}

TEST(Doctor, ASocketThatIsClosedIsWrongWithTheStepThatIs) {
  DoctorFacts facts = with_closed_socket();
  EXPECT_EQ(finding(facts, "AgentX socket").text,
            "the socket /var/agentx/master (srw-rw----, user 1, group 200) is closed to tcpmibd "
            "(pid 8)");
  facts.snmpd.clear();
  EXPECT_THAT(finding(facts, "AgentX socket").cure, HasSubstr("agentXPerms 0660 0755"));
}

TEST(Doctor, ALineThatIsThereIsNotAskedFor) {
  EXPECT_THAT(finding(with_closed_socket(), "AgentX socket").cure,
              AllOf(HasSubstr("in the group that agentXPerms names"), HasSubstr("/a.conf:2 ")));
}

TEST(Doctor, ALineThatIsNewerThanSnmpdTakesARestart) {
  DoctorFacts facts = with_closed_socket();
  facts.too_new = {"/b.conf"};
  EXPECT_THAT(finding(facts, "AgentX socket").cure, Not(StartsWith("restart")))
      << "that file says nothing about the socket";
  facts.too_new = {"/b.conf", "/a.conf"};
  EXPECT_EQ(finding(facts, "AgentX socket").cure,
            "restart snmpd: it was started before /a.conf was written");
}

TEST(Doctor, AFolderThatIsClosedIsOpenedBeforeTheRestart) {
  DoctorFacts facts = with_closed_socket();
  facts.socket->steps[1].mode = S_IFDIR | 0700;
  EXPECT_THAT(finding(facts, "AgentX socket").cure,
              AllOf(StartsWith("chmod 755 /var/agentx: "), Not(HasSubstr("restart"))));
  facts.too_new = {"/a.conf"};
  EXPECT_THAT(finding(facts, "AgentX socket").cure,
              AllOf(StartsWith("chmod 755 /var/agentx: "), HasSubstr("; then restart snmpd: ")));
}

TEST(Doctor, AFileThatIsNewerIsNoFaultWhereTheSocketIsOpen) {
  DoctorFacts facts = healthy();
  facts.too_new = {"/a.conf"};
  EXPECT_THAT(points_in(facts, State::kWrong), IsEmpty());
}

TEST(Doctor, AFolderThatIsClosedIsABarrierUnlessAllMayBeSearched) {
  DoctorFacts facts = healthy();
  facts.socket->steps[1].mode = S_IFDIR | 0700;
  EXPECT_EQ(barrier(*facts.socket, facts.subject), "");
  facts.subject.capabilities = 0;
  EXPECT_THAT(barrier(*facts.socket, facts.subject),
              StartsWith("the folder /var/agentx (drwx------"));
}

TEST(Doctor, TheFirstClassThatFitsDecides) {
  const SocketPath path{.steps = {{"/s", S_IFSOCK | 0606, 1, 2}}};
  EXPECT_EQ(barrier(path, {.name = "a", .uid = 1, .groups = {2}}), "") << "the owner";
  EXPECT_NE(barrier(path, {.name = "a", .uid = 3, .groups = {2}}), "") << "the group";
  EXPECT_EQ(barrier(path, {.name = "a", .uid = 3, .groups = {4}}), "") << "the others";
  EXPECT_EQ(
      barrier(path, {.name = "a", .uid = 3, .groups = {2}, .capabilities = bit(CAP_DAC_OVERRIDE)}),
      "");
}

TEST(Doctor, AMasterOverTcpHasNoAccessControl) {
  DoctorFacts facts = healthy();
  facts.socket.reset();
  facts.master = "tcp:localhost:705";
  EXPECT_EQ(finding(facts, "AgentX socket").state, State::kNote);
}

TEST(Doctor, AMasterThatDoesNotAnswerIsWrongWithItsCure) {
  DoctorFacts facts = healthy();
  facts.ping = failure("open an AgentX session", ETIMEDOUT, "look at snmpd");
  EXPECT_EQ(finding(facts, "AgentX master").state, State::kWrong);
  EXPECT_EQ(finding(facts, "AgentX master").cure, "look at snmpd");
}

TEST(Doctor, ADaemonThatDoesNotRunIsANote) {
  DoctorFacts facts = healthy();
  facts.instance = false;
  EXPECT_EQ(finding(facts, "tcpmibd").state, State::kNote);
}

TEST(Doctor, StandingAloneNoMasterIsLookedFor) {
  DoctorFacts facts = healthy();
  facts.standalone = true;
  facts.ping = failure("open an AgentX session", ETIMEDOUT);
  for (const Finding& each : examine(facts))
    EXPECT_FALSE(each.point.starts_with("AgentX")) << each.point;
}

// ---- The lines of snmpd ----

TEST(SnmpdLines, AreThoseAboutAgentXWithTheirPlace) {
  const std::vector<SnmpdLine> lines = snmpd_lines(
      "/f", "# agentXPerms 1\n\n  AGENTXperms\t0660   0755 a  b \r\nrocommunity x\nmaster");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].place, "/f:3");
  EXPECT_EQ(lines[0].token, "agentxperms");
  EXPECT_EQ(lines[0].value, "0660 0755 a b");
  EXPECT_EQ(lines[1].place, "/f:5");
  EXPECT_EQ(lines[1].value, "");
}

TEST(Doctor, LinesThatContradictEachOtherAreWrongWithWhatToMerge) {
  DoctorFacts facts = healthy();
  for (const SnmpdLine& line :
       snmpd_lines("/b.conf", "agentXPerms 0660 0550 root monitoring\nagentXTimeout 5\n"))
    facts.snmpd.push_back(line);
  EXPECT_THAT(points_in(facts, State::kWrong), ElementsAre("agentXPerms"));
  EXPECT_THAT(finding(facts, "agentXPerms").text,
              AllOf(HasSubstr("/a.conf:2 \"0660 0755 " + std::string(snmpd_user()) + " tcpmibd\""),
                    HasSubstr("/b.conf:1 \"0660 0550 root monitoring\"")));
  EXPECT_THAT(finding(facts, "agentXPerms").cure,
              EndsWith('"' + std::string(agentx_perms()) + '"'));
}

TEST(Doctor, LimitsThatAreMissingAreANote) {
  DoctorFacts facts = healthy();
  facts.snmpd = snmpd_lines("/a.conf", "master agentx\n");
  EXPECT_THAT(points_in(facts, State::kNote), ElementsAre("agentXTimeout", "agentXRetries"));
}

TEST(Doctor, OfFilesThatCannotBeReadNothingIsMissed) {
  DoctorFacts facts = healthy();
  facts.snmpd.clear();
  facts.unreadable = {"/a.conf cannot be read: Permission denied"};
  facts.ping = failure("open an AgentX session", EACCES);
  EXPECT_THAT(points_in(facts, State::kNote), ElementsAre("snmpd's files"));
  EXPECT_THAT(points_in(facts, State::kWrong), ElementsAre("AgentX master"));
}

TEST(Doctor, AnAddressThatSnmpdDoesNotHaveIsWrong) {
  DoctorFacts facts = healthy();
  facts.snmpd.push_back({"/a:9", "agentxsocket", "tcp:localhost:705,unix:/run/agentx/master"});
  EXPECT_THAT(points_in(facts, State::kWrong), ElementsAre("agentXSocket"));
  for (const char* same : {"/run/agentx/master", "705", "localhost", "tcp:localhost:705"}) {
    facts.master = same;
    EXPECT_THAT(points_in(facts, State::kWrong), IsEmpty()) << same;
  }
}

TEST(Doctor, WithoutALineThatTurnsAgentXOnThereIsNoMaster) {
  DoctorFacts facts = healthy();
  facts.snmpd.erase(facts.snmpd.begin());
  EXPECT_THAT(points_in(facts, State::kWrong), IsEmpty()) << "one answers all the same";
  facts.ping = failure("reach the AgentX master", ENOENT);
  EXPECT_THAT(points_in(facts, State::kWrong), ElementsAre("AgentX master", "master"));
}

// ---- What managers see ----

DoctorFacts asked(const Seen& seen) {
  DoctorFacts facts = healthy();
  facts.query = "localhost";
  facts.seen = seen;
  return facts;
}

constexpr Seen kAll{
    .our_capabilities = true, .tcp_rto_min = true, .tcp_hc_in_segs = true, .our_arc = true};

TEST(DoctorQuery, EverythingThatIsSeenIsOk) {
  EXPECT_THAT(points_in(asked(kAll), State::kWrong), IsEmpty());
  EXPECT_EQ(finding(asked(kAll), "TCP-MIB").text, "is answered by tcpmibd");
}

TEST(DoctorQuery, AnAgentThatDoesNotAnswerIsWrong) {
  DoctorFacts facts = healthy();
  facts.seen = Result<Seen>(failure("get an answer from localhost", 0, "start it"));
  EXPECT_EQ(finding(facts, "query").cure, "start it");
}

TEST(DoctorQuery, AViewThatHidesTheMibIsWrongWithTheLineForIt) {
  Seen seen;
  seen.our_capabilities = true;
  EXPECT_THAT(points_in(asked(seen), State::kWrong), ElementsAre("TCP-MIB", "TCPMIBD-MIB"));
  EXPECT_THAT(finding(asked(seen), "TCP-MIB").cure, HasSubstr("view NAME included .1.3.6.1.2.1.6"));
}

TEST(DoctorQuery, AViewThatHidesOurArcIsWrongUnlessItIsNotServed) {
  Seen seen = kAll;
  seen.our_arc = false;
  EXPECT_THAT(points_in(asked(seen), State::kWrong), ElementsAre("TCPMIBD-MIB"));
  EXPECT_THAT(finding(asked(seen), "TCPMIBD-MIB").cure,
              HasSubstr("included .1.3.6.1.4.1.8072.9999.9999.4022"));
  DoctorFacts facts = asked(seen);
  facts.arc_served = false;
  EXPECT_THAT(points_in(facts, State::kWrong), IsEmpty());
}

TEST(DoctorQuery, RowsOfTheAgentItselfAreTold) {
  Seen seen;
  seen.tcp_rto_min = true;
  EXPECT_THAT(points_in(asked(seen), State::kWrong), ElementsAre("TCP-MIB"));
  EXPECT_THAT(finding(asked(seen), "TCP-MIB").text, HasSubstr("by the agent itself"));
}

TEST(DoctorQuery, NothingAtAllHasTwoCauses) {
  EXPECT_THAT(finding(asked({}), "TCP-MIB").cure,
              AllOf(HasSubstr("start tcpmibd"), HasSubstr("view NAME")));
}

// ---- Output ----

TEST(Doctor, TheTableIsFollowedByWhatToDo) {
  const std::string text = findings_text(
      {{"a", State::kOk, "fine"}, {"long point", State::kWrong, "bad", "mend it"}}, false);
  EXPECT_EQ(text,
            "POINT       STATE  FINDING\n"
            "a           ok     fine\n"
            "long point  wrong  bad\n"
            "\nWhat to do:\nlong point: mend it\n");
}

TEST(Doctor, NothingSteersTheTerminal) {
  const std::vector<Finding> findings{{"a\x1b", State::kWrong, "b\x1b[2J", "c\x9b\xc2\x9b"}};
  const std::string text = findings_text(findings, false);
  EXPECT_THAT(text, AllOf(HasSubstr("a\\x1b"), HasSubstr("b\\x1b[2J"), HasSubstr("c\\x9b\\xc2")));
  EXPECT_THAT(findings_json(findings), AllOf(HasSubstr("\\u001b[2J"), HasSubstr("\\u009b")));
}

TEST(Doctor, SpeaksJson) {
  const nlohmann::json all =
      nlohmann::json::parse(findings_json({{"a", State::kNote, "so so", "x"}}));
  EXPECT_EQ(all["ok"], true);
  EXPECT_EQ(all["points"][0]["state"], "note");
  EXPECT_EQ(all["points"][0]["cure"], "x");
}

// ---- Facts from texts of the kernel ----

TEST(DoctorFactsTest, AProcessIsReadFromItsStatus) {
  const Subject subject = subject_of(
      "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \nCapEff:\t0000000000080004\n",
      "x");
  EXPECT_EQ(subject.uid, 4u);
  EXPECT_THAT(subject.groups, ElementsAre(9, 10, 8));
  EXPECT_EQ(subject.capabilities, 0x80004u);
}

TEST(DoctorFactsTest, TheLastMountOfProcDecides) {
  const std::string first = "22 1 0:21 / /proc rw,nosuid - proc proc rw,hidepid=invisible,gid=3\n";
  const std::string other = "23 1 0:22 / /sys rw - sysfs sysfs rw\n";
  EXPECT_EQ(hidepid_of(first + other), "invisible");
  EXPECT_EQ(hidepid_of(first + other + "24 22 0:40 / /proc rw - proc proc rw\n"), "");
  EXPECT_EQ(hidepid_of(other), "");
}

TEST(DoctorFactsTest, AModuleIsSeenAtTheSocketOfTheDaemon) {
  const std::string header = "Num       RefCount Protocol Flags    Type St Inode Path\n";
  const std::string listener = "0000000000000000: 00000002 00000000 00010000 0001 01 77 /run/a\n";
  const std::string connected = "0000000000000000: 00000003 00000000 00000000 0001 03 78 /run/a\n";
  EXPECT_EQ(module_at(header, "/run/a"), ModuleSight::kAbsent);
  EXPECT_EQ(module_at(header + listener, "/run/a"), ModuleSight::kAlone);
  EXPECT_EQ(module_at(header + listener + connected, "/run/a"), ModuleSight::kConnected);
  EXPECT_EQ(module_at(header + listener + connected, "/run/b"), ModuleSight::kAbsent);
}

TEST(DoctorFactsTest, AnAbstractSocketIsFoundByItsName) {
  const std::string sockets =
      "Num       RefCount Protocol Flags    Type St Inode Path\n"
      "0000000000000000: 00000002 00000000 00000000 0002 01 77 @tcpmibd/1:23\n"
      "0000000000000000: 00000002 00000000 00000000 0002 01 78 @tcpmibd/1:2\n";
  EXPECT_EQ(inode_of(sockets, "tcpmibd/1:2"), 78u);
  EXPECT_EQ(inode_of(sockets, "tcpmibd/1"), 0u);
}

}  // namespace
}  // namespace tcpmibd::agent
