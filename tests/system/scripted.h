#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/daemon.h"
#include "support/netns.h"
#include "support/scripted_master.h"
#include "support/temp_folder.h"
#include "support/trouble.h"
#include "system/attached.h"
#include "system/system_test.h"

// What the tests with a master made of RFC 2741 alone stand on.

namespace tcpmibd::lab {

// Needs a namespace and no program of others.
class ScriptedTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::optional<std::string>& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
  }
};

inline constexpr std::string_view kAnnounced = "registered with the AgentX master";
inline constexpr std::string_view kReadAgain = "the configuration has been read again";

// A turn of the daemon's loop takes 100 ms at most; the rest is for a machine that has more to do.
inline constexpr std::chrono::milliseconds kPromptly{2'000};

enum class Transport : std::uint8_t { kOverUnix, kOverTcp };

// A tcpmibd whose master is a scripted one.
class Scripted {
 public:
  explicit Scripted(const Namespace& space, DaemonOptions options = {},
                    Transport transport = Transport::kOverUnix)
      : master_(transport == Transport::kOverTcp ? ScriptedMaster::over_tcp(space)
                                                 : ScriptedMaster(folder_.file("agentx"))),
        daemon_(space, attached(std::move(options))) {}

  const ScriptedMaster& master() const { return master_; }
  Daemon& daemon() { return daemon_; }
  std::string log() const { return daemon_.log(); }
  bool runs() const { return daemon_.process().running(); }
  long memory() const { return daemon_.process().memory("VmRSS"); }  // KiB

  // The next call of the daemon. Trouble when it does not call.
  MasterSession take(Manners manners = {});

  // Takes its calls until one has registered all that is served. Trouble when none has.
  MasterSession attend(const Manners& manners = {});

  // Sends SIGHUP; whether that is obeyed promptly, while `session` is served or left alone.
  bool obeys_hangup(MasterSession& session);
  bool obeys_hangup();

  // Sends SIGTERM; the exit status, none when it takes longer than the second it has.
  std::optional<int> terminate(MasterSession& session);

 private:
  DaemonOptions attached(DaemonOptions options) const {
    options.arguments.insert(options.arguments.end(), {"--agentx", master_.address()});
    return options;
  }

  std::string told() {
    const std::optional<int> status = daemon_.process().wait(std::chrono::milliseconds(0));
    return (status ? "it has ended with status " + std::to_string(*status) + "; " : std::string()) +
           "its log: " + log();
  }

  static std::size_t registers_of(const MasterSession& session) {
    return static_cast<std::size_t>(
        std::ranges::count(session.requests(), agentx::Type::kRegister, &agentx::Pdu::type));
  }

  TempFolder folder_;
  ScriptedMaster master_;
  Daemon daemon_;
  std::optional<std::size_t> registers_;  // that it took when it was said to be all; that is said
                                          // a few times a minute only
};

inline MasterSession Scripted::take(Manners manners) {
  std::optional<MasterSession> session;
  eventually(
      [&] {
        session = master_.take(manners, std::chrono::milliseconds(100));
        return session || !runs();
      },
      kGreatPatience);
  if (!session)
    throw Trouble("tcpmibd does not call its master; " + told());
  return std::move(*session);
}

inline MasterSession Scripted::attend(const Manners& manners) {
  const auto deadline = std::chrono::steady_clock::now() + kGreatPatience;
  const long before = count_of(kAnnounced, log());
  while (std::chrono::steady_clock::now() < deadline) {
    MasterSession session = take(manners);
    const auto is_complete = [&] {
      return registers_of(session) == registers_ || count_of(kAnnounced, log()) > before;
    };
    session.serve_until([&] { return is_complete() || session.has_ended() || !runs(); },
                        kGreatPatience);
    if (is_complete()) {
      registers_ = registers_of(session);
      return session;
    }
  }
  throw Trouble("tcpmibd does not register its tables; " + told());
}

inline bool Scripted::obeys_hangup(MasterSession& session) {
  const long before = count_of(kReadAgain, log());
  daemon_.process().signal(SIGHUP);
  return session.serve_until([&] { return count_of(kReadAgain, log()) > before; }, kPromptly);
}

inline bool Scripted::obeys_hangup() {
  const long before = count_of(kReadAgain, log());
  daemon_.process().signal(SIGHUP);
  return eventually([&] { return count_of(kReadAgain, log()) > before; }, kPromptly);
}

inline std::optional<int> Scripted::terminate(MasterSession& session) {
  daemon_.process().signal(SIGTERM);
  session.serve_until([&] { return !runs(); }, std::chrono::seconds(1));
  return daemon_.process().wait(std::chrono::milliseconds(0));
}

// tcpRtoMin of Linux, which nobody changes.
inline agentx::Response rto_min() { return {.varbinds = {{kTcpRtoMin, "INTEGER", "200"}}}; }
inline agentx::Pdu ask_for_rto_min() { return agentx::get(agentx::names({kTcpRtoMin})); }

// Whether a right question is rightly answered: on `session` or, if that is over, on the next one.
inline void expect_served(Scripted& agent, MasterSession& session) {
  try {
    const std::uint32_t packet = session.begin(ask_for_rto_min());
    std::optional<agentx::Response> answer = session.answer_to(packet);
    if (!answer && session.has_ended()) {
      session = agent.attend();
      answer = session.ask(ask_for_rto_min());
    }
    EXPECT_EQ(answer.value_or(agentx::Response{}), rto_min()) << agent.log();
  } catch (const std::exception& exception) {
    ADD_FAILURE() << exception.what();
  }
}

}  // namespace tcpmibd::lab
