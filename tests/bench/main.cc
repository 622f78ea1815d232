#include <getopt.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "bench/chart.h"
#include "bench/measures.h"
#include "bench/report.h"
#include "support/trouble.h"

// tcpmibd_bench: measures tcpmibd beside what a user would pick instead. tools/bench builds it, and
// its help tells the options.

namespace tcpmibd::bench {
namespace {

struct Options {
  std::set<unsigned> populations{};  // empty: those that the targets name
  std::set<int> targets{};           // empty: all
  std::string json{};                // files to write; empty: none
  std::string chart{};
  std::string against{};  // another tcpmibd; empty: peers are what it is compared with
  bool quick = false;

  bool compares_builds() const { return !against.empty(); }
};

const Effort& effort_of(const Options& options) {
  static constexpr Effort kFull;
  if (options.quick)
    return kQuickEffort;
  return options.compares_builds() ? kEffortOfRound : kFull;
}

constexpr unsigned kQuickPopulation = 300;
constexpr unsigned kFew = 20'000;
constexpr unsigned kMany = 1'000'000;

struct Plan {
  int target;
  const char* name;
  std::vector<unsigned> populations;  // that the target names
  void (*measure)(Stage&, const Effort&, Findings&);
  Round (*round)(Stage&, const Effort&);  // for another build; null: it is measured in the bench
};

// In the order in which they are taken: the last one sends the crowd away.
const std::vector<Plan> kPlans{
    {1, "snapshot", {1'000, kFew, 95'000, kMany}, measure_snapshot, nullptr},
    {2, "GET", {95'000}, measure_get, round_of_gets},
    {3, "walk of tcpConnTable", {kFew}, measure_legacy_walk, round_of_legacy_walks},
    {4, "walk of tcpConnectionTable", {95'000}, measure_walk, round_of_walks},
    {5, "state counts", {95'000}, measure_counts, round_of_counts},
    {6, "processes", {95'000}, measure_processes, nullptr},
    {11, "scrape", {1'000}, measure_scrape, round_of_scrapes},
    {12, "show", {95'000}, measure_show, nullptr},
    {13, "snmpd's module", {kFew, 95'000}, measure_module, nullptr},
    {8, "latency", {kMany}, measure_latency, round_of_latency},
    {7, "memory", {kFew, 95'000, kMany}, measure_memory, round_of_memory},
};

bool is_wanted(const Options& options, int target) {
  return options.targets.empty() || options.targets.contains(target);
}

bool is_wanted(const Options& options, const Plan& plan) {
  return is_wanted(options, plan.target) && (!options.compares_builds() || plan.round != nullptr);
}

bool is_wanted(const Options& options, const Plan& plan, unsigned population) {
  return is_wanted(options, plan) &&
         (options.populations.contains(population) ||
          (options.populations.empty() && std::ranges::count(plan.populations, population) != 0));
}

std::set<unsigned> populations_of(const Options& options) {
  if (!options.populations.empty())
    return options.populations;
  std::set<unsigned> all;
  for (const Plan& plan : kPlans) {
    if (is_wanted(options, plan))
      all.insert(plan.populations.begin(), plan.populations.end());
  }
  return all;
}

// Says what is under way, and goes on with the next where one cannot be taken.
template <typename Act>
void attempt(const std::string& what, Findings& findings, Act act) {
  std::fprintf(stderr, "%s ...\n", what.c_str());
  try {
    act();
  } catch (const std::exception& trouble) {
    findings.failures.push_back(what + ": " + trouble.what());
    std::fprintf(stderr, "%s failed: %s\n", what.c_str(), trouble.what());
  }
}

void compare_builds(const Plan& plan, Stage& stage, const Options& options, Findings& findings) {
  const Effort& effort = effort_of(options);
  const std::vector<Pairs> pairs = measure_in_pairs(effort.pairs, [&](Build build) {
    stage.use(build == Build::kThis ? lab::tcpmibd_binary() : options.against);
    return plan.round(stage, effort);
  });
  findings.pairs.insert(findings.pairs.end(), pairs.begin(), pairs.end());
}

void measure(const Plan& plan, Stage& stage, const Options& options, Findings& findings) {
  if (options.compares_builds())
    compare_builds(plan, stage, options, findings);
  else
    plan.measure(stage, effort_of(options), findings);
}

void measure_population(unsigned population, const Options& options, Findings& findings) {
  const std::string sockets = grouped(population) + " sockets";
  if (const std::optional<std::string> lack = lack_of_room(population)) {
    findings.skipped.push_back(sockets + ": " + *lack);
    return;
  }
  attempt(sockets, findings, [&] {
    Stage stage(population);
    for (const Plan& plan : kPlans) {
      if (is_wanted(options, plan, population))
        attempt(sockets + ", " + plan.name, findings,
                [&] { measure(plan, stage, options, findings); });
    }
  });
}

// Who has asked for one that another build cannot be measured by learns so before the others start.
void tell_what_is_not_compared(const Options& options, Findings& findings) {
  constexpr int kNotCompared[] = {1, 6, 9, 10, 12, 13};
  if (!std::ranges::any_of(kNotCompared, [&](int no) { return options.targets.contains(no); }))
    return;
  findings.skipped.emplace_back(
      "1, 6, 9, 10, 12 and 13 are not compared with another build: the first three are measured "
      "inside the bench, which holds the code of this build only, 10 takes a minute a sample, 12 "
      "is "
      "of a command that prints and ends, and 13 of a module that an older build has not");
  std::fprintf(stderr, "%s\n", findings.skipped.back().c_str());
}

Findings measure_all(const Options& options) {
  Findings findings;
  if (options.compares_builds())
    tell_what_is_not_compared(options, findings);
  else if (is_wanted(options, 10))
    attempt("idleness", findings, [&] { measure_idleness(effort_of(options), findings); });
  for (const unsigned population : populations_of(options))
    measure_population(population, options, findings);
  compare_growth(kFew, kMany, findings);
  return findings;
}

template <typename Number>
std::set<Number> numbers_in(const char* list) {
  std::set<Number> numbers;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) {
    Number number{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || *end != '\0' || number == 0)
      throw lab::Trouble("no list of numbers: " + std::string(list));
    numbers.insert(number);
  }
  return numbers;
}

Options options_of(int argc, char** argv) {
  constexpr option kKnown[] = {{"quick", no_argument, nullptr, 'q'},
                               {"json", required_argument, nullptr, 'j'},
                               {"chart", required_argument, nullptr, 'c'},
                               {"population", required_argument, nullptr, 'p'},
                               {"target", required_argument, nullptr, 't'},
                               {"against", required_argument, nullptr, 'a'},
                               {nullptr, 0, nullptr, 0}};
  Options options;
  for (int word; (word = ::getopt_long(argc, argv, "", kKnown, nullptr)) != -1;) {
    switch (word) {
      case 'q':
        options.quick = true;
        options.populations = {kQuickPopulation};
        break;
      case 'j':
        options.json = ::optarg;
        break;
      case 'c':
        options.chart = ::optarg;
        break;
      case 'p':
        options.populations = numbers_in<unsigned>(::optarg);
        break;
      case 't':
        options.targets = numbers_in<int>(::optarg);
        break;
      case 'a':
        options.against = ::optarg;
        break;
      default:
        std::exit(2);
    }
  }
  return options;
}

void write(const std::string& name, const std::string& text) {
  if (name.empty())
    return;
  std::ofstream file(name);
  file << text;
  if (!file.flush())
    throw lab::Trouble("cannot write " + name);
}

int run(const Options& options) {
  const HostFacts host = host_facts(options.against);
  const Findings findings = measure_all(options);
  std::fputs(markdown(host, findings).c_str(), stdout);
  write(options.json, json(host, findings));
  write(options.chart, chart(findings));
  return findings.failures.empty() ? 0 : 1;
}

}  // namespace
}  // namespace tcpmibd::bench

int main(int argc, char** argv) {
  try {
    return tcpmibd::bench::run(tcpmibd::bench::options_of(argc, argv));
  } catch (const std::exception& trouble) {
    std::fprintf(stderr, "tcpmibd_bench: %s\n", trouble.what());
    return 1;
  }
}
