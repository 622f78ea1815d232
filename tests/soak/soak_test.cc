#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "soak/samples.h"
#include "support/crowd.h"
#include "support/trap_receiver.h"
#include "system/deleting.h"
#include "system/system_test.h"

// Long days in short: for minutes, connections come and go, managers walk, Sets end connections,
// alarms are raised and cleared, the configuration is read again and the master restarts. Nothing
// may grow, and no sanitizer may have anything to say. tools/soak runs it for builds with them.

namespace tcpmibd::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr unsigned kComings = 200;  // connections a second
constexpr unsigned kLeaked = 60;
constexpr std::uint16_t kTrapPort = 1162;
constexpr seconds kSoakPatience{60};   // a sanitizer is slow, and two run side by side
constexpr seconds kReaderPatience{5};  // then it asks again: what a restart cut off is lost
constexpr int kReaderTries = 12;
constexpr seconds kDefaultDuration{15};
constexpr unsigned kFewestRounds = 3;  // the last of them with a restart of the master
// Full within a second: walks then go round everything, and not through ends nearly all the time.
constexpr const char* kShortHistory = "ends.history=64";

// ---- What is asked for ----

std::chrono::duration<double> duration_asked_for() {
  const char* minutes = std::getenv("TCPMIBD_SOAK_MINUTES");
  return minutes != nullptr ? std::chrono::duration<double>(60 * std::strtod(minutes, nullptr))
                            : kDefaultDuration;
}

std::string program_asked_for() {
  const char* program = std::getenv("TCPMIBD_SOAK_PROGRAM");
  return program != nullptr ? program : tcpmibd_binary();
}

// What has been freed is kept for a while by AddressSanitizer, up to this; else it grows for an
// hour.
ProcessOptions watched() {
  return {.environment = {{"ASAN_OPTIONS", "quarantine_size_mb=1:exitcode=99"},
                          {"UBSAN_OPTIONS", "print_stacktrace=1"},
                          {"TSAN_OPTIONS", "exitcode=99"}}};
}

std::string configuration(unsigned raise) {
  return "[watch]\ninterval = \"1s\"\n[alarm.leak]\nmeasure = \"closeWait\"\nper = \"port\"\nraise "
         "= " +
         std::to_string(raise) + "\nclear = 1\n";
}

DaemonOptions soaked(std::vector<std::string> arguments) {
  return {.configuration = configuration(kLeaked / 2),
          .settings = {"snapshot.max-age=100ms", "process.max-age=500ms", kShortHistory},
          .arguments = std::move(arguments),
          .process = watched(),
          .program = program_asked_for()};
}

// In KiB. A sanitizer keeps books of each page and each thread that a program has ever used, and
// they grow for a quarter of an hour; the program's own memory is judged in a build without one.
long noise_of(long memory) {
  const char* sanitizer = std::getenv("TCPMIBD_SOAK_SANITIZED");
  return sanitizer != nullptr ? memory / 4 : memory / 20 + 1'024;
}

// ---- The scene ----

// One of the two daemons, with who reads it and who may write.
struct Soaked {
  const char* role;
  Daemon daemon;
  Manager reader;
  Manager writer;
  std::vector<Sample> samples{};
  unsigned walks = 0;

  const Process& process() const { return daemon.process(); }
  void look() {
    samples.push_back({.memory = process().memory("VmRSS"),
                       .descriptors = process().descriptors(),
                       .threads = process().threads()});
  }
};

bool must_be_served(const Manager& manager) { return is_served_by_us(manager, kSoakPatience); }

// A host with both daemons, a master and whoever keeps them busy.
class Day {
 public:
  Day() {
    space_.set_sysctl("net.ipv4.tcp_max_tw_buckets", "100");
    for (const Soaked& agent : agents_)
      EXPECT_TRUE(must_be_served(agent.reader)) << agent.daemon.log();
  }

  // Until the time is over, and for as many rounds as can be judged.
  void pass();

  // That nothing has grown or broken; both daemons have ended.
  void expect_sound();

 private:
  static std::string access_of(const TempFolder& folder) {
    return folder.write("access",
                        "rocommunity public 127.0.0.1\nrwcommunity private 127.0.0.1\n"
                        "trap2sink 127.0.0.1:1162 public\n");
  }

  Soaked subagent() {
    return {.role = "subagent",
            .daemon = Daemon(space_, soaked({"--agentx", master_.agentx()})),
            .reader = master_.manager().patient(kReaderPatience, kReaderTries),
            .writer = master_.writer().patient(kSoakPatience)};
  }

  Soaked standalone() {
    return {.role = "standalone",
            .daemon = Daemon(
                space_, soaked({"--standalone", Daemon::kAddress, "--access", access_of(folder_)})),
            .reader = Manager::v2c(space_, Daemon::kAddress).patient(kReaderPatience, kReaderTries),
            .writer = Manager::v2c(space_, Daemon::kAddress, "private").patient(kSoakPatience)};
  }

  // ---- Acts ----

  // One that a restart of the master cuts off is forgiven.
  void walk(Soaked& agent) {
    const unsigned before = restarts_;
    const bool bulk = agent.walks % 3 != 0;
    const Answer answer = bulk ? agent.reader.bulk_walk(kTcp) : agent.reader.walk(kConnectionState);
    const bool is_cut_off = before % 2 != 0 || before != restarts_;
    EXPECT_TRUE(answer.ok() || is_cut_off) << agent.role << ": " << answer.error;
    EXPECT_TRUE(strictly_increasing(answer.varbinds)) << agent.role;
    EXPECT_TRUE(agent.reader.bulk_walk(kArc).ok() || before != restarts_ || is_cut_off);
    ++agent.walks;
  }

  void walk_until_over(Soaked& agent) {
    try {
      while (!is_over_ && !testing::Test::HasFailure()) {
        walk(agent);
        eventually([&] { return is_over_.load(); }, milliseconds(100));
      }
    } catch (const std::exception& trouble) {
      ADD_FAILURE() << agent.role << ": " << trouble.what();
    }
  }

  void end_two(Soaked& agent) {
    const std::array pairs{service_.join(), service_.join()};
    std::vector<SetRequest> both;
    for (const Pair& pair : pairs)
      both.push_back(deletion(connection_cell(kStateColumn, pair.server.ends())));
    EXPECT_EQ(agent.writer.set(both).error, "") << agent.role << ": " << agent.daemon.log();
    for (const Pair& pair : pairs)
      EXPECT_FALSE(talks(pair)) << agent.role;
  }

  long told(const Soaked& agent, const std::string& line) {
    return count_of(line, agent.daemon.log());
  }

  void expect_word_of(const std::string& line, const std::vector<long>& before) {
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      EXPECT_TRUE(eventually([&] { return told(agents_[i], line) > before[i]; }, kSoakPatience))
          << agents_[i].role << " does not say: " << line;
    }
  }

  std::vector<long> told_so_far(const std::string& line) {
    std::vector<long> all;
    for (const Soaked& agent : agents_)
      all.push_back(told(agent, line));
    return all;
  }

  void raise_and_clear() {
    const auto raised = told_so_far("alarm leak raised");
    const auto cleared = told_so_far("alarm leak cleared");
    std::vector<Pair> leak;
    for (unsigned i = 0; i < kLeaked; ++i) {
      leak.push_back(service_.join());
      leak.back().client.close();
    }
    expect_word_of("alarm leak raised", raised);
    leak.clear();
    expect_word_of("alarm leak cleared", cleared);
  }

  void reload_all(unsigned round) {
    for (Soaked& agent : agents_)
      reload(agent.daemon, configuration(kLeaked / 2 + round % 2));
  }

  void restart_the_master(unsigned round) {
    ++restarts_;
    round % 2 == 0 ? master_.stop() : master_.kill();
    master_.start();
    EXPECT_TRUE(must_be_served(master_.manager())) << agents_[0].daemon.log();
    // It answers for what it has registered while it registers the rest.
    EXPECT_TRUE(eventually(
        [&] {
          return std::ranges::all_of(std::array{kConnectionState, kArc}, [&](const Oid& root) {
            return !master_.manager().bulk_walk(root).varbinds.empty();
          });
        },
        kSoakPatience))
        << agents_[0].daemon.log();
    ++restarts_;
  }

  void play(unsigned round) {
    const auto look = [this] { std::ranges::for_each(agents_, &Soaked::look); };
    for (Soaked& agent : agents_)
      end_two(agent);
    look();
    raise_and_clear();
    look();
    reload_all(round);
    look();
    if (round % 3 == 2)
      restart_the_master(round);
    look();
  }

  void play_until_over() {
    const auto end = Clock::now() + duration_asked_for();
    while ((Clock::now() < end || rounds_ < kFewestRounds) && !testing::Test::HasFailure())
      play(rounds_++);
    is_over_ = true;
  }

  // ---- Judgement ----

  void report(const Soaked& agent, const Growth& growth) const {
    std::cout << agent.role << ": " << rounds_ << " rounds, " << agent.walks << " walks, "
              << restarts_ / 2 << " restarts of the master, " << churn_.made()
              << " connections made; " << growth << std::endl;
  }

  void expect_flat(const Soaked& agent) const {
    if (agent.samples.size() < kFewestSamples)
      return;  // It has broken off.
    const Growth growth = growth_of(agent.samples);
    report(agent, growth);
    EXPECT_TRUE(is_flat(growth, noise_of(growth.before.memory))) << agent.role << ": " << growth;
  }

  static void print_log(const Soaked& agent) {
    constexpr std::size_t kMost = 20'000;
    const std::string log = agent.daemon.log();
    std::cout << agent.role << ":\n"
              << log.substr(log.size() - std::min(log.size(), kMost)) << std::endl;
  }

  static void expect_sound_end(Soaked& agent) {
    agent.daemon.process().signal(SIGTERM);
    EXPECT_EQ(agent.daemon.process().wait(kSoakPatience), 0) << agent.role;
    for (const char* complaint : {"Sanitizer", "runtime error: "})
      EXPECT_THAT(lines_with(complaint, agent.daemon.log()), testing::IsEmpty()) << agent.role;
  }

  Namespace space_;
  TempFolder folder_;
  TrapReceiver receiver_{space_, kTrapPort};
  Snmpd master_{space_, {.lines = {"trap2sink 127.0.0.1:1162 public"}}};
  Service service_{over_loopback(space_), 1};
  std::array<Soaked, 2> agents_{subagent(), standalone()};
  Churn churn_{space_, kComings};
  std::atomic<unsigned> restarts_ = 0;  // odd: the master is away
  std::atomic<bool> is_over_ = false;
  unsigned rounds_ = 0;
};

void Day::pass() {
  const std::jthread first([this] { walk_until_over(agents_[0]); });
  const std::jthread second([this] { walk_until_over(agents_[1]); });
  play_until_over();
}

void Day::expect_sound() {
  EXPECT_GT(receiver_.count("4022.0.1"), 0) << "no notification";
  for (Soaked& agent : agents_) {
    expect_sound_end(agent);
    expect_flat(agent);
  }
  if (testing::Test::HasFailure())
    std::ranges::for_each(agents_, print_log);
}

class Soak : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped() && trap_receiver_skip_reason())
      GTEST_SKIP() << *trap_receiver_skip_reason();
  }
};

TEST_F(Soak, NothingGrowsAndNothingBreaks) {
  Day day;
  day.pass();
  day.expect_sound();
}

}  // namespace
}  // namespace tcpmibd::lab
