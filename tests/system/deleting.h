#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/daemon.h"
#include "support/netns.h"
#include "support/snmpd.h"
#include "support/sockets.h"
#include "support/trouble.h"

// What the tests of deleteTCB stand on.

namespace tcpmibd::lab {

inline constexpr unsigned kLegacyStateColumn = 1;

// For what waits for a look through every process, on a machine that has more to do.
inline constexpr std::chrono::seconds kDeletingPatience{20};

// A test that needs namespaces and a real snmpd; skips with the reason why there is none.
class DeletingTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string>& reason = Namespace::skip_reason();
    if (const auto& either = reason ? reason : snmpd_skip_reason())
      GTEST_SKIP() << *either;
  }
};

inline SetRequest deletion(Oid cell) {
  return {.oid = std::move(cell), .type = 'i', .value = "12"};
}

// The names of one connection's state, in every table that has it.
inline std::vector<Oid> state_cells(const Ends& ends) {
  std::vector<Oid> cells{connection_cell(kStateColumn, ends)};
  if (unmapped(ends.local).octets.size() == 4)
    cells.push_back(legacy_cell(kLegacyStateColumn, ends));
  return cells;
}

// The value of one cell, the exception's name, or the error.
inline std::string state_told(const Manager& manager, const Oid& cell) {
  const Answer answer = manager.get({cell});
  if (!answer.ok())
    return answer.error;
  return answer.only().value.empty() ? answer.only().type : answer.only().value;
}

// ---- The log ----

inline std::string named(const Ends& ends) {
  return text(unmapped(ends.local)) + " " + text(unmapped(ends.remote));
}

inline std::vector<std::string> lines_with(std::string_view part, const std::string& log) {
  std::vector<std::string> lines;
  std::istringstream stream(log);
  for (std::string line; std::getline(stream, line);) {
    if (line.find(part) != std::string::npos)
      lines.push_back(line);
  }
  return lines;
}

// Lines about the deletion of one connection; `outcome` may be its beginning.
inline std::vector<std::string> audited(const Daemon& daemon, const Ends& ends,
                                        std::string_view outcome) {
  std::vector<std::string> lines = lines_with("deleteTCB " + named(ends) + " (", daemon.log());
  std::erase_if(lines, [&](const std::string& line) {
    return line.find("): " + std::string(outcome)) == std::string::npos;
  });
  return lines;
}

// Waits for the line, which may have to wait for the owner; it must be the only one.
inline std::string audit_line(const Daemon& daemon, const Ends& ends, std::string_view outcome) {
  eventually([&] { return !audited(daemon, ends, outcome).empty(); }, kDeletingPatience);
  const std::vector<std::string> lines = audited(daemon, ends, outcome);
  return lines.size() == 1 ? lines.front()
                           : std::to_string(lines.size()) + " lines; the log: " + daemon.log();
}

// SIGHUP, and the answer to it.
inline void reload(const Daemon& daemon, std::string_view toml) {
  constexpr std::string_view kDone = "the configuration has been read again";
  const std::size_t before = lines_with(kDone, daemon.log()).size();
  daemon.configure(toml);
  daemon.process().signal(SIGHUP);
  if (!eventually([&] { return lines_with(kDone, daemon.log()).size() > before; }))
    throw Trouble("the configuration is not read again; the log: " + daemon.log());
}

// ---- Connections ----

// What the kernel has to say to the holder of a socket; 0: nothing.
inline int fault_of(const TcpSocket& socket) {
  int fault = 0;
  socklen_t size = sizeof fault;
  check(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &fault, &size), "read SO_ERROR");
  return fault;
}

struct Pair {
  TcpSocket client, server;
};

// Whether both ends still hear each other.
inline bool talks(const Pair& pair) {
  try {
    pair.server.send("a");
    pair.client.send("b");
    return pair.client.receive() == "a" && pair.server.receive() == "b";
  } catch (const Trouble&) {
    return false;
  }
}

// Where a server listens and how its clients come to it.
struct Way {
  const Namespace& server;
  const Namespace& client;
  std::string listen_at;  // without port
  std::string connect_to;
  std::string device{};  // the listener, and so each of its connections, is bound to it
};

inline Way over_loopback(const Namespace& space) {
  return {space, space, "127.0.0.1", "127.0.0.1"};
}

// A server with several clients, of whom one may be chosen.
class Service {
 public:
  explicit Service(const Way& way, unsigned clients = 5)
      : way_(way), listener_(listen_on(way.server, way.listen_at + ":0", {.device = way.device})) {
    for (unsigned i = 0; i < clients; ++i)
      pairs_.push_back(join());
  }

  Pair& chosen() { return pairs_[pairs_.size() / 2]; }
  Ends ends() { return chosen().server.ends(); }
  std::vector<Pair>& pairs() { return pairs_; }
  const std::vector<Pair>& pairs() const { return pairs_; }
  const TcpSocket& listener() const { return listener_; }

  // Another client.
  Pair join() const {
    TcpSocket client =
        connect_to(way_.client, way_.connect_to + ":" + std::to_string(listener_.port()));
    return {std::move(client), accept_from(listener_)};
  }

  // Whether all go on but, perhaps, those in `ended`; and whether more may come.
  void expect_alive(const std::vector<const Pair*>& ended = {}) const {
    for (const Pair& pair : pairs_) {
      const bool has_ended = std::ranges::find(ended, &pair) != ended.end();
      EXPECT_TRUE(has_ended || talks(pair)) << pair.server.ends();
    }
    EXPECT_EQ(fault_of(listener_), 0);
    EXPECT_NO_THROW(EXPECT_TRUE(talks(join()))) << "the listener is gone";
  }

  // As expect_alive(), and both holders of the chosen one have been told.
  void expect_only_chosen_ended() {
    EXPECT_EQ(fault_of(chosen().server), ECONNABORTED);
    EXPECT_EQ(settled([&] { return fault_of(chosen().client); }, ECONNRESET), ECONNRESET);
    expect_alive({&chosen()});
  }

 private:
  Way way_;
  TcpSocket listener_;
  std::vector<Pair> pairs_;
};

}  // namespace tcpmibd::lab
