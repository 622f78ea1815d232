#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/deadline.h"
#include "support/scenes.h"
#include "support/temp_folder.h"
#include "system/system_test.h"

// The commands that print and end.

namespace tcpmibd::lab {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using Words = std::vector<std::string>;

// What the program prints; an error is none of the output's business.
std::string printed(Words arguments) {
  arguments.insert(arguments.begin(), tcpmibd_binary());
  const Output output = run(arguments);
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.err, IsEmpty());
  return output.out;
}

// ---- Without a kernel ----

TEST(Commands, TheVersionIsOneLine) {
  for (const char* option : {"-V", "--version"})
    EXPECT_THAT(printed({option}), ContainsRegex("^tcpmibd [0-9]+\\.[0-9]+\\.[0-9]+\n$"));
}

TEST(Commands, HelpNamesEveryCommandAndTheStatusesToExpect) {
  for (const char* option : {"-h", "--help"})
    EXPECT_THAT(printed({option}),
                AllOf(HasSubstr("  run "), HasSubstr("  show "), HasSubstr("  explain "),
                      HasSubstr("  check-config "), HasSubstr("-x, --agentx ADDRESS"),
                      HasSubstr("Exit status: 0 asked to stop; 1 could not go on; 2 wrong")));
}

TEST(Commands, ExplainTellsTheLifeCycle) {
  EXPECT_THAT(printed({"explain"}),
              AllOf(HasSubstr("ESTABLISHED"), HasSubstr("TIME_WAIT"), HasSubstr("keep-alive")));
}

TEST(Commands, ExplainTakesAnyNameOfAState) {
  const std::string wanted = printed({"explain", "close-wait"});
  EXPECT_THAT(wanted, StartsWith("CLOSE_WAIT (8)\n"));
  for (const char* name : {"closeWait", "CLOSE_WAIT", "CLOSE-WAIT", "8"})
    EXPECT_EQ(printed({"explain", name}), wanted) << name;
  EXPECT_THAT(printed({"explain", "TIMED_WAIT"}), StartsWith("TIME_WAIT (11)\n"));
}

TEST(Commands, NothingIsColouredForAProgram) {
  EXPECT_THAT(printed({"explain", "listen"}), Not(HasSubstr("\x1b")));
}

TEST(Commands, TheEffectiveConfigurationIsAConfiguration) {
  const TempFolder folder;
  const std::string file = folder.write("first.toml",
                                        "[agentx]\npriority = 90\n[standalone]\n"
                                        "address = [\"udp:127.0.0.1:1161\", \"udp6:[::1]:1161\"]\n"
                                        "[delete-tcb]\nprotect-ports = [22, 443]\n");
  const std::string effective =
      printed({"check-config", "--config", file, "--set", "process.max-age=90s"});
  EXPECT_THAT(effective,
              AllOf(HasSubstr("priority = 90\n"), HasSubstr("protect-ports = [22, 443]\n"),
                    HasSubstr("max-age = \"90s\"\n"), HasSubstr("reconnect = \"2s\"\n")));
  const std::string again = folder.write("again.toml", effective);
  EXPECT_EQ(printed({"check-config", "--config", again}), effective);
}

TEST(Commands, AnOptionIsPartOfTheEffectiveConfiguration) {
  const TempFolder folder;
  const std::string file = folder.write("tcpmibd.toml", "");
  EXPECT_THAT(printed({"check-config", "--config", file, "--agentx", "tcp:localhost:705"}),
              HasSubstr("address = \"tcp:localhost:705\"\n"));
}

// ---- Show ----

// A namespace with a listener, both ends of a connection, and one end that was never closed.
class Show : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
    space_.emplace();
    open_ = connected(on_loopback(*space_, Family::kV4));
    leaked_ = connected(on_loopback(*space_, Family::kV6));
    leaked_.client.shutdown_write();
    leaked_.server.await_fin();
  }

  std::string shown(Words arguments) const {
    arguments.insert(arguments.begin(), "show");
    const Output output = run_tcpmibd(*space_, arguments);
    EXPECT_EQ(output.status, 0) << output.err;
    EXPECT_THAT(output.err, IsEmpty());
    return output.out;
  }

  json shown_json(Words arguments) const {
    arguments.emplace_back("--json");
    return json::parse(shown(arguments));
  }

  // In a namespace of its own some limits are not told, and a remark says so.
  json figures_of_pressure() const {
    const Output output = run_tcpmibd(*space_, {"show", "pressure", "--json"});
    EXPECT_EQ(output.status, 0) << output.err;
    return json::parse(output.out).at("pressure");
  }

  // The states of what is shown, listeners first.
  std::vector<std::string> states(const Words& arguments) const {
    std::vector<std::string> states;
    const json rows = shown_json(arguments);
    for (const char* kind : {"listeners", "connections"}) {
      for (const json& row : rows.value(kind, json::array()))
        states.push_back(row.at("state"));
    }
    return states;
  }

  std::optional<Namespace> space_;
  Connection open_, leaked_;
};

std::string our_pid() { return std::to_string(::getpid()); }

TEST_F(Show, TheTableHasALineForEverySocket) {
  const std::string table = shown({});
  EXPECT_THAT(table, StartsWith("STATE"));
  EXPECT_EQ(count_of("\n", table), 1 + 2 + 4) << table;
  EXPECT_THAT(table, HasSubstr(text(leaked_.server.local())));
  EXPECT_THAT(table, ContainsRegex("closeWait .* end not read .*" + our_pid() + " "));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
}

TEST_F(Show, NumbersTakeThePlaceOfNames) {
  const std::string table = shown({"connections", "--numeric"});
  EXPECT_THAT(table, ContainsRegex("\n8 "));
  EXPECT_THAT(table, Not(HasSubstr("closeWait")));
}

TEST_F(Show, TheJsonTellsEverythingOfASocket) {
  const json rows = shown_json({"--state", "closeWait"});
  EXPECT_THAT(rows.at("listeners"), IsEmpty());
  ASSERT_THAT(rows.at("connections"), SizeIs(1));
  const json& row = rows.at("connections").at(0);
  EXPECT_EQ(row.at("code"), 8);
  EXPECT_EQ(row.at("local").at("address"), "::1");
  EXPECT_EQ(row.at("local").at("type"), 2);
  EXPECT_EQ(row.at("local").at("port"), leaked_.server.local().port);
  EXPECT_EQ(row.at("remote").at("port"), leaked_.client.local().port);
  EXPECT_EQ(row.at("receive_queue"), 1);
  EXPECT_EQ(row.at("inode"), leaked_.server.inode());
  EXPECT_EQ(row.at("cookie"), leaked_.server.cookie());
  ASSERT_THAT(row.at("processes"), SizeIs(1));
  EXPECT_EQ(row.at("processes").at(0).at("pid"), ::getpid());
}

TEST_F(Show, AStateOrSeveralCanBeChosen) {
  EXPECT_THAT(states({"--state", "CLOSE-WAIT"}), ElementsAre("closeWait"));
  EXPECT_THAT(states({"--state", "close_wait,FIN_WAIT2"}),
              UnorderedElementsAre("finWait2", "closeWait"));
  EXPECT_THAT(states({"--state", "LISTENING"}), ElementsAre("listen", "listen"));
  EXPECT_THAT(states({"connections", "--state", "5"}), ElementsAre("established", "established"));
}

TEST_F(Show, APortAtEitherEndCanBeChosen) {
  EXPECT_THAT(states({"--port", std::to_string(open_.client.port())}),
              ElementsAre("established", "established"));
  EXPECT_THAT(states({"--port", std::to_string(open_.listener.port())}),
              ElementsAre("listen", "established", "established"));
}

TEST_F(Show, AProcessCanBeChosenByNumberOrName) {
  const std::string name = read_file("/proc/self/comm");
  EXPECT_THAT(states({"--process", our_pid()}), SizeIs(6));
  EXPECT_THAT(states({"--process", name.substr(0, name.size() - 1)}), SizeIs(6));
  EXPECT_THAT(states({"--process", "1"}), IsEmpty());
}

TEST_F(Show, OneKindCanBeChosen) {
  EXPECT_THAT(states({"listeners"}), ElementsAre("listen", "listen"));
  EXPECT_THAT(states({"connections"}), SizeIs(4));
}

TEST_F(Show, TheStatesAreCounted) {
  const json states = shown_json({"states"}).at("states");
  ASSERT_THAT(states, SizeIs(11));
  for (const json& state : states) {
    if (state.at("state") == "closeWait") {
      EXPECT_EQ(state.at("code"), 8);
      EXPECT_EQ(state.at("ipv4"), 0);
      EXPECT_EQ(state.at("ipv6"), 1);
      EXPECT_EQ(state.at("total"), 1);
    }
  }
  EXPECT_THAT(shown({"states"}), ContainsRegex(" 5  established .* 2 +0 +2\n"));
}

TEST_F(Show, AListenerTellsItsAcceptQueue) {
  const std::string at = std::to_string(open_.listener.port());
  EXPECT_THAT(
      shown({"listeners", "--port", at}),
      AllOf(StartsWith("STATE   LOCAL "), ContainsRegex(" QUEUE +LIMIT +FULL +DISCARDS +PROCESS\n"),
            ContainsRegex("\nlisten .*:" + at + " +0 +16 +0 % +0 +" + our_pid() + " ")));
  const json row = shown_json({"listeners", "--port", at}).at("listeners").at(0);
  EXPECT_EQ(row.at("queue"), 0);
  EXPECT_EQ(row.at("queue_limit"), 16);
  EXPECT_EQ(row.at("discards"), 0);
  EXPECT_FALSE(row.contains("drops"));
}

// What was lost one look cannot know, but that the kernel counts for all ports.
TEST_F(Show, AFullAcceptQueueAndItsDiscardsAreToldByPort) {
  const TcpSocket full = listen_on(*space_, "127.0.0.1:0", {.backlog = 1});
  const std::string at = text(full.local());
  std::vector<TcpSocket> clients;
  for (int i = 0; i < 2; ++i)
    clients.push_back(connect_to(*space_, at));
  clients.push_back(start_connecting(*space_, at));  // Its SYN is dropped at once.
  const std::string port = std::to_string(full.port());
  const json row = shown_json({"ports", "--port", port}).at("ports").at(0);
  EXPECT_EQ(row.at("port"), full.port());
  EXPECT_EQ(row.at("queue"), 2);
  EXPECT_EQ(row.at("queue_limit"), 1);
  EXPECT_EQ(row.at("queue_percent"), 100);
  EXPECT_GE(row.at("discards"), 1);
  EXPECT_FALSE(row.contains("drops"));
  EXPECT_THAT(shown({"ports", "--port", port}),
              ContainsRegex("\n *" + port + " +2 +1 +100 % +[1-9]"));
  EXPECT_GE(figures_of_pressure().at("listen_drops"), 1);
}

TEST_F(Show, ThePortThatLeaksComesFirst) {
  const json ports = shown_json({"ports"}).at("ports");
  ASSERT_THAT(ports, SizeIs(2));
  EXPECT_EQ(ports.at(0).at("port"), leaked_.listener.port());
  EXPECT_EQ(ports.at(0).at("close_wait"), 1);
  EXPECT_EQ(ports.at(0).at("process"), ::getpid());
  EXPECT_EQ(ports.at(1).at("established"), 1);
  EXPECT_THAT(
      shown({"ports", "--process", our_pid(), "--numeric"}),
      ContainsRegex("^ *PORT .* CLOSE-WAIT .*\n *" + std::to_string(leaked_.listener.port())));
  EXPECT_EQ(shown({"ports", "--port", "1"}), "nothing matches the options\n");
}

TEST_F(Show, AgesComeWithARemarkOnWhatOneLookCannotTell) {
  const Output table = run_tcpmibd(*space_, {"show", "ages"});
  EXPECT_EQ(table.status, 0);
  EXPECT_THAT(table.out, ContainsRegex("^STATE +>10 s .*\nsynSent +0 "));
  EXPECT_EQ(count_of("\n", table.out), 1 + 5);
  EXPECT_THAT(table.err, HasSubstr("when the running agent first sees them"));
  EXPECT_EQ(count_of("\n", table.err), 1);
  const json ages =
      json::parse(run_tcpmibd(*space_, {"show", "ages", "--state", "8", "--json"}).out).at("ages");
  ASSERT_THAT(ages, SizeIs(1));
  EXPECT_EQ(ages.at(0).at("state"), "closeWait");
  EXPECT_TRUE(eventually([&] {
    const Output later = run_tcpmibd(*space_, {"show", "ages", "--state", "8", "--json"});
    return json::parse(later.out).at("ages").at(0).at("oldest") >= 1;
  }));
}

TEST_F(Show, ProcessesAndUnitsAreNamedWithTheirLeaks) {
  const json processes = shown_json({"processes", "--process", our_pid()}).at("processes");
  ASSERT_THAT(processes, SizeIs(1));
  EXPECT_EQ(processes.at(0).at("pid"), ::getpid());
  EXPECT_EQ(processes.at(0).at("uid"), ::geteuid());
  EXPECT_EQ(processes.at(0).at("close_wait"), 1);
  EXPECT_EQ(processes.at(0).at("total"), 4);
  EXPECT_THAT(shown({"processes"}), ContainsRegex("^PROCESS .*\n" + our_pid() + " "));
  const json units = shown_json({"units"}).at("units");
  ASSERT_THAT(units, SizeIs(1));  // All of one program.
  EXPECT_EQ(units.at(0).at("listeners"), 2);
  EXPECT_EQ(units.at(0).at("close_wait"), 1);
  EXPECT_THAT(shown({"units"}), ContainsRegex("^UNIT .*\n[^ ]+ +2 +0 +2 +1 "));
}

TEST_F(Show, RemoteAddressesAreCounted) {
  const json remotes = shown_json({"remotes"}).at("remotes");
  ASSERT_THAT(remotes, SizeIs(2));
  EXPECT_EQ(remotes.at(0).at("rank"), 1);
  EXPECT_EQ(remotes.at(0).at("address"), "127.0.0.1");
  EXPECT_EQ(remotes.at(0).at("established"), 2);
  EXPECT_EQ(remotes.at(1).at("address"), "::1");
  EXPECT_EQ(remotes.at(1).at("close_wait"), 1);
  EXPECT_THAT(shown({"remotes"}), ContainsRegex("^RANK .*\n +1  127.0.0.1 .*\n +2  ::1 "));
}

TEST_F(Show, PressureIsToldWithItsLimits) {
  const json figures = figures_of_pressure();
  EXPECT_EQ(figures.at("time_waits"), 0);
  EXPECT_GT(figures.at("time_waits_limit"), 0);
  EXPECT_TRUE(figures.at("memory_limit").is_null());
  EXPECT_EQ(figures.at("ephemeral_used"), 1);
  EXPECT_EQ(figures.at("ephemeral_ports"), 60999 - 32768 + 1);
  EXPECT_EQ(figures.at("listen_overflows"), 0);
  const Output table = run_tcpmibd(*space_, {"show", "pressure"});
  EXPECT_THAT(table.out, AllOf(ContainsRegex("\ntime-wait +0 +[0-9]+ +0 %\n"),
                               ContainsRegex("\nmemory +[0-9]+ KiB +- +-\n"),
                               ContainsRegex("\nephemeral ports +1 +28232 +0 %  [^ ]+ to [^ ]+\n"),
                               ContainsRegex("\nListenDrops +0  ")));
  EXPECT_THAT(table.err, HasSubstr("in the initial network namespace only"));
}

TEST_F(Show, ThatNoAlarmIsConfiguredIsSaid) {
  EXPECT_EQ(shown({"alarms"}), "no alarms are configured; see tcpmibd.toml(5)\n");
  EXPECT_THAT(shown_json({"alarms"}).at("alarms"), IsEmpty());
}

TEST_F(Show, TheScalarsAreThoseOfTheKernel) {
  const json scalars = shown_json({"scalars"}).at("scalars");
  EXPECT_EQ(scalars.at("tcpRtoMin"), 200);
  EXPECT_EQ(scalars.at("tcpMaxConn"), -1);
  EXPECT_EQ(scalars.at("tcpActiveOpens"), 2);
  EXPECT_EQ(scalars.at("tcpCurrEstab"), 3);  // and the one in CLOSE_WAIT, as RFC 4022 has it
  EXPECT_TRUE(scalars.contains("tcpHCInSegs"));
  EXPECT_THAT(shown({"scalars"}), ContainsRegex("\ntcpActiveOpens +2\n"));
}

}  // namespace
}  // namespace tcpmibd::lab
