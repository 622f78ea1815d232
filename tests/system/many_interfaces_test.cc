#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/temp_folder.h"
#include "system/deleting.h"
#include "system/system_test.h"

// A host with more interfaces than an exact look-up asks one by one. What was found on some of them
// never passes for all there is: a Set waits for a snapshot that was begun after it.

namespace tcpmibd::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kInterfaces = 80;

const Ends kEnds{end_of("127.0.0.1:1000"), end_of("127.0.0.2:2000")};

std::string device(int number) { return "d" + std::to_string(number); }

// A namespace with so many, and connections that are bound to one of them each: with one name, if
// their ends are the same. The kernel tells interfaces in the order in which they were made.
class CrowdedHost {
 public:
  CrowdedHost() {
    std::string lines;
    for (int number = 0; number < kInterfaces; number += 2)
      lines += "link add " + device(number) + " type veth peer name " + device(number + 1) + '\n';
    lab::run({"ip", "-batch", "-"}, {.in = &space, .input = lines});
  }

  TcpSocket& connect(int number, const Ends& ends = kEnds) {
    space.run([&] {
      TcpSocket socket = repaired(ends);
      const std::string name = device(number);
      check(::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, name.data(),
                         static_cast<socklen_t>(name.size())),
            "bind to a device");
      connections.push_back(std::move(socket));
    });
    return connections.back();
  }

  const Namespace space{};
  std::vector<TcpSocket> connections{};
};

// In either role, with a manager that may write.
struct Served {
  Served(const Namespace& space, bool with_master) {
    if (with_master) {
      master.emplace(space);
      daemon.emplace(Daemon::under(*master));
    } else {
      const std::string access =
          folder.write("access", "rocommunity public 127.0.0.1\nrwcommunity private 127.0.0.1\n");
      daemon.emplace(Daemon::standalone(space, {}, access));
    }
    const std::string address = with_master ? Snmpd::kAddress : Daemon::kAddress;
    reader.emplace(Manager::v2c(space, address).patient(kDeletingPatience));
    writer.emplace(Manager::v2c(space, address, "private").patient(kDeletingPatience));
  }

  std::string error_of_deleting(const Ends& ends) const {
    return writer->set({deletion(connection_cell(kStateColumn, ends))}).error;
  }

  TempFolder folder{};
  std::optional<Snmpd> master{};
  std::optional<Daemon> daemon{};
  std::optional<Manager> reader{};
  std::optional<Manager> writer{};
};

class ManyInterfaces : public DeletingTest, public testing::WithParamInterface<bool> {};

TEST_P(ManyInterfaces, OfTwoConnectionsOfOneNameFarAwayNoneIsEnded) {
  CrowdedHost host;
  host.connect(78);
  host.connect(79);
  const Served agent(host.space, GetParam());
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(agent.error_of_deleting(kEnds), "inconsistentValue");
  for (const TcpSocket& connection : host.connections)
    EXPECT_EQ(fault_of(connection), 0);
  EXPECT_THAT(agent.daemon->log(), Not(HasSubstr("): ended")));
}

TEST_P(ManyInterfaces, NorIfOneOfThemIsNear) {
  CrowdedHost host;
  host.connect(3);
  host.connect(79);
  const Served agent(host.space, GetParam());
  EXPECT_EQ(agent.error_of_deleting(kEnds), "inconsistentValue");
  for (const TcpSocket& connection : host.connections)
    EXPECT_EQ(fault_of(connection), 0);
}

TEST_P(ManyInterfaces, TheOnlyOneIsEndedHoweverFarWithoutAnySnapshotAtHand) {
  CrowdedHost host;
  host.connect(79);
  const Ends other{end_of("127.0.0.1:1000"), end_of("127.0.0.2:2001")};
  host.connect(78, other);
  const Served agent(host.space, GetParam());
  EXPECT_EQ(agent.error_of_deleting(kEnds), "");
  EXPECT_EQ(fault_of(host.connections[0]), ECONNABORTED);
  EXPECT_EQ(fault_of(host.connections[1]), 0);
  EXPECT_EQ(agent.error_of_deleting(kEnds), "noCreation");
}

TEST_P(ManyInterfaces, ARowThatAWalkShowsIsNeverNoCreation) {
  CrowdedHost host;
  const Served agent(host.space, GetParam());
  agent.reader->walk(kConnectionState);
  host.connect(79);  // later than the snapshot that is at hand
  EXPECT_EQ(agent.error_of_deleting(kEnds), "");
  EXPECT_EQ(fault_of(host.connections[0]), ECONNABORTED);
}

TEST_P(ManyInterfaces, SeveralOfOneSetAreAllEndedOrNone) {
  CrowdedHost host;
  std::vector<SetRequest> requests;
  for (const int number : {77, 78, 79}) {
    const Ends ends{end_of("127.0.0.1:1000"), end_of("127.0.0.2:" + std::to_string(number))};
    host.connect(number, ends);
    requests.push_back(deletion(connection_cell(kStateColumn, ends)));
  }
  const Served agent(host.space, GetParam());
  std::vector<SetRequest> with_absent = requests;
  with_absent.push_back(deletion(connection_cell(kStateColumn, kEnds)));
  EXPECT_EQ(agent.writer->set(with_absent).error, "noCreation");
  for (const TcpSocket& connection : host.connections)
    EXPECT_EQ(fault_of(connection), 0);
  EXPECT_EQ(agent.writer->set(requests).error, "");
  for (const TcpSocket& connection : host.connections)
    EXPECT_EQ(fault_of(connection), ECONNABORTED);
}

// The one thread of the daemon that makes snapshots stands still meanwhile.
class HeldWorker {
 public:
  explicit HeldWorker(pid_t daemon) {
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(daemon) + "/task")) {
      const pid_t thread = std::stoi(task.path().filename());
      thread_ = thread == daemon ? thread_ : thread;
    }
    check(::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr), "trace a thread");
    check(::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr), "stop a thread");
    check(::waitpid(thread_, nullptr, __WALL), "wait for a thread to stop");
  }
  ~HeldWorker() { release(); }
  HeldWorker(const HeldWorker&) = delete;
  HeldWorker& operator=(const HeldWorker&) = delete;

  void release() {
    if (thread_ != 0)
      ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
    thread_ = 0;
  }

 private:
  pid_t thread_ = 0;
};

TEST_P(ManyInterfaces, WithoutASnapshotInTimeItIsResourceUnavailableAndNobodyElseWaits) {
  CrowdedHost host;
  host.connect(79);
  const Served agent(host.space, GetParam());
  HeldWorker held(agent.daemon->process().pid());
  std::string error;
  std::thread set([&] { error = agent.error_of_deleting(kEnds); });
  const Manager impatient = agent.reader->patient(std::chrono::milliseconds(1000));
  const bool alone = !GetParam();  // A master serves nobody else while it is in a Set.
  for (int i = 0; alone && i < 10; ++i)
    EXPECT_TRUE(impatient.get({kTcpHcInSegs}).ok());
  set.join();
  EXPECT_EQ(error, "resourceUnavailable");
  EXPECT_EQ(fault_of(host.connections[0]), 0);
  EXPECT_TRUE(agent.daemon->says("error: cannot end "));
  held.release();
  EXPECT_EQ(agent.error_of_deleting(kEnds), "");
  EXPECT_EQ(fault_of(host.connections[0]), ECONNABORTED);
}

INSTANTIATE_TEST_SUITE_P(Roles, ManyInterfaces, testing::Bool(),
                         [](const auto& of) { return of.param ? "UnderAMaster" : "Standalone"; });

}  // namespace
}  // namespace tcpmibd::lab
