#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/handle.h"
#include "support/deadline.h"
#include "support/netns.h"

namespace tcpmibd::lab {

// A child process of ours, of which nothing is left when this object goes: it is killed, by its
// own number, and reaped. It also dies with the thread that made it.
class Process {
 public:
  Process() = default;
  explicit Process(pid_t pid);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  bool running() const;
  void signal(int number) const;

  // The exit status as a shell tells it, 128 + signal for a violent end; none at the deadline.
  std::optional<int> wait(std::chrono::milliseconds timeout = kPatience);

  // SIGKILL, and gone on return.
  void kill();

  // In KiB, and only for a process that runs: "VmRSS", "RssAnon", "VmHWM".
  long memory(std::string_view field) const;

  // What it has open, and the threads it has; 0 when it has ended.
  std::size_t descriptors() const;
  std::size_t threads() const;

  // Times its threads were put to sleep and woken so far: an idle program adds none.
  long wakeups() const;

 private:
  void reap();

  pid_t pid_ = -1;
  FileDescriptor handle_;      // of pidfd_open(); readable when the process has ended
  std::optional<int> status_;  // once reaped
};

// What a child process is given besides its arguments.
struct ProcessOptions {
  const Namespace* in = nullptr;                     // null: where the caller is
  std::map<std::string, std::string> environment{};  // added to ours
  std::string input{};                               // its standard input
  std::optional<uid_t> user{};                       // and the group of the same number
  std::optional<std::uint64_t> capabilities{};  // bit n = capability n, none else; absent: as ours,
                                                // or none when `user` is not root
  bool without_capset = false;  // capset(2) is EPERM, as in the sandbox of the packaged unit
};

// A program that runs beside the test; whatever it writes is kept.
class Child {
 public:
  // Trouble when the program cannot be started at all.
  explicit Child(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

  std::string out() const;
  std::string err() const;

  // Waits until either output contains `text`.
  bool says(std::string_view text, std::chrono::milliseconds timeout = kPatience) const;

  Process& process() { return process_; }
  const Process& process() const { return process_; }

 private:
  FileDescriptor out_;  // Files in memory: a child never waits for us to read.
  FileDescriptor err_;
  Process process_;
};

// What a program that has ended left.
struct Output {
  int status = 0;
  std::string out;
  std::string err;
};

// Runs a program to its end. Trouble when it cannot be started or outlives `timeout`.
Output run(const std::vector<std::string>& arguments, const ProcessOptions& options = {},
           std::chrono::milliseconds timeout = std::chrono::seconds(60));

// A copy of the test process that does what it is told: the holder of sockets that are not ours.
struct Errand {
  std::function<void()> prepare{};  // the holder counts as ready when this has returned
  std::function<void()> forever{};  // goes on from there; absent: waits to be killed
  const Namespace* in = nullptr;
  std::vector<int> keep{};  // descriptors of the test it shares; it has no others
};

// Only the calling thread is copied: an errand must not wait for any other.
class Holder {
 public:
  // Starts it and returns at once.
  explicit Holder(const Errand& errand);

  // Waits until it is ready. Trouble with its words when preparing failed.
  Holder& await_ready(std::chrono::milliseconds timeout = std::chrono::seconds(60));

  Process& process() { return process_; }
  const Process& process() const { return process_; }

 private:
  FileDescriptor report_;  // gives a word when ready, or what went wrong
  Process process_;
};

}  // namespace tcpmibd::lab
