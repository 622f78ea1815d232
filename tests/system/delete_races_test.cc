#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "support/crowd.h"
#include "support/other_subagent.h"
#include "support/random.h"
#include "support/snmp_session.h"
#include "support/ss.h"
#include "system/deleting.h"

// What may come between the phases of a Set, and thousands of Sets in a row.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// The manager's tool writes genErr so.
constexpr const char* kGenErr = "genError";

// ---- Between TestSet and CommitSet ----

// A manager waits so long for a Set that is held up, and in vain where the master dies.
constexpr std::chrono::seconds kMiddle{8};

// A master that waits for its subagents as long as it takes, and asks them once.
SnmpdOptions patient_master() { return {.lines = {"agentXTimeout 20", "agentXRetries 0"}}; }

// A host whose snmpd has tcpmibd and somebody else's subagent, and a Set that concerns both.
class DeleteTcbRaces : public DeletingTest {
 protected:
  struct Host {
    // What wakes the daemon is what it is asked, and no connection of this machine that ends.
    Host()
        : master(space, patient_master()),
          daemon(Daemon::under(master, {.settings = {"ends.watch=off"}})),
          other(master) {}

    Manager writer() const { return master.writer().patient(kDeletingPatience); }

    // Of the chosen connection and the other's object.
    std::vector<SetRequest> both() {
      return {deletion(connection_cell(kStateColumn, service.ends())), OtherSubagent::write()};
    }

    // Brings such a Set to where our part is tested and the other's is not, so that the master
    // waits. What it is told in the end comes later.
    std::future<std::string> set_up_to_the_middle(SetPhase where = SetPhase::kReserve2) {
      other.stop_in(where);
      const long before = daemon.process().wakeups();
      std::future<std::string> error =
          std::async(std::launch::async, [manager = writer().patient(kMiddle), requests = both()] {
            return manager.set(requests).error;
          });
      EXPECT_TRUE(other.has_stopped());
      // We have been asked, too, and have gone to sleep again.
      EXPECT_TRUE(eventually([&] { return daemon.process().wakeups() > before; }));
      return error;
    }

    Namespace space{};
    Service service{over_loopback(space)};
    Snmpd master;
    Daemon daemon;
    OtherSubagent other;
  };

  static void expect_deletion_to_work(const Host& host, Service& service) {
    const Oid cell = connection_cell(kStateColumn, service.ends());
    EXPECT_EQ(host.writer().set({deletion(cell)}).error, "");
    service.expect_only_chosen_ended();
  }
};

TEST_F(DeleteTcbRaces, ASetOfTwoSubagentsIsDoneByBoth) {
  Host host;
  std::future<std::string> error = host.set_up_to_the_middle();
  host.service.expect_alive();
  host.other.go_on();
  EXPECT_EQ(error.get(), "");
  host.service.expect_only_chosen_ended();
}

TEST_F(DeleteTcbRaces, ATestThatTheOtherFailsEndsNothing) {
  Host host;
  for (const SetPhase phase : {SetPhase::kReserve1, SetPhase::kReserve2}) {
    host.other.fail_in(phase);
    EXPECT_EQ(host.writer().set(host.both()).error, "wrongValue");
  }
  host.service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("deleteTCB")));
  host.other.fail_in(SetPhase::kNone);
  EXPECT_EQ(host.writer().set(host.both()).error, "");
  host.service.expect_only_chosen_ended();
}

TEST_F(DeleteTcbRaces, ACommitThatTheOtherFailsIsUndoFailed) {
  Host host;
  const Ends ends = host.service.ends();
  host.other.fail_in(SetPhase::kAction);
  EXPECT_EQ(host.writer().set(host.both()).error, "undoFailed");
  host.service.expect_only_chosen_ended();
  EXPECT_THAT(audit_line(host.daemon, ends, "ended"), HasSubstr("established"));
  EXPECT_THAT(lines_with("cannot be brought back", host.daemon.log()), SizeIs(1));
}

TEST_F(DeleteTcbRaces, InVersion1UndoFailedIsGenErr) {
  Host host;
  host.other.fail_in(SetPhase::kAction);
  const Manager manager = Manager::v1(host.space, Snmpd::kAddress, "private");
  EXPECT_EQ(manager.set(host.both()).error, kGenErr);
}

TEST_F(DeleteTcbRaces, AConnectionThatEndsMeanwhileIsAsGoodAsEnded) {
  Host host;
  const Ends ends = host.service.ends();
  std::future<std::string> error = host.set_up_to_the_middle();
  host.service.chosen().client.reset();
  ASSERT_EQ(settled([&] { return state_by_ss(host.space, ends); }, "gone"), "gone");
  host.other.go_on();
  EXPECT_EQ(error.get(), "");
  host.service.expect_alive({&host.service.chosen()});
  EXPECT_THAT(audit_line(host.daemon, ends, "had ended by itself"), HasSubstr("established"));
}

TEST_F(DeleteTcbRaces, AUndoOfWhatHadEndedByItselfHasNothingToRegret) {
  Host host;
  const Ends ends = host.service.ends();
  host.other.fail_in(SetPhase::kAction);
  std::future<std::string> error = host.set_up_to_the_middle();
  host.service.chosen().client.reset();
  ASSERT_EQ(settled([&] { return state_by_ss(host.space, ends); }, "gone"), "gone");
  host.other.go_on();
  EXPECT_EQ(error.get(), "commitFailed");
}

TEST_F(DeleteTcbRaces, ANewConnectionBetweenTheSameEndsLives) {
  Host host;
  Pair& pair = host.service.chosen();
  const Ends ends = pair.server.ends();
  std::future<std::string> error = host.set_up_to_the_middle();
  pair.client.reset();
  ASSERT_EQ(settled([&] { return state_by_ss(host.space, ends); }, "gone"), "gone");
  pair.client = connect_to(host.space, text(ends.local), {.from = text(ends.remote)});
  pair.server = accept_from(host.service.listener());
  ASSERT_EQ(pair.server.ends(), ends);
  host.other.go_on();
  EXPECT_EQ(error.get(), "");
  host.service.expect_alive();
  EXPECT_THAT(audit_line(host.daemon, ends, "had ended by itself"), HasSubstr("established"));
}

TEST_F(DeleteTcbRaces, ASubagentKilledInTheMiddleEndsNothing) {
  Host host;
  std::future<std::string> error = host.set_up_to_the_middle();
  host.daemon.process().kill();
  host.other.go_on();
  EXPECT_EQ(error.get(), kGenErr);
  host.service.expect_alive();

  host.daemon = Daemon::under(host.master);
  host.service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("deleteTCB")));
  expect_deletion_to_work(host, host.service);
}

TEST_F(DeleteTcbRaces, AMasterKilledInTheMiddleEndsNothing) {
  Host host;
  std::future<std::string> error = host.set_up_to_the_middle();
  host.master.kill();
  EXPECT_TRUE(host.daemon.says("lost the AgentX master"));
  host.other.go_on();
  host.service.expect_alive();
  EXPECT_THAT(host.daemon.log(), Not(HasSubstr("): ")));

  host.master.start();
  EXPECT_EQ(error.get(), "timeout");
  ASSERT_TRUE(is_served_by_us(host.master.manager(), kDeletingPatience)) << host.daemon.log();
  host.service.expect_alive();
  expect_deletion_to_work(host, host.service);
}

TEST_F(DeleteTcbRaces, AMasterKilledAfterTheActLeavesItDone) {
  Host host;
  const Ends ends = host.service.ends();
  std::future<std::string> error = host.set_up_to_the_middle(SetPhase::kAction);
  EXPECT_THAT(audit_line(host.daemon, ends, "ended"), HasSubstr("established"));
  host.master.kill();
  EXPECT_TRUE(host.daemon.says("lost the AgentX master"));
  host.other.go_on();
  host.master.start();
  EXPECT_EQ(error.get(), "timeout");
  ASSERT_TRUE(is_served_by_us(host.master.manager(), kDeletingPatience)) << host.daemon.log();
  host.service.expect_only_chosen_ended();
  Service another(over_loopback(host.space));
  expect_deletion_to_work(host, another);
}

// ---- Thousands ----

constexpr unsigned kPairs = 2'500;  // Each is two rows.
constexpr unsigned kSets = 10'000;
constexpr unsigned kWarmUp = 3'000;
constexpr unsigned kLookEvery = 250;
constexpr long kGrowthInKib = 1'024;

void raise_limit_of_files() {
  rlimit limit{};
  check(::getrlimit(RLIMIT_NOFILE, &limit), "tell the limit of files");
  limit.rlim_cur = limit.rlim_max;
  check(::setrlimit(RLIMIT_NOFILE, &limit), "raise the limit of files");
}

bool is_established(const TcpSocket& socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  check(::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &info, &size), "read TCP_INFO");
  return info.tcpi_state == TCP_ESTABLISHED && fault_of(socket) == 0;
}

std::ptrdiff_t descriptors_of(const Process& process) {
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(process.pid()) +
                                                    "/fd");
  return std::distance(begin(entries), end(entries));
}

std::size_t count_of_ended(const Daemon& daemon) {
  return lines_with("): ended", daemon.log()).size();
}

// Connections on the loopback, one server for all; whoever ends is replaced.
class ManyServices {
 public:
  explicit ManyServices(const Namespace& space) : service_(over_loopback(space), kPairs) {}

  // Ends the connection at the row of one of its ends, both by chance.
  void end_one(SnmpSession& manager, Random& random) {
    Pair& pair = service_.pairs()[random.below(kPairs)];
    const bool at_server = random.chance(50);
    const TcpSocket& end = at_server ? pair.server : pair.client;
    const TcpSocket& peer = at_server ? pair.client : pair.server;
    const std::vector<Oid> cells = state_cells(end.ends());
    EXPECT_EQ(manager.set({deletion(cells[random.below(cells.size())])}), "");
    EXPECT_EQ(fault_of(end), ECONNABORTED);
    EXPECT_EQ(settled([&] { return fault_of(peer); }, ECONNRESET), ECONNRESET);
    pair = service_.join();
  }

  // Ends one twice: the row is gone, and on its port the listener is all there is.
  void end_one_that_is_gone(SnmpSession& manager, Random& random) {
    Pair& pair = service_.pairs()[random.below(kPairs)];
    const Oid cell = connection_cell(kStateColumn, pair.server.ends());
    pair.client.reset();
    pair.server.reset();
    // The client's segment may still be on its way.
    EXPECT_TRUE(eventually([&] { return !manager.get(cell).number; }));
    EXPECT_EQ(manager.set({deletion(cell)}), "noCreation");
    pair = service_.join();  // after that: it might get the same ends
  }

  void expect_all_established() const {
    for (const Pair& pair : service_.pairs()) {
      ASSERT_TRUE(is_established(pair.client)) << pair.client.ends();
      ASSERT_TRUE(is_established(pair.server)) << pair.server.ends();
    }
    EXPECT_EQ(fault_of(service_.listener()), 0);
  }

  const Service& service() const { return service_; }

 private:
  Service service_;
};

// Every audit line waits for the owner's look-up, during which the daemon has folders of /proc
// open.
void expect_lines(const Daemon& daemon, unsigned ended) {
  EXPECT_TRUE(eventually([&] { return count_of_ended(daemon) == ended; }, kDeletingPatience))
      << count_of_ended(daemon) << " lines for " << ended;
}

// What must not grow, of a daemon at rest.
struct Footprint {
  explicit Footprint(const Daemon& daemon)
      : descriptors(descriptors_of(daemon.process())), kib(daemon.process().memory("RssAnon")) {}

  std::ptrdiff_t descriptors;
  long kib;
};

class ChurnOfDeletions : public DeletingTest {};

TEST_F(ChurnOfDeletions, TenThousandSetsEndExactlyTheChosenOnes) {
  raise_limit_of_files();
  const Namespace space;
  space.set_sysctl("net.ipv4.tcp_max_tw_buckets", "500");
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  ManyServices services(space);
  const Churn churn(space, 200);
  SnmpSession manager(space, Snmpd::kAddress, "private");
  Random random;
  SCOPED_TRACE(random.text());

  std::optional<Footprint> before;
  unsigned ended = 0;
  for (unsigned number = 0; number < kSets && !HasFailure(); ++number) {
    if (number == kWarmUp) {
      expect_lines(daemon, ended);
      before.emplace(daemon);
    }
    if (random.chance(10)) {
      services.end_one_that_is_gone(manager, random);
    } else {
      services.end_one(manager, random);
      ++ended;
    }
    if (number % kLookEvery == 0)
      services.expect_all_established();
  }
  ASSERT_FALSE(HasFailure());
  expect_lines(daemon, ended);
  const Footprint after(daemon);
  EXPECT_EQ(after.descriptors, before->descriptors);
  RecordProperty("growth in KiB", std::to_string(after.kib - before->kib));
  EXPECT_LT(after.kib - before->kib, kGrowthInKib) << before->kib << " KiB before";

  services.expect_all_established();
  EXPECT_TRUE(talks(services.service().join())) << "the listener is gone";
  const std::uint64_t made = churn.made();
  EXPECT_TRUE(eventually([&] { return churn.made() > made + 100; })) << "a stranger has died";
}

// ---- The price ----

// Nanoseconds that the agent thread has run.
std::uint64_t run_time(const Process& process) {
  const std::string pid = std::to_string(process.pid());
  std::uint64_t nanoseconds = 0;
  std::ifstream("/proc/" + pid + "/task/" + pid + "/schedstat") >> nanoseconds;
  return nanoseconds;
}

class ScaleOfDeletions : public DeletingTest {};

TEST_F(ScaleOfDeletions, ASetCostsTheAgentThreadUnderAMillisecondAt95000Connections) {
  constexpr unsigned kCrowd = 95'000, kEnded = 1'000;
  const Namespace space;
  const Crowd crowd(space, kCrowd);
  const Snmpd master(space);
  const Daemon daemon = Daemon::under(master);
  SnmpSession manager(space, Snmpd::kAddress, "private");
  const std::uint64_t before = run_time(daemon.process());
  for (unsigned number = 0; number < kEnded; ++number) {
    const Ends ends = crowd.member(number * (kCrowd / kEnded)).ends;
    ASSERT_EQ(manager.set({deletion(connection_cell(kStateColumn, ends))}), "") << ends;
  }
  const std::uint64_t each = (run_time(daemon.process()) - before) / kEnded;
  RecordProperty("nanoseconds", std::to_string(each));
  EXPECT_LT(each, 1'000'000U);
  EXPECT_THAT(list_sockets(space), SizeIs(testing::Ge(kCrowd - kEnded)));
  EXPECT_TRUE(
      eventually([&] { return count_of_ended(daemon) == kEnded; }, std::chrono::seconds(60)))
      << count_of_ended(daemon);
}

}  // namespace
}  // namespace tcpmibd::lab
