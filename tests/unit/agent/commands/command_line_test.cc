#include "agent/commands/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tcpmibd::agent {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using Command = Options::Command;
using Arguments = std::vector<const char*>;

Parsed parse(Arguments arguments) {
  arguments.insert(arguments.begin(), "tcpmibd");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

// Of arguments that are right.
Options options(const Arguments& arguments) {
  const Parsed parsed = parse(arguments);
  EXPECT_TRUE(parsed.options) << parsed.output;
  return parsed.options.value_or(Options());
}

// Of arguments that are wrong: the cause, without what every wrong usage has in common.
std::string wrong_usage(const Arguments& arguments) {
  const Parsed parsed = parse(arguments);
  EXPECT_FALSE(parsed.options);
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_TRUE(parsed.to_stderr);
  EXPECT_THAT(parsed.output, StartsWith("tcpmibd: "));
  EXPECT_THAT(parsed.output, EndsWith("\ntry 'tcpmibd --help'\n"));
  return parsed.output.substr(9, parsed.output.find('\n') - 9);
}

TEST(Options, WhatIsQuotedOfThemSteersNoTerminal) {
  EXPECT_EQ(wrong_usage({"explain", "a\x1b[2J"}), "unknown state 'a\\x1b[2J'");
  EXPECT_THAT(wrong_usage({"shw\x9b"}), HasSubstr("unknown command 'shw\\x9b'"));
  EXPECT_THAT(wrong_usage({"--\x07"}), HasSubstr("\\x07"));
  EXPECT_THAT(wrong_usage({"show", "--port", "\x1b"}), HasSubstr("'\\x1b' is no port"));
}

TEST(Options, WithoutArgumentsTheAgentRunsByItsDefaultFile) {
  const Options given = options({});
  EXPECT_EQ(given.command, Command::kRun);
  EXPECT_EQ(given.config_file, "/etc/tcpmibd/tcpmibd.toml");
  EXPECT_FALSE(given.config_given);
  EXPECT_THAT(given.overrides, IsEmpty());
}

TEST(Options, EveryCommandIsKnown) {
  EXPECT_EQ(options({"run"}).command, Command::kRun);
  EXPECT_EQ(options({"show"}).command, Command::kShow);
  EXPECT_EQ(options({"explain"}).command, Command::kExplain);
  EXPECT_EQ(options({"check-config"}).command, Command::kCheckConfig);
  EXPECT_EQ(options({"doctor"}).command, Command::kDoctor);
}

TEST(Options, CommonOptionsStandBeforeOrBehindTheCommand) {
  for (const Arguments& arguments :
       {Arguments{"-c", "a.toml", "--set", "log.level=debug", "show"},
        Arguments{"show", "--config", "a.toml", "--set", "log.level=debug"},
        Arguments{"--config=a.toml", "show", "--set=log.level=debug"}}) {
    const Options given = options(arguments);
    EXPECT_EQ(given.command, Command::kShow);
    EXPECT_EQ(given.config_file, "a.toml");
    EXPECT_TRUE(given.config_given);
    EXPECT_THAT(given.overrides, ElementsAre("log.level=debug"));
  }
}

TEST(Options, SetRepeatsAndKeepsItsOrder) {
  EXPECT_THAT(options({"--set", "a=1", "--set", "b=[2]", "run"}).overrides,
              ElementsAre("a=1", "b=[2]"));
}

TEST(Options, OptionsOfTheAgentBecomeOverrides) {
  EXPECT_THAT(options({"-x", "tcp6:[::1]:705"}).overrides,
              ElementsAre("agentx.address=\"tcp6:[::1]:705\""));
  EXPECT_THAT(options({"run", "--standalone", "udp6:[::1]:1161", "--standalone", "[::1]",
                       "--access", "/a \"b\"", "--set", "c=d"})
                  .overrides,
              ElementsAre("c=d", "standalone.address=[\"udp6:[::1]:1161\", \"[::1]\"]",
                          "standalone.access=\"/a \\\"b\\\"\""));
}

TEST(Options, OverridesOfTheAgentsOptionsAreReadAsTyped) {
  const std::string odd = "udp:127.0.0.1:161 # \"\\ é";
  const Options given = options({"check-config", "--standalone", odd.c_str()});
  const Result<Config> config = load_config("/nonexistent/a.toml", false, given.overrides);
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_THAT(config->standalone.addresses, ElementsAre(odd));
}

TEST(Options, ShowTakesWhatAndFilters) {
  const Options given =
      options({"show", "connections", "--json", "--numeric", "--state", "closeWait,TIME_WAIT",
               "--state", "8", "--port", "443", "--process", "[nginx]"});
  EXPECT_EQ(given.what, "connections");
  EXPECT_TRUE(given.json);
  EXPECT_TRUE(given.numeric);
  EXPECT_THAT(given.states,
              ElementsAre(tcp::State::kCloseWait, tcp::State::kTimeWait, tcp::State::kCloseWait));
  EXPECT_EQ(given.port, 443);
  EXPECT_EQ(given.process, "[nginx]");
}

TEST(Options, ShowPrintsADocumentOrALineARow) {
  EXPECT_TRUE(options({"show", "--jsonl"}).jsonl);
  EXPECT_FALSE(options({"show", "--jsonl"}).json);
  EXPECT_EQ(parse({"show", "--json", "--jsonl"}).exit_status, 2);
}

TEST(Options, ShowPrintsMetricsOfEverythingOrOfOneTable) {
  EXPECT_TRUE(options({"show", "--openmetrics"}).openmetrics);
  EXPECT_TRUE(options({"show", "units", "--prometheus"}).prometheus);
  EXPECT_THAT(parse({"show", "--openmetrics", "--json"}).output, HasSubstr("exclude each other"));
  EXPECT_THAT(parse({"show", "connections", "--openmetrics"}).output,
              HasSubstr("--openmetrics has nothing of 'show connections'"));
  for (const char* filter : {"--state=8", "--port=1", "--process=1", "--numeric"})
    EXPECT_THAT(parse({"show", "--prometheus", filter}).output, HasSubstr("choose in the query"));
}

TEST(Options, EveryTableThatCanBeShownIsOnTheHelpPage) {
  const std::string page = parse({"--help"}).output;
  for (const char* what : {"connections", "listeners", "states", "ages", "ports", "units",
                           "processes", "remotes", "pressure", "alarms", "scalars"}) {
    EXPECT_EQ(options({"show", what, "--json"}).what, what);
    EXPECT_THAT(page, HasSubstr("\n  " + std::string(what) + "  "));
  }
}

TEST(Options, EveryTableTakesTheOptionsThatMeanSomethingToIt) {
  EXPECT_EQ(options({"show", "ports", "--port", "443", "--process", "nginx", "--numeric"}).port,
            443);
  EXPECT_EQ(options({"show", "processes", "--process", "4711"}).process, "4711");
  for (const char* name : {"a\nb", R"(a\x0ab)"})
    EXPECT_EQ(options({"show", "processes", "--process", name}).process, R"(a\x0ab)");
  EXPECT_THAT(options({"show", "ages", "--state", "8"}).states,
              ElementsAre(tcp::State::kCloseWait));
}

TEST(Options, ShowAloneFiltersNothing) {
  const Options given = options({"show"});
  EXPECT_EQ(given.what, "");
  EXPECT_FALSE(given.json || given.numeric || given.port);
  EXPECT_THAT(given.states, IsEmpty());
}

TEST(Options, ExplainTakesAStateInAnySpelling) {
  EXPECT_EQ(options({"explain"}).state, std::nullopt);
  EXPECT_EQ(options({"explain", "fin-wait-1"}).state, tcp::State::kFinWait1);
  EXPECT_EQ(options({"explain", "11"}).state, tcp::State::kTimeWait);
}

TEST(Options, DoctorTakesWhomToAskAndWhereSnmpdsFilesAre) {
  const Options alone = options({"doctor"});
  EXPECT_EQ(alone.query, "");
  EXPECT_EQ(alone.community, std::nullopt);
  EXPECT_EQ(alone.snmpd_conf, "/etc/snmp/snmpd.conf");
  const Options given = options({"doctor", "--json", "--query", "localhost", "--community",
                                 "public", "--snmpd-conf", "/a", "-x", "/b"});
  EXPECT_TRUE(given.json);
  EXPECT_EQ(given.query, "localhost");
  EXPECT_EQ(given.community, "public");
  EXPECT_EQ(given.snmpd_conf, "/a");
  EXPECT_THAT(given.overrides, ElementsAre("agentx.address=\"/b\""));
}

struct WrongUsage {
  Arguments arguments;
  const char* cause;
};

const WrongUsage kWrongUsages[] = {
    {{"shwo"}, "unknown command 'shwo'; did you mean 'show'?"},
    {{"frobnicate"}, "unknown command 'frobnicate'"},
    {{"run", "now"}, "unexpected argument 'now'"},
    {{"run", "show"}, "unexpected argument 'show'"},
    {{"show", "listners"}, "cannot show 'listners'; did you mean 'listeners'?"},
    {{"show", "listeners", "states"}, "unexpected argument 'states'"},
    {{"show", "--state", "closewiat"}, "unknown state 'closewiat'; did you mean 'closeWait'?"},
    {{"show", "--state", "12"}, "unknown state '12'"},
    {{"show", "--port", "0"}, "'0' is no port: --port takes a number from 1 to 65535"},
    {{"show", "--port", "65536"}, "'65536' is no port: --port takes a number from 1 to 65535"},
    {{"show", "--port", "http"}, "'http' is no port: --port takes a number from 1 to 65535"},
    {{"show", "pressrue"}, "cannot show 'pressrue'; did you mean 'pressure'?"},
    {{"show", "units", "--port", "80"}, "--port means nothing to 'show units'"},
    {{"show", "ports", "--state", "listen"}, "--state means nothing to 'show ports'"},
    {{"show", "remotes", "--process", "1"}, "--process means nothing to 'show remotes'"},
    {{"show", "pressure", "--numeric"}, "--numeric means nothing to 'show pressure'"},
    {{"show", "-x", "a"},
     "--agentx, --standalone and --access are options of run, check-config and doctor"},
    {{"-x", "a", "--standalone", "b"},
     "--agentx and --standalone exclude each other: with a master or without"},
    {{"explain", "deleteTCB"}, "unknown state 'deleteTCB'"},
    {{"--query", "a"}, "option '--query' belongs behind the command 'doctor'"},
    {{"doctor", "--community", "a"}, "--community says by what name --query asks: give both"},
    {{"--json", "show"}, "option '--json' belongs behind the command 'show'"},
    {{"--cofnig=a"}, "unknown option '--cofnig'; did you mean '--config'?"},
    {{"-z"}, "unknown option '-z'"},
};

TEST(Options, WrongUsageIsOneLineThatNamesCauseAndNearestName) {
  for (const WrongUsage& wrong : kWrongUsages)
    EXPECT_EQ(wrong_usage(wrong.arguments), wrong.cause);
}

TEST(Options, AMissingValueIsWrongUsage) {
  EXPECT_THAT(wrong_usage({"run", "--agentx"}), HasSubstr("--agentx"));
  EXPECT_THAT(wrong_usage({"--set"}), HasSubstr("--set"));
}

TEST(Options, VersionIsOneLine) {
  for (const Arguments& arguments : {Arguments{"-V"}, Arguments{"show", "--version"}}) {
    const Parsed parsed = parse(arguments);
    EXPECT_FALSE(parsed.options);
    EXPECT_EQ(parsed.exit_status, 0);
    EXPECT_FALSE(parsed.to_stderr);
    EXPECT_EQ(parsed.output, "tcpmibd 0.1.0\n");
  }
}

TEST(Options, HelpIsOnePageForAllCommands) {
  const Parsed parsed = parse({"--help"});
  EXPECT_FALSE(parsed.options);
  EXPECT_EQ(parsed.exit_status, 0);
  EXPECT_FALSE(parsed.to_stderr);
  for (const char* name :
       {"run", "show [WHAT]", "explain [STATE]", "check-config", "-h, --help", "-V, --version",
        "-c, --config FILE", "-x, --agentx ADDRESS", "--standalone ADDRESS", "--access FILE",
        "--set KEY=VALUE", "--json", "--numeric", "--state NAME[,NAME]", "--port N",
        "--process PID|NAME", "Examples:", "Exit status:"})
    EXPECT_THAT(parsed.output, HasSubstr(name));
  EXPECT_EQ(parse({"show", "-h"}).output, parsed.output);
}

}  // namespace
}  // namespace tcpmibd::agent
