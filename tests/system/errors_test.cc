#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "support/temp_folder.h"
#include "system/system_test.h"

// What cannot be done is refused with the cause, the cure and the status that is promised.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Words = std::vector<std::string>;

constexpr int kFailed = 1, kUsage = 2;

// Ends with `status`, and says all of `words` on standard error alone.
void expect_refusal(const Output& output, int status, const Words& words) {
  EXPECT_EQ(output.status, status);
  EXPECT_THAT(output.out, IsEmpty());
  for (const std::string& word : words)
    EXPECT_THAT(output.err, HasSubstr(word));
}

// An agent that refuses to start says why in its log.
void expect_refusal(Daemon daemon, int status, const Words& words) {
  EXPECT_EQ(daemon.process().wait(kGreatPatience), status);
  for (const std::string& word : words)
    EXPECT_THAT(daemon.log(), HasSubstr(word));
}

// ---- The command line ----

struct CommandMistake {
  const char* name;
  Words arguments;
  Words words;
};

std::ostream& operator<<(std::ostream& stream, const CommandMistake& mistake) {
  return stream << testing::PrintToString(mistake.arguments);
}

class CommandLineMistake : public testing::TestWithParam<CommandMistake> {};

TEST_P(CommandLineMistake, IsToldAndNothingIsDone) {
  Words arguments = GetParam().arguments;
  arguments.insert(arguments.begin(), tcpmibd_binary());
  expect_refusal(run(arguments), kUsage, GetParam().words);
}

const CommandMistake kMistakes[] = {
    {"UnknownOption", {"--agentxx", "a"}, {"unknown option '--agentxx'; did you mean '--agentx'?"}},
    {"UnknownCommand", {"shwo"}, {"unknown command 'shwo'; did you mean 'show'?"}},
    {"NoValue", {"--agentx"}, {"--agentx"}},
    {"BothRoles",
     {"--agentx", "/run/a", "--standalone", "udp:127.0.0.1:1"},
     {"--agentx and --standalone exclude each other"}},
    {"OptionOfAnotherCommand", {"run", "--json"}, {"'--json' belongs behind the command 'show'"}},
    {"RoleOfShow", {"show", "--agentx", "/run/a"}, {"are options of run, check-config and doctor"}},
    {"UnknownTable", {"show", "conections"}, {"did you mean 'connections'?"}},
    {"UnknownState", {"show", "--state", "close-wate"}, {"unknown state", "did you mean"}},
    {"OptionWithoutMeaning",
     {"show", "pressure", "--port", "80"},
     {"--port means nothing to 'show pressure'"}},
    {"NoPort", {"show", "--port", "http"}, {"takes a number from 1 to 65535"}},
    {"StateToExplain", {"explain", "sleeping"}, {"unknown state 'sleeping'"}},
    {"TooMuch", {"explain", "closing", "listen"}, {"unexpected argument 'listen'"}},
    {"UnknownKey", {"--set", "agentx.adress=a"}, {"did you mean 'agentx.address'?"}},
    {"KeyWithoutValue", {"--set", "agentx.address"}, {"no '=' between key and value"}},
    {"BadDuration", {"--set", "snapshot.max-age=soon"}, {"snapshot.max-age takes a duration"}},
    {"BadNumber", {"--set", "agentx.priority=300"}, {"a number from 1 to 255, not 300"}},
    {"BadChoice", {"--set", "mib.link-local=ipv7"}, {"\"ipv6z\" or \"ipv6\""}},
    {"NoFile", {"--config", "/nowhere/at.toml"}, {"No such file", "name a file that exists"}},
    {"AFolderForAFile", {"--config", "/proc"}, {"Is a directory (name a file, not a folder)"}},
};

INSTANTIATE_TEST_SUITE_P(Mistakes, CommandLineMistake, testing::ValuesIn(kMistakes),
                         [](const auto& of) { return of.param.name; });

// ---- Addresses ----

struct BadAddress {
  const char* name;
  Words arguments;
  int status;
  Words words;
};

std::ostream& operator<<(std::ostream& stream, const BadAddress& bad) {
  return stream << testing::PrintToString(bad.arguments);
}

class Address : public SystemTest, public testing::WithParamInterface<BadAddress> {};

TEST_P(Address, ThatCannotServeIsRefused) {
  const Namespace space;
  expect_refusal(Daemon(space, {.arguments = GetParam().arguments}), GetParam().status,
                 GetParam().words);
}

const char* const kHowToServe = "(write it as udp:ADDRESS:PORT or udp6:[ADDRESS]:PORT)";
const char* const kHowToAttach = "(write it as the path of a socket";

const BadAddress kAddresses[] = {
    {"NoAddress", {"--standalone", "here"}, kUsage, {"listen on here", kHowToServe}},
    {"NoPortNumber", {"--standalone", "udp:127.0.0.1:99999"}, kUsage, {kHowToServe}},
    {"NoIpAddress", {"--standalone", "udp:300.0.0.1:1161"}, kUsage, {kHowToServe}},
    {"NotOurs", {"--standalone", "udp:192.0.2.1:1161"}, kFailed, {"no interface has this address"}},
    {"OneOfTwo",
     {"--standalone", Daemon::kAddress, "--standalone", "there"},
     kUsage,
     {"listen on there"}},
    {"MasterByUdp", {"--agentx", "udp:localhost:705"}, kUsage, {kHowToAttach}},
    {"MasterWithoutPort", {"--agentx", "tcp:localhost:99999"}, kUsage, {kHowToAttach}},
    {"MasterWithoutHost", {"--agentx", "tcp:"}, kUsage, {kHowToAttach}},
    {"MasterOverTheAir", {"--agentx", "tcp:air/705"}, kUsage, {"'tcp:air/705'", kHowToAttach}},
};

INSTANTIATE_TEST_SUITE_P(Addresses, Address, testing::ValuesIn(kAddresses),
                         [](const auto& of) { return of.param.name; });

// ---- Files and places ----

class Errors : public SystemTest {};
class PlainUserErrors : public PlainUserTest {};

Words standalone() { return {"--standalone", Daemon::kAddress}; }

Words with_access(const std::string& file) {
  return {"--standalone", Daemon::kAddress, "--access", file};
}

// Somebody else's, closed to everybody.
std::string closed_file(const TempFolder& folder, const std::string& text) {
  std::string file = folder.write("closed", text);
  check(::chmod(file.c_str(), 0600), "close " + file);
  return file;
}

TEST_F(Errors, AMistakeInTheConfigurationIsToldByFileAndLine) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = folder.write("tcpmibd.toml",
                                        "# ours\n[agentx]\npriority = 100\n\n"
                                        "[snapshot]\nmax-age = \"1s\"\nmaxage = \"2s\"\n");
  for (const char* command : {"run", "check-config", "show"})
    expect_refusal(run_tcpmibd(space, {command, "--config", file}), kUsage,
                   {file + ":7: unknown key 'maxage'", "did you mean 'max-age'?"});
}

TEST_F(Errors, WhatIsNoTomlIsToldByFileAndLine) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = folder.write("tcpmibd.toml", "[agentx]\naddress = /var/agentx/master\n");
  expect_refusal(run_tcpmibd(space, {"--config", file}), kUsage, {file + ":2:"});
}

TEST_F(Errors, AMistakeInADropInIsToldByItsOwnName) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = folder.write("tcpmibd.toml", "");
  std::filesystem::create_directory(folder.file("conf.d"));
  const std::string drop_in = folder.write("conf.d/local.toml", "\n[agentx]\ncolour = 1\n");
  expect_refusal(run_tcpmibd(space, {"--config", file}), kUsage, {drop_in + ":3:"});
}

TEST_F(Errors, ABusyPortNamesTheCure) {
  const Namespace space;
  const Daemon first = Daemon::standalone(space);
  expect_refusal(Daemon(space, {.arguments = standalone()}), kFailed,
                 {std::string("listen on ") + Daemon::kAddress, "Address already in use",
                  "stop it or choose another"});
  EXPECT_TRUE(is_served_by_us(Manager::v2c(space, Daemon::kAddress)));
}

TEST_F(Errors, APlaceForTheStateThatIsNoneRefusesOnlySnmpv3) {
  const Namespace space;
  const Daemon daemon =
      Daemon::standalone(space, {.settings = {"standalone.state=/dev/null/state"}});
  EXPECT_EQ(count_of("SNMPv3 is refused, v1 and v2c are served", daemon.log()), 1);
  EXPECT_THAT(daemon.log(), HasSubstr("set standalone.state to a folder it can write"));
}

TEST_F(Errors, AStateInUseRefusesSnmpv3) {
  const Namespace space, elsewhere;
  const TempFolder folder;
  const DaemonOptions options{.settings = {"standalone.state=" + folder.file("state")}};
  const Daemon first = Daemon::standalone(space, options);
  const Daemon second = Daemon::standalone(elsewhere, options);
  EXPECT_THAT(first.log(), Not(HasSubstr("SNMPv3")));
  EXPECT_THAT(second.log(), HasSubstr("another agent uses it"));
}

TEST_F(Errors, AMistakeInTheAccessFileIsToldByFileAndLine) {
  const Namespace space;
  const TempFolder folder;
  const std::string file =
      folder.write("access", "rocommunity public 127.0.0.1\n\nrocomunity secret\n");
  expect_refusal(Daemon(space, {.arguments = with_access(file)}), kUsage,
                 {file + ":3:", "rocomunity"});
}

TEST_F(Errors, AnAccessFileThatLetsNobodyInIsRefused) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = folder.write("access", "# nothing yet\n");
  expect_refusal(Daemon(space, {.arguments = with_access(file)}), kUsage,
                 {file, "rocommunity public 127.0.0.1"});
}

TEST_F(Errors, AnAccessFileThatIsNotThereIsRefused) {
  const Namespace space;
  expect_refusal(Daemon(space, {.arguments = with_access("/nowhere/access")}), kUsage,
                 {"cannot read the access file /nowhere/access: No such file"});
}

// ---- Files that are none ----

struct Strange {
  const char* name;
  void (*make)(const std::string& file);
  const char* what;  // is said of it
};

std::ostream& operator<<(std::ostream& stream, const Strange& strange) {
  return stream << strange.name;
}

void fill(const std::string& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

const Strange kStrange[] = {
    {"AFifo", [](const std::string& file) { check(::mkfifo(file.c_str(), 0644), "make a FIFO"); },
     "it is a FIFO"},
    {"ADevice", [](const std::string& file) { std::filesystem::create_symlink("/dev/zero", file); },
     "it is a device"},
    {"AFolder", [](const std::string& file) { std::filesystem::create_directory(file); },
     "Is a directory (name a file, not a folder)"},
    {"ALinkToNothing",
     [](const std::string& file) { std::filesystem::create_symlink("/nowhere/at/all", file); },
     "it is a link that leads nowhere"},
    {"AHugeOne",
     [](const std::string& file) {
       fill(file, "");
       std::filesystem::resize_file(file, 1ULL << 32);
     },
     "File too large (at most 256 KiB are read)"},
    {"FullOfNul", [](const std::string& file) { fill(file, std::string(4096, '\0')); },
     "a NUL octet"},
    {"OpenToEverybody",
     [](const std::string& file) {
       fill(file, "");
       check(::chmod(file.c_str(), 0666), "open a file");
     },
     "everybody can write it (chmod o-w"},
    {"OfAForeignGroup",
     [](const std::string& file) {
       fill(file, "");
       check(::chown(file.c_str(), 0, kPlainUser), "give a file to a group");
       check(::chmod(file.c_str(), 0664), "open a file");
     },
     "which is neither root's nor ours (chmod g-w"},
    {"OfSomebodyElse",
     [](const std::string& file) {
       fill(file, "");
       check(::chown(file.c_str(), kPlainUser, 0), "give a file away");
     },
     "who is neither root nor ours (chown root"},
};

class StrangeFile : public SystemTest, public testing::WithParamInterface<Strange> {
 protected:
  // Makes one named `name`.
  std::string make(const std::string& name) const {
    const std::string file = folder_.file(name);
    GetParam().make(file);
    return file;
  }
  // One line that names the file and the cause.
  static void expect_one_line(const std::string& said, const std::string& file) {
    EXPECT_THAT(said, HasSubstr(file));
    EXPECT_THAT(said, HasSubstr(GetParam().what));
    EXPECT_EQ(count_of("\n", said), 1) << said;
  }

  TempFolder folder_;
};

TEST_P(StrangeFile, AsConfigurationEndsTheStartAndTheCheck) {
  const Namespace space;
  const std::string file = make("tcpmibd.toml");
  for (const char* command : {"run", "check-config"}) {
    const Output output = run_tcpmibd(space, {command, "--config", file});
    EXPECT_EQ(output.status, kUsage);
    expect_one_line(output.err, file);
  }
}

TEST_P(StrangeFile, AsADropInEndsTheStartAndTheCheck) {
  const Namespace space;
  const std::string file = folder_.write("tcpmibd.toml", "");
  std::filesystem::create_directory(folder_.file("conf.d"));
  const std::string drop_in = make("conf.d/mine.toml");
  for (const char* command : {"run", "check-config"}) {
    const Output output = run_tcpmibd(space, {command, "--config", file});
    EXPECT_EQ(output.status, kUsage);
    expect_one_line(output.err, drop_in);
  }
}

TEST_P(StrangeFile, AsAccessFileEndsTheStartAndTheCheck) {
  const Namespace space;
  const std::string file = make("access");
  for (const char* command : {"run", "check-config"}) {
    const Output output =
        run_tcpmibd(space, {command, "--set", "log.target=stderr", "--set", "log.level=error",
                            "--config", folder_.write("tcpmibd.toml", ""), "--standalone",
                            Daemon::kAddress, "--access", file});
    EXPECT_EQ(output.status, kUsage);
    expect_one_line(output.err, file);
  }
}

TEST_P(StrangeFile, AtASignalKeepsTheOldConfiguration) {
  const Namespace space;
  const Daemon daemon = Daemon::standalone(space);
  const std::string folder =
      std::filesystem::path(daemon.configuration_file()).parent_path().string() + "/conf.d";
  std::filesystem::create_directory(folder);
  const std::string file = folder + "/mine.toml";
  GetParam().make(file);
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.says("the old configuration stays in force")) << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr(GetParam().what));
  EXPECT_TRUE(is_served_by_us(Manager::v2c(space, Daemon::kAddress)));
  std::filesystem::remove(file);
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.says("the configuration has been read again")) << daemon.log();
}

INSTANTIATE_TEST_SUITE_P(Kinds, StrangeFile, testing::ValuesIn(kStrange),
                         [](const auto& of) { return of.param.name; });

TEST_F(Errors, AConfigurationNestedWithoutEndIsRefusedAndAtASignalTheOldOneStays) {
  const Namespace space;
  const TempFolder folder;
  const std::string deep = "a = " + std::string(100'000, '[');
  const std::string file = folder.write("tcpmibd.toml", deep);
  for (const char* command : {"run", "check-config"})
    expect_refusal(run_tcpmibd(space, {command, "--config", file}), kUsage,
                   {file + ":1: nested more than 64 deep"});
  const Daemon daemon = Daemon::standalone(space);
  daemon.configure(deep);
  daemon.process().signal(SIGHUP);
  EXPECT_TRUE(daemon.says("nested more than 64 deep")) << daemon.log();
  EXPECT_TRUE(is_served_by_us(Manager::v2c(space, Daemon::kAddress)));
}

TEST_F(Errors, AFolderOfDropInsThatEverybodyCanWriteIsRefused) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = folder.write("tcpmibd.toml", "");
  std::filesystem::create_directory(folder.file("conf.d"));
  check(::chmod(folder.file("conf.d").c_str(), 01777), "open a folder");
  expect_refusal(run_tcpmibd(space, {"--config", file}), kUsage,
                 {"cannot use the folder " + folder.file("conf.d") + ": everybody can write it"});
}

// Only SNMPv3 hangs on it.
TEST_F(Errors, AStateThatIsAFifoRefusesOnlySnmpv3) {
  const Namespace space;
  const TempFolder folder;
  check(::mkfifo(folder.file("engine").c_str(), 0600), "make a FIFO");
  const Daemon daemon =
      Daemon::standalone(space, {.settings = {"standalone.state=" + folder.path().string()}});
  EXPECT_THAT(daemon.log(), HasSubstr("SNMPv3 is refused, v1 and v2c are served: cannot read " +
                                      folder.file("engine") + ": it is a FIFO"));
}

TEST_F(Errors, AWordOfTheAccessFileThatMeansNothingHereIsRefusedByName) {
  const Namespace space;
  const TempFolder folder;
  const std::string other = folder.write("other", "rwcommunity private\n");
  for (const std::string& line :
       {std::string("agentuser root"), std::string("smuxpeer 1.3 x"), std::string("master agentx"),
        "includeFile " + other, std::string("[snmp]"), std::string("dlmod a /a.so"),
        "trapsess -Lf " + other + " 127.0.0.1"}) {
    const std::string file = folder.write("access", "rocommunity public 127.0.0.1\n" + line + "\n");
    const std::string word = line.substr(0, line.find(' '));
    for (const char* command : {"run", "check-config"})
      expect_refusal(
          run_tcpmibd(space, {command, "--set", "log.target=stderr", "--set", "log.level=error",
                              "--config", folder.write("tcpmibd.toml", ""), "--standalone",
                              Daemon::kAddress, "--access", file}),
          kUsage, {file + ":2: '" + word + "'"});
  }
}

TEST_F(Errors, WhatTheLibraryThinksOfALineIsToldByFileAndLine) {
  const Namespace space;
  const TempFolder folder;
  const std::string file =
      folder.write("access", "rocommunity public 127.0.0.1\n\nview all sideways .1.3\n");
  expect_refusal(Daemon(space, {.arguments = with_access(file)}), kUsage, {file + ":3: "});
}

TEST_F(Errors, WhatIsQuotedReachesNoTerminalAsItIs) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = folder.write("a\x1b[2J.toml", "[\"\\u001b]0;x\\u0007\"]\n");
  const Output output = run_tcpmibd(space, {"check-config", "--config", file});
  EXPECT_THAT(output.err, HasSubstr("a\\x1b[2J.toml:1: unknown section [\\x1b]0;x\\x07]"));
  EXPECT_THAT(run({tcpmibd_binary(), "explain", "\x1b[2J"}).err, HasSubstr("'\\x1b[2J'"));
}

TEST_F(PlainUserErrors, AClosedAccessFileIsRefused) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = closed_file(folder, "rocommunity public 127.0.0.1\n");
  expect_refusal(
      Daemon(space, {.arguments = with_access(file), .process = {.user = kPlainUser}}), kUsage,
      {"cannot read the access file " + file + ": Permission denied", "let the user that runs"});
}

TEST_F(PlainUserErrors, AClosedConfigurationIsRefused) {
  const Namespace space;
  const TempFolder folder;
  const std::string file = closed_file(folder, "");
  expect_refusal(run_tcpmibd(space, {"--config", file}, {.user = kPlainUser}), kUsage,
                 {"cannot read " + file + ": Permission denied", "let the user that runs tcpmibd"});
}

TEST_F(PlainUserErrors, APrivilegedPortNamesTheCure) {
  const Namespace space;
  expect_refusal(Daemon(space, {.arguments = {"--standalone", "udp:127.0.0.1:161"},
                                .process = {.user = kPlainUser}}),
                 kFailed, {"Permission denied", "CAP_NET_BIND_SERVICE"});
}

// Where Debian's snmpd is left as it comes, this is what everybody meets first.
TEST_F(PlainUserErrors, AClosedSocketOfTheMasterIsWaitedForAndTheCureIsNamed) {
  const Namespace space;
  Snmpd master(space, {.lines = {"agentXPerms 0700 0755"}});
  const Daemon daemon(
      space, {.arguments = {"--agentx", master.agentx()}, .process = {.user = kPlainUser}});
  ASSERT_TRUE(
      daemon.says("cannot reach the AgentX master at " + master.agentx() + ": Permission denied"))
      << daemon.log();
  EXPECT_THAT(daemon.log(), HasSubstr("agentXPerms 0660 0755"));
  EXPECT_TRUE(daemon.process().running());

  check(::chmod(master.agentx().c_str(), 0777), "open the master's socket");
  EXPECT_TRUE(is_served_by_us(master.manager(), kGreatPatience)) << daemon.log();
  EXPECT_EQ(count_of("Permission denied", daemon.log()), 1) << daemon.log();
}

}  // namespace
}  // namespace tcpmibd::lab
