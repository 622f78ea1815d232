#pragma once

#include <memory>

#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::agent {

// Keeps SIGTERM, SIGINT and SIGHUP from this thread and from every thread it starts. To be called
// before any is started; Signals lets them through to the agent's.
void block_signals();

// What the operator wants, as a descriptor for the loop. One per process.
//
// Why not a signalfd: a request to end also starts a timer, which ends the process when the loop
// has not done so within kEnd. No turn of the loop is meant to take so long, but a library or a
// kernel that does not come back must not make an operator wait.
class Signals {
 public:
  // Lets the signals through that block_signals() holds back.
  static Result<std::unique_ptr<Signals>> open();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int descriptor() const { return wake_.get(); }  // readable when one has come

  struct Wishes {
    bool stop = false;
    bool hang_up = false;
  };
  // What has been asked for since the last call; `stop` stays.
  Wishes take();

 private:
  explicit Signals(FileDescriptor wake);

  FileDescriptor wake_;
};

}  // namespace tcpmibd::agent
