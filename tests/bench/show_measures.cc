#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "bench/bare_dump.h"
#include "bench/clock.h"
#include "bench/measures.h"
#include "kernel/sock_diag.h"
#include "support/programs.h"
#include "support/scenes.h"
#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

using lab::Trouble;

using Words = std::vector<std::string>;

constexpr std::chrono::seconds kLongest{120};
constexpr double kKibInMib = 1024;
constexpr long kLeaks = 10;  // connections in CLOSE_WAIT beside the crowd

// A program that is run to its end, its time from start to end, and what it has to print.
struct Program {
  Figure figure;
  Words command;
  long least_lines;
};

Words show(Words options) {
  options.insert(options.begin(), {lab::tcpmibd_binary(), "show"});
  return options;
}

Words without_owners(Words options) {
  options.insert(options.end(), {"--set", "process.lookup=false"});
  return show(std::move(options));
}

Figure figure(const char* what, const char* subject, const Stage& stage, const char* unit = "ms") {
  return {12, what, subject, stage.population(), unit, {}};
}

void sample(Program& program, const Stage& stage) {
  std::string printed;
  program.figure.samples.push_back(milliseconds([&] {
    lab::Child child(program.command, {.in = &stage.space()});
    if (child.process().wait(kLongest) != 0)
      throw Trouble(program.command[0] + " failed: " + child.err());
    printed = child.out();
  }));
  if (const auto lines = std::ranges::count(printed, '\n'); lines < program.least_lines)
    throw Trouble(titled(program.figure) + ": " + std::to_string(lines) + " lines");
}

// The largest resident size of a program that has ended, in MiB. Its output goes nowhere.
double peak_of(const Words& command, const lab::Namespace& space) {
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t pid = lab::check(::fork(), "fork");
  if (pid == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (space.enter() && ::dup2(nowhere, STDOUT_FILENO) >= 0)
      ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  lab::check(::wait4(pid, &status, 0, &used), "wait for tcpmibd");
  if (status != 0)
    throw Trouble("tcpmibd show failed");
  return static_cast<double>(used.ru_maxrss) / kKibInMib;
}

// Connections that the peer has closed and the program has not. They leave nothing in TIME_WAIT:
// that would be a row more in every table that is walked within the next minute.
struct Leaks {
  explicit Leaks(const lab::Namespace& space) {
    for (long i = 0; i < kLeaks; ++i) {
      all.push_back(lab::connected(lab::on_loopback(space, lab::Family::kV4)));
      all.back().server = {};
    }
  }
  ~Leaks() {
    for (lab::Connection& leak : all)
      leak.client.reset();
  }
  Leaks(const Leaks&) = delete;
  Leaks& operator=(const Leaks&) = delete;

  std::vector<lab::Connection> all;
};

// What is left of ours without the start of the program, against theirs.
void set_against_and_start(const Figure& ours, const Figure& start, const Figure& theirs,
                           double most, Findings& findings) {
  const double left = std::max(median(ours.samples) - median(start.samples), 0.0);
  findings.add({12, titled(ours) + " without its start / " + theirs.subject,
                ours.what + ": " + ours.subject + " and " + theirs.subject, ours.population,
                left / median(theirs.samples), "×", left > 0 ? median(theirs.samples) / left : 0,
                Demand{Bound::kAtMost, most}});
}

// What `show states` and an agent that is asked for the eleven counts do first, and what it costs
// to look at every socket instead.
struct Counting {
  explicit Counting(const Stage& stage)
      : kernel(stage.space().run([] { return kernel::SockDiag::open(); }).value()),
        bare(stage.space()),
        ours(figure("counts by state", "tcpmibd", stage)),
        floor(figure("counts by state", "bare dump", stage)) {}

  void sample() {
    floor.samples.push_back(milliseconds([&] { bare.read(); }));
    tcp::SnapshotBuilder builder({});
    ours.samples.push_back(
        milliseconds([&] { lab::check(kernel->read_counts(builder) ? 0 : -1, "count"); }));
    const tcp::Snapshot counts = builder.finish();
    if (counts.gauge_doubt() != tcp::GaugeDoubt::kNone)
      throw Trouble("counts by state: " + std::string(reason_of(counts.gauge_doubt())));
    if (counts.count(tcp::State::kEstablished).total() < ours.population)
      throw Trouble("counts by state are too few");
  }

  std::unique_ptr<kernel::SockDiag> kernel;
  BareDump bare;
  Figure ours;
  Figure floor;
};

}  // namespace

void measure_show(Stage& stage, const Effort& effort, Findings& findings) {
  constexpr const char* kStart = "start of the program";
  constexpr const char* kFiltered = "connections in CLOSE_WAIT";
  constexpr const char* kList = "list of all connections";
  constexpr const char* kBySs = "ss -Htan";
  const long all = stage.population();
  const Leaks leaks(stage.space());
  Figure memory =
      figure("largest RSS of the list in JSON, with processes", "tcpmibd show", stage, "MiB");
  memory.samples = {peak_of(show({"connections", "--json"}), stage.space())};

  Program start{figure(kStart, "tcpmibd", stage), {lab::tcpmibd_binary(), "--version"}, 1};
  Program few{figure(kFiltered, "tcpmibd show", stage), without_owners({"--state", "closeWait"}),
              kLeaks};
  Program few_owned{figure("connections in CLOSE_WAIT, with processes", "tcpmibd show", stage),
                    show({"--state", "closeWait"}), kLeaks};
  Program few_by_ss{
      figure(kFiltered, kBySs, stage), {"ss", "-Htan", "state", "close-wait"}, kLeaks};
  Program port{figure("connections of one port", "tcpmibd show", stage),
               without_owners({"--port", "1"}), 1};
  Program text{figure(kList, "tcpmibd show", stage), without_owners({"connections"}), all};
  Program json{figure("list of all connections in JSON, with processes", "tcpmibd show", stage),
               show({"connections", "--json"}), all};
  Program states{figure("counts by state, all of the program", "tcpmibd show states", stage),
                 show({"states"}), 11};
  Counting counting(stage);
  Program list{figure(kList, kBySs, stage), {"ss", "-Htan"}, all};
  Program* const programs[] = {&start, &few,  &few_owned, &few_by_ss, &port,
                               &text,  &json, &list,      &states};
  for (int i = 0; i < effort.samples; ++i) {
    for (Program* program : programs)
      sample(*program, stage);
    counting.sample();
  }
  set_against_and_start(few.figure, start.figure, few_by_ss.figure, 1.5, findings);
  findings.set_against(counting.ours, counting.floor, 0.5);
  set_against_and_start(states.figure, start.figure, counting.floor, 0.5, findings);
  findings.set_against(text.figure, list.figure, 1.3);
  findings.set_against(json.figure, list.figure, 2);
  findings.set_limit(memory, 40);
  for (const Program* program : programs)
    findings.figures.push_back(program->figure);
  findings.figures.insert(findings.figures.end(), {memory, counting.ours, counting.floor});
}

}  // namespace tcpmibd::bench
