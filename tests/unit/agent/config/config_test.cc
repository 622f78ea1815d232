#include "agent/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "agent/config/toml_string.h"
#include "unit/agent/config/config_files.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Every key at a value that is not its default.
constexpr const char* kEveryKey = R"([agentx]
address = "tcp:localhost:705"
priority = 7
reconnect = "5s"
ping = "2m"
module-socket = ""
module-users = ["snmp", "other"]

[standalone]
address = ["udp:127.0.0.1:1161", "udp6:[::1]:1161"]
access = "/etc/tcpmibd/access.conf"
state = "/srv/\"odd\" name\\"
tcp-idle = "90s"
tcp-connections = 500
tcp-connections-each = 1

[mib]
tables = ["scalars", "legacy"]
link-local = "ipv6"
dual-stack-listener = "ipv6"

[snapshot]
max-age = "250ms"

[process]
lookup = false
max-age = "60m"

[delete-tcb]
policy = "all"
protect-ports = [22, 65535]
protect-remote-ports = [1]

[ends]
watch = "off"
history = 65536

[watch]
interval = "60m"

[notify]
deletions = true

[log]
level = "debug"
target = "stderr"

[alarm.leak]
measure = "lastAck"
per = "host"
older-than = "5m"
raise = 100
clear = 7
for = "30s"

[alarm.queue]
measure = "queue-percent"
per = "port"
older-than = "0s"
raise = 75
clear = 0
for = "0s"
)";

TEST_F(ConfigFiles, WithoutFilesEveryKeyHasItsDefault) {
  const Result<Config> config = load();
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(to_toml(*config), to_toml(Config()));
}

TEST_F(ConfigFiles, DefaultsAreThoseOfTheInterface) {
  EXPECT_EQ(to_toml(Config()), R"([agentx]
address = "/var/agentx/master"
priority = 100
reconnect = "2s"
ping = "30s"
module-socket = "/run/tcpmibd/snmpd.sock"
module-users = ""

[standalone]
address = ""
access = ""
state = ""
tcp-idle = "1m"
tcp-connections = 64
tcp-connections-each = 8

[mib]
tables = ["scalars", "connections", "listeners", "legacy", "tcpmibd"]
link-local = "ipv6z"
dual-stack-listener = "unknown"

[snapshot]
max-age = "1s"

[process]
lookup = true
max-age = "5s"

[delete-tcb]
policy = "connections"
protect-ports = []
protect-remote-ports = []

[ends]
watch = "auto"
history = 1024

[watch]
interval = "10s"

[notify]
deletions = false

[log]
level = "info"
target = "auto"
)");
}

TEST_F(ConfigFiles, DefaultsReadBackToThemselves) {
  EXPECT_EQ(error_of(to_toml(Config())), "no error");
  EXPECT_EQ(to_toml(*load()), to_toml(Config()));
}

TEST_F(ConfigFiles, EveryKeyIsReadAndWrittenBackTheSame) {
  write("tcpmibd.toml", kEveryKey);
  const Result<Config> config = load();
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(to_toml(*config), kEveryKey);
}

TEST_F(ConfigFiles, EveryKeyReachesItsField) {
  write("tcpmibd.toml", kEveryKey);
  const Result<Config> config = load();
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->agentx.address, "tcp:localhost:705");
  EXPECT_EQ(config->agentx.priority, 7);
  EXPECT_EQ(config->agentx.reconnect, seconds(5));
  EXPECT_EQ(config->agentx.ping, minutes(2));
  EXPECT_THAT(config->standalone.addresses, ElementsAre("udp:127.0.0.1:1161", "udp6:[::1]:1161"));
  EXPECT_EQ(config->standalone.access, "/etc/tcpmibd/access.conf");
  EXPECT_EQ(config->standalone.state, "/srv/\"odd\" name\\");
  EXPECT_EQ(config->standalone.connections.idle, seconds(90));
  EXPECT_EQ(config->standalone.connections.most, 500U);
  EXPECT_EQ(config->standalone.connections.each, 1U);
  EXPECT_THAT(config->mib.tables, ElementsAre(tables::Group::kScalars, tables::Group::kLegacy));
  EXPECT_FALSE(config->mib.link_local_zones);
  EXPECT_FALSE(config->mib.dual_stack_as_unknown);
  EXPECT_EQ(config->snapshot.max_age, milliseconds(250));
  EXPECT_FALSE(config->process.lookup);
  EXPECT_EQ(config->process.max_age, minutes(60));
  EXPECT_EQ(config->delete_tcb.policy, tcp::DeletionPolicy::kAll);
  EXPECT_THAT(config->delete_tcb.protected_ports, ElementsAre(22, 65535));
  EXPECT_THAT(config->delete_tcb.protected_remote_ports, ElementsAre(1));
  EXPECT_EQ(config->watch.interval, minutes(60));
  EXPECT_TRUE(config->notify.deletions);
  EXPECT_EQ(config->log.level, log::Level::kDebug);
  EXPECT_EQ(config->log.target, log::Target::kStderr);
  ASSERT_EQ(config->alarms.size(), 2U);
  EXPECT_EQ(config->alarms[0],
            (tcp::AlarmRule{.name = "leak",
                            .measure = {.state = tcp::State::kLastAck, .older_than = 300},
                            .raise_at = 100,
                            .clear_at = 7,
                            .hold = seconds(30)}));
}

TEST_F(ConfigFiles, OneAddressNeedsNoList) {
  EXPECT_EQ(error_of("[standalone]\naddress = \"udp:127.0.0.1:1161\"\n"), "no error");
  EXPECT_THAT(load()->standalone.addresses, ElementsAre("udp:127.0.0.1:1161"));
}

TEST_F(ConfigFiles, AnUnknownKeyNamesFileLineAndTheNearestKey) {
  EXPECT_EQ(error_of("[agentx]\npriority = 1\n\n# five\n\n[snapshot]\nmax-aeg = \"1s\"\n"),
            file() + ":7: unknown key 'max-aeg' in [snapshot]; did you mean 'max-age'?");
}

TEST_F(ConfigFiles, AnUnknownKeyThatIsNearNothingGetsNoSuggestion) {
  EXPECT_EQ(error_of("[log]\ncolour = 1\n"), file() + ":2: unknown key 'colour' in [log]");
}

TEST_F(ConfigFiles, TheFirstProblemOfTheFileIsTold) {
  EXPECT_THAT(error_of("[snapshot]\nzeal = 1\n[agentx]\nport = 1\n"), HasSubstr(":2: "));
}

struct Mistake {
  const char* text;
  const char* cause;
};

constexpr Mistake kMistakes[] = {
    {"[snapshto]\n", ":1: unknown section [snapshto]; did you mean 'snapshot'?"},
    {"\n[[agentx]]\n", ":2: 'agentx' is a section: write [agentx]"},
    {"log = 1\n", ":1: 'log' is a section: write [log]"},
    {"priority = 1\n", ":1: key 'priority' outside a section; did you mean 'agentx.priority'?"},
    {"colour = 1\n", ":1: unknown key 'colour' outside a section"},
    {"[snapshot.max-age]\n", ":1: snapshot.max-age takes a duration"},
    {"[agentx]\npriority = 300\n", ":2: agentx.priority takes a number from 1 to 255, not 300"},
    {"[agentx]\npriority = \"1\"\n", ":2: agentx.priority takes a number from 1 to 255, not "},
    {"[agentx]\npriority = 1.5\n", ":2: agentx.priority takes a number"},
    {"[agentx]\naddress = \"\"\n", ":2: agentx.address takes a string that is not empty"},
    {"[agentx]\nping = \"1500ms\"\n",
     ":2: agentx.ping takes a duration in whole seconds, from \"1s\" to \"60m\", not "},
    {"[agentx]\nreconnect = 2\n", ":2: agentx.reconnect takes a duration in whole seconds"},
    {"[snapshot]\nmax-age = \"9ms\"\n",
     ":2: snapshot.max-age takes a duration from \"10ms\" to \"60m\", not "},
    {"[snapshot]\nmax-age = \"61m\"\n", ":2: snapshot.max-age takes a duration"},
    {"[snapshot]\nmax-age = \"1\"\n", ":2: snapshot.max-age takes a duration"},
    {"[snapshot]\nmax-age = \"1 s\"\n", ":2: snapshot.max-age takes a duration"},
    {"[snapshot]\nmax-age = \"s\"\n", ":2: snapshot.max-age takes a duration"},
    {"[snapshot]\nmax-age = \"-9223372036854775808m\"\n", ":2: snapshot.max-age takes a"},
    {"[snapshot]\nmax-age = \"9223372036854775807m\"\n", ":2: snapshot.max-age takes a"},
    {"[process]\nlookup = 1\n", ":2: process.lookup takes true or false, not 1"},
    {"[mib]\ntables = []\n", ":2: mib.tables takes a list of at least one of \"scalars\", "},
    {"[mib]\ntables = [\"udp\"]\n", ":2: mib.tables takes a list of at least one of"},
    {"[mib]\ntables = [\"scalars\", 1]\n", ":2: mib.tables takes a list of at least one of"},
    {"[mib]\nlink-local = \"ipv4\"\n", ":2: mib.link-local takes \"ipv6z\" or \"ipv6\", not "},
    {"[delete-tcb]\npolicy = \"on\"\n",
     ":2: delete-tcb.policy takes \"connections\" or \"all\" or \"off\", not "},
    {"[delete-tcb]\nprotect-ports = [0]\n", ":2: delete-tcb.protect-ports takes a list of port"},
    {"[delete-tcb]\nprotect-ports = [70000]\n", ":2: delete-tcb.protect-ports takes a list of"},
    {"[standalone]\naddress = [\"\"]\n", ":2: standalone.address takes a string or a list"},
    {"[standalone]\naddress = 161\n", ":2: standalone.address takes a string or a list"},
    {"[standalone]\ntcp-idle = \"0s\"\n", ":2: standalone.tcp-idle takes a duration"},
    {"[standalone]\ntcp-connections = 0\n",
     ":2: standalone.tcp-connections takes a number from 1 to 500, not 0"},
    {"[watch]\ninterval = \"0s\"\n",
     ":2: watch.interval takes a duration in whole seconds, from \"1s\" to \"60m\", not "},
    {"[notify]\ndeletions = 1\n", ":2: notify.deletions takes true or false, not 1"},
    {"[log]\nlevel = \"inof\"\n", ":2: log.level takes \"debug\" or "},
    {"[log]\nlevel = debug\n", ":2:9: "},
    {"[log]\nlevel = \"info\"\nlevel = \"debug\"\n", ":3:"},
};

TEST_F(ConfigFiles, EveryMistakeIsToldWithFileLineAndCause) {
  for (const Mistake& mistake : kMistakes)
    EXPECT_THAT(error_of(mistake.text), HasSubstr(file() + mistake.cause));
}

TEST_F(ConfigFiles, LaterFilesOverrideEarlierOnesKeyByKey) {
  write("tcpmibd.toml", "[agentx]\npriority = 1\nping = \"1s\"\n[log]\nlevel = \"error\"\n");
  write("conf.d/20-b.toml", "[agentx]\npriority = 20\n");
  write("conf.d/10-a.toml", "[agentx]\npriority = 10\nping = \"10s\"\n");
  const Result<Config> config = load();
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->agentx.priority, 20);
  EXPECT_EQ(config->agentx.ping, seconds(10));
  EXPECT_EQ(config->log.level, log::Level::kError);
}

TEST_F(ConfigFiles, OnlyVisibleTomlFilesOfConfDAreRead) {
  write("conf.d/a.toml~", "nonsense");
  write("conf.d/.a.toml", "nonsense");
  write("conf.d/README", "nonsense");
  write("conf.d/a.toml", "");
  EXPECT_TRUE(load());
  const std::string main = folder_ / "tcpmibd.toml";
  const std::string drop_in = folder_ / "conf.d/a.toml";
  EXPECT_THAT(configuration_files(main, false).value(), ElementsAre(drop_in));
  EXPECT_THAT(configuration_files(main, true).value(), ElementsAre(main, drop_in));
}

TEST_F(ConfigFiles, AnErrorInConfDNamesThatFile) {
  write("conf.d/10-a.toml", "\n[log]\nlevle = 1\n");
  EXPECT_THAT(load().error().text(),
              HasSubstr("conf.d/10-a.toml:3: unknown key 'levle' in [log]; did you mean 'level'?"));
}

TEST_F(ConfigFiles, ANamedFileMustExist) {
  const Result<Config> config = load_config(file(), /*must_exist=*/true, {});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().text(), "cannot read " + file() +
                                       ": No such file or directory (name a file that exists, or "
                                       "none for the defaults)");
}

TEST_F(ConfigFiles, AFolderIsNoFile) {
  std::filesystem::create_directory(file());
  EXPECT_THAT(load().error().text(), HasSubstr("Is a directory"));
}

TEST_F(ConfigFiles, AnUnreadableFileIsAnErrorWithItsCure) {
  if (::geteuid() == 0)
    GTEST_SKIP() << "root reads every file";
  write("tcpmibd.toml", "");
  ::chmod(file().c_str(), 0);
  EXPECT_EQ(load().error().text(), "cannot read " + file() +
                                       ": Permission denied (let the user that runs tcpmibd read "
                                       "it)");
}

// What a file must not be; input_file_test.cc has every kind.
TEST_F(ConfigFiles, WhatIsNoTextFileIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(::mkfifo(file().c_str(), 0600), 0);
  EXPECT_EQ(load().error().text(),
            "cannot read " + file() + ": it is a FIFO (put a regular file in its place)");
  std::filesystem::remove(file());
  ASSERT_EQ(::mkfifo((folder_ / "conf.d/a.toml").c_str(), 0600), 0);
  EXPECT_THAT(load().error().text(), HasSubstr("conf.d/a.toml: it is a FIFO"));
}

TEST_F(ConfigFiles, TheDefaultFileMayBeAbsentButNotALinkToNothing) {
  EXPECT_TRUE(load());
  std::filesystem::create_symlink(folder_ / "nothing", file());
  EXPECT_THAT(load().error().text(), HasSubstr("a link that leads nowhere"));
}

TEST_F(ConfigFiles, WhatIsHugeOrFullOfNulIsRefused) {
  write("tcpmibd.toml", std::string(300 << 10, '#'));
  EXPECT_THAT(load().error().text(), HasSubstr("File too large (at most 256 KiB are read)"));
  EXPECT_THAT(error_of(std::string(100, '\0')), HasSubstr(file() + ":1: a NUL octet"));
}

TEST_F(ConfigFiles, WhatIsNestedWithoutEndIsRefusedByItsLine) {
  const std::string cause = ": nested more than 64 deep";
  const auto repeated = [](const std::string& part) {
    std::string text;
    for (int i = 0; i < 20'000; ++i)
      text += part;
    return text;
  };
  EXPECT_THAT(error_of("\na = " + repeated("[")), HasSubstr(file() + ":2" + cause));
  EXPECT_THAT(error_of("[" + repeated("a.") + "a]"), HasSubstr(file() + ":1" + cause));
  EXPECT_THAT(error_of(repeated("a.") + "a = 1"), HasSubstr(file() + ":1" + cause));
  EXPECT_THAT(error_of("a = " + repeated("{a=")), HasSubstr(file() + ":1" + cause));
  write("tcpmibd.toml", "");
  EXPECT_THAT(error_of_override("agentx.address=" + repeated("[")), HasSubstr("nested too deep"));
}

TEST_F(ConfigFiles, OnesThatOthersCanWriteAreRefused) {
  write("tcpmibd.toml", "");
  ASSERT_EQ(::chmod(file().c_str(), 0666), 0);
  EXPECT_THAT(load().error().text(), HasSubstr(file() + ": everybody can write it (chmod o-w"));
  ASSERT_EQ(::chmod(file().c_str(), 0644), 0);
  EXPECT_TRUE(load());
  ASSERT_EQ(::chmod((folder_ / "conf.d").c_str(), 01777), 0);
  EXPECT_THAT(load().error().text(), HasSubstr("conf.d: everybody can write it"));
}

TEST_F(ConfigFiles, ConfDHasAtMostSixtyFourOfThem) {
  for (int i = 0; i < 64; ++i)
    write("conf.d/" + std::to_string(i) + ".toml", "");
  EXPECT_TRUE(load());
  write("conf.d/one-more.toml", "");
  EXPECT_THAT(load().error().text(), HasSubstr("conf.d: it has more than 64 files *.toml"));
}

TEST_F(ConfigFiles, WhatIsQuotedSteersNoTerminal) {
  EXPECT_THAT(error_of("[\"a\\u001b[2J\"]\n"), HasSubstr("unknown section [a\\x1b[2J]"));
  EXPECT_THAT(error_of("[log]\n\"\\u009b\" = 1\n"), HasSubstr("unknown key '\\xc2\\x9b'"));
  EXPECT_THAT(error_of("[log]\nlevel = \"\\u0007\"\n"), testing::Not(HasSubstr("\a")));
  write("tcpmibd.toml", "");
  EXPECT_THAT(error_of_override("a\x1b=1"), HasSubstr("unknown key 'a\\x1b'"));
  write("tcpmibd.toml", "[agentx]\naddress = \"a\\u001b\\u009b\"\n");
  EXPECT_THAT(to_toml(*load()), HasSubstr("address = \"a\\u001b\\u009b\""));
}

TEST_F(ConfigFiles, OverridesWinOverFilesAndLaterOverridesOverEarlierOnes) {
  write("tcpmibd.toml", "[agentx]\npriority = 1\n");
  EXPECT_EQ(load({"agentx.priority=2", "agentx.priority=3"})->agentx.priority, 3);
}

TEST_F(ConfigFiles, AnOverrideIsTomlOrABareWord) {
  const Result<Config> config =
      load({"mib.link-local=ipv6", "snapshot.max-age=5s", "log.level=\"debug\"",
            "process.lookup=false", "delete-tcb.protect-ports=[22, 443]", "mib.tables=scalars",
            "standalone.address=udp6:[::1]:1161"});
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_FALSE(config->mib.link_local_zones);
  EXPECT_EQ(config->snapshot.max_age, seconds(5));
  EXPECT_EQ(config->log.level, log::Level::kDebug);
  EXPECT_FALSE(config->process.lookup);
  EXPECT_THAT(config->delete_tcb.protected_ports, ElementsAre(22, 443));
  EXPECT_THAT(config->mib.tables, ElementsAre(tables::Group::kScalars));
  EXPECT_THAT(config->standalone.addresses, ElementsAre("udp6:[::1]:1161"));
}

TEST_F(ConfigFiles, AMistakenOverrideIsToldWithItsText) {
  EXPECT_EQ(error_of_override("agentx.priority"),
            "--set agentx.priority: no '=' between key and value");
  EXPECT_EQ(error_of_override("agentx.prioritty=1"),
            "--set agentx.prioritty=1: unknown key 'agentx.prioritty'; did you mean "
            "'agentx.priority'?");
  EXPECT_EQ(error_of_override("agentx.priority=0"),
            "--set agentx.priority=0: agentx.priority takes a number from 1 to 255, "
            "not 0");
  EXPECT_THAT(error_of_override("agentx.address=\"unfinished"), HasSubstr("unfinished: "));
  EXPECT_THAT(error_of_override("agentx.priority=1\nother=2"), HasSubstr("more than one key"));
  EXPECT_THAT(error_of_override("=1"), HasSubstr("unknown key ''"));
}

TEST_F(ConfigFiles, ATomlStringCarriesAnything) {
  const std::string odd = "udp6:[fe80::1%eth0]:161 \"\\\n\t\x01\x7f \u00e9 #=";
  EXPECT_EQ(load({"agentx.address=" + toml_string(odd)})->agentx.address, odd);
}

TEST(RestartKeys, NamesWhatOnlyARestartApplies) {
  Config changed;
  changed.agentx.priority = 1;
  changed.standalone.access = "/a";
  changed.mib.tables.erase(tables::Group::kLegacy);
  changed.ends = {.watch = false, .history = 0};
  EXPECT_THAT(restart_keys(Config(), changed),
              ElementsAre("agentx.priority", "standalone.access", "mib.tables", "ends.watch",
                          "ends.history"));
}

TEST(RestartKeys, LiveKeysAreNotAmongThem) {
  Config changed;
  changed.standalone.connections = {.idle = seconds(9), .most = 9, .each = 9};
  changed.snapshot.max_age = seconds(9);
  changed.process.lookup = false;
  changed.process.max_age = seconds(9);
  changed.delete_tcb.policy = tcp::DeletionPolicy::kOff;
  changed.delete_tcb.protected_ports = {22};
  changed.delete_tcb.protected_remote_ports = {22};
  changed.watch.interval = seconds(9);
  changed.notify.deletions = true;
  changed.alarms.emplace_back();
  changed.log.level = log::Level::kError;
  changed.log.target = log::Target::kSyslog;
  EXPECT_THAT(restart_keys(Config(), changed), IsEmpty());
}

}  // namespace
}  // namespace tcpmibd::agent
