#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/scenes.h"
#include "support/trouble.h"
#include "system/deleting.h"
#include "system/system_test.h"

// A server that speaks MPTCP and leaks, as operators and managers see it.

namespace tcpmibd::lab {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr unsigned kLeaks = 3;

class MptcpSystemTest : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (IsSkipped())
      return;
    if (const auto reason = mptcp_skip_reason())
      GTEST_SKIP() << *reason;
    space_.emplace();
  }

  const Namespace& space() const { return *space_; }

  json shown(const std::string& what) const {
    const Output output = run_tcpmibd(space(), {"show", what, "--json"});
    EXPECT_EQ(output.status, 0) << output.err;
    return json::parse(output.out).at(what);
  }

 private:
  std::optional<Namespace> space_;
};

// A server of whose clients so many have gone, and it has not noticed.
struct LeakingServer {
  explicit LeakingServer(const Namespace& space)
      : listener(listen_on(space, "127.0.0.1:0", {.mptcp = true})) {
    for (unsigned i = 0; i < kLeaks; ++i) {
      TcpSocket client = connect_to(space, text(listener.local()), {.mptcp = true});
      leaked.push_back(accept_from(listener));
      client.close();
      leaked.back().await_fin();
    }
  }

  TcpSocket listener;
  std::vector<TcpSocket> leaked;
};

constexpr const char* kLeakAlarm =
    "[watch]\ninterval = \"1s\"\n"
    "[alarm.leak]\nmeasure = \"closeWait\"\nper = \"process\"\nraise = 3\nclear = 1\n";

void expect_cell(const Manager& manager, const Oid& oid, const std::string& wanted,
                 const char* what) {
  EXPECT_EQ(settled([&] { return told(manager, oid); }, wanted, kGreatPatience), wanted) << what;
}

// In every table that counts, and in TCP's as the kernel says.
void expect_leaks_told(const Manager& manager, const LeakingServer& server) {
  const std::string three = std::to_string(kLeaks);
  const auto port = static_cast<std::uint32_t>(server.listener.port());
  const auto pid = static_cast<std::uint32_t>(::getpid());
  expect_cell(manager, own({1, 2, 1, 5, 8}), three, "tcpmibdStateTotal.closeWait");
  expect_cell(manager, own({1, 2, 1, 5, 5}), "0", "tcpmibdStateTotal.established");
  expect_cell(manager, own({1, 4, 1, 13, port}), three, "tcpmibdPortCloseWait");
  expect_cell(manager, own({1, 4, 1, 12, port}), "0", "tcpmibdPortEstablished");
  expect_cell(manager, own({1, 4, 1, 17, port}), three, "tcpmibdPortTotal");
  expect_cell(manager, own({1, 7, 1, 7, pid}), three, "tcpmibdProcessCloseWait");
  expect_cell(manager, own({1, 8, 1, 7, 1}), three, "tcpmibdRemoteCloseWait");
}

TEST_F(MptcpSystemTest, ALeakIsCountedWhereverOneLooksAndRaisesItsAlarm) {
  const LeakingServer server(space());
  const Attached agent(space(), {}, {.configuration = kLeakAlarm});
  expect_leaks_told(agent.manager(), server);
  EXPECT_TRUE(agent.daemon.says("alarm leak raised: closeWait per process is 3", kGreatPatience))
      << agent.daemon.log();
  EXPECT_TRUE(eventually(
      [&] {
        return std::stoul(told(agent.manager(), own({1, 3, 1, 5, 8}))) >= 1;
      },
      kGreatPatience))
      << "tcpmibdAgeOldest.closeWait";
  const Ends ends = server.leaked.front().ends();
  EXPECT_EQ(told(agent.manager(), connection_cell(kStateColumn, ends)), kEstablished)
      << "TCP-MIB tells of TCP";
}

// As a packet filter would that forgets them.
void end_subflows_at(const Namespace& space, const TcpSocket& listener) {
  const Output output = run({"ss", "-K", "-tn", "state", "established", "sport", "=",
                             ":" + std::to_string(listener.port())},
                            {.in = &space});
  if (output.status != 0)
    throw Trouble(output.err);
}

TEST_F(MptcpSystemTest, ALeakIsStillCountedWhenItsSubflowsAreGone) {
  LeakingServer server(space());
  const Attached agent(space());
  const Oid cell = connection_cell(kStateColumn, server.leaked.front().ends());
  EXPECT_EQ(told(agent.manager(), cell), kEstablished);
  end_subflows_at(space(), server.listener);
  ASSERT_EQ(
      settled([&] { return told(agent.manager(), cell); }, std::string(kGone), kGreatPatience),
      kGone);
  expect_leaks_told(agent.manager(), server);
  server.leaked.clear();
  expect_cell(agent.manager(), own({1, 2, 1, 5, 8}), "0", "tcpmibdStateTotal.closeWait");
}

TEST_F(MptcpSystemTest, ShowHasTheConnectionsWithTheirSubflows) {
  const LeakingServer server(space());
  const json rows = shown("connections");
  unsigned connections = 0, subflows = 0;
  for (const json& row : rows) {
    const bool mptcp = row.at("protocol") == "mptcp";
    if (mptcp && row.at("state") == "closeWait") {
      ++connections;
      EXPECT_EQ(row.at("processes").at(0).at("pid"), ::getpid());
    }
    subflows += row.contains("mptcp_cookie") && row.at("state") == "established" &&
                        row.at("local").at("port") == server.listener.port()
                    ? 1
                    : 0;
  }
  EXPECT_EQ(connections, kLeaks);
  EXPECT_EQ(subflows, kLeaks);
  for (const json& process : shown("processes")) {
    if (process.at("pid") == ::getpid()) {
      EXPECT_EQ(process.at("close_wait"), kLeaks);
    }
  }
}

TEST_F(MptcpSystemTest, TheDoctorSaysWhetherItIsSeen) {
  const auto finding = [&] {
    const Output output = run_tcpmibd(space(), {"doctor", "--json"});
    const json all = json::parse(output.out);
    for (const json& point : all.at("points")) {
      if (point.at("point") == "MPTCP")
        return point.at("finding").get<std::string>();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(finding(), "no socket speaks it");
  const LeakingServer server(space());
  EXPECT_THAT(finding(), HasSubstr("the kernel reports the states of its connections"));
}

// ---- Deletion ----

std::string set_to_delete(const Manager& manager, const Ends& ends) {
  const Answer answer = manager.set({deletion(connection_cell(kStateColumn, ends))});
  return answer.ok() ? "done" : answer.error;
}

class MptcpDeletionTest : public MptcpSystemTest {
 protected:
  // Ended: what its holder is told. Of a pair with ends that speak MPTCP or do not.
  std::string ended(const ListenOptions& listening, const ConnectOptions& connecting,
                    TcpSocket Connection::*end, int fault) {
    const Attached agent(space());
    const Connection pair = connected(on_loopback(space(), Family::kV4), listening, connecting);
    const TcpSocket& watched = pair.*end;
    std::string answer = set_to_delete(agent.master.writer(), watched.ends());
    EXPECT_EQ(settled([&] { return fault_of(watched); }, fault), fault) << agent.daemon.log();
    return answer;
  }
};

TEST_F(MptcpDeletionTest, AClientThatFellBackToTcpIsEnded) {
  EXPECT_EQ(ended({}, {.mptcp = true}, &Connection::client, ECONNABORTED), "done");
}

TEST_F(MptcpDeletionTest, TheServersEndOfAPlainClientIsEnded) {
  EXPECT_EQ(ended({.mptcp = true}, {}, &Connection::server, ECONNABORTED), "done");
}

TEST_F(MptcpDeletionTest, ATrueSubflowIsRefusedAtBothEnds) {
  for (TcpSocket Connection::*end : {&Connection::client, &Connection::server})
    EXPECT_THAT(ended({.mptcp = true}, {.mptcp = true}, end, 0), HasSubstr("inconsistentValue"));
}

}  // namespace
}  // namespace tcpmibd::lab
