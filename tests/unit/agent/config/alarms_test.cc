#include "agent/config/alarms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/agent/config/config_files.h"

namespace tcpmibd::agent {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using tcp::AlarmRule;
using tcp::Measure;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Measure::Kind;
using Per = Measure::Per;

class AlarmConfig : public ConfigFiles {
 protected:
  // The one alarm of this text, or one without a name where it does not load.
  AlarmRule rule_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    write("tcpmibd.toml", text);
    const Result<Config> config = load(overrides);
    if (!config || config->alarms.size() != 1) {
      ADD_FAILURE() << (config ? "not one alarm" : config.error().text()) << '\n' << text;
      return {};
    }
    return config->alarms[0];
  }

  AlarmRule rule_with(const std::string& lines) {
    return rule_of("[alarm.leak]\nraise = 10\n" + lines);
  }
};

TEST_F(AlarmConfig, NoneIsThereByDefault) { EXPECT_THAT(load()->alarms, IsEmpty()); }

TEST_F(AlarmConfig, AMeasureAndWhereToRaiseAreEnough) {
  EXPECT_EQ(rule_of("[alarm.leak]\nmeasure = \"closeWait\"\nraise = 6\n"),
            (AlarmRule{.name = "leak", .raise_at = 6, .clear_at = 4}));
}

TEST_F(AlarmConfig, EveryKeyReachesItsField) {
  EXPECT_EQ(rule_of("[alarm.a-B_3]\nmeasure = \"lastAck\"\nper = \"host\"\nolder-than = \"1h\"\n"
                    "raise = 1000000000\nclear = 0\nfor = \"1440m\"\n"),
            (AlarmRule{.name = "a-B_3",
                       .measure = {.state = tcp::State::kLastAck, .older_than = 3600},
                       .raise_at = 1'000'000'000,
                       .clear_at = 0,
                       .hold = hours(24)}));
}

struct Word {
  const char* word;
  Measure measure;
};

constexpr Word kWords[] = {
    {"'closeWait'", {}},
    {"'CLOSE-WAIT'", {}},
    {"'close_wait'", {}},
    {"'8'", {}},
    {"8", {}},
    {"'SYN_RECV'", {.state = tcp::State::kSynReceived}},
    {"'connections'", {.kind = Kind::kConnections}},
    {"'queue-percent'", {.kind = Kind::kQueuePercent, .per = Per::kPort}},
    {"'drops'", {.kind = Kind::kDrops, .per = Per::kPort}},
    {"'ephemeral-percent'", {.kind = Kind::kEphemeralPercent}},
    {"'memory-percent'", {.kind = Kind::kMemoryPercent}},
    {"'orphans-percent'", {.kind = Kind::kOrphansPercent}},
    {"'time-wait-percent'", {.kind = Kind::kTimeWaitPercent}},
};

TEST_F(AlarmConfig, AMeasureIsAStateInAnySpellingOrAWord) {
  for (const Word& each : kWords)
    EXPECT_EQ(rule_with("measure = " + std::string(each.word) + '\n').measure, each.measure)
        << each.word;
}

TEST_F(AlarmConfig, PerIsOneOfFiveWords) {
  for (const auto& [word, per] : tcp::kPerWords)
    EXPECT_EQ(
        rule_with("measure = \"established\"\nper = \"" + std::string(word) + "\"\n").measure.per,
        per);
}

TEST_F(AlarmConfig, AnAgeIsOneOfThoseThatAreCounted) {
  for (const auto& [word, age] : tcp::kAgeWords)
    EXPECT_EQ(rule_with("measure = \"closeWait\"\nolder-than = \"" + std::string(word) + "\"\n")
                  .measure.older_than,
              age);
}

// The name, all letters and the greatest length.
constexpr const char* kLongestName = "abcdefghij-ABCDEFGHIJ_0123456789";

struct AlarmMistake {
  const char* text;
  const char* cause;
};

constexpr AlarmMistake kAlarmMistakes[] = {
    {"[alram.leak]\n", ":1: unknown section [alram]; did you mean 'alarm'?"},
    {"alarm = 1\n", ":1: 'alarm' is a section for each alarm: write [alarm.NAME]"},
    {"[[alarm]]\n", ":1: 'alarm' is a section for each alarm: write [alarm.NAME]"},
    {"[alarm]\nraise = 1\n", ":2: 'raise' is in no alarm: write [alarm.NAME] above it"},
    {"\n[alarm.\"a b\"]\n",
     ":2: 'a b' cannot name an alarm: write 1 to 32 letters, digits, '-' and '_'"},
    {"[alarm.\"\"]\n", ":1: '' cannot name an alarm"},
    {"[alarm.abcdefghij-ABCDEFGHIJ_0123456789x]\n", "x' cannot name an alarm"},
    {"[alarm.a.b]\nraise = 1\n", ":1: unknown key 'b' in [alarm.a]"},
    {"[alarm.a]\nrase = 1\n", ":2: unknown key 'rase' in [alarm.a]; did you mean 'raise'?"},
    {"[alarm.a]\nmeasure = \"closewiat\"\nraise = 1\n",
     ":2: alarm.a.measure takes a state such as \"closeWait\" or \"connections\" or "
     "\"queue-percent\" or "},
    {"[alarm.a]\nmeasure = true\n", ":2: alarm.a.measure takes a state"},
    {"[alarm.a]\nmeasure = 12\n", ":2: alarm.a.measure takes a state"},
    {"[alarm.a]\nper = \"user\"\n",
     ":2: alarm.a.per takes \"host\" or \"port\" or \"unit\" or \"process\" or \"remote\", not "},
    {"[alarm.a]\nolder-than = \"2m\"\n",
     ":2: alarm.a.older-than takes \"0s\" or \"10s\" or \"1m\" or \"5m\" or \"1h\", not "},
    {"[alarm.a]\nraise = 0\n", ":2: alarm.a.raise takes a number from 1 to 1000000000, not 0"},
    {"[alarm.a]\nclear = -1\n", ":2: alarm.a.clear takes a number from 0 to 999999999, not -1"},
    {"[alarm.a]\nfor = \"1441m\"\n",
     ":2: alarm.a.for takes a duration from \"0s\" to \"1440m\", not "},
    {"\n[alarm.a]\nraise = 1\n",
     ":2: [alarm.a] has no 'measure' (write measure = \"closeWait\" or what else it looks at)"},
    {"\n[alarm.a]\nmeasure = \"closeWait\"\n",
     ":2: [alarm.a] has no 'raise' (write raise = 100 or the value that is too much)"},
    {"[alarm.a]\nmeasure = \"queue-percent\"\nraise = 9\nper = \"unit\"\n",
     ":4: alarm.a.per = \"unit\" does not fit: accept queues belong to ports (leave it out or "
     "write per = \"port\")"},
    {"[alarm.a]\nmeasure = \"closeWait\"\nraise = 9\nper = \"port\"\nolder-than = \"1m\"\n",
     ":5: alarm.a.older-than = \"1m\" does not fit: ages are counted for the whole host only "
     "(leave it or 'per' out)"},
    {"[alarm.a]\nmeasure = \"established\"\nraise = 9\nolder-than = \"1m\"\n",
     ":4: alarm.a.older-than = \"1m\" does not fit: ages are kept of synSent, finWait2, "},
    {"[alarm.a]\nmeasure = \"drops\"\nraise = 9\nper = \"process\"\n",
     ":4: alarm.a.per = \"process\" does not fit: drops are counted by ports"},
    {"[alarm.a]\nmeasure = \"memory-percent\"\nraise = 9\nper = \"remote\"\n",
     ":4: alarm.a.per = \"remote\" does not fit: this percentage is one figure of the whole host"},
    {"[alarm.a]\nmeasure = \"LISTEN\"\nraise = 9\n",
     ":2: alarm.a.measure = \"listen\" does not fit: no connection is ever closed or listen"},
    {"[alarm.a]\nmeasure = \"ephemeral-percent\"\nraise = 101\n",
     ":3: alarm.a.raise = 101 does not fit: a percentage ends at 100"},
    {"[alarm.a]\nmeasure = \"closeWait\"\nraise = 9\nclear = 9\n",
     ":4: alarm.a.clear = 9 does not fit: it must be less than 'raise' (leave it out for four "
     "fifths of 'raise', or write a lesser number)"},
};

TEST_F(AlarmConfig, EveryMistakeIsToldWithFileLineCauseAndCure) {
  for (const AlarmMistake& mistake : kAlarmMistakes)
    EXPECT_THAT(error_of(mistake.text), HasSubstr(mistake.cause)) << mistake.text;
}

TEST_F(AlarmConfig, ANameMayHave32Octets) {
  EXPECT_EQ(
      rule_of("[alarm." + std::string(kLongestName) + "]\nmeasure = \"closeWait\"\nraise = 1\n")
          .name,
      kLongestName);
}

TEST_F(AlarmConfig, LaterFilesAndOverridesReplaceSingleKeys) {
  write("conf.d/10-a.toml", "[alarm.leak]\nraise = 50\nfor = \"5s\"\n");
  write("conf.d/20-b.toml", "[alarm.leak]\nper = \"port\"\n");
  EXPECT_EQ(rule_of("[alarm.leak]\nmeasure = \"closeWait\"\nraise = 10\nper = \"unit\"\n",
                    {"alarm.leak.raise=100"}),
            (AlarmRule{.name = "leak",
                       .measure = {.per = Per::kPort},
                       .raise_at = 100,
                       .clear_at = 80,
                       .hold = seconds(5)}));
}

TEST_F(AlarmConfig, AKeyThatNoLongerFitsIsToldWhereItWasWritten) {
  write("conf.d/10-a.toml", "\n[alarm.leak]\nraise = 5\n");
  EXPECT_THAT(error_of("[alarm.leak]\nmeasure = \"closeWait\"\nraise = 10\nclear = 7\n"),
              HasSubstr("tcpmibd.toml:4: alarm.leak.clear = 7 does not fit"));
}

TEST_F(AlarmConfig, AWordThatTakesThePlaceOfAStateLeavesNothingOfIt) {
  EXPECT_EQ(rule_of("[alarm.a]\nmeasure = \"lastAck\"\nraise = 1\n", {"alarm.a.measure=drops"}),
            rule_of("[alarm.a]\nmeasure = \"drops\"\nraise = 1\n"));
}

TEST_F(AlarmConfig, OverridesAloneMakeAnAlarm) {
  EXPECT_EQ(rule_of("", {"alarm.a.measure=CLOSE-WAIT", "alarm.a.raise=5"}),
            (AlarmRule{.name = "a", .raise_at = 5, .clear_at = 4}));
}

TEST_F(AlarmConfig, AMistakenOverrideIsToldWithItsText) {
  EXPECT_EQ(error_of_override("alarm.leak.rase=1"),
            "--set alarm.leak.rase=1: unknown key 'alarm.leak.rase'; did you mean "
            "'alarm.leak.raise'?");
  EXPECT_EQ(error_of_override("alarm.raise=1"),
            "--set alarm.raise=1: unknown key 'alarm.raise'; did you mean 'alarm.NAME.raise'?");
  EXPECT_EQ(error_of_override("alarm.a b.raise=1"),
            "--set alarm.a b.raise=1: 'a b' cannot name an alarm: write 1 to 32 letters, digits, "
            "'-' and '_'");
  EXPECT_EQ(error_of_override("alarm.leak.raise=0"),
            "--set alarm.leak.raise=0: alarm.leak.raise takes a number from 1 to 1000000000, "
            "not 0");
  EXPECT_EQ(error_of_override("alarm.leak.raise=1"),
            "--set alarm.leak.raise=1: [alarm.leak] has no 'measure' (write measure = "
            "\"closeWait\" or what else it looks at)");
}

TEST_F(AlarmConfig, AlarmsAreWrittenBackAsTheyWereRead) {
  write("tcpmibd.toml",
        "[alarm.z]\nmeasure = \"drops\"\nraise = 1\n[alarm.a]\nmeasure = \"finWait2\"\n"
        "raise = 9\nolder-than = \"10s\"\nfor = \"90s\"\n");
  const Result<Config> config = load();
  ASSERT_TRUE(config) << config.error().text();
  write("tcpmibd.toml", to_toml(*config));
  EXPECT_EQ(load()->alarms, config->alarms);
  EXPECT_THAT(to_toml(*config), HasSubstr("\n[alarm.z]\nmeasure = \"drops\"\nper = \"port\"\n"
                                          "older-than = \"0s\"\nraise = 1\nclear = 0\n"
                                          "for = \"0s\"\n"));
}

// ---- The examples in docs ----

std::string page(const std::string& name) {
  return read_text(std::string(TCPMIBD_SOURCE_DIR) + "/docs/" + name);
}

std::size_t alarms_in(const std::string& toml) {
  std::size_t count = 0;
  for (std::size_t at = toml.find("[alarm."); at != std::string::npos;
       at = toml.find("[alarm.", at + 1))
    ++count;
  return count;
}

// "#raise = 1" is an example; "# Raised at once." is not.
std::string uncommented(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  std::string result;
  while (std::getline(lines, line)) {
    const bool example = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    result += (example ? line.substr(1) : line) + '\n';
  }
  return result;
}

TEST_F(AlarmConfig, TheExamplesInDocsAreAllCommentedOut) {
  EXPECT_EQ(error_of(page("alarms.toml")), "no error");
  EXPECT_EQ(to_toml(*load()), to_toml(Config()));
}

TEST_F(AlarmConfig, EveryExampleInDocsLoads) {
  const std::string examples = uncommented(page("alarms.toml"));
  EXPECT_EQ(error_of(examples), "no error");
  EXPECT_EQ(load()->alarms.size(), alarms_in(examples));
  EXPECT_GT(alarms_in(examples), 10U);
}

TEST_F(AlarmConfig, EveryBlockOfTheirPageLoads) {
  const std::string text = page("alarms.md");
  constexpr std::string_view kBegin = "```toml\n";
  std::size_t blocks = 0;
  for (std::size_t begin = text.find(kBegin); begin != std::string::npos;
       begin = text.find(kBegin, begin)) {
    begin += kBegin.size();
    EXPECT_EQ(error_of(text.substr(begin, text.find("```", begin) - begin)), "no error");
    EXPECT_FALSE(load() && load()->alarms.empty());
    ++blocks;
  }
  EXPECT_GT(blocks, 0U);
}

}  // namespace
}  // namespace tcpmibd::agent
