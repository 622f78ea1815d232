#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "support/passed_descriptor.h"
#include "support/scenes.h"
#include "support/trouble.h"
#include "system/attached.h"

// The leak that TCP-MIB is asked about most: a connection stays in closeWait because one of
// several processes still has it open. Which one?

namespace tcpmibd::lab {
namespace {

using testing::IsEmpty;
using testing::Optional;

const std::string kCloseWait = "8";
const std::string kNobody = "0";

using Pids = std::vector<pid_t>;

// A connection on the loopback whose server end is looked at.
class Leak : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto reason = system_skip_reason())
      GTEST_SKIP() << *reason;
    space_.emplace();
    agent_.emplace(*space_);
    connection_ = connected(on_loopback(*space_, Family::kV4));
    const Ends client = connection_.client.ends();
    watched_ = {client.remote, client.local};
  }

  TcpSocket& client() { return connection_.client; }
  TcpSocket& server() { return connection_.server; }
  TcpSocket& listener() { return connection_.listener; }

  void client_closes() {
    client().close();
    server().await_fin();
  }

  // A process that was forked while the server's socket was open, and has it from there.
  Holder fork_with_socket() {
    Holder holder({.keep = {server().get()}});
    holder.await_ready();
    return holder;
  }

  std::string state() const { return cell(kStateColumn, watched_); }
  std::string process() const { return process_of(watched_); }
  std::string process_of(const Ends& ends) const { return cell(kProcessColumn, ends); }

  void expect_process(const std::string& wanted) const {
    EXPECT_EQ(settled([&] { return process(); }, wanted, kGreatPatience), wanted);
  }
  void expect_process(pid_t wanted) const { expect_process(std::to_string(wanted)); }

  // Every holder that `tcpmibd show` tells of the watched connection; none where it leaves it out.
  std::optional<Pids> holders_shown(const std::vector<std::string>& filter = {}) const {
    std::vector<std::string> words{"show", "connections", "--json"};
    words.insert(words.end(), filter.begin(), filter.end());
    const Output output = run_tcpmibd(*space_, words);
    EXPECT_EQ(output.status, 0) << output.err;
    const nlohmann::json shown = nlohmann::json::parse(output.out);
    for (const nlohmann::json& row : shown.at("connections")) {
      if (row["local"]["port"] != watched_.local.port)
        continue;
      Pids pids;
      for (const nlohmann::json& holder : row["processes"])
        pids.push_back(holder["pid"].get<pid_t>());
      return pids;
    }
    return std::nullopt;
  }

  // Each one of `pids` leads to the connection, and the connection to all of them.
  void expect_shown_by_each(Pids pids) const {
    std::ranges::sort(pids);
    for (const pid_t pid : pids)
      EXPECT_EQ(holders_shown({"--process", std::to_string(pid)}), pids);
  }

  Namespace& space() { return *space_; }

 private:
  std::string cell(unsigned column, const Ends& ends) const {
    return told(agent_->manager(), connection_cell(column, ends));
  }

  std::optional<Namespace> space_;
  std::optional<Attached> agent_;
  Connection connection_;
  Ends watched_;
};

TEST_F(Leak, AChildKeepsWhatItsParentHasClosed) {
  Holder child = fork_with_socket();
  client_closes();
  EXPECT_EQ(state(), kCloseWait);
  expect_process(std::min(::getpid(), child.process().pid()));
  expect_shown_by_each({::getpid(), child.process().pid()});

  server().close();
  expect_process(child.process().pid());
  expect_shown_by_each({child.process().pid()});
  EXPECT_EQ(holders_shown({"--process", std::to_string(::getpid())}), std::nullopt);
  EXPECT_EQ(state(), kCloseWait);

  child.process().kill();
  EXPECT_EQ(settled([&] { return state(); }, std::string("noSuchInstance")), "noSuchInstance");
}

TEST_F(Leak, AChildKeepsWhatItsParentHadWhenItWasKilled) {
  Holder parent = fork_with_socket();
  Holder child = fork_with_socket();
  server().close();
  client().close();
  EXPECT_EQ(settled([&] { return state(); }, kCloseWait), kCloseWait);
  expect_process(std::min(parent.process().pid(), child.process().pid()));
  expect_shown_by_each({parent.process().pid(), child.process().pid()});

  parent.process().kill();
  expect_process(child.process().pid());
  expect_shown_by_each({child.process().pid()});
  EXPECT_EQ(state(), kCloseWait);
}

TEST_F(Leak, EveryHolderIsFoundByItsNameToo) {
  const Holder child = fork_with_socket();
  client_closes();
  Pids both{::getpid(), child.process().pid()};
  std::ranges::sort(both);
  std::string name = read_file("/proc/self/comm");
  name.pop_back();
  EXPECT_EQ(holders_shown({"--state", "closeWait", "--process", name}), both);
}

TEST_F(Leak, ASocketThatAProcessHasTwiceShowsTheProcessOnce) {
  const TcpSocket twin(FileDescriptor(check(::dup(server().get()), "duplicate a descriptor")));
  expect_process(::getpid());
  expect_shown_by_each({::getpid()});
  server().close();
  expect_process(::getpid());
  expect_shown_by_each({::getpid()});
}

// ---- Sockets that nobody holds, for the time being ----

TEST_F(Leak, ADescriptorOnItsWayBetweenProcessesIsHeldByNobody) {
  int ends[2];
  check(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "make a pair of sockets");
  const FileDescriptor sender(ends[0]), receiver(ends[1]);
  expect_process(::getpid());

  send_descriptor(sender.get(), server().get());
  server().close();
  expect_process(kNobody);
  EXPECT_EQ(state(), kEstablished);
  EXPECT_THAT(holders_shown(), Optional(IsEmpty()));

  const TcpSocket arrived(receive_descriptor(receiver.get()));
  expect_process(::getpid());
  expect_shown_by_each({::getpid()});
}

TEST_F(Leak, AConnectionIsHeldByNobodyUntilItIsAccepted) {
  const std::string to = text(listener().local());
  const TcpSocket waiting = connect_to(space(), to);
  const Ends theirs{waiting.remote(), waiting.local()};
  EXPECT_EQ(process_of(theirs), kNobody);

  const TcpSocket accepted = accept_from(listener());
  EXPECT_EQ(process_of(theirs), std::to_string(::getpid()));
}

}  // namespace
}  // namespace tcpmibd::lab
