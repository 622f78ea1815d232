#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "support/deadline.h"
#include "support/programs.h"
#include "system/monitoring.h"
#include "system/system_test.h"

// `show --watch` on a real terminal, which tmux is.

namespace tcpmibd::lab {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A terminal with a shell command on it, gone with this.
class Tmux {
 public:
  Tmux(const Namespace& space, const std::string& command, const std::string& environment = {})
      : space_(space), socket_(folder_.file("tmux")) {
    tmux({"-f", "/dev/null", "new-session", "-d", "-s", "w", "-x", "110", "-y", "24",
          environment + " " + command + "; echo status $?; exec cat"});
  }

  ~Tmux() { run({"tmux", "-S", socket_, "kill-server"}, {.in = &space_}); }
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;

  void type(const std::string& keys) const { tmux({"send-keys", "-t", "w", keys}); }

  void resize(int columns, int rows) const {
    tmux({"resize-window", "-t", "w", "-x", std::to_string(columns), "-y", std::to_string(rows)});
  }

  // With the escape sequences of colours, or without.
  std::string screen(bool raw = false) const {
    std::vector<std::string> command{"capture-pane", "-p", "-t", "w"};
    if (raw)
      command.emplace_back("-e");
    return tmux(command);
  }

  bool shows(const std::string& text) const {
    return eventually([&] { return screen().find(text) != std::string::npos; });
  }

  // The process below the terminal's shell.
  pid_t child() const {
    const std::string shell = tmux({"display-message", "-p", "-t", "w", "#{pane_pid}"});
    return static_cast<pid_t>(
        std::stoi(run({"pgrep", "-P", shell.substr(0, shell.find('\n'))}).out));
  }

 private:
  std::string tmux(const std::vector<std::string>& words) const {
    std::vector<std::string> command{"env", "-u", "TMUX", "LC_ALL=C.UTF-8", "tmux", "-S", socket_};
    command.insert(command.end(), words.begin(), words.end());
    const Output output = run(command, {.in = &space_});
    EXPECT_EQ(output.status, 0) << output.err;
    return output.out;
  }

  const Namespace& space_;
  TempFolder folder_;
  std::string socket_;
};

std::string watching(const std::string& words = {}) {
  return tcpmibd_binary() + " show --watch=1 " + words;
}

class Watching : public SystemTest {
 protected:
  void SetUp() override {
    SystemTest::SetUp();
    if (!IsSkipped() && !is_installed("tmux"))
      GTEST_SKIP() << "no tmux (package tmux)";
  }

  Namespace space_;
};

TEST_F(Watching, TheFirstScreenNamesTheProgramThatLeaks) {
  const TroubledService service(space_);
  const Tmux terminal(space_, watching());
  EXPECT_TRUE(eventually(
      [&] {
        return terminal.screen().find("system_tests has not closed 25 connections") !=
               std::string::npos;
      },
      std::chrono::seconds(10)))
      << terminal.screen();
  EXPECT_THAT(terminal.screen(), AllOf(HasSubstr("closeWait 25"), HasSubstr("? help")));
}

TEST_F(Watching, KeysChangeTheViewAndFilterIt) {
  const TroubledService service(space_);
  const Tmux terminal(space_, watching());
  ASSERT_TRUE(terminal.shows("? help"));
  terminal.type("2");
  EXPECT_TRUE(terminal.shows("QUEUE")) << terminal.screen();
  terminal.type("5");
  EXPECT_TRUE(terminal.shows("end not read")) << terminal.screen();
  terminal.type("/established");
  EXPECT_TRUE(eventually([&] {
    return terminal.screen().find("end not read") == std::string::npos;
  })) << terminal.screen();
  terminal.type("Escape");
  EXPECT_TRUE(terminal.shows("end not read")) << terminal.screen();
  terminal.type("?");
  EXPECT_TRUE(terminal.shows("q, Ctrl-C     end")) << terminal.screen();
}

TEST_F(Watching, WhatChangesIsMarked) {
  const TcpSocket listener = quiet_service(space_);
  const Tmux terminal(space_, watching("ports"));
  ASSERT_TRUE(terminal.shows("443")) << terminal.screen();
  const TcpSocket caller = connect_to(space_, "127.0.0.1:443");
  EXPECT_TRUE(terminal.shows("*  443")) << terminal.screen();
}

TEST_F(Watching, FollowsTheSizeOfTheTerminal) {
  const Tmux terminal(space_, watching());
  ASSERT_TRUE(terminal.shows("q quit"));
  const auto last_line_has = [&](const std::string& text, std::size_t rows) {
    return eventually([&] {
      const std::string screen = terminal.screen();
      std::size_t line = 0;
      std::size_t from = 0;
      for (std::size_t end = screen.find('\n'); end != screen.npos && line + 1 < rows;
           end = screen.find('\n', from), ++line)
        from = end + 1;
      return screen.substr(from).find(text) != std::string::npos;
    });
  };
  terminal.resize(60, 12);
  EXPECT_TRUE(last_line_has("worst first", 12)) << terminal.screen();
  terminal.resize(130, 40);
  EXPECT_TRUE(last_line_has("q quit", 40)) << terminal.screen();
  terminal.resize(20, 3);
  EXPECT_TRUE(terminal.shows("1 processes")) << terminal.screen();
}

TEST_F(Watching, EndsByAKeyAndBySignalsAndLeavesTheTerminalAsItWas) {
  for (const char* keys : {"q", "C-c"}) {
    const Tmux terminal(space_, watching());
    ASSERT_TRUE(terminal.shows("? help"));
    terminal.type(keys);
    EXPECT_TRUE(terminal.shows("status 0")) << terminal.screen();
    EXPECT_THAT(terminal.screen(), Not(HasSubstr("? help")));
    terminal.type("echoed");
    EXPECT_TRUE(terminal.shows("echoed")) << terminal.screen();
  }
  for (const int signal : {SIGTERM, SIGSEGV}) {
    const Tmux terminal(space_, watching());
    ASSERT_TRUE(terminal.shows("? help"));
    ::kill(terminal.child(), signal);
    EXPECT_TRUE(terminal.shows(signal == SIGTERM ? "status 0" : "status 139")) << terminal.screen();
    EXPECT_THAT(terminal.screen(), Not(HasSubstr("? help")));
  }
}

TEST_F(Watching, WithoutColoursUsesNone) {
  const TroubledService service(space_);
  const Tmux colourful(space_, watching());
  ASSERT_TRUE(colourful.shows("closeWait 25"));
  EXPECT_THAT(colourful.screen(true), HasSubstr("31m"));
  for (const char* environment : {"NO_COLOR=1", "TERM=vt100"}) {
    const Tmux plain(space_, watching(), environment);
    ASSERT_TRUE(plain.shows("closeWait 25"));
    EXPECT_THAT(plain.screen(true), AllOf(Not(HasSubstr("31m")), Not(HasSubstr("36m"))));
  }
}

TEST_F(Watching, AnUnknownTerminalIsAnErrorWithACure) {
  const Tmux terminal(space_, watching(), "TERM=nothing-known");
  EXPECT_TRUE(terminal.shows("set TERM to a kind")) << terminal.screen();
  EXPECT_TRUE(terminal.shows("status 1"));
}

TEST_F(Watching, WithoutATerminalEachRoundFollowsTheOther) {
  const TcpSocket listener = quiet_service(space_);
  Child rounds({tcpmibd_binary(), "show", "ports", "--watch=1"}, {.in = &space_});
  EXPECT_TRUE(eventually([&] {
    const std::string text = rounds.out();
    const std::size_t first = text.find("PORT");
    return first != text.npos && text.find("\n\nPORT", first) != text.npos;
  })) << rounds.out()
      << rounds.err();
  rounds.process().signal(SIGTERM);
  EXPECT_EQ(rounds.process().wait(), 0);
}

}  // namespace
}  // namespace tcpmibd::lab
